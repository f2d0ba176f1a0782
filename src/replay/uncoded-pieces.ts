/**
 * Takes the content coding off a body that came in pieces, and keeps when each came: what a
 * piece of it gives is told with that piece.
 */
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
} from 'node:zlib'
import type { Transform } from 'node:stream'
import { contentCoding } from '../http/content-coding.js'
import { createZstdDecoder } from '../http/zstd.js'

export interface RawPiece {
  readonly atMs: number
  readonly bytes: Buffer
}

/** Of one body, without its coding. */
const MAX_OUTPUT_BYTES = 512 * 1024 * 1024

/**
 * `coding`: the one that was taken off. Undefined: it cannot be, and the pieces are as they came.
 * Never rejects: of a body that broke off there is what it gave.
 */
export async function uncodedPieces(
  pieces: readonly RawPiece[],
  header: string | undefined,
): Promise<{ readonly pieces: readonly RawPiece[]; readonly coding?: string }> {
  const coding = contentCoding(header)
  if (coding === undefined || coding === 'identity' || pieces.length === 0)
    return { pieces }
  const [first] = pieces
  const decoder = decoderOf(coding, first?.bytes ?? Buffer.alloc(0))
  const found: RawPiece[] = []
  let atMs = 0
  let size = 0
  let failed = false
  decoder.on('data', (bytes: Buffer) => {
    size += bytes.length
    if (size > MAX_OUTPUT_BYTES) decoder.destroy(new Error('it unfolds to too much'))
    else found.push({ atMs, bytes })
  })
  const over = new Promise<void>((resolve) => {
    decoder.once('error', () => {
      failed = true
      resolve()
    })
    decoder.once('end', resolve)
    decoder.once('close', resolve)
  })
  for (const piece of pieces) {
    if (failed) break
    atMs = piece.atMs
    const taken = new Promise<void>((resolve) => {
      decoder.write(piece.bytes, () => resolve())
    })
    await Promise.race([taken, over])
  }
  if (!failed) decoder.end()
  await over
  if (failed && (found.length === 0 || size > MAX_OUTPUT_BYTES)) return { pieces }
  return { pieces: found, coding }
}

function decoderOf(coding: 'gzip' | 'deflate' | 'br' | 'zstd', start: Buffer): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip()
    case 'br':
      return createBrotliDecompress()
    case 'zstd':
      return createZstdDecoder(() => true)
    case 'deflate': {
      // It should be the zlib format (RFC 1950 §2.2), and is raw from some servers.
      const [first = 0, second = 0] = start
      const isZlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0
      return isZlib ? createInflate() : createInflateRaw()
    }
  }
}
