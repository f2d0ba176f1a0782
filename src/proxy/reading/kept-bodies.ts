/**
 * The texts of request and response for the record, where the operator wants them kept: their
 * beginning, without content coding.
 */
import { StringDecoder } from 'node:string_decoder'
import type { Hold } from '../bounds/byte-budget.js'

/** The beginning of a body, undefined for what is no text. Never half a character. */
export function bodyText(
  bytes: Buffer,
  contentType: string | undefined,
  maxBytes: number,
): string | undefined {
  if (bytes.length === 0 || !isText(contentType)) return undefined
  return new StringDecoder('utf8').write(bytes.subarray(0, maxBytes))
}

/** One response as its decoded pieces come. */
export class ResponseKeeper {
  readonly #contentType: string | undefined
  readonly #maxBytes: number
  readonly #hold: Hold
  #pieces: Buffer[] = []
  #size = 0

  constructor(contentType: string | undefined, maxBytes: number, hold: Hold) {
    this.#contentType = contentType
    this.#maxBytes = isText(contentType) ? maxBytes : 0
    this.#hold = hold
  }

  /** Copies what it keeps. */
  push(piece: Uint8Array): void {
    const room = this.#maxBytes - this.#size
    if (room <= 0) return
    const part = Buffer.from(piece.subarray(0, room))
    if (!this.#hold.take(part.length)) {
      this.#size = this.#maxBytes
      return
    }
    this.#pieces.push(part)
    this.#size += part.length
  }

  text(): string | undefined {
    return bodyText(Buffer.concat(this.#pieces), this.#contentType, this.#maxBytes)
  }
}

/** JSON, text, forms and streams of events; no media, and no uploads. */
function isText(contentType: string | undefined): boolean {
  if (contentType === undefined) return true
  const type = (contentType.split(';', 1)[0] as string).trim().toLowerCase()
  return (
    type === '' ||
    type.startsWith('text/') ||
    type.endsWith('json') ||
    type.endsWith('jsonl') ||
    type.endsWith('jsonlines') ||
    type === 'application/x-www-form-urlencoded' ||
    type === 'application/xml'
  )
}
