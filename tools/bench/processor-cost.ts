/**
 * What a processor on the head costs: CPU of YORI's own process a request, in one run, in turns.
 * `none`: no processor is configured; `elsewhere`: one is, for another path; `asked`: it is asked
 * about each, over a Unix socket. All in enforce, over one keep-alive connection each. `held`:
 * no processor, and a policy that reads no content, for which requests are held as well.
 * Usage: node dist/tools/bench/processor-cost.js [ROUNDS] [REQUESTS]
 */
import { spawn } from 'node:child_process'
import { Pool, ProxyAgent, request } from 'undici'
import type { Dispatcher } from 'undici'
import { packageFile } from '../../src/core/package-root.js'
import { ChildYori } from '../../test/support/child-yori.js'
import { startOrigin } from '../../test/support/origins.js'
import { certificate, NAME, originCa, until } from '../../test/support/proxied.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { existsSync } from 'node:fs'

const rounds = Number(process.argv[2] ?? 7)
const requests = Number(process.argv[3] ?? 400)
const WARM = 2000
const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
}
const BODY = JSON.stringify({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'hello' }],
})

await using folder = await tempFolder()
const socket = folder.file('echo.sock')
const agent = spawn(
  process.execPath,
  [packageFile('dist/tools/processors/echo.js'), socket],
  {
    stdio: 'ignore',
  },
)
await until(() => existsSync(socket))
await using origin = await startOrigin({
  certificate,
  handler: (incoming, response) => {
    incoming.resume()
    incoming.on('end', () => response.end('{}'))
  },
})
const processor = (path: string) => [
  { name: 'echo', address: socket, routes: [{ path }] },
]
const shared = { origins: { [NAME]: origin }, trust: [originCa] }
const configs: Readonly<Record<string, Record<string, unknown>>> = {
  none: ENFORCE,
  elsewhere: { ...ENFORCE, processors: processor('/elsewhere') },
  asked: { ...ENFORCE, processors: processor('/v1/') },
  held: {
    ...ENFORCE,
    policies: {
      files: { model_allowlist: { action: 'block', params: { models: ['*'] } } },
    },
  },
}

interface Running {
  readonly name: string
  readonly yori: ChildYori
  readonly dispatcher: Dispatcher
  readonly micros: number[]
}

const running: Running[] = []
for (const [name, config] of Object.entries(configs)) {
  const yori = await ChildYori.start({ ...shared, config })
  const dispatcher = new ProxyAgent({
    uri: `http://127.0.0.1:${yori.port}`,
    requestTls: { ca: yori.rootPem },
    clientFactory: (url, options) => new Pool(url, { ...options, connections: 1 }),
  })
  running.push({ name, yori, dispatcher, micros: [] })
}

async function ask({ dispatcher }: Running, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { statusCode, body } = await request(`https://${NAME}/v1/chat/completions`, {
      method: 'POST',
      dispatcher,
      headers: { 'content-type': 'application/json' },
      body: BODY,
    })
    await body.dump()
    if (statusCode !== 200) throw new Error(`status ${statusCode}`)
  }
}

try {
  for (const one of running) await ask(one, WARM)
  for (let round = 0; round < rounds; round++)
    for (const one of running) {
      const before = one.yori.cpuMs()
      await ask(one, requests)
      one.micros.push(((one.yori.cpuMs() - before) * 1000) / requests)
    }
  for (const { name, micros } of running) {
    const sorted = micros.toSorted((a, b) => a - b)
    const [least = 0] = sorted
    const middle = sorted[sorted.length >> 1] ?? 0
    console.log(
      `${name.padEnd(10)} ${least.toFixed(0)} us least, ${middle.toFixed(0)} us median`,
    )
  }
} finally {
  agent.kill('SIGKILL')
  for (const { dispatcher, yori } of running) {
    await dispatcher.destroy()
    await yori[Symbol.asyncDispose]()
  }
}
