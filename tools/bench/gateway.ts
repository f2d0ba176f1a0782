// Usage: node dist/tools/bench/gateway.js [--windows N] [--seconds N] [--portkey FOLDER]
// What a request costs at a door of the gateway: beside the same request intercepted, and, where
// --portkey names a folder in which `npm install @portkey-ai/gateway` was run, beside that. All
// programs are up at once and take their windows in turns; the upstream side is TLS for all.
// CPU is that of the least window, since disturbance only adds, with the median beside it. Exit 1
// where a request at a door costs more than 1.15 times an intercepted one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { tempFolder } from '../../test/support/temp-folder.js'
import { YoriProcess } from '../dev/yori-process.js'
import type { Target } from './jobs.js'
import { usageOf } from './process-tree.js'
import { load, pinned, startProgram } from './programs.js'
import { machine } from './table.js'

const CONNECTIONS = 32
const PER_SECOND = 50
const MOST_RATIO = 1.15
const START_MS = 30_000

const { values } = parseArgs({
  options: {
    windows: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    portkey: { type: 'string' },
  },
})
const windows = Number(values.windows)
const seconds = Number(values.seconds)

/** One way of asking, and whose CPU it takes. */
interface Way {
  readonly name: string
  readonly target: Target
  readonly pid: number | undefined
}

interface Figures {
  readonly cpuMs: number[]
  readonly perSecond: number[]
  readonly p50: number[]
  readonly p95: number[]
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

async function reachable(port: number): Promise<void> {
  const until = performance.now() + START_MS
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch (cause) {
      if (performance.now() > until) throw cause
      await sleep(50)
    } finally {
      socket.destroy()
    }
  }
}

/** As its README starts it, without its console. */
async function startPortkey(
  folder: string,
  caFile: string,
): Promise<{ readonly port: number; readonly pid: number } & AsyncDisposable> {
  const port = await freePort()
  const main = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  const [command = '', ...args] = [
    ...pinned('proxy'),
    ...[process.execPath, main, `--port=${port}`, '--headless'],
  ]
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: caFile }
  const child = spawn(command, args, { env, stdio: 'ignore' })
  await reachable(port)
  return {
    port,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const closed = once(child, 'close')
      child.kill()
      await closed
    },
  }
}

/** CPU a request and requests a second, as fast as answers come. */
async function rated(way: Way, figures: Figures): Promise<void> {
  const before = way.pid === undefined ? undefined : usageOf(way.pid)
  const done = await load(way.target, {
    kind: 'closed',
    connections: CONNECTIONS,
    seconds,
  })
  const after = way.pid === undefined ? undefined : usageOf(way.pid)
  figures.perSecond.push(done.count / done.seconds)
  if (before !== undefined && after !== undefined)
    figures.cpuMs.push((after.cpuMs - before.cpuMs) / done.count)
}

async function paced(way: Way, figures: Figures): Promise<void> {
  const job = { kind: 'open', connections: 8, perSecond: PER_SECOND, seconds } as const
  const { latenciesMs } = await load(way.target, job)
  figures.p50.push(latenciesMs[Math.floor(latenciesMs.length * 0.5)] ?? Number.NaN)
  figures.p95.push(latenciesMs[Math.floor(latenciesMs.length * 0.95)] ?? Number.NaN)
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN
}

function least(list: readonly number[]): number {
  return list.length === 0 ? Number.NaN : Math.min(...list)
}

await using program = startProgram('load', 'origin.js')
const ports = (await program.line()) as Omit<Target, 'host'>
const origin: Target = { ...ports, host: 'api.openai.com' }
await using folder = await tempFolder('yori-bench-')
const caFile = folder.file('root.pem')
writeFileSync(caFile, origin.caPem)
await using yori = await YoriProcess.start({
  folder: folder.path,
  launcher: pinned('proxy'),
  extraCaPem: origin.caPem,
  resolve: { 'api.openai.com': `127.0.0.1:${origin.originPort}` },
})
const portkey =
  values.portkey === undefined ? undefined : await startPortkey(values.portkey, caFile)
await using _portkey = portkey ?? { [Symbol.asyncDispose]: () => Promise.resolve() }

const here = { ...origin, gatewayPort: yori.port, host: `127.0.0.1:${yori.port}` }
const ways: Way[] = [
  { name: 'direct', target: origin, pid: undefined },
  {
    name: 'YORI, intercepted',
    target: { ...origin, caPem: await yori.caPem(), proxyPort: yori.port },
    pid: yori.pid,
  },
  {
    name: 'YORI, /llm/openai',
    target: { ...here, path: '/llm/openai/v1/chat/completions' },
    pid: yori.pid,
  },
]
if (portkey !== undefined)
  ways.push({
    name: '@portkey-ai/gateway',
    target: {
      ...origin,
      gatewayPort: portkey.port,
      lines: [
        'x-portkey-provider: openai',
        `x-portkey-custom-host: https://localhost:${origin.originPort}/v1`,
      ],
    },
    pid: portkey.pid,
  })

const all = new Map(
  ways.map((way) => [
    way.name,
    { way, figures: { cpuMs: [], perSecond: [], p50: [], p95: [] } },
  ]),
)
for (const way of ways)
  await load(way.target, { kind: 'closed', connections: CONNECTIONS, seconds: 4 })
for (let window = 0; window < windows; window++) {
  for (const { way, figures } of all.values()) await rated(way, figures)
  for (const { way, figures } of all.values()) await paced(way, figures)
}

console.log(`${machine()}\n${pinned('proxy').join(' ') || 'not pinned to cores'}\n`)
console.log(
  `| | CPU a request, ms, least / median of ${windows} | requests/s, median / most | ` +
    `at ${PER_SECOND}/s p50 / p95, ms |\n| --- | --: | --: | --: |`,
)
for (const [name, { figures }] of all) {
  const { cpuMs, perSecond, p50, p95 } = figures
  const cpu =
    cpuMs.length === 0 ? '-' : `${least(cpuMs).toFixed(3)} / ${median(cpuMs).toFixed(3)}`
  const rate = `${median(perSecond).toFixed(0)} / ${Math.max(...perSecond).toFixed(0)}`
  console.log(
    `| ${name} | ${cpu} | ${rate} | ${median(p50).toFixed(2)} / ${median(p95).toFixed(2)} |`,
  )
}
const cpuOf = (name: string): number => least(all.get(name)?.figures.cpuMs ?? [])
const atDoor = cpuOf('YORI, /llm/openai')
const ratio = atDoor / cpuOf('YORI, intercepted')
console.log(
  `\na door beside intercepted: ${ratio.toFixed(2)} (at most ${MOST_RATIO}: ${ratio <= MOST_RATIO ? 'held' : 'MISS'})`,
)
if (portkey !== undefined)
  console.log(
    `a door beside @portkey-ai/gateway: ${(atDoor / cpuOf('@portkey-ai/gateway')).toFixed(2)} (aim: 0.33)`,
  )
if (!(ratio <= MOST_RATIO)) process.exitCode = 1
