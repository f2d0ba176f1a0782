// Usage: node --expose-gc dist/tools/bench/bombs.js
// Memory that small bodies cost which unfold to far more: 50 at once of each coding, each of 256
// MiB of zeros, undone as the proxy undoes a copy. Megabytes of RSS over what was there before,
// at the most. Exit 1 when one is over 64. Each coding has a process of its own.
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { CODING_LIMITS, ContentDecoder } from '../../src/http/content-coding.js'
import type { Coding } from '../../src/http/content-coding.js'

const MIB = 1024 * 1024
const COUNT = 50
const MOST_MIB = 64

type Real = Exclude<Coding, 'identity'>
const CODINGS: readonly [what: string, coding: Real][] = [
  ['br', 'br'],
  ['br, 16 MiB window', 'br'],
  ['br, streamed', 'br'],
  ['gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['zstd', 'zstd'],
]

/** As encoders make them unless told otherwise. */
function bomb(what: string, coding: Real): Buffer {
  const zeros = Buffer.alloc(256 * MIB)
  switch (coding) {
    case 'br':
      return what === 'br' ? brotliCompressSync(zeros) : wide(what, zeros)
    case 'gzip':
      return gzipSync(zeros, { level: 9 })
    case 'deflate':
      return deflateSync(zeros, { level: 9 })
    case 'zstd':
      return execFileSync('zstd', ['-q', '-c', '-1'], { input: zeros, maxBuffer: MIB })
  }
}

/** Over what is undone in place, so that it is undone as it comes. */
const STREAMED_BYTES = 20_000

function wide(what: string, zeros: Buffer): Buffer {
  if (what.endsWith('streamed'))
    return brotliCompressSync(Buffer.concat([randomBytes(STREAMED_BYTES), zeros]))
  return brotliCompressSync(zeros, {
    params: { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS },
  })
}

async function measure(coded: Buffer, coding: Real): Promise<number> {
  const rss = (): number => process.memoryUsage().rss
  // Whatever one takes for good is taken.
  await decoded(coded, coding)
  globalThis.gc?.()
  const before = rss()
  let most = before
  const timer = setInterval(() => (most = Math.max(most, rss())), 1)
  await Promise.all(Array.from({ length: COUNT }, () => decoded(coded, coding)))
  clearInterval(timer)
  return (Math.max(most, rss()) - before) / MIB
}

function decoded(coded: Buffer, coding: Real): Promise<unknown> {
  const decoder = new ContentDecoder(coding, () => undefined, CODING_LIMITS)
  decoder.push(coded)
  return decoder.end()
}

async function child(): Promise<void> {
  process.once('message', ({ coded, coding }: { coded: string; coding: Real }) => {
    void measure(Buffer.from(coded, 'base64'), coding).then((grown) =>
      process.send?.(grown),
    )
  })
  await once(process, 'disconnect')
}

async function parent(): Promise<void> {
  console.log(`node ${process.version}; ${COUNT} at once, each of 256 MiB of zeros`)
  for (const [what, coding] of CODINGS) {
    const coded = bomb(what, coding)
    const running = fork(fileURLToPath(import.meta.url), ['child'])
    running.send({ coded: coded.toString('base64'), coding })
    const [grown] = (await once(running, 'message')) as [number]
    running.disconnect()
    const isOver = grown > MOST_MIB
    if (isOver) process.exitCode = 1
    console.log(
      `${what.padEnd(20)}${String(coded.length).padStart(9)} bytes  +${grown.toFixed(0)} MiB${isOver ? '  OVER' : ''}`,
    )
  }
}

await (process.argv[2] === 'child' ? child() : parent())
