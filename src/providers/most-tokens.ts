/**
 * The most that a call may use, by what its request says: what is reserved for it while it runs,
 * and what a budget of money counts where its answer tells no tokens. Pure.
 */
import type { Api } from './provider.js'
import { GENERATING_APIS } from './provider.js'

const CHARS_PER_TOKEN = 4
/** What an answer is taken to be where the request does not bound it: few are longer. */
export const DEFAULT_OUTPUT_TOKENS = 16_384

/** Of a request: what bounds its answer. */
export interface Bounding {
  /** Undefined: nobody knows the path. */
  readonly api: string | undefined
  readonly promptChars?: number | undefined
  readonly maxTokens?: number | undefined
  /** Answers that it asks for at once. */
  readonly choices?: number | undefined
}

/** Whole tokens, never fewer than zero. */
export interface MostTokens {
  /** By its text, four characters each. */
  readonly inputTokens: number
  /** 0: no model writes. */
  readonly outputTokens: number
}

/** What is not bounded by the request counts as `DEFAULT_OUTPUT_TOKENS`. Never throws. */
export function mostTokens({ api, ...asked }: Bounding): MostTokens {
  const { promptChars = 0, maxTokens = DEFAULT_OUTPUT_TOKENS, choices = 1 } = asked
  const writes = api === undefined || WRITING.has(api)
  return {
    inputTokens: Math.ceil(promptChars / CHARS_PER_TOKEN),
    outputTokens: writes ? maxTokens * choices : 0,
  }
}

const WRITING: ReadonlySet<string> = new Set<Api>([
  ...GENERATING_APIS,
  'assistants',
  'other',
])
