/**
 * The providers' own SDKs, told which way to go. On Node 20 they ignore HTTPS_PROXY; an
 * undici dispatcher is how their users send them through a proxy.
 */
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import type { Dispatcher } from 'undici'

export interface SdkOptions {
  readonly dispatcher: Dispatcher
  /** The origin, `https://host:port`; unset means the provider's own name. */
  readonly origin?: string
}

export function openaiSdk(options: SdkOptions): OpenAI {
  return new OpenAI({
    apiKey: 'simulated-key',
    maxRetries: 0,
    fetchOptions: fetchOptions(options.dispatcher),
    ...(options.origin === undefined ? {} : { baseURL: `${options.origin}/v1` }),
  })
}

export function anthropicSdk(options: SdkOptions): Anthropic {
  return new Anthropic({
    apiKey: 'simulated-key',
    maxRetries: 0,
    fetchOptions: fetchOptions(options.dispatcher),
    ...(options.origin === undefined ? {} : { baseURL: options.origin }),
  })
}

/** undici's own types and those that Node's fetch carries differ by version only. */
function fetchOptions(dispatcher: Dispatcher): object {
  return { dispatcher }
}
