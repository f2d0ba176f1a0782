/** A body as a processor is shown it: its coding undone, within bounds. */
import { ContentDecoder, contentCoding } from '../http/content-coding.js'
import type { CodingLimits } from '../http/content-coding.js'
import { ProcessorFailure } from './words.js'

/** @throws ProcessorFailure: nobody could read it, or it is over the limits */
export async function unpacked(
  bytes: Buffer,
  encoding: string | undefined,
  limits: CodingLimits,
): Promise<Buffer> {
  const coding = contentCoding(encoding)
  if (coding === 'identity') return bytes
  if (coding === undefined) throw new ProcessorFailure('body-unreadable')
  const pieces: Buffer[] = []
  const decoder = new ContentDecoder(coding, (piece) => pieces.push(piece), limits)
  decoder.push(bytes)
  const end = await decoder.end()
  if (end === 'too-large') throw new ProcessorFailure('body-too-large')
  if (end !== 'whole') throw new ProcessorFailure('body-unreadable')
  return Buffer.concat(pieces)
}
