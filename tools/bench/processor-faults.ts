/**
 * Processors that break, under traffic: each fault so many times with both fail modes, then one
 * that is killed and started again. Told are what clients got, what reached the provider, how
 * often the breaker opened, how long until it was asked again, and memory. Fails where a fail
 * mode was not kept. Usage: node --expose-gc dist/tools/bench/processor-faults.js [TIMES] [KILLS]
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { UdsDialect } from '../../src/processors/uds.js'
import { Patience } from '../../src/processors/patience.js'
import { failureOf } from '../../src/processors/words.js'
import type { Asked } from '../../src/processors/words.js'
import { packageFile } from '../../src/core/package-root.js'
import { behind, NAME } from '../../test/support/proxied.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { ALLOW, frameOf, UdsAgent } from '../../test/support/uds-agent.js'
import type { Say } from '../../test/support/uds-agent.js'

const times = Number(process.argv[2] ?? 1000)
const kills = Number(process.argv[3] ?? 100)
const AT_ONCE = 8
const TIMEOUT_MS = 50
/** Of the one that is killed: on a busy machine its start takes longer than that. */
const RESTART_TIMEOUT_MS = 1000

const answer = frameOf(0x20, ALLOW)
const FAULTS: Readonly<Record<string, Say | undefined>> = {
  hangs: () => 'nothing',
  garbage: () => Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
  'no decision': () => ({ version: 2 }),
  'half an answer': () => answer.subarray(0, 9),
  '1 GB announced': () => Buffer.from([0x40, 0, 0, 0, 0x20]),
  floods: () => Buffer.concat(Array.from({ length: 1000 }, () => frameOf(0x30, {}))),
  'ends at once': () => 'end',
  'socket missing': undefined,
}

const ASKED: Asked = {
  requestId: 'r',
  head: {
    ...{ method: 'POST', path: '/', host: NAME, protocol: 'HTTP/1.1', fields: [] },
    ...{ clientAddress: '127.0.0.1', clientPort: 1, traceparent: undefined },
    ...{ provider: undefined, model: undefined, startedAt: 0 },
  },
  asksHead: true,
  body: undefined,
}

function memory(): number {
  ;(globalThis as { gc?: () => void }).gc?.()
  return Math.round(process.memoryUsage().rss / 1024 / 1024)
}

async function inLanes(count: number, work: () => Promise<void>): Promise<void> {
  let left = count
  const lane = async (): Promise<void> => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

/** The dialect by itself, with no breaker before it: each fault is met so often. */
async function bare(path: string): Promise<void> {
  for (const [fault, say] of Object.entries(FAULTS)) {
    const agent = say === undefined ? undefined : await UdsAgent.start(path, say)
    const dialect = new UdsDialect({
      path,
      replyBytes: 1 << 20,
      version: '0',
      connections: AT_ONCE,
    })
    const kinds = new Map<string, number>()
    const before = memory()
    await inLanes(times, async () => {
      const patience = new Patience(TIMEOUT_MS)
      const kind = await dialect.ask(ASKED, patience).then(
        () => 'an answer',
        (cause: unknown) => failureOf(cause).kind,
      )
      patience.settle()
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    })
    dialect.close()
    await agent?.[Symbol.asyncDispose]()
    const told = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')
    console.log(`dialect  ${fault.padEnd(15)} ${told}; RSS ${before} -> ${memory()} MB`)
    if (kinds.has('an answer')) process.exitCode = 1
  }
}

async function whole(): Promise<void> {
  await using folder = await tempFolder()
  const path = folder.file('agent.sock')
  await bare(path)
  let arrived = 0
  await using house = await behind(
    (incoming, response) => {
      arrived++
      incoming.resume()
      incoming.on('end', () => response.end('{}'))
    },
    {
      mode: 'enforce',
      enforcement: { enabled: true, consent_accepted: true },
      processors: ['open', 'closed', 'killed'].map((mode) => ({
        ...{ name: mode, address: path, fail_mode: mode === 'closed' ? mode : 'open' },
        timeout_ms: mode === 'killed' ? RESTART_TIMEOUT_MS : TIMEOUT_MS,
        routes: [{ path: `/${mode}/` }],
      })),
    },
  )
  const dispatcher = house.yori.dispatcher()
  const statuses = new Map<number, number>()
  let serial = 0
  const ask = async (mode: string): Promise<void> => {
    const { statusCode, body } = await request(
      `https://${NAME}/${mode}/v1/chat/completions`,
      {
        method: 'POST',
        dispatcher,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content: `n ${serial++}` }] }),
      },
    )
    await body.dump()
    statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
  }
  const processorOf = (name: string) => {
    const found = house.yori.appliance.current.services.processors.all.find(
      (one) => one.name === name,
    )
    if (found === undefined) throw new Error(name)
    return found
  }
  const told = (): string =>
    [...statuses].map(([status, n]) => `${n} x ${status}`).join(', ')

  for (const [fault, say] of Object.entries(FAULTS))
    for (const mode of ['open', 'closed']) {
      // Another generation: its breaker is closed.
      await house.yori.reload({})
      const agent = say === undefined ? undefined : await UdsAgent.start(path, say)
      arrived = 0
      statuses.clear()
      const began = performance.now()
      await inLanes(times, () => ask(mode))
      const ms = Math.round(performance.now() - began)
      await agent?.[Symbol.asyncDispose]()
      const { breaker, counts } = processorOf(mode)
      const kept = mode === 'open' ? arrived === times : arrived === 0
      if (!kept) process.exitCode = 1
      console.log(
        `${mode.padEnd(8)} ${fault.padEnd(15)} ${told()}; ${arrived} went up; breaker ${breaker.state}, ` +
          `opened ${breaker.trips} time; ${counts.failed} failures; ${ms} ms; RSS ${memory()} MB`,
      )
    }

  await killed(path, {
    ask,
    processorOf,
    statuses,
    told,
    reload: () => house.yori.reload({}),
  })
}

interface House {
  readonly ask: (mode: string) => Promise<void>
  readonly processorOf: (name: string) => {
    readonly counts: { readonly asked: number; readonly failed: number }
    readonly breaker: { readonly trips: number }
  }
  readonly statuses: Map<number, number>
  readonly told: () => string
  readonly reload: () => Promise<void>
}

/** A real process, killed in the midst of traffic and started again. */
async function killed(path: string, house: House): Promise<void> {
  await house.reload()
  house.statuses.clear()
  const file = packageFile('dist/tools/processors/echo.js')
  const start = (): ChildProcess =>
    spawn(process.execPath, [file, path], { stdio: 'ignore' })
  let isOver = false
  const traffic = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!isOver) {
        await house.ask('killed')
        await sleep(2)
      }
    }),
  )
  const back: number[] = []
  const before = memory()
  let child = start()
  const answered = (): number => {
    const { asked, failed } = house.processorOf('killed').counts
    return asked - failed
  }
  const { access } = await import('node:fs/promises')
  const { rm } = await import('node:fs/promises')
  for (let i = 0; i < kills; i++) {
    const from = answered()
    while (answered() < from + 8) await sleep(5)
    child.kill('SIGKILL')
    await sleep(50)
    await rm(path, { force: true })
    child = start()
    while (
      (await access(path).then(
        () => true,
        () => false,
      )) === false
    )
      await sleep(2)
    const up = performance.now()
    const then = answered()
    while (answered() <= then + 4) await sleep(2)
    back.push(performance.now() - up)
  }
  isOver = true
  await traffic
  child.kill('SIGKILL')
  back.sort((a, b) => a - b)
  const most = Math.round(back.at(-1) ?? 0)
  const middle = Math.round(back[Math.floor(back.length / 2)] ?? 0)
  const { breaker } = house.processorOf('killed')
  console.log(
    `killed   ${kills} times under traffic: ${house.told()}; asked again after ${middle} ms (median), ` +
      `${most} ms (most); breaker opened ${breaker.trips} times; RSS ${before} -> ${memory()} MB`,
  )
  if ([...house.statuses.keys()].some((status) => status !== 200)) process.exitCode = 1
}

await whole()
