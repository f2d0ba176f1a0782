// Usage: npm run fleet-soak -- [--rows 1000000] [--gateways 10] [--kills 20]
// Records of several gateways into one PostgreSQL of its own. First one gateway in peace: rows a
// second, and the CPU time of the process that ships. Then all of them at once, while the server
// is killed again and again, and the processes that ship now and then: every row has to be there
// once. Needs PostgreSQL of Debian; the figures are in docs/FLEET.md.
import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { encode } from '../../src/audit/rows.js'
import { exchangeColumns } from '../../src/audit/tables.js'
import type { Row } from '../../src/audit/tables.js'
import { openWriter } from '../../src/audit/writer.js'
import { systemClock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import type { ExchangeRecord } from '../../src/core/record.js'
import { Shipping } from '../../src/fleet/ship/shipping.js'
import { PostgresServer } from '../../test/support/postgres-server.js'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    gateways: { type: 'string', default: '10' },
    kills: { type: 'string', default: '20' },
  },
})
const [rows, gateways, kills] = [values.rows, values.gateways, values.kills].map(Number)
const BATCH = 500
const START = Date.UTC(2026, 0, 1)
/** Between two rows: a million of them are some four months. */
const STEP_MS = 10_000
const LOOK_MS = 100
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** As an exchange with a chat is: some 30 columns, 350 bytes. */
function rowOf(gateway: number, number: number): Row {
  const record: ExchangeRecord = {
    requestId: `${gateway}-${String(number).padStart(8, '0')}-9f3b-7c1d-5e60`,
    connectionId: `${gateway}-${String(number >> 2).padStart(8, '0')}-3d21`,
    device: {
      ip: `192.168.1.${number % 200}`,
      mac: '02:00:5e:10:00:01',
      hostname: 'desk',
    },
    startedAt: START + number * STEP_MS,
    endpointDomain: 'api.openai.com',
    httpVersion: '1.1',
    method: 'POST',
    path: '/v1/chat/completions',
    userAgent: 'OpenAI/JS 6.49.0',
    ...{ provider: 'openai', api: 'openai-chat', call: true, model: 'gpt-4o-mini' },
    ...{ requestBytes: 812, responseBytes: 2048, status: 200, outcome: 'response' },
    ...{ policyDecision: 'allow', stream: true, latencyMs: 812, firstByteMs: 210 },
    ...{ inputTokens: 412, outputTokens: 96, costMicroUsd: 119, finishReason: 'stop' },
    ...{
      sessionId: `s${number >> 4}`,
      promptPreview: 'What is the capital of "France"?',
    },
  }
  return encode(exchangeColumns, record, { textLength: 2048, bodyLength: 0 }).row
}

function makeRecord(database: string, gateway: number, count: number): void {
  const writer = openWriter(database)
  const none = { connections: [], events: [], open: [], gone: [], changes: [] }
  for (let from = 0, sequence = 1; from < count; from += BATCH, sequence++) {
    const length = Math.min(BATCH, count - from)
    const exchanges = Array.from({ length }, (_, i) => rowOf(gateway, from + i))
    writer.write('soak', { ...none, sequence, again: false, exchanges })
  }
  writer.close()
}

const folder = mkdtempSync(join(tmpdir(), 'yori-soak-'))
const server = await PostgresServer.start(['max_wal_size=2GB'])
const shippingOf = (gateway: string, database: string): Shipping =>
  new Shipping({
    task: {
      to: 'postgres',
      url: server.url,
      gateway,
      database,
      placeFile: `${database}.json`,
    },
    clock: systemClock,
    log: silentLog,
  })
const there = (): number => {
  try {
    return Number(server.single('select count(*) from exchanges'))
  } catch {
    return -1
  }
}

try {
  const each = Math.floor((rows ?? 0) / (gateways ?? 1))
  const names = Array.from({ length: gateways ?? 1 }, (_, i) => `gateway-${i}`)
  const made = performance.now()
  for (const [i, name] of names.entries())
    makeRecord(join(folder, name, 'audit.db'), i, each)
  say(`${each * names.length} rows recorded in ${seconds(made)} s`)

  const alone = shippingOf('alone', join(folder, names[0] ?? '', 'audit.db'))
  const started = performance.now()
  await alone.start()
  while (alone.counts.exchanges < each) await sleep(LOOK_MS)
  const aloneS = (performance.now() - started) / 1000
  await alone.stop()
  const { cpuMs } = alone
  say(
    `one gateway: ${each} rows in ${aloneS.toFixed(1)} s, ${Math.round(each / aloneS)} rows/s, ` +
      `${((cpuMs * 1000) / each).toFixed(1)} us of CPU a row in the process that ships`,
  )

  const all = names.map((name) => shippingOf(name, join(folder, name, 'audit.db')))
  const begun = performance.now()
  await Promise.all(all.map((one) => one.start()))
  const total = each * names.length
  let killed = 0
  let awayMs = 0
  for (;;) {
    const shipped = all.reduce((sum, { counts }) => sum + counts.exchanges, 0)
    if (killed < (kills ?? 0) && shipped >= ((killed + 0.5) * total) / (kills ?? 1)) {
      killed++
      const from = performance.now()
      await server.kill()
      if (killed % 4 === 0) all[killed % all.length]?.killChild()
      await server.up(['max_wal_size=2GB'])
      awayMs += performance.now() - from
    } else if (shipped >= total || there() === total + each) break
    await sleep(LOOK_MS)
  }
  const wallS = (performance.now() - begun) / 1000
  await Promise.all(all.map((one) => one.stop()))
  const [found] = server.ask(
    `select count(*), count(distinct request_id), count(distinct gateway) from exchanges where gateway <> 'alone'`,
  )
  say(
    `${names.length} gateways: ${total} rows in ${wallS.toFixed(1)} s, ${Math.round(total / wallS)} rows/s, ` +
      `server killed ${killed} times and away for ${(awayMs / 1000).toFixed(1)} s of it`,
  )
  say(`there: ${found?.[0]} rows, ${found?.[1]} different, of ${found?.[2]} gateways`)
  if (found?.[0] !== String(total) || found[1] !== String(total)) process.exitCode = 1
} finally {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}
