/**
 * Takes the content coding off the copy of a request body, on the thread pool where it is not
 * small, and never to more than what is looked at. The body on its way is not touched.
 */
import { ContentDecoder, CODING_LIMITS } from '../../http/content-coding.js'
import type { Coding, CodingLimits } from '../../http/content-coding.js'
import type { Hold } from '../bounds/byte-budget.js'

export interface CodedCopy {
  readonly bytes: Buffer
  /** `bytes` are all of the body. */
  readonly whole: boolean
  readonly coding: Exclude<Coding, 'identity'>
}

export interface DecodeLimits {
  /** Decoded bytes that are kept; a byte more tells that there is more. */
  readonly maxBytes: number
  /** What is decoded counts there. */
  readonly hold: Hold
  readonly limits?: CodingLimits
}

/** Undefined when it is not of that coding. Never rejects. */
export async function decodeRequest(
  copy: CodedCopy,
  { maxBytes, hold, limits = CODING_LIMITS }: DecodeLimits,
): Promise<{ readonly bytes: Buffer; readonly whole: boolean } | undefined> {
  const pieces: Buffer[] = []
  let size = 0
  let full = false
  const decoder = new ContentDecoder(
    copy.coding,
    (piece) => {
      if (full) return
      const room = maxBytes + 1 - size
      const part = piece.length <= room ? piece : piece.subarray(0, room)
      full = part.length < piece.length || !hold.take(part.length)
      pieces.push(part)
      size += part.length
      if (full) decoder.abort()
    },
    { ...limits, maxQueuedBytes: Math.max(maxBytes, copy.bytes.length) },
  )
  decoder.push(copy.bytes)
  const end = await decoder.end()
  if (end === 'corrupt' || (end === 'too-large' && size === 0)) return undefined
  return { bytes: Buffer.concat(pieces, size), whole: copy.whole && end === 'whole' }
}
