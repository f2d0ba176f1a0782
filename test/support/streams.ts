/** Reading streams to an end that is never waited for without a bound. */
import type { Readable } from 'node:stream'

const DEFAULT_LIMIT_BYTES = 256 * 1024 * 1024

/** All bytes until the end; an error when the stream fails or passes the limit. */
export async function collect(
  stream: Readable,
  limitBytes = DEFAULT_LIMIT_BYTES,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array)
    size += bytes.length
    if (size > limitBytes) throw new Error(`more than ${limitBytes} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

/** Takes bytes until `done` says so of what has come; the stream stays usable. */
export async function readUntil(
  stream: Readable,
  done: (soFar: Buffer) => boolean,
): Promise<Buffer> {
  let soFar = Buffer.alloc(0)
  for (;;) {
    const chunk = stream.read() as Buffer | null
    if (chunk !== null) {
      soFar = Buffer.concat([soFar, chunk])
      if (done(soFar)) return soFar
      continue
    }
    await readableOrEnd(stream, soFar)
  }
}

/** At least `count` bytes; what came beyond them goes back into the stream. */
export async function readExactly(stream: Readable, count: number): Promise<Buffer> {
  const bytes = await readUntil(stream, (soFar) => soFar.length >= count)
  if (bytes.length > count) stream.unshift(bytes.subarray(count))
  return bytes.subarray(0, count)
}

function readableOrEnd(stream: Readable, soFar: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (cause?: Error): void => {
      stream.off('readable', onReadable)
      stream.off('end', onEnd)
      stream.off('close', onEnd)
      stream.off('error', finish)
      if (cause === undefined) resolve()
      else reject(cause)
    }
    const onReadable = (): void => finish()
    const onEnd = (): void =>
      finish(
        new Error(
          `ended after ${soFar.length} bytes: ${soFar.toString('latin1', 0, 200)}`,
        ),
      )
    if (stream.readableEnded || stream.destroyed) return onEnd()
    stream.once('readable', onReadable)
    stream.once('end', onEnd)
    stream.once('close', onEnd)
    stream.once('error', finish)
  })
}
