/** What the vendors' libraries are asked, and what they say, in one form for all of them. */

export interface Said {
  readonly model?: string | undefined
  readonly id?: string | undefined
  readonly text: string
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[]
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  readonly finish?: string | undefined
  /** The library threw; it says no more than this. */
  readonly error?: { readonly status: number | undefined; readonly message: string }
}

export interface SdkAsked {
  readonly url: URL
  /** Asked for, in body or path. */
  readonly model: string
  readonly stream: boolean
}

export const WORDS = 'What is the time?'
export const KEY = 'a-key-for-nobody'
export const user = { role: 'user', content: WORDS } as const

/** A count and what a vendor counts beside it; undefined when the count is. */
export function withParts(
  count: number | undefined,
  ...beside: readonly (number | null | undefined)[]
): number | undefined {
  return count === undefined
    ? undefined
    : beside.reduce<number>((sum, part) => sum + (part ?? 0), count)
}

export function counted(
  inputTokens: number | undefined,
  outputTokens: number | undefined,
): Pick<Said, 'inputTokens' | 'outputTokens'> {
  return { inputTokens, outputTokens }
}

/** Arguments are compared by what they mean. */
export function called(name: string, args: unknown): Said['calls'][number] {
  if (typeof args !== 'string') return { name, arguments: args ?? {} }
  try {
    return { name, arguments: args === '' ? {} : (JSON.parse(args) as unknown) }
  } catch {
    return { name, arguments: args }
  }
}
