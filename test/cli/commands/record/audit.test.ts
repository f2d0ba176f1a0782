import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import Sqlite from 'better-sqlite3'
import { auditDefaults } from '../../../../src/audit/store-options.js'
import type { AuditCommandDeps } from '../../../../src/cli/commands/record/audit.js'
import { auditCommand } from '../../../../src/cli/commands/record/audit.js'
import type { TemporaryFolder } from '../../../audit/support.js'
import {
  closed,
  connection,
  event,
  single,
  startStore,
  temporaryFolder,
} from '../../../audit/support.js'

const NOW = Date.UTC(2026, 10, 20, 12)
const HOUR_MS = 3_600_000

/** Runs `yori audit ...` and returns what it printed. */
async function audit(
  database: string,
  words: readonly string[],
  deps: Partial<AuditCommandDeps> & { isTTY?: boolean } = {},
): Promise<string> {
  const stdout = Object.assign(new PassThrough(), { isTTY: deps.isTTY === true })
  const printed = text(stdout)
  const command = auditCommand({
    auditOptions: () => ({ ...auditDefaults, database }),
    stdout,
    clock: { now: () => NOW, monotonic: () => 0 },
    ...deps,
  })
  await command.parseAsync(['audit', ...words].slice(1), { from: 'user' })
  stdout.end()
  return printed
}

async function recorded(): Promise<TemporaryFolder> {
  const folder = temporaryFolder()
  const store = await startStore(folder.database)
  const at = (hours: number, fields: Parameters<typeof closed>[0]) =>
    store.exchangeClosed(closed({ startedAt: NOW - hours * HOUR_MS, ...fields }))
  at(30, { requestId: 'old', model: '=cmd()' })
  at(3, {
    requestId: 'blocked',
    outcome: 'block',
    policyName: 'bedtime',
    reason: 'after 21:00',
  })
  at(2, {
    requestId: 'other',
    device: { ip: '10.0.0.9' },
    endpointDomain: 'api.anthropic.com',
  })
  at(1, { requestId: 'strange', path: '/\u001b[2J', inputTokens: 7, outputTokens: 5 })
  store.connection(
    connection({ openedAt: NOW, closedAt: NOW, coverage: 'tunnel-pinned' }),
  )
  store.event(
    event({
      at: NOW,
      kind: 'audit.dropped',
      details: { connections: 1, exchanges: 2, events: 3 },
    }),
  )
  await store.stop()
  return folder
}

const idsOf = (json: string): unknown[] =>
  (JSON.parse(json) as { request_id: string }[]).map((row) => row.request_id)

describe('yori audit', () => {
  it('lists the newest first, for people', async () => {
    using folder = await recorded()
    const lines = (await audit(folder.database, ['list'])).split('\n')
    assert.equal(lines.length, 6)
    assert.match(lines[0] ?? '', /^time \(UTC\)\s+outcome\s+device/)
    assert.match(
      lines[1] ?? '',
      /^2026-11-20 11:00:00\s+response\s+desk\s+api\.openai\.com/,
    )
    assert.match(lines[3] ?? '', /block .* bedtime: after 21:00$/)
  })

  it('lists for programs, by each filter', async () => {
    using folder = await recorded()
    const cases: [string[], string[]][] = [
      [[], ['strange', 'other', 'blocked', 'old']],
      [
        ['--limit', '2'],
        ['strange', 'other'],
      ],
      [
        ['--since', '24h'],
        ['strange', 'other', 'blocked'],
      ],
      [
        ['--since', '2026-11-20 09:30'],
        ['strange', 'other'],
      ],
      [['--device', '10.0.0.9'], ['other']],
      [
        ['--device', 'DESK'],
        ['strange', 'blocked', 'old'],
      ],
      [
        ['--device', 'AA:BB:CC:00:11:22'],
        ['strange', 'blocked', 'old'],
      ],
      [['--endpoint', 'api.anthropic.com'], ['other']],
      [['--outcome', 'block'], ['blocked']],
      [['--outcome', 'error'], []],
    ]
    for (const [words, expected] of cases) {
      const json = await audit(folder.database, ['list', '--json', ...words])
      assert.deepEqual(idsOf(json), expected, words.join(' '))
    }
  })

  it('counts by outcome, endpoint, device, model and coverage, and names its gaps', async () => {
    using folder = await recorded()
    const stats = JSON.parse(await audit(folder.database, ['stats', '--json'])) as object
    assert.deepEqual(stats, {
      total: 4,
      outcomes: [
        { name: 'response', count: 3 },
        { name: 'block', count: 1 },
      ],
      endpoints: [
        { name: 'api.openai.com', count: 3 },
        { name: 'api.anthropic.com', count: 1 },
      ],
      devices: [
        { name: 'desk', count: 3 },
        { name: '10.0.0.9', count: 1 },
      ],
      models: [
        { name: 'gpt-4o-mini', count: 3 },
        { name: '=cmd()', count: 1 },
      ],
      coverage: [{ name: 'tunnel-pinned', count: 1 }],
      promptTokens: 7,
      responseTokens: 5,
      costMicroUsd: 0,
      atMostMicroUsd: 0,
      averageLatencyMs: 812,
      droppedRows: 6,
    })
    const printed = await audit(folder.database, ['stats', '--since', '24h'])
    assert.match(printed, /^3 exchanges\n/)
    assert.match(printed, /the record misses 6 rows/)
  })

  it('exports CSV, without formulas', async () => {
    using folder = await recorded()
    const csv = await audit(folder.database, [
      'export',
      '--columns',
      'timestamp,request_id,model',
    ])
    assert.equal(
      csv,
      [
        'timestamp,request_id,model',
        '2026-11-19 06:00:00.000,old,"\'=cmd()"',
        '2026-11-20 09:00:00.000,blocked,gpt-4o-mini',
        '2026-11-20 10:00:00.000,other,gpt-4o-mini',
        '2026-11-20 11:00:00.000,strange,gpt-4o-mini',
        '',
      ].join('\r\n'),
    )
  })

  it('exports JSON Lines, to a file that others cannot read', async () => {
    using folder = await recorded()
    const out = join(folder.path, 'export.jsonl')
    await audit(folder.database, ['export', '--format', 'jsonl', '--out', out])
    assert.equal(statSync(out).mode & 0o777, 0o600)
    const rows = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { request_id: string; http_path: string })
    assert.deepEqual(
      rows.map((row) => row.request_id),
      ['old', 'blocked', 'other', 'strange'],
    )
    assert.equal(rows[3]?.http_path, '/\u001b[2J')
  })

  it('lets no control character reach a terminal', async () => {
    using folder = await recorded()
    const words = [
      ['list', '--json'],
      ['export'],
      ['export', '--format', 'jsonl'],
      ['list'],
    ]
    for (const each of words) {
      const printed = await audit(folder.database, each, { isTTY: true })
      assert.ok(!printed.includes('\u001b'), each.join(' '))
    }
  })

  it('exports in the forms of other tools, filtered, and says where columns make no sense', async () => {
    using folder = await recorded()
    const out = join(folder.path, 'out.json')
    await audit(folder.database, ['export', '--format', 'ecs', '--out', out])
    const lines = readFileSync(out, 'utf8').split('\n').slice(0, -1)
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { event: { id: string } }).event.id),
      ['old', 'blocked', 'other', 'strange'],
    )
    assert.equal(statSync(out).mode & 0o777, 0o600)
    assert.equal(existsSync(`${out}.partial`), false)
    const cef = await audit(folder.database, [
      ...['export', '--format', 'cef', '--since', '4h', '--until', '2h'],
    ])
    assert.match(
      cef,
      /^CEF:0\|YORI\|YORI\|[^|]+\|exchange.block\|.* externalId=blocked [^\n]*\n$/,
    )
    await assert.rejects(
      audit(folder.database, ['export', '--format', 'ocsf', '--columns', 'model']),
      /--columns: ocsf has members of its own/,
    )
    // What was there before stays where the new one could not be made.
    await assert.rejects(
      audit(folder.database, ['export', '--out', join(folder.path, 'none', 'x')]),
      /ENOENT/,
    )
  })

  it('exports more than one page, each row once', async () => {
    using folder = temporaryFolder()
    const store = await startStore(folder.database)
    const promptPreview = 'p'.repeat(2000)
    for (let i = 0; i < 1700; i++)
      store.exchangeClosed(closed({ requestId: `r${i}`, promptPreview }))
    await store.stop()
    const csv = await audit(folder.database, [
      'export',
      '--columns',
      'request_id,prompt_preview',
    ])
    const ids = csv
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(',')[0])
    assert.equal(new Set(ids).size, 1700)
    assert.equal(ids.length, 1700)
  })

  it('prunes, or only says what it would', async () => {
    using folder = await recorded()
    const dry = await audit(folder.database, ['prune', '--older-than', '1', '--dry-run'])
    assert.equal(dry, 'would delete 1 exchanges, 0 connections, 0 events\n')
    assert.equal(single(folder.database, 'SELECT count(*) FROM exchanges'), 4)
    const json = await audit(folder.database, ['prune', '--older-than', '1', '--json'])
    assert.deepEqual(JSON.parse(json), {
      dryRun: false,
      exchanges: 1,
      connections: 0,
      events: 0,
    })
    assert.equal(single(folder.database, 'SELECT count(*) FROM exchanges'), 3)
  })

  it('asks for the options of the configuration that it is given', async () => {
    using folder = await recorded()
    const asked: (string | undefined)[] = []
    const auditOptions = (path: string | undefined) => {
      asked.push(path)
      return { ...auditDefaults, database: folder.database }
    }
    await audit('', ['stats', '--config', '/etc/yori.conf'], { auditOptions })
    await audit('', ['stats'], { auditOptions })
    assert.deepEqual(asked, ['/etc/yori.conf', undefined])
  })

  it('names the file when there is no record, and what is wrong with a flag', async () => {
    using folder = await recorded()
    const missing = join(folder.path, 'none.db')
    await assert.rejects(audit(missing, ['list']), {
      code: 'YORI_AUDIT_UNAVAILABLE',
      message: `there is no audit database at ${missing}`,
    })
    await assert.rejects(
      audit(folder.database, ['list', '--since', 'soon']),
      /--since soon: neither/,
    )
    await assert.rejects(
      audit(folder.database, ['export', '--columns', 'id,nope']),
      /no nope; there are id/,
    )
  })

  describe('verify', () => {
    const tampered = (folder: TemporaryFolder, sql: string): void => {
      const db = new Sqlite(folder.database)
      db.exec(sql)
      db.close()
    }

    it('says that the record is what was written, and since when', async () => {
      using folder = await recorded()
      const codes: number[] = []
      const exit = (code: number): void => void codes.push(code)
      const said = await audit(folder.database, ['verify'], { exit })
      assert.match(said, /^[1-9]\d* rows as written, vouched for by \d+ links? since 20/)
      assert.match(said, /last signed 20.* UTC, 0 links since\n/)
      assert.match(said, /the record is what was written\n$/)
      assert.deepEqual(codes, [])
    })

    it('names what was altered and what is gone, and ends with 1', async () => {
      using folder = await recorded()
      const codes: number[] = []
      const exit = (code: number): void => void codes.push(code)
      tampered(
        folder,
        `UPDATE exchanges SET policy_name = 'none' WHERE request_id = 'blocked'`,
      )
      tampered(folder, `DELETE FROM exchanges WHERE request_id = 'other'`)
      const said = await audit(folder.database, ['verify'], { exit })
      assert.match(said, /^altered: exchange blocked: /m)
      assert.match(said, /^removed: .*between blocked and strange$/m)
      const json = JSON.parse(
        await audit(folder.database, ['verify', '--json'], { exit }),
      ) as { wrong: number; findings: { kind: string }[] }
      assert.equal(json.wrong, 2)
      assert.deepEqual(codes, [1, 1])
    })

    it('holds it to heads that were kept elsewhere, and says which are none', async () => {
      using folder = await recorded()
      const kept = join(folder.path, 'kept.jsonl')
      writeFileSync(kept, readFileSync(`${folder.database}-heads.jsonl`))
      tampered(
        folder,
        `DELETE FROM chain WHERE seq > 1; DELETE FROM exchanges; DELETE FROM connections;
         DELETE FROM events; UPDATE chain_head SET (seq, digest) =
           (SELECT seq, digest FROM chain ORDER BY seq DESC LIMIT 1)`,
      )
      writeFileSync(`${folder.database}-heads.jsonl`, '')
      const codes: number[] = []
      const exit = (code: number): void => void codes.push(code)
      const said = await audit(folder.database, ['verify', '--heads', kept], { exit })
      assert.match(said, /^head: .*its end was cut off$/m)
      assert.deepEqual(codes, [1])
      writeFileSync(kept, 'no head\n')
      await assert.rejects(
        audit(folder.database, ['verify', '--heads', kept]),
        /holds no head/,
      )
    })
  })
})
