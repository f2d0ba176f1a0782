/** The record of gateways in one PostgreSQL, asked by `psql`. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openWriter } from '../../src/audit/writer.js'
import { forget } from '../../src/audit/forget.js'
import { systemClock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import { Shipping } from '../../src/fleet/ship/shipping.js'
import type { Sent } from '../../src/fleet/ship/words.js'
import type { TemporaryFolder } from '../audit/support.js'
import {
  closed,
  connection,
  event,
  query,
  startStore,
  temporaryFolder,
} from '../audit/support.js'
import { ChildYori } from '../support/child-yori.js'
import { Cli } from '../support/cli.js'
import { needs } from '../support/needs.js'
import { startOrigin } from '../support/origins.js'
import { PostgresServer } from '../support/postgres-server.js'
import { until } from '../support/proxied.js'

function shippingOf(
  { database, path }: TemporaryFolder,
  url: string,
  gateway: string,
): Shipping & AsyncDisposable {
  const shipping = new Shipping({
    task: { to: 'postgres', url, gateway, database, placeFile: `${path}/ship.json` },
    clock: systemClock,
    log: silentLog,
  })
  return Object.assign(shipping, { [Symbol.asyncDispose]: () => shipping.stop() })
}

/** What stands in both, by the columns of the record. */
function sameRows(
  server: PostgresServer,
  { database }: TemporaryFolder,
  gateway: string,
): void {
  for (const table of ['exchanges', 'connections', 'events']) {
    const [first] = query(database, `SELECT * FROM ${table} LIMIT 1`) as object[]
    const columns = Object.keys(first ?? {}).filter((name) => name !== 'timestamp')
    const here = query(
      database,
      `SELECT timestamp, ${columns.join(', ')} FROM ${table} ORDER BY id`,
    ) as Record<string, string | number | null>[]
    const there = server.ask(
      `select to_char(timestamp, 'YYYY-MM-DD HH24:MI:SS.MS'), ${columns.join(', ')}
       from ${table} where gateway = '${gateway}' order by id`,
    )
    assert.deepEqual(
      there,
      here.map((row) =>
        Object.values(row).map((value) =>
          value === null ? '' : String(value).replaceAll('\0', '\ufffd'),
        ),
      ),
      table,
    )
  }
}

/** A model that answers. */
const ANSWER = JSON.stringify({
  ...{ id: 'x', object: 'chat.completion', model: 'm', choices: [] },
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
})

describe('the record of a gateway, shipped to PostgreSQL', function () {
  let server: PostgresServer

  before(async function () {
    needs(this, 'PostgreSQL')
    server = await PostgresServer.start()
  })
  after(() => server?.[Symbol.asyncDispose]())

  it('stands there as it stands here, whatever it holds, and what changes is put right', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const open = closed({ requestId: 'open' })
    delete open.outcome
    store.exchangeOpened(open)
    store.connection(connection({ serverName: 'a"b\\c{,}' }))
    store.event(event({ kind: 'said', details: { text: 'NULL "x" {1,2} \u0007 ü 🙂' } }))
    const said = [
      'NULL',
      '',
      '"',
      '\\',
      '{a,b}',
      "it's",
      'a\nb\r\tc',
      'nul\0here',
      '\ud83d\ude42',
    ]
    for (const promptPreview of said)
      store.exchangeClosed(
        closed({ promptPreview, tokensPerSecond: 12.75, inputTokens: 2 ** 40 }),
      )
    // Of another month, and of a clock that was wrong.
    store.exchangeClosed(closed({ startedAt: Date.UTC(2027, 11, 31, 23, 59, 59, 999) }))
    store.exchangeClosed(closed({ startedAt: 1 }))
    await store.flush()
    await using shipping = shippingOf(folder, server.url, 'one')
    await shipping.start()
    await until(() => shipping.counts.exchanges === said.length + 2)
    assert.equal(
      server.single(`select count(*) from exchanges where request_id = 'open'`),
      '0',
      'an exchange that is open has no end to be shipped',
    )
    open.outcome = 'error'
    open.status = 502
    store.exchangeClosed(open)
    store.exchangeChanged({
      kind: 'sent-by',
      row: { requestId: 'open', program: { name: 'curl', folder: '/srv' } },
    })
    await store.flush()
    await until(
      () =>
        server.single(`select program from exchanges where request_id = 'open'`) ===
        'curl',
    )
    sameRows(server, folder, 'one')
    assert.equal(
      server.single(`select count(*) - count(distinct request_id) from exchanges`),
      '0',
    )
    assert.deepEqual(
      server.ask(
        `select relname from pg_inherits join pg_class on oid = inhrelid
         where inhparent = 'exchanges'::regclass order by 1`,
      ),
      [['exchanges_2026_01'], ['exchanges_2027_12'], ['exchanges_other']],
    )
    assert.equal(
      server.single(
        `select amname from pg_class c join pg_am a on a.oid = c.relam where relname = 'exchanges_timestamp'`,
      ),
      'brin',
    )
  })

  it('is there once though the server and the process that ships are killed', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    await using shipping = shippingOf(folder, server.url, 'killed')
    await shipping.start()
    let given = 0
    const give = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++)
        store.exchangeClosed(closed({ requestId: `k${given++}` }))
      await store.flush()
    }
    for (let round = 0; round < 3; round++) {
      await give(2_000)
      await until(() => shipping.counts.exchanges > given - 2_000)
      await server.kill()
      await give(50)
      await until(() => shipping.shape.state === 'waiting')
      shipping.killChild()
      await server.up()
    }
    await until(
      () =>
        server.single(`select count(*) from exchanges where gateway = 'killed'`) ===
        String(given),
    )
    assert.deepEqual(
      server.ask(`select request_id from exchanges where gateway = 'killed' order by id`),
      Array.from({ length: given }, (_, i) => [`k${i}`]),
    )
    assert.ok(shipping.counts.restarts >= 3)
  })

  it('is what `yori run` ships, tells of and shows no password of', async () => {
    await using origin = await startOrigin({
      handler: (_request, response) => {
        response.setHeader('content-type', 'application/json')
        response.end(ANSWER)
      },
    })
    await using yori = await ChildYori.start({
      config: {
        gateway: {
          providers: { mine: { base_url: `http://${origin.address}`, api: 'openai' } },
        },
        control: { listen: '127.0.0.1:0' },
        audit: {
          ship: {
            url: server.url.replace('yori@', 'yori:hidden-word@'),
            gateway: 'ran',
          },
        },
      },
    })
    const asked = await fetch(
      `http://127.0.0.1:${yori.port}/llm/mine/v1/chat/completions`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
      },
    )
    assert.equal(asked.status, 200)
    const there = `select request_id, http_path, prompt_tokens from exchanges where gateway = 'ran'`
    await until(() => server.ask(there).length > 0)
    const [row] = yori.rows('exchanges')
    assert.deepEqual(server.ask(there), [
      [row?.['request_id'], '/v1/chat/completions', '3'],
    ])
    const run = async (...args: string[]): Promise<string> => {
      const config = ['--config', yori.folder.file('yori.conf')]
      await using cli = new Cli([...args, ...config], { cwd: yori.folder.path })
      await cli.exited
      return cli.stdout + cli.stderr
    }
    assert.match(await run('status'), /shipped to postgres as ran/)
    const told = [await run('status', '--json'), await run('config', 'show')]
    const { cli } = yori
    cli.signal('SIGTERM')
    await cli.exited
    for (const text of [...told, cli.stdout, cli.stderr])
      assert.doesNotMatch(text, /hidden-word/)
    const events = `select event_type from events where gateway = 'ran' order by id`
    assert.deepEqual(server.ask(events), [['start'], ['stop']])
  })

  it('takes what an old box recorded, from its database and from its export, once', async () => {
    using folder = temporaryFolder()
    const said = ['=1+1', '"a", b\r\nc', "it's", 'ü 🙂', "'quoted'"]
    {
      await using store = await startStore(folder.database)
      for (const promptPreview of said)
        store.exchangeClosed(closed({ promptPreview, inputTokens: 7, stream: true }))
      store.connection(connection())
      await store.flush()
    }
    const config = join(folder.path, 'yori.conf')
    const ship = { url: server.url, gateway: 'here' }
    const audit = { database: folder.database, ship }
    writeFileSync(config, JSON.stringify({ state_dir: folder.path, audit }))
    const run = async (...args: string[]): Promise<string> => {
      await using cli = new Cli([...args, '--config', config], { cwd: folder.path })
      assert.equal(await cli.exited, 0, cli.stderr)
      return cli.stdout
    }
    const csv = join(folder.path, 'old.csv')
    await run('audit', 'export', '--out', csv)
    for (const [file, gateway, connections] of [
      [csv, 'by-csv', 0],
      [folder.database, 'by-database', 1],
    ] as const) {
      const imported = await run('fleet', 'import', file, '--gateway', gateway, '--json')
      const { exchanges, connections: told } = JSON.parse(imported) as Sent
      assert.deepEqual([exchanges, told], [said.length, connections])
      await run('fleet', 'import', file, '--gateway', gateway)
      // By the names of the export, which are those of the view.
      const columns = readFileSync(csv, 'utf8').split('\r\n', 1)[0] ?? ''
      const here = query(
        folder.database,
        `SELECT ${columns} FROM audit_events ORDER BY id`,
      ) as Record<string, string | number | null>[]
      assert.deepEqual(
        server.ask(
          `select ${columns.replace('timestamp', `to_char(timestamp, 'YYYY-MM-DD HH24:MI:SS.MS')`)}
           from audit_events where gateway = '${gateway}' order by id`,
        ),
        here.map((row) => Object.values(row).map((value) => String(value ?? ''))),
      )
    }
    const broken = join(folder.path, 'broken.csv')
    writeFileSync(broken, 'id,timestamp\r\n1,"2026')
    await using cli = new Cli(
      ['fleet', 'import', broken, '--gateway', 'x', '--config', config],
      { cwd: folder.path },
    )
    assert.notEqual(await cli.exited, 0)
    assert.match(cli.stderr, /line 1: there is no column request_id/)
  })

  it('lets go of what is forgotten here, and keeps what is only old', async () => {
    const on = (mac: string) => ({ device: { ip: '192.168.1.9', mac } })
    using folder = temporaryFolder()
    {
      await using store = await startStore(folder.database)
      for (let i = 0; i < 5; i++) store.exchangeClosed(closed(on('aa:aa:aa:aa:aa:aa')))
      for (let i = 0; i < 5; i++) store.exchangeClosed(closed(on('bb:bb:bb:bb:bb:bb')))
    }
    await using shipping = shippingOf(folder, server.url, 'forgets')
    await shipping.start()
    await until(() => shipping.counts.exchanges === 10)
    const writer = openWriter(folder.database)
    const asked = { devices: ['aa:aa:aa:aa:aa:aa'], contentOnly: false }
    for (const _step of forget(writer.db, asked, writer.chain)) continue
    writer.close()
    await until(() => shipping.counts.forgotten === 5)
    assert.deepEqual(
      server.ask(
        `select device_mac, count(*) from exchanges where gateway = 'forgets' group by 1`,
      ),
      [['bb:bb:bb:bb:bb:bb', '5']],
    )
  })

  it('goes on behind a record that began anew, and one at a time has a name', async () => {
    using folder = temporaryFolder()
    await using shipping = shippingOf(folder, server.url, 'anew')
    for (let round = 0; round < 2; round++) {
      await using store = await startStore(folder.database)
      for (let i = 0; i < 3; i++)
        store.exchangeClosed(closed({ requestId: `${round}.${i}` }))
      await store.flush()
      if (round === 0) await shipping.start()
      await until(() => shipping.counts.exchanges === 3 * (round + 1))
      if (round === 1) break
      await store.stop()
      for (const end of ['', '-wal', '-shm'])
        rmSync(`${folder.database}${end}`, { force: true })
    }
    assert.deepEqual(
      server.ask(`select request_id from exchanges where gateway = 'anew' order by id`),
      ['0.0', '0.1', '0.2', '1.0', '1.1', '1.2'].map((id) => [id]),
    )
    using other = temporaryFolder()
    await using _store = await startStore(other.database)
    await using second = shippingOf(other, server.url, 'anew')
    await second.start()
    await until(() => second.shape.reason !== null)
    assert.match(second.shape.reason ?? '', /another YORI ships as "anew"/)
  })
})
