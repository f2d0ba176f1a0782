import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import type { Database } from 'better-sqlite3'
import {
  headText,
  headsFileOf,
  keyFileOf,
  readHeads,
} from '../../../src/audit/evidence/heads.js'
import { ChainWriter } from '../../../src/audit/evidence/chain-writer.js'
import { MAX_FINDINGS } from '../../../src/audit/evidence/verify.js'
import type { Finding, Verdict } from '../../../src/audit/evidence/verify.js'
import { prune } from '../../../src/audit/retention.js'
import { encode } from '../../../src/audit/rows.js'
import {
  connectionColumns,
  eventColumns,
  exchangeColumns,
} from '../../../src/audit/tables.js'
import type { Batch } from '../../../src/audit/messages.js'
import { openWriter } from '../../../src/audit/writer.js'
import type { ExchangeRecord } from '../../../src/core/record.js'
import { needs } from '../../support/needs.js'
import {
  closed,
  connection,
  event,
  exchange,
  sqlite3,
  startStore,
  temporaryFolder,
  verdictOf,
} from '../support.js'
import type { TemporaryFolder } from '../support.js'

const LIMITS = { textLength: 2048, bodyLength: 2 ** 20 }
const START = Date.UTC(2026, 0, 2)
const MINUTE = 60_000

const rowOf = (record: ExchangeRecord) => encode(exchangeColumns, record, LIMITS).row

const NOTHING: Batch = {
  sequence: 0,
  again: false,
  connections: [],
  exchanges: [],
  events: [],
  open: [],
  gone: [],
  changes: [],
}

/** A record of so many exchanges, one a minute, with a connection and an event to each ten. */
function recorded(count: number): TemporaryFolder {
  const folder = temporaryFolder()
  const writer = openWriter(folder.database)
  let sequence = 0
  for (let first = 0; first < count; first += 10) {
    const exchanges = []
    for (let i = first; i < Math.min(count, first + 10); i++)
      exchanges.push(
        rowOf(
          closed({
            requestId: nameOf(i),
            startedAt: START + i * MINUTE,
            promptPreview: `what is ${i}?`,
            costMicroUsd: i,
          }),
        ),
      )
    const openedAt = START + first * MINUTE
    writer.write('run', {
      ...NOTHING,
      sequence: ++sequence,
      exchanges,
      connections: [
        encode(connectionColumns, connection({ openedAt, closedAt: openedAt }), LIMITS)
          .row,
      ],
      events: [encode(eventColumns, event({ at: openedAt }), LIMITS).row],
    })
  }
  writer.close()
  return folder
}

const nameOf = (i: number): string => `request-${String(i).padStart(6, '0')}`

/** As somebody would who has the file. */
function tamper(folder: TemporaryFolder, how: (db: Database) => void): void {
  const db = new Sqlite(folder.database)
  db.unsafeMode()
  how(db)
  db.close()
}

const said = (verdict: Verdict, kind: Finding['kind']): (string | undefined)[] =>
  verdict.findings.filter((found) => found.kind === kind).map(({ name }) => name)

function pruned(folder: TemporaryFolder, cutoffMs: number): void {
  const db = new Sqlite(folder.database)
  const chain = new ChainWriter(db, folder.database)
  const steps = prune(db, { cutoffMs, maxBytes: 0 }, chain)
  while (steps.next().done !== true);
  db.close()
}

describe('the record, held to its chain', function () {
  this.timeout(60_000)

  it('is what was written, whatever became of its rows meanwhile', async () => {
    using folder = temporaryFolder()
    const store = await startStore(folder.database, { batchGapMs: 1, batchMs: 1 })
    const path = '/half/a/pair/\udc00'
    const open = exchange({ requestId: 'slow', path, promptPreview: 'and \ud83d' })
    store.exchangeOpened(open)
    store.exchangeOpened(exchange({ requestId: 'left' }))
    await store.flush()
    const { status, outcome } = closed()
    Object.assign(open, { status, outcome, tokensPerSecond: 33.25, latencyMs: 9.5 })
    store.exchangeClosed(open)
    const paid = closed({ requestId: 'paid', tokensPerSecond: Number.NaN })
    store.exchangeClosed(paid)
    store.connection(connection())
    store.event(event({ details: { note: 'ünïcode \u0000' } }))
    await store.flush()
    const program = { name: 'node', folder: '/home/a' }
    store.exchangeChanged({ kind: 'sent-by', row: { requestId: 'paid', program } })
    await store.flush()
    await store.stop()

    const { findings, rows, open: without, unsigned } = verdictOf(folder.database)
    assert.deepEqual(findings, [])
    assert.ok(rows >= 5, `${rows} rows`)
    assert.deepEqual([without, unsigned], [0, 0])
  })

  it('names each row that was altered, taken out, put in or moved, and no other', () => {
    const count = 10_000
    using folder = recorded(count)
    assert.equal(verdictOf(folder.database).wrong, 0)
    for (const offset of [0, 50]) {
      const chosen = (k: number): string[] =>
        Array.from({ length: count / 100 }, (_, i) =>
          nameOf(i * 100 + ((offset + k) % 100)),
        )
      const [altered, gone, moved] = [chosen(0), chosen(7), chosen(20)]
      const list = (names: string[]): string => names.map((name) => `'${name}'`).join(',')
      const undo: [string, unknown[]][] = []
      tamper(folder, (db) => {
        const rows = db
          .prepare(`SELECT * FROM exchanges WHERE request_id IN (${list(gone)})`)
          .raw()
          .all() as unknown[][]
        for (const row of rows)
          undo.push([
            `INSERT INTO exchanges VALUES (${row.map(() => '?').join(',')})`,
            row,
          ])
        db.exec(`UPDATE exchanges SET cost_micro_usd = cost_micro_usd + 1
                 WHERE request_id IN (${list(altered)})`)
        db.exec(`DELETE FROM exchanges WHERE request_id IN (${list(gone)})`)
        // Two that change places.
        for (let i = 0; i + 1 < moved.length; i += 2)
          swap(db, moved[i] ?? '', moved[i + 1] ?? '')
      })
      const verdict = verdictOf(folder.database)
      assert.deepEqual(
        said(verdict, 'altered').sort(),
        altered.sort(),
        `altered, ${offset}`,
      )
      assert.deepEqual(said(verdict, 'moved').sort(), moved.sort(), `moved, ${offset}`)
      const missing = verdict.findings.filter(({ kind }) => kind === 'removed')
      assert.equal(missing.length, gone.length)
      const after = missing.map((found) => found.after)
      for (const name of gone) {
        const i = Number(name.slice(-6))
        const neighbour = i === count - 1 ? undefined : nameOf(i + 1)
        assert.ok(after.includes(neighbour), `${name}'s neighbour`)
      }
      tamper(folder, (db) => {
        for (let i = 0; i + 1 < moved.length; i += 2)
          swap(db, moved[i] ?? '', moved[i + 1] ?? '')
        db.exec(`UPDATE exchanges SET cost_micro_usd = cost_micro_usd - 1
                 WHERE request_id IN (${list(altered)})`)
        for (const [sql, row] of undo) db.prepare(sql).run(row)
      })
      assert.equal(verdictOf(folder.database).wrong, 0, 'put back')
    }
    tamper(folder, (db) => {
      db.exec(`INSERT INTO exchanges (timestamp, request_id, connection_id, event_type,
          device_ip, endpoint_domain, http_version, http_method, http_path, request_bytes,
          response_bytes)
        VALUES ('2026-01-02 03:04:05.006', 'forged', 'c', 'response', '192.0.2.1', 'x', '1.1',
          'POST', '/', 1, 2)`)
    })
    assert.deepEqual(said(verdictOf(folder.database), 'added'), ['forged'])
  })

  it('sees that content was changed or taken out, in every table, also the newest row', () => {
    using folder = recorded(100)
    const each: [string, RegExp][] = [
      [
        `UPDATE exchanges SET prompt_preview = NULL WHERE request_id = '${nameOf(40)}'`,
        /000040/,
      ],
      [
        `UPDATE exchanges SET event_type = 'request' WHERE request_id = '${nameOf(41)}'`,
        /000041/,
      ],
      [`UPDATE connections SET bytes_to_client = 1 WHERE id = 3`, /altered.*connections/],
      [`UPDATE events SET details = '{"a":1}' WHERE id = 3`, /altered.*events/],
      [`DELETE FROM events WHERE id = 10`, /removed.*events.*the end/],
      [`DELETE FROM connections WHERE id = 1`, /removed.*connections.*the beginning/],
      [
        `DELETE FROM exchanges WHERE request_id = '${nameOf(99)}'`,
        /removed.*000098.*the end/,
      ],
    ]
    each.forEach(([sql, expected], i) => {
      tamper(folder, (db) => db.exec(sql))
      const { findings, wrong } = verdictOf(folder.database)
      assert.equal(wrong, i + 1, sql)
      assert.ok(
        findings.some((found) => expected.test(JSON.stringify(found))),
        sql,
      )
    })
  })

  it('holds after rows went for their age, and lets go of what vouched for them', () => {
    using folder = recorded(3000)
    const before = verdictOf(folder.database).links
    pruned(folder, START + 2000 * MINUTE)
    const verdict = verdictOf(folder.database)
    assert.deepEqual(verdict.findings, [])
    assert.ok(verdict.links < before / 2, `${verdict.links} links of ${before}`)
    assert.equal(verdict.rows, 1000 + 2 * 100)
    // And again, over what was shortened; then everything.
    pruned(folder, START + 2500 * MINUTE)
    assert.deepEqual(verdictOf(folder.database).findings, [])
    tamper(folder, (db) =>
      db.exec(`UPDATE exchanges SET model = 'x' WHERE request_id = '${nameOf(2700)}'`),
    )
    assert.deepEqual(said(verdictOf(folder.database), 'altered'), [nameOf(2700)])
    pruned(folder, START + 9000 * MINUTE)
    assert.deepEqual(verdictOf(folder.database).findings, [])
    const writer = openWriter(folder.database)
    writer.write('more', { ...NOTHING, sequence: 1, exchanges: [rowOf(closed())] })
    writer.close()
    assert.deepEqual(verdictOf(folder.database).findings, [])
  })

  it('does not let go of a row that went without a word', () => {
    using folder = recorded(1000)
    tamper(folder, (db) =>
      db.exec(`DELETE FROM exchanges WHERE request_id = '${nameOf(5)}'`),
    )
    pruned(folder, START + 500 * MINUTE)
    assert.equal(verdictOf(folder.database).findings[0]?.kind, 'removed')
  })

  it('sees links that were changed, taken out, cut off or made anew', () => {
    using folder = recorded(200)
    const kinds = (how: (db: Database) => void): readonly Finding[] => {
      const copy = readFileSync(folder.database)
      const heads = readFileSync(headsFileOf(folder.database))
      tamper(folder, how)
      const { findings } = verdictOf(folder.database)
      tamper(folder, (db) => db.pragma('wal_checkpoint(TRUNCATE)'))
      writeFileSync(folder.database, copy)
      writeFileSync(headsFileOf(folder.database), heads)
      assert.equal(verdictOf(folder.database).wrong, 0)
      return findings
    }
    tamper(folder, (db) => db.pragma('wal_checkpoint(TRUNCATE)'))
    const changed = kinds((db) => db.exec(`UPDATE chain SET at = '2020' WHERE seq = 7`))
    assert.match(changed[0]?.says ?? '', /link 7 .*request-00005[0-9]/)
    const gone = kinds((db) => db.exec('DELETE FROM chain WHERE seq = 7'))
    assert.match(gone[0]?.says ?? '', /links between are gone/)
    const cut = kinds((db) => {
      db.exec(`DELETE FROM exchanges WHERE id > 150; DELETE FROM connections WHERE id > 15;
        DELETE FROM events WHERE id > 15; DELETE FROM chain WHERE seq > 16;
        UPDATE chain_head SET (seq, digest) = (SELECT seq, digest FROM chain ORDER BY seq DESC LIMIT 1)`)
    })
    assert.deepEqual(
      cut.map(({ kind }) => kind),
      ['head'],
      'whoever cuts the end off of database and chain has not cut the kept heads',
    )
    const none = kinds((db) => db.exec('DELETE FROM chain; DELETE FROM chain_head'))
    assert.match(none[0]?.says ?? '', /the link with which the chain begins is gone/)
  })

  it('sees a chain that was begun anew over rows that were there', () => {
    using folder = recorded(50)
    tamper(folder, (db) => {
      db.exec(`UPDATE exchanges SET model = 'other' WHERE id = 3`)
      db.exec('DELETE FROM chain; DELETE FROM chain_head')
    })
    openWriter(folder.database).close()
    assert.match(verdictOf(folder.database).findings[0]?.says ?? '', /written anew/)
  })

  it('signs its heads by a key that OpenSSL takes, and knows a head of another', function () {
    needs(this, 'openssl')
    using folder = recorded(30)
    const { heads } = readHeads(headsFileOf(folder.database))
    const head = heads.at(-1)
    assert.ok(head !== undefined)
    assert.equal(statSync(keyFileOf(folder.database)).mode & 0o777, 0o600)
    assert.equal(statSync(headsFileOf(folder.database)).mode & 0o777, 0o600)
    const [text, signature] = [`${folder.path}/head.txt`, `${folder.path}/head.sig`]
    writeFileSync(text, headText(head))
    writeFileSync(signature, Buffer.from(head.signature, 'base64'))
    const key = keyFileOf(folder.database)
    const asked = ['pkeyutl', '-verify', '-inkey', key, '-rawin', '-in', text]
    const openssl = execFileSync('openssl', [...asked, '-sigfile', signature], {
      encoding: 'utf8',
    })
    assert.match(openssl, /Verified Successfully/)

    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const kinds = verdictOf(folder.database).findings.map(({ kind }) => kind)
    assert.ok(kinds.includes('signature'), kinds.join())
  })

  it('counts heads that a full disk cut, and goes on', () => {
    using folder = recorded(10)
    appendFileSync(headsFileOf(folder.database), '{"chain":"ab')
    assert.equal(readHeads(headsFileOf(folder.database)).unreadable, 1)
    assert.equal(verdictOf(folder.database).wrong, 0)
  })

  it('says of rows of before the chain that nothing vouches for them', () => {
    using folder = recorded(50)
    // As a file of an earlier YORI comes.
    tamper(folder, (db) => db.exec('DELETE FROM chain; DELETE FROM chain_head'))
    rmSync(headsFileOf(folder.database))
    const writer = openWriter(folder.database)
    writer.write('run', { ...NOTHING, sequence: 99, exchanges: [rowOf(closed())] })
    writer.close()
    const { wrong, earlier, rows } = verdictOf(folder.database)
    assert.deepEqual([wrong, earlier, rows], [0, 60, 1])
  })

  it('names a bounded number of findings and counts the rest', () => {
    using folder = recorded(2000)
    tamper(folder, (db) => db.exec(`UPDATE exchanges SET model = 'x'`))
    const { findings, wrong } = verdictOf(folder.database)
    assert.equal(wrong, 2000)
    assert.equal(findings.length, MAX_FINDINGS)
  })

  it('chains by SHA-256 over what stands before, as its description says', function () {
    needs(this, 'sqlite3')
    using folder = recorded(20)
    const [first, second] = sqlite3(
      folder.database,
      `SELECT seq, at, kind, hex(entries), hex(digest) FROM chain ORDER BY seq LIMIT 2`,
    )
    const bytes = Buffer.from(second?.[3] ?? '', 'hex')
    const before = Buffer.from(first?.[4] ?? '', 'hex')
    const line = `32 ${second?.[0]} ${second?.[1]} ${second?.[2]} ${bytes.length}\n`
    const sum = createHash('sha256')
      .update(line)
      .update(before)
      .update(bytes)
      .digest('hex')
    assert.equal(sum.toUpperCase(), second?.[4])
  })
})

/** The values of one row stand at the other's number, and the other way round. */
function swap(db: Database, one: string, other: string): void {
  const idOf = db.prepare('SELECT id FROM exchanges WHERE request_id = ?').pluck()
  const [a, b] = [idOf.get(one), idOf.get(other)]
  const move = db.prepare('UPDATE exchanges SET id = ? WHERE id = ?')
  move.run(-1, a)
  move.run(a, b)
  move.run(b, -1)
}
