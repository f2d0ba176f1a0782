// Usage: node dist/tools/bench/bombs-whole.js [--only NAME]
// RSS of a whole YORI while 50 answers at once unfold to 256 MiB of zeros, of each coding, over
// HTTP/1.1 and HTTP/2: of 405 bytes or so, and with 20,000 bytes before, so that they are undone as
// they come. MiB over what it had before, at the most. Exit 1 when one is over 64, or an answer does
// not come as the provider sent it.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { execFileSync } from 'node:child_process'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { ProxyAgent, request } from 'undici'
import { startOrigin } from '../../test/support/origins.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { TestCa } from '../../test/support/test-ca.js'
import { HTTP_VERSIONS } from '../../test/support/yori.js'
import type { HttpVersion } from '../../test/support/yori.js'
import { YoriProcess } from '../dev/yori-process.js'
import { SHIPPED } from './held-yori.js'
import { usageOf } from './process-tree.js'
import { machine } from './table.js'

const MIB = 1024 * 1024
const COUNT = 50
const MOST_MIB = 64
const NAME = 'api.openai.com'

interface Bomb {
  readonly coding: string
  readonly body: Buffer
}

const zeros = Buffer.alloc(256 * MIB)
const streamed = Buffer.concat([randomBytes(20_000), zeros])
const zstd = (input: Buffer): Buffer =>
  execFileSync('zstd', ['-q', '-c', '-1'], { input, maxBuffer: MIB })
const PLAIN: Bomb = { coding: 'identity', body: Buffer.from('{"choices":[]}') }
const BOMBS: Readonly<Record<string, Bomb>> = {
  br: { coding: 'br', body: brotliCompressSync(zeros) },
  'br, streamed': { coding: 'br', body: brotliCompressSync(streamed) },
  gzip: { coding: 'gzip', body: gzipSync(zeros, { level: 9 }) },
  'gzip, streamed': { coding: 'gzip', body: gzipSync(streamed, { level: 9 }) },
  zstd: { coding: 'zstd', body: zstd(zeros) },
  'zstd, streamed': { coding: 'zstd', body: zstd(streamed) },
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } })
let served = PLAIN
const ca = new TestCa()
await using folder = await tempFolder('yori-bombs-')
await using origin = await startOrigin({
  certificate: ca.issue({ names: [NAME] }),
  handler: (incoming, response) => {
    incoming.resume().on('end', () => {
      response.setHeader('content-type', 'application/json')
      if (served.coding !== 'identity')
        response.setHeader('content-encoding', served.coding)
      response.end(served.body)
    })
  },
})
const yori = await YoriProcess.start({
  folder: folder.path,
  launcher: SHIPPED,
  extraCaPem: ca.certificatePem,
  resolve: { [NAME]: origin.address },
  config: { mode: 'enforce', enforcement: { enabled: true, consent_accepted: true } },
})
const rootPem = await yori.caPem()
const rss = (): number => usageOf(yori.pid)?.rssMiB ?? NaN

async function ask(agent: ProxyAgent): Promise<void> {
  const answer = await request(`https://${NAME}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
    body: '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}',
  })
  const body = Buffer.from(await answer.body.arrayBuffer())
  if (!body.equals(served.body)) throw new Error(`other bytes: ${answer.statusCode}`)
}

async function all(version: HttpVersion): Promise<void> {
  const allowH2 = version === 'h2'
  await using agent = agentOf(allowH2)
  await Promise.all(Array.from({ length: COUNT }, () => ask(agent.proxy)))
}

function agentOf(allowH2: boolean): AsyncDisposable & { readonly proxy: ProxyAgent } {
  const proxy = new ProxyAgent({
    uri: `http://127.0.0.1:${yori.port}`,
    allowH2,
    requestTls: { ca: rootPem, allowH2 },
  })
  return { proxy, [Symbol.asyncDispose]: () => proxy.destroy() }
}

console.log(machine())
try {
  for (const version of HTTP_VERSIONS)
    for (const [what, bomb] of Object.entries(BOMBS)) {
      if (!what.includes(values.only)) continue
      // Connections and code of its own are taken before.
      served = PLAIN
      await all(version)
      await all(version)
      served = bomb
      const before = rss()
      let most = before
      const timer = setInterval(() => (most = Math.max(most, rss())), 5)
      await all(version)
      // Bodies are read to their ends after their last byte has passed.
      await new Promise((resolve) => setTimeout(resolve, 1500))
      clearInterval(timer)
      const isOver = most - before > MOST_MIB
      if (isOver) process.exitCode = 1
      console.log(
        `${what.padEnd(16)}${version}  ${String(bomb.body.length).padStart(7)} bytes  ${before.toFixed(0).padStart(4)} MiB before  +${(most - before).toFixed(0)} MiB${isOver ? '  OVER' : ''}`,
      )
    }
} finally {
  await yori.stop()
}
