// Usage: node dist/tools/bench/audit.js [--seconds N] [--rates 100,1000,10000] [--bodies] [--random-ids]
// What recording costs: CPU of the main thread and of the worker for each exchange, memory
// of the worker. An exchange opens and closes as in the pipeline; the cost of making its
// record is measured first with a sink that does nothing, and taken off. Linux only: CPU of
// one thread is read from /proc/self/task/TID/schedstat (nanoseconds).
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openAuditStore } from '../../src/audit/store.js'
import { systemClock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import { orderedId } from '../../src/core/ordered-id.js'
import type { AuditSink, ExchangeRecord, WritableRow } from '../../src/core/record.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rates: { type: 'string', default: '100,1000,10000' },
    bodies: { type: 'boolean', default: false },
    'random-ids': { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const TICK_MS = 5
/** How long an exchange is open. */
const OPEN_TICKS = 8

const nullSink: AuditSink = {
  connection: () => undefined,
  exchangeOpened: () => undefined,
  exchangeClosed: () => undefined,
  exchangeMerged: () => undefined,
  exchangeChanged: () => undefined,
  event: () => undefined,
  dropped: 0,
}

const MODELS = [
  'gpt-4o',
  'gpt-4o-mini',
  'claude-sonnet-4-5',
  'gemini-2.5-pro',
  'mistral-large',
]
const ENDPOINTS = [
  'api.openai.com',
  'api.anthropic.com',
  'generativelanguage.googleapis.com',
]
const PREVIEW = 'Write a short story about a dragon who learns to code. '
  .repeat(4)
  .slice(0, 200)
const BODY = JSON.stringify({ messages: [{ role: 'user', content: PREVIEW.repeat(5) }] })

function opened(serial: number): WritableRow<ExchangeRecord> {
  const now = Date.now()
  return {
    requestId: values['random-ids'] ? randomUUID() : orderedId(now),
    connectionId: `connection-${serial >> 3}`,
    device: {
      ip: `192.168.1.${(serial * 7) % 20}`,
      mac: 'aa:bb:cc:00:11:22',
      hostname: 'desk',
    },
    startedAt: now,
    endpointDomain: ENDPOINTS[serial % ENDPOINTS.length] ?? '',
    httpVersion: '1.1',
    method: 'POST',
    path: '/v1/chat/completions',
    userAgent: 'OpenAI/JS 6.49.0',
    requestBytes: 900,
    responseBytes: 0,
  }
}

function close(record: WritableRow<ExchangeRecord>): void {
  record.outcome = 'response'
  record.status = 200
  record.provider = 'openai'
  record.model = MODELS[record.startedAt % MODELS.length] ?? ''
  record.promptPreview = PREVIEW
  record.policyDecision = 'allow'
  record.policyName = 'default'
  record.latencyMs = 40.5
  record.firstByteMs = 20.25
  record.inputTokens = 200
  record.outputTokens = 300
  record.costMicroUsd = 1234
  record.finishReason = 'stop'
  record.stream = true
  record.responseBytes = 4000
  if (values.bodies) {
    record.requestBody = BODY
    record.responseBody = BODY
  }
}

/** Offers exchanges at a steady rate for a while; returns how many. */
async function load(sink: AuditSink, perSecond: number): Promise<number> {
  const perTick = (perSecond * TICK_MS) / 1000
  const open: WritableRow<ExchangeRecord>[][] = []
  const start = performance.now()
  let offered = 0
  for (let tick = 0; tick * TICK_MS < seconds * 1000; tick++) {
    const due = Math.floor((tick + 1) * perTick)
    const fresh: WritableRow<ExchangeRecord>[] = []
    for (; offered < due; offered++) {
      const record = opened(offered)
      sink.exchangeOpened(record)
      fresh.push(record)
    }
    open.push(fresh)
    if (open.length > OPEN_TICKS) finish(sink, open.shift())
    const wait = start + (tick + 1) * TICK_MS - performance.now()
    if (wait > 0) await delay(wait)
    else await new Promise((resolve) => setImmediate(resolve))
  }
  for (const records of open) finish(sink, records)
  return offered
}

function finish(sink: AuditSink, records: WritableRow<ExchangeRecord>[] = []): void {
  for (const record of records) {
    close(record)
    sink.exchangeClosed(record)
  }
}

/** Microseconds of CPU that each thread of this process has used. */
function cpuOfThreads(): Map<string, number> {
  const used = new Map<string, number>()
  for (const thread of readdirSync('/proc/self/task')) {
    const [nanoseconds] = readFileSync(
      `/proc/self/task/${thread}/schedstat`,
      'utf8',
    ).split(' ')
    used.set(thread, Number(nanoseconds) / 1000)
  }
  return used
}

const MAIN = String(process.pid)
const residentMiB = (): number => process.memoryUsage.rss() / 2 ** 20

interface Measured {
  readonly rate: number
  readonly rows: number
  readonly mainUs: number
  readonly workerUs: number
  readonly batches: number
  readonly dropped: number
}

async function measure(rate: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'yori-bench-audit-'))
  try {
    const idle = cpuOfThreads()
    await load(nullSink, rate)
    const idleUs = used(idle, MAIN)
    const known = new Set(cpuOfThreads().keys())
    const database = join(folder, 'audit.db')
    const store = openAuditStore({ database, log: silentLog, clock: systemClock })
    await store.start()
    const worker = busiest(known)
    const before = cpuOfThreads()
    const offered = await load(store, rate)
    const mainUs = used(before, MAIN) - idleUs
    await store.flush()
    const workerUs = used(before, worker)
    const { written, dropped } = store.counts
    if (written.exchanges + dropped.exchanges !== offered)
      throw new Error('rows went missing')
    const batches = store.counts.batches
    await store.stop()
    return {
      rate,
      rows: offered,
      mainUs: mainUs / offered,
      workerUs: workerUs / written.exchanges,
      batches,
      dropped: dropped.exchanges,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const used = (before: Map<string, number>, thread: string): number =>
  (cpuOfThreads().get(thread) ?? 0) - (before.get(thread) ?? 0)

/** The new thread that has worked most: the worker, which has just opened its database. */
function busiest(known: ReadonlySet<string>): string {
  const fresh = [...cpuOfThreads()].filter(([thread]) => !known.has(thread))
  fresh.sort(([, a], [, b]) => b - a)
  const [first] = fresh
  if (first === undefined) throw new Error('no worker thread to be seen')
  return first[0]
}

/** Memory that the worker adds, idle and after a load that wrote rows. */
async function memory(): Promise<{ idle: number; after: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'yori-bench-audit-'))
  try {
    await load(nullSink, 1000)
    const before = residentMiB()
    const database = join(folder, 'audit.db')
    const store = openAuditStore({ database, log: silentLog, clock: systemClock })
    await store.start()
    await delay(200)
    const idle = residentMiB() - before
    await load(store, 1000)
    await store.flush()
    const after = residentMiB() - before
    await store.stop()
    return { idle, after }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

console.log(`${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, node ${process.version}`)
const { idle, after } = await memory()
console.log(
  `worker adds ${idle.toFixed(1)} MiB idle, ${after.toFixed(1)} MiB after ${seconds} s at 1000/s`,
)
console.log('exchanges/s     rows  main us/row  worker us/row  rows/batch  dropped')
for (const rate of values.rates.split(',').map(Number)) {
  const result = await measure(rate)
  console.log(
    [
      String(result.rate).padStart(11),
      String(result.rows).padStart(8),
      result.mainUs.toFixed(2).padStart(12),
      result.workerUs.toFixed(2).padStart(14),
      (result.rows / result.batches).toFixed(1).padStart(11),
      String(result.dropped).padStart(8),
    ].join(' '),
  )
}
