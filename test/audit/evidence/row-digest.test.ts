import assert from 'node:assert/strict'
import Sqlite from 'better-sqlite3'
import { ChainWriter } from '../../../src/audit/evidence/chain-writer.js'
import { fullDigest } from '../../../src/audit/evidence/row-digest.js'
import type { Verdict } from '../../../src/audit/evidence/verify.js'
import { Insert } from '../../../src/audit/insert.js'
import { encode, timestampText } from '../../../src/audit/rows.js'
import { exchangeColumns } from '../../../src/audit/tables.js'
import { openWriter } from '../../../src/audit/writer.js'
import type { ExchangeRecord } from '../../../src/core/record.js'
import { closed, startStore, temporaryFolder, verdictOf } from '../support.js'
import type { TemporaryFolder } from '../support.js'

const LIMITS = { textLength: 2048, bodyLength: 2 ** 20 }
const UNIT = '\u001f'

/** One that reads one way, one with rarer columns and a number that is not whole, and odd ones. */
const RECORDS: readonly Partial<ExchangeRecord>[] = [
  { promptPreview: 'what is it?' },
  { promptPreview: 'a "b" \\ \u0001 \u2028 é', tokensPerSecond: 33.333333333333336 },
  { tags: { team: 'a"b\n\u007f' }, toolsOffered: ['one'], agentId: 'x', truncated: true },
  { promptPreview: '', model: 'gpt' },
  { promptPreview: `a${UNIT}b`, model: 'gpt' },
  { tokensPerSecond: Number.POSITIVE_INFINITY, requestBody: 'x'.repeat(5000) },
]

async function recorded(): Promise<TemporaryFolder> {
  const folder = temporaryFolder()
  const store = await startStore(folder.database)
  RECORDS.forEach((record, i) =>
    store.exchangeClosed(closed({ requestId: `r${i}`, ...record })),
  )
  await store.stop()
  return folder
}

const named = ({ findings, wrong }: Verdict): readonly (string | undefined)[] => {
  assert.equal(wrong, findings.length)
  return findings.map(({ name }) => name)
}

describe('the digest of a row', function () {
  this.timeout(120_000)

  it('tells any value from any other in every column, and names the row', async () => {
    using folder = await recorded()
    assert.deepEqual(named(verdictOf(folder.database)), [])
    const db = new Sqlite(folder.database)
    let tried = 0
    for (const [i] of RECORDS.entries())
      for (const { name } of exchangeColumns) {
        if (name === 'request_id') continue
        const read = db
          .prepare(`SELECT ${name}, typeof(${name}) FROM exchanges WHERE request_id = ?`)
          .raw()
        const put = db.prepare(`UPDATE exchanges SET ${name} = ? WHERE request_id = ?`)
        const [was, kind] = read.get(`r${i}`) as [string | number | null, string]
        const others =
          was === null ? ['', 0] : [null, '', Buffer.from(String(was)), `${was}${UNIT}`]
        for (const other of others) {
          if (other === was) continue
          try {
            put.run(other, `r${i}`)
          } catch {
            continue // NOT NULL
          }
          const [, isNow] = read.get(`r${i}`) as [unknown, string]
          const found = named(verdictOf(folder.database))
          assert.deepEqual(found, [`r${i}`], `r${i} ${name}: ${kind} to ${isNow}`)
          put.run(was, `r${i}`)
          tried += 1
        }
      }
    assert.ok(tried > 1000, `${tried} changes`)
    assert.deepEqual(named(verdictOf(folder.database)), [])
    db.close()
  })

  it('is not met by values that went over into a neighbour', async () => {
    using folder = await recorded()
    const db = new Sqlite(folder.database)
    const undo = db.prepare(`SELECT user_agent, provider, model, tags, found_marks,
      cost_at_most_micro_usd FROM exchanges WHERE request_id = ?`)
    const put =
      db.prepare(`UPDATE exchanges SET user_agent = ?, provider = ?, model = ?, tags = ?,
      found_marks = ?, cost_at_most_micro_usd = ? WHERE request_id = ?`)
    for (const name of ['r0', 'r2']) {
      const was = undo.raw().get(name) as (string | null)[]
      const [agent, provider, model, tags, marks, cost] = was
      const shifted = [
        [`${agent}${UNIT}${provider ?? ''}`, model, null, tags, marks, cost],
        [agent, null, `${provider ?? ''}${UNIT}${model ?? ''}`, tags, marks, cost],
        [agent, provider, model, null, marks, `${UNIT}["${tags ?? ''}"]`],
      ]
      for (const values of shifted) {
        put.run(...values, name)
        assert.deepEqual(named(verdictOf(folder.database)), [name])
      }
      put.run(...was, name)
    }
    assert.deepEqual(named(verdictOf(folder.database)), [])
    db.close()
  })

  it('of a chain of before there was the plain way still holds, and still tells', () => {
    using folder = temporaryFolder()
    const writer = openWriter(folder.database)
    const chain = new ChainWriter(writer.db, folder.database)
    const insert = new Insert(writer.db, 'exchanges', exchangeColumns)
    writer.db
      .transaction(() => {
        for (const [i, record] of RECORDS.entries()) {
          const made = closed({ requestId: `r${i}`, ...record })
          const { row } = encode(exchangeColumns, made, LIMITS)
          row[0] = timestampText(made.startedAt)
          chain.is('exchanges', insert.run(row), fullDigest(row))
        }
        chain.link('rows', Date.now())
      })
      .immediate()
    writer.close()
    const verdict = verdictOf(folder.database)
    assert.deepEqual(named(verdict), [])
    assert.equal(verdict.rows, RECORDS.length)
    const db = new Sqlite(folder.database)
    db.exec(`UPDATE exchanges SET policy_name = 'x' WHERE request_id = 'r0';
      UPDATE exchanges SET id = -1 WHERE request_id = 'r1';
      UPDATE exchanges SET id = 2 WHERE request_id = 'r2';
      UPDATE exchanges SET id = 3 WHERE request_id = 'r1'`)
    db.close()
    const { findings } = verdictOf(folder.database)
    assert.deepEqual(
      findings.map(({ kind, name }) => `${kind} ${name}`),
      ['altered r0', 'moved r2', 'moved r1'],
    )
  })
})
