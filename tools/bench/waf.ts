/**
 * What the firewall costs, in one run and in turns: time of a request and CPU of YORI's process and
 * of the firewall's, with it on and off, in observe and in enforce. `short`: a chat of one line;
 * `long`: 20 KB of prose that changes with each request, so that nothing of it is remembered.
 * Before it, how many recorded and harmless requests it blocks by its defaults, where YORI_CASES is.
 * Usage: node dist/tools/bench/waf.js [ROUNDS] [REQUESTS]
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pool, ProxyAgent, request } from 'undici'
import type { Dispatcher } from 'undici'
import { readState } from '../../src/waf/state-file.js'
import { ChildYori } from '../../test/support/child-yori.js'
import { startOrigin } from '../../test/support/origins.js'
import { certificate, NAME, originCa } from '../../test/support/proxied.js'

const rounds = Number(process.argv[2] ?? 5)
const requests = Number(process.argv[3] ?? 60)
const WARM = 100
const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
}
/** Of `times` in proc(5): hundredths of a second. */
const MS_PER_TICK = 10

await using origin = await startOrigin({
  certificate,
  handler: (incoming, response) => {
    incoming.resume().on('end', () => response.end('{}'))
  },
})

interface Running {
  readonly name: string
  readonly yori: ChildYori
  readonly dispatcher: Dispatcher
}

interface Sum {
  readonly times: number[]
  ownMs: number
  wafMs: number
}

const prose = 'The quick brown fox sees what the lazy dog does, and says nothing of it. '
const BODIES: Readonly<Record<string, (index: number) => string>> = {
  short: () => chat('hello'),
  long: (index) => chat(`${index} ${prose.repeat(280)} ${index}`),
}

function chat(content: string): string {
  return JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] })
}

async function start(name: string, config: Record<string, unknown>): Promise<Running> {
  const options = { origins: { [NAME]: origin }, trust: [originCa], config }
  const yori = await ChildYori.start(options)
  const dispatcher = new ProxyAgent({
    uri: `http://127.0.0.1:${yori.port}`,
    requestTls: { ca: yori.rootPem },
    clientFactory: (url, more) => new Pool(url, { ...more, connections: 1 }),
  })
  return { name, yori, dispatcher }
}

async function post({ dispatcher }: Running, body: string): Promise<number> {
  const headers = { 'content-type': 'application/json', 'user-agent': 'bench' }
  const path = `https://${NAME}/v1/chat/completions`
  const answer = await request(path, { method: 'POST', dispatcher, headers, body })
  await answer.body.dump()
  return answer.statusCode
}

function wafCpuMs({ yori }: Running): number {
  const { pid } = readState(yori.folder.file('state')) ?? {}
  if (pid === undefined) return 0
  const fields =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK
}

const running = [
  await start('enforce, off', ENFORCE),
  await start('enforce, on', { ...ENFORCE, waf: { enabled: true } }),
  await start('observe, off', {}),
  await start('observe, on', { waf: { enabled: true } }),
]
let index = 0
try {
  await blocked(running[1] as Running)
  for (const one of running) for (let i = 0; i < WARM; i++) await post(one, chat('hello'))
  for (const [kind, body] of Object.entries(BODIES)) {
    const sums = running.map((): Sum => ({ times: [], ownMs: 0, wafMs: 0 }))
    for (let round = 0; round < rounds; round++)
      for (const [at, one] of running.entries()) {
        const sum = sums[at] as Sum
        const [own, waf] = [one.yori.cpuMs(), wafCpuMs(one)]
        for (let i = 0; i < requests; i++) {
          const began = performance.now()
          const status = await post(one, body(index++))
          if (status !== 200) throw new Error(`status ${status}`)
          sum.times.push(performance.now() - began)
        }
        sum.ownMs += one.yori.cpuMs() - own
        sum.wafMs += wafCpuMs(one) - waf
      }
    for (const [at, { name }] of running.entries()) {
      const { times, ownMs, wafMs } = sums[at] as Sum
      const sorted = times.toSorted((a, b) => a - b)
      const part = (share: number): string =>
        (
          sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
        ).toFixed(2)
      const each = (ms: number): string => (ms / times.length).toFixed(2)
      console.log(
        `${kind.padEnd(6)} ${name.padEnd(13)} p50 ${part(0.5)} ms, p99 ${part(0.99)} ms, ` +
          `CPU a request ${each(ownMs)} ms, of the firewall ${each(wafMs)} ms`,
      )
    }
  }
} finally {
  for (const { dispatcher, yori } of running) {
    await dispatcher.destroy()
    await yori[Symbol.asyncDispose]()
  }
}

/** Of what was recorded, and of harmless prompts. */
async function blocked(one: Running): Promise<void> {
  const folder = process.env['YORI_CASES'] ?? ''
  if (folder === '' || !existsSync(folder)) return
  const rows = (...parts: string[]) =>
    readFileSync(join(folder, ...parts), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const bodies = [
    ...rows('llm', 'pairs.jsonl').flatMap(({ request: asked }) => {
      const { body } = asked as { body?: unknown }
      if (body === undefined || body === null) return []
      return [typeof body === 'string' ? body : JSON.stringify(body)]
    }),
    ...rows('injection', 'prompts.jsonl')
      .filter(({ label }) => String(label).startsWith('benign'))
      .map(({ text }) => chat(String(text))),
  ]
  let refused = 0
  for (const body of bodies) if ((await post(one, body)) === 403) refused++
  console.log(`blocked by its defaults: ${refused} of ${bodies.length}`)
}
