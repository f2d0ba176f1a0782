/**
 * Takes the content coding off the copy of a request body, on the thread pool where it is not
 * small; of a long one its first part and its newest are kept. The body on its way is not
 * touched.
 */
import { ContentDecoder, CODING_LIMITS } from '../../http/content-coding.js'
import type { Coding, CodingLimits } from '../../http/content-coding.js'
import { frameOf, framesIn } from '../../http/grpc-frames.js'
import { BodyCopy } from '../bounds/body-copy.js'
import type { Hold } from '../bounds/byte-budget.js'
import type { BodyPart } from './request-copy.js'

export interface CodedCopy extends BodyPart {
  readonly coding: Exclude<Coding, 'identity'>
}

export interface DecodeLimits {
  /** Decoded bytes that are kept. */
  readonly maxBytes: number
  /** What is decoded counts there. */
  readonly hold: Hold
  readonly limits?: CodingLimits
}

/** `taken`: bytes of `hold`, for whoever reads it to give back. */
export interface DecodedCopy extends BodyPart {
  readonly taken: number
}

/**
 * The same of messages that are compressed each for itself, as gRPC has it, in a body that is
 * whole. Undefined: one of them is not of that coding, or over a limit. Never rejects.
 */
export async function decodeMessages(
  copy: CodedCopy,
  bounds: DecodeLimits,
): Promise<DecodedCopy | undefined> {
  const messages: Buffer[] = []
  let taken = 0
  let size = 0
  for (const frame of framesIn(copy.bytes) ?? []) {
    if (frame.isPart || frame.isEnd) continue
    let { bytes } = frame
    if (frame.isCompressed) {
      const { coding } = copy
      const left = { ...bounds, maxBytes: bounds.maxBytes - size }
      const decoded = await decodeRequest({ bytes, whole: true, coding }, left)
      taken += decoded?.taken ?? 0
      if (decoded?.whole !== true) {
        bounds.hold.give(taken)
        return undefined
      }
      bytes = decoded.bytes
    }
    size += bytes.length
    messages.push(frameOf(bytes))
  }
  return { ...copy, bytes: Buffer.concat(messages), taken }
}

/** Undefined when it is not of that coding. Never rejects. */
export async function decodeRequest(
  copy: CodedCopy,
  { maxBytes, hold, limits = CODING_LIMITS }: DecodeLimits,
): Promise<DecodedCopy | undefined> {
  const kept = new BodyCopy(maxBytes)
  let size = 0
  let taken = 0
  let isFull = false
  const decoder = new ContentDecoder(
    copy.coding,
    (piece) => {
      size += piece.length
      const more = kept.growth(piece.length)
      if (more > 0 && hold.take(more)) taken += more
      else if (more > 0) {
        isFull = true
        kept.seal()
      }
      kept.push(piece)
    },
    { ...limits, maxQueuedBytes: Math.max(maxBytes, copy.bytes.length) },
  )
  decoder.push(copy.bytes)
  const end = await decoder.end()
  if (end === 'corrupt' || (end === 'too-large' && size === 0)) {
    hold.give(taken)
    return undefined
  }
  const gap = isFull ? 'limits.held_body_bytes' : 'inspect.max_body_bytes'
  const over =
    size >= limits.maxOutputBytes
      ? 'limits.decompressed_bytes'
      : 'limits.decompression_ratio'
  const cutBy = end === 'too-large' ? over : kept.hasGap ? gap : copy.cutBy
  const whole = copy.whole && end === 'whole' && !kept.hasGap
  return { ...kept.kept(), whole, cutBy, taken }
}
