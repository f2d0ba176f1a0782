/** How much waits for somebody: refused in the last day, and nobody has said yes or no to it. */
import { signal } from '@preact/signals'
import { ask } from './api.js'

export const waitingCount = signal(0)

interface Approvals {
  readonly held: readonly unknown[]
  readonly blocked: readonly { readonly answer: string | null }[]
}

export async function countWaiting(): Promise<void> {
  try {
    const { held, blocked } = await ask<Approvals>('/api/approvals')
    const refused = blocked.filter(({ answer }) => answer === null)
    waitingCount.value = held.length + refused.length
  } catch {
    // The page that asked says so itself.
  }
}
