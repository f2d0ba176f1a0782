// Usage: node dist/tools/bench/evidence.js [--rows N] [--bodies] [--exports]
// What vouching for rows costs, as CPU of one process: rows written with and without a chain, in
// turns, by batches of several sizes; a verify of all; each form of export of all, with the most
// memory that it came to above where it began. A row is one of a call with an answer.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ChainWriter } from '../../src/audit/evidence/chain-writer.js'
import {
  headsFileOf,
  keyFileOf,
  readHeads,
  verifyingKey,
} from '../../src/audit/evidence/heads.js'
import { makeStorable, storableDigest } from '../../src/audit/evidence/row-digest.js'
import { verifyRecord } from '../../src/audit/evidence/verify.js'
import { Insert } from '../../src/audit/insert.js'
import { encode, timestampText } from '../../src/audit/rows.js'
import { Sqlite } from '../../src/audit/sqlite.js'
import { exchangeColumns } from '../../src/audit/tables.js'
import type { Row } from '../../src/audit/tables.js'
import { openWriter } from '../../src/audit/writer.js'
import type { ExchangeRecord } from '../../src/core/record.js'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    bodies: { type: 'boolean', default: false },
    exports: { type: 'boolean', default: false },
  },
})
const count = Number(values.rows)
const START = Date.UTC(2026, 0, 1)
const STEP_MS = 20_000
const FORMATS = ['csv', 'jsonl', 'har', 'otlp', 'ecs', 'ocsf', 'cef'] as const

const PREVIEW = 'Write a short story about a dragon who learns to code. '
  .repeat(4)
  .slice(0, 200)
const BODY = JSON.stringify({ messages: [{ role: 'user', content: PREVIEW.repeat(5) }] })

const cpuUs = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

function rowOf(i: number): Row {
  const record: ExchangeRecord = {
    requestId: `request-${String(i).padStart(9, '0')}`,
    connectionId: `connection-${i >> 3}`,
    device: { ip: `192.168.1.${i % 20}`, mac: 'aa:bb:cc:00:11:22', hostname: 'desk' },
    startedAt: START + i * STEP_MS,
    endpointDomain: 'api.openai.com',
    httpVersion: '2',
    method: 'POST',
    path: '/v1/chat/completions',
    userAgent: 'OpenAI/JS 6.49.0',
    requestBytes: 900,
    responseBytes: 4000,
    outcome: 'response',
    status: 200,
    provider: 'openai',
    model: i % 3 === 0 ? 'gpt-4o' : 'gpt-4o-mini',
    promptPreview: `${PREVIEW.slice(0, 190)}${i}`,
    policyDecision: 'allow',
    latencyMs: 40 + (i % 900),
    firstByteMs: 20,
    inputTokens: 200 + (i % 50),
    outputTokens: 300,
    costMicroUsd: 1234 + i,
    finishReason: 'stop',
    stream: i % 2 === 0,
    call: true,
    sessionId: `session-${i >> 5}`,
    ...(i % 2 === 0 ? { tokensPerSecond: 33.25 + (i % 100) / 8 } : {}),
    ...(i % 10 === 0 ? { tags: { team: 'web' } } : {}),
    ...(values.bodies ? { requestBody: BODY, responseBody: BODY } : {}),
  }
  const { row } = encode(exchangeColumns, record, {
    textLength: 2048,
    bodyLength: 2 ** 20,
  })
  row[0] = timestampText(record.startedAt)
  return row
}

/** Microseconds a row with a chain, and without one, batches of either kind in turns. */
function written(file: string, rows: number, batch: number): [number, number] {
  const writer = openWriter(file)
  const { db } = writer
  const insert = new Insert(db, 'exchanges', exchangeColumns)
  const chain = new ChainWriter(db, file)
  const chained = db.transaction((list: readonly Row[]) => {
    for (const row of list) {
      const digest = storableDigest('exchanges', row)
      chain.is('exchanges', insert.run(row), digest)
    }
    chain.link('rows', Date.now())
  })
  const plain = db.transaction((list: readonly Row[]) => {
    for (const row of list) {
      makeStorable(row)
      insert.run(row)
    }
  })
  const used = [0, 0]
  let turn = 0
  for (let first = 0; first < rows; first += batch, turn++) {
    const list = Array.from({ length: batch }, (_, i) => rowOf(first + i))
    const kind = turn % 2
    const before = cpuUs()
    if (kind === 0) chained.immediate(list)
    else plain.immediate(list)
    chain.committed()
    used[kind] = (used[kind] ?? 0) + cpuUs() - before
  }
  writer.close()
  return [((used[0] ?? 0) / rows) * 2, ((used[1] ?? 0) / rows) * 2]
}

/** A record of `rows` exchanges, each in the chain. */
function recorded(file: string, rows: number): void {
  const writer = openWriter(file)
  for (let first = 0, sequence = 1; first < rows; first += 100, sequence++)
    writer.write('bench', {
      ...{ sequence, again: false, connections: [], events: [], open: [] },
      ...{ gone: [], changes: [] },
      exchanges: Array.from({ length: Math.min(100, rows - first) }, (_, i) =>
        rowOf(first + i),
      ),
    })
  writer.close()
}

function verified(file: string, rows: number): { us: number; mib: number } {
  const db = new Sqlite(file, { readonly: true })
  const key = verifyingKey(keyFileOf(file))
  const { heads } = readHeads(headsFileOf(file))
  const rss = process.memoryUsage.rss()
  let most = rss
  const before = cpuUs()
  const steps = verifyRecord(db, { heads, ...(key === undefined ? {} : { key }) })
  let step = steps.next()
  while (step.done !== true) {
    most = Math.max(most, process.memoryUsage.rss())
    step = steps.next()
  }
  const us = (cpuUs() - before) / rows
  if (step.value?.rows !== rows || step.value.wrong !== 0)
    throw new Error(`verify: ${JSON.stringify(step.value)}`)
  db.close()
  return { us, mib: (most - rss) / 2 ** 20 }
}

/** Said by the command's own process when it ends: CPU in microseconds, most memory in KiB. */
const TELL = `data:text/javascript,process.on('exit',()=>{const u=process.resourceUsage();
process.stderr.write(JSON.stringify([u.userCPUTime+u.systemCPUTime,u.maxRSS])+'\\n')})`

/** By the command itself, into a file. */
function exported(file: string, format: string, rows: number): void {
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
  const config = join(folder, 'yori.yaml')
  writeFileSync(config, `audit:\n  database: ${file}\n`)
  const out = join(folder, `out.${format}`)
  const flags = ['--config', config, '--format', format, '--out', out]
  const told = spawnSync(
    process.execPath,
    ['--import', TELL, main, 'audit', 'export', ...flags],
    { encoding: 'utf8' },
  )
  if (told.status !== 0) throw new Error(`export --format ${format}: ${told.stderr}`)
  const last = told.stderr.trim().split('\n').at(-1) ?? ''
  const [us = 0, kib = 0] = JSON.parse(last) as number[]
  const size = statSync(out).size / 2 ** 20
  rmSync(out)
  console.log(
    `export ${format.padEnd(6)} ${Math.round(rows / (us / 1e6))} rows a CPU second, at most ${Math.round(kib / 1024)} MiB in the process, ${Math.round(size)} MiB written`,
  )
}

const folder = mkdtempSync(join(tmpdir(), 'yori-bench-evidence-'))
try {
  console.log(
    `${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, node ${process.version}`,
  )
  for (const batch of [10, 100]) {
    const [chained, plain] = written(join(folder, `w${batch}.db`), 60_000, batch)
    console.log(
      `batches of ${String(batch).padEnd(3)} a row ${chained.toFixed(2)} us with a chain, ${plain.toFixed(2)} without: ${(chained - plain).toFixed(2)} us, ${(chained / plain).toFixed(2)} times`,
    )
  }
  const file = join(folder, 'audit.db')
  recorded(file, count)
  const { us, mib } = verified(file, count)
  console.log(
    `verify of ${count} rows: ${us.toFixed(2)} us a row, ${mib.toFixed(0)} MiB above`,
  )
  if (values.exports) for (const format of FORMATS) exported(file, format, count)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
