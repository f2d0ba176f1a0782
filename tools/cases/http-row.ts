/** What a row of raw HTTP/1.1 holds. */
import type { Row } from './kind.js'

/** The provider in whose name the rows are played. */
export const NAME = 'api.openai.com'

export interface HttpRow {
  readonly raw: Buffer
  /** Read by the rules, without any leniency. */
  readonly strict: boolean
  readonly expected: {
    readonly accepted: boolean
    /** Messages that end within the bytes. */
    readonly messages_complete: number
    /** Pieces of all bodies, in order, without line ends. */
    readonly bodies?: readonly string[]
    /** Of the first message. */
    readonly method?: string | null
    readonly url?: string | null
  }
}

export function rowOf(row: Row): HttpRow | undefined {
  const { raw_b64: raw, expected, strict } = row
  if (typeof raw !== 'string' || typeof expected !== 'object' || expected === null)
    return undefined
  return {
    raw: Buffer.from(raw, 'base64'),
    strict: strict !== false,
    expected: expected as HttpRow['expected'],
  }
}

/** Whose message it is; where the row does not say, a status line tells. RFC 9112 §4. */
export function sideOf(row: Row): string {
  const { side, raw_b64: raw } = row
  if (typeof side === 'string') return side
  const start = Buffer.from(typeof raw === 'string' ? raw : '', 'base64').subarray(0, 16)
  return /^\s*(?:HTTP|ICY)\b/i.test(start.toString('latin1')) ? 'response' : 'request'
}

/**
 * The rows have lost the empty line at their end: where the bytes end with a line end, one
 * more is what was read.
 */
export function completed(raw: Buffer): Buffer {
  const ends = raw.subarray(-2).toString('latin1') === '\r\n'
  return ends ? Buffer.concat([raw, Buffer.from('\r\n')]) : raw
}
