// Usage: node dist/tools/bench/control.js [--windows N] [--seconds N] [--rows N]
// What the control plane costs the daemon. RSS of a YORI before and after the control plane has
// started, three fresh processes; CPU and RSS at 50 requests a second with and without 20 readers of
// `/api/events`, in turns; p99 of the loop's delay at that rate while somebody searches a record of
// so many rows and asks for its use, and while nobody does, in turns. Of windows the least, since
// disturbance only adds. At the end what `/metrics` says of each stage of an exchange, after 100
// more on new connections. Exit 1 when readers miss exchanges.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ProxyAgent, request } from 'undici'
import { Yori } from '../../test/support/yori.js'
import { startOrigin } from '../../test/support/origins.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { TestCa } from '../../test/support/test-ca.js'
import { YoriProcess } from '../dev/yori-process.js'
import { fillRecord } from './filled-record.js'
import { SHIPPED } from './held-yori.js'
import { usageOf } from './process-tree.js'
import { machine } from './table.js'

const NAME = 'api.openai.com'
const EVERY_MS = 20
const READERS = 20
const FRESH = 3
const ANSWER =
  '{"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1}}'
const BODY = '{"model":"gpt-4o","messages":[{"role":"user","content":"what is steam?"}]}'

const { values } = parseArgs({
  options: {
    windows: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '5' },
    rows: { type: 'string', default: '200000' },
    idle: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const MiB = 2 ** 20

/** Of this process, which is ended by it: what the control plane adds to it. */
async function addedHere(): Promise<number> {
  const settled = async (): Promise<number> => {
    for (let n = 0; n < 5; n++) {
      ;(globalThis as { gc?: () => void }).gc?.()
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    return process.memoryUsage.rss()
  }
  await using yori = await Yori.start()
  const before = await settled()
  const { Telemetry } = await import('../../src/control/telemetry.js')
  const { Control } = await import('../../src/control/control.js')
  const { systemClock } = await import('../../src/core/clock.js')
  const { silentLog } = await import('../../src/core/log.js')
  const about = { clock: systemClock, log: silentLog, version: '0', startedAt: 0 }
  const { config } = yori.appliance.current
  const control = new Control(
    { ...config, control: { ...config.control, listen: '127.0.0.1:0' } },
    {
      ...about,
      appliance: yori.appliance,
      telemetry: new Telemetry(about),
      source: undefined,
    },
  )
  await control.start()
  const after = await settled()
  await control.stop()
  return (after - before) / MiB
}

function addedIdle(): number {
  const added = Array.from({ length: FRESH }, () => {
    const own = fileURLToPath(import.meta.url)
    const { stdout } = spawnSync(process.execPath, ['--expose-gc', own, '--idle'])
    return Number(String(stdout))
  }).sort((a, b) => a - b)
  return added[Math.floor(FRESH / 2)] ?? NaN
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

interface Load {
  readonly pid: number
  /** `fresh`: on a connection of its own. */
  readonly request: (fresh?: boolean) => Promise<void>
  readonly ask: (path: string) => Promise<string>
  readonly read: () => Promise<Reading>
}

interface Reading {
  readonly exchanges: number
  readonly end: () => void
}

/** At a steady pace, whatever the answers take; gives how many. */
async function paced(load: Load): Promise<number> {
  const open: Promise<void>[] = []
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      open.push(load.request())
      if (open.length < (seconds * 1000) / EVERY_MS) return
      clearInterval(timer)
      resolve()
    }, EVERY_MS)
  })
  await Promise.all(open)
  return open.length
}

const least = (list: readonly number[]): number => Math.min(...list)
const usage = (pid: number) => usageOf(pid) ?? { cpuMs: NaN, rssMiB: NaN }

async function readersCost(load: Load): Promise<void> {
  const cpu = { with: [] as number[], without: [] as number[] }
  const rss = { with: [] as number[], without: [] as number[] }
  let missed = 0
  for (let window = 0; window < 2 * Number(values.windows); window++) {
    const key = window % 2 === 0 ? 'without' : 'with'
    const count = key === 'with' ? READERS : 0
    const readers = await Promise.all(Array.from({ length: count }, load.read))
    const before = usage(load.pid).cpuMs
    const asked = await paced(load)
    cpu[key].push((usage(load.pid).cpuMs - before) / seconds / 10)
    rss[key].push(usage(load.pid).rssMiB)
    await new Promise((resolve) => setTimeout(resolve, 600))
    missed += readers.filter(({ exchanges }) => exchanges < asked).length
    for (const { end } of readers) end()
  }
  console.log(
    `${READERS} readers at ${1000 / EVERY_MS} requests/s: ` +
      `${least(cpu.without).toFixed(1)} % of a core without, ${least(cpu.with).toFixed(1)} with; ` +
      `RSS ${least(rss.without).toFixed(1)} MiB without, ${least(rss.with).toFixed(1)} with; ` +
      `${missed} readers missed something`,
  )
  if (missed > 0) process.exitCode = 1
}

const SEARCHES = [
  '/api/exchanges?text=nowhere%20at%20all',
  '/api/usage',
  '/api/exchanges?device=desk-3',
  '/api/agents?days=90',
]

async function searchDelay(load: Load): Promise<void> {
  const p99 = async (): Promise<number> => {
    const text = await load.ask('/metrics')
    const found = /event_loop_delay_seconds\{stat="p99"\} (\S+)/.exec(text)?.[1]
    return Number(found) * 1000
  }
  const delays = { with: [] as number[], without: [] as number[] }
  let searches = 0
  await p99()
  for (let window = 0; window < 2 * Number(values.windows); window++) {
    const key = window % 2 === 0 ? 'without' : 'with'
    let isOver = key === 'without'
    const searching = (async () => {
      for (; !isOver; searches++)
        await load.ask(SEARCHES[searches % SEARCHES.length] ?? '/api/usage')
    })()
    await p99()
    await paced(load)
    delays[key].push(await p99())
    isOver = true
    await searching
  }
  const [without, beside] = [least(delays.without), least(delays.with)]
  console.log(
    `p99 of the loop's delay, ${values.rows} rows: ${without.toFixed(2)} ms while nobody searches, ` +
      `${beside.toFixed(2)} while somebody does (${searches} searches): ratio ${(beside / without).toFixed(2)}`,
  )
}

const STAGES: readonly (readonly [says: string, family: string, labels: string])[] = [
  ['handshake, full', 'yori_tls_handshake_duration_seconds', 'kind="full"'],
  ['handshake, resumed', 'yori_tls_handshake_duration_seconds', 'kind="resumed"'],
  ['request is read', 'yori_phase_duration_seconds', 'phase="request"'],
  ['policy', 'yori_phase_duration_seconds', 'phase="judge"'],
  ['provider', 'yori_phase_duration_seconds', 'phase="provider"'],
  ['response', 'yori_phase_duration_seconds', 'phase="response"'],
  ['write, a transaction', 'yori_store_write_duration_seconds', ''],
]

/** By the histograms of the whole run. A quantile is the bound of its bucket. */
async function stages(load: Load): Promise<void> {
  for (let n = 0; n < 100; n++) await load.request(true)
  const lines = (await load.ask('/metrics')).split('\n')
  console.log('| stage | count | mean, ms | p50 below, ms | p95 below, ms |')
  console.log('| --- | --: | --: | --: | --: |')
  for (const [says, family, labels] of STAGES) {
    const own = lines.filter(
      (line) => line.startsWith(family) && line.includes(labels) && /[ }]/.test(line),
    )
    const sum = (suffix: string): number =>
      own
        .filter((line) => line.startsWith(`${family}${suffix}`))
        .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)
    const buckets = new Map<number, number>()
    for (const line of own) {
      const bound = Number(/le="([\d.e-]+)"/.exec(line)?.[1])
      const below = Number(line.split(' ').at(-1))
      if (!Number.isNaN(bound)) buckets.set(bound, (buckets.get(bound) ?? 0) + below)
    }
    const count = sum('_count')
    const quantile = (share: number): number =>
      [...buckets].find(([, below]) => below >= share * count)?.[0] ?? Infinity
    const ms = [sum('_sum') / count, quantile(0.5), quantile(0.95)]
    console.log(
      `| ${says} | ${count} | ${ms.map((s) => (s * 1000).toFixed(2)).join(' | ')} |`,
    )
  }
}

async function main(): Promise<void> {
  console.log(machine())
  console.log(`the control plane, idle: +${addedIdle().toFixed(1)} MiB RSS`)
  const ca = new TestCa()
  await using folder = await tempFolder('yori-control-')
  await using origin = await startOrigin({
    certificate: ca.issue({ names: [NAME] }),
    handler: (incoming, response) => {
      incoming.resume().on('end', () => {
        response.setHeader('content-type', 'application/json')
        response.end(ANSWER)
      })
    },
  })
  const database = folder.file('audit.db')
  const rows = Number(values.rows)
  fillRecord(database, { rows, days: 90, nowMs: Date.now() })
  const port = await freePort()
  const yori = await YoriProcess.start({
    folder: folder.path,
    launcher: SHIPPED,
    extraCaPem: ca.certificatePem,
    resolve: { [NAME]: origin.address },
    config: {
      mode: 'enforce',
      enforcement: { enabled: true, consent_accepted: true },
      policies: { files: { privacy: { enabled: true, action: 'block' } } },
      control: { listen: `127.0.0.1:${port}` },
      audit: { database },
    },
  })
  const rootPem = await yori.caPem()
  const newAgent = (): ProxyAgent =>
    new ProxyAgent({
      uri: `http://127.0.0.1:${yori.port}`,
      requestTls: { ca: rootPem },
    })
  const agent = newAgent()
  const token = readFileSync(folder.file('state/control.token'), 'utf8').trim()
  const headers = { authorization: `Bearer ${token}` }
  const load: Load = {
    pid: yori.pid,
    request: async (fresh = false) => {
      const dispatcher = fresh ? newAgent() : agent
      const answer = await request(`https://${NAME}/v1/chat/completions`, {
        method: 'POST',
        dispatcher,
        headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
        body: BODY,
      })
      await answer.body.dump()
      if (fresh) await dispatcher.close()
    },
    ask: async (path) => {
      const answer = await request(`http://127.0.0.1:${port}${path}`, { headers })
      const text = await answer.body.text()
      if (answer.statusCode !== 200)
        throw new Error(`${path}: ${answer.statusCode} ${text}`)
      return text
    },
    read: async () => {
      let exchanges = 0
      const asking = plainRequest(
        { host: '127.0.0.1', port, path: '/api/events', headers, agent: false },
        (response) => {
          let rest = ''
          response.setEncoding('utf8')
          response.on('error', () => undefined)
          response.on('data', (piece: string) => {
            const lines = `${rest}${piece}`.split('\n')
            rest = lines.pop() ?? ''
            for (const line of lines)
              if (line.startsWith('data: '))
                exchanges += (JSON.parse(line.slice(6)) as { exchanges: unknown[] })
                  .exchanges.length
          })
        },
      )
      asking.on('error', () => undefined)
      asking.end()
      await once(asking, 'response')
      return {
        get exchanges() {
          return exchanges
        },
        end: () => asking.destroy(),
      }
    },
  }
  try {
    await paced(load)
    await readersCost(load)
    await searchDelay(load)
    await stages(load)
  } finally {
    await agent.destroy()
    await yori.stop()
  }
}

if (values.idle) {
  console.log(String(await addedHere()))
  process.exit(0)
}
await main()
