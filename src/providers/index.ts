/**
 * Every provider that YORI reads, and who speaks in an exchange: by host, then by path for
 * hosts that nobody here owns (a gateway, a server in the house). A new provider is one file
 * and one line in this array.
 */
import { anthropic } from './anthropic.js'
import { openai } from './openai.js'
import type { Api, ExchangeHead, Provider } from './provider.js'

export const providers: readonly Provider[] = [openai, anthropic]

export interface Recognised {
  readonly provider: Provider
  readonly api: Api
}

/** Undefined when no provider owns the host. */
export function recognise(head: ExchangeHead): Recognised | undefined {
  for (const provider of providers) {
    const api = provider.recognises(head)
    if (api !== undefined) return { provider, api }
  }
  return undefined
}
