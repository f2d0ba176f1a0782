/** Sinks of the record: receivers written from what their vendors document, and files. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Sqlite from 'better-sqlite3'
import { headsFileOf, keyFileOf, readHeads } from '../../src/audit/evidence/heads.js'
import { verifyRecord } from '../../src/audit/evidence/verify.js'
import type { AuditStore } from '../../src/audit/store.js'
import { openWriter } from '../../src/audit/writer.js'
import { silentLog } from '../../src/core/log.js'
import { systemClock } from '../../src/core/clock.js'
import { Shipper } from '../../src/fleet/ship/shipper.js'
import { Shipping } from '../../src/fleet/ship/shipping.js'
import type { ShipReport, SinkTask } from '../../src/fleet/ship/words.js'
import { sinkOf } from '../../src/fleet/sinks/sink-of.js'
import type { SinkSettings } from '../../src/fleet/sinks/words.js'
import { closed, startStore, temporaryFolder, verdictOf } from '../audit/support.js'
import type { TemporaryFolder } from '../audit/support.js'
import { Cli } from '../support/cli.js'
import { until } from '../support/proxied.js'
import { TestCa } from '../support/test-ca.js'

type HttpType = 'splunk' | 'datadog' | 'elastic'
interface Taken {
  readonly id: string
  readonly document: Readonly<Record<string, unknown>>
}

const PATHS = {
  splunk: '/services/collector/event',
  datadog: '/api/v2/logs',
  elastic: '/_bulk',
} as const

/** What each vendor reads out of a request; throws where it is not as documented. */
const READ: Readonly<Record<HttpType, (body: string) => readonly Taken[]>> = {
  splunk: (body) =>
    body.split('\n').map((line) => {
      const { time, host, source, sourcetype, event } = JSON.parse(line) as Record<
        string,
        unknown
      >
      assert.ok(typeof time === 'number' && typeof host === 'string')
      assert.equal(source, 'yori')
      assert.match(String(sourcetype), /^yori:(?:exchange|head)$/)
      const document = event as Record<string, unknown>
      return { id: String(document['request_id']), document }
    }),
  datadog: (body) => {
    const items = JSON.parse(body) as Record<string, string>[]
    assert.ok(items.length <= 1000 && body.length <= 5_000_000)
    return items.map(({ ddsource, service, message = '', status }) => {
      assert.deepEqual([ddsource, service], ['yori', 'yori'])
      assert.ok(status !== undefined)
      const document = JSON.parse(message) as Record<string, unknown>
      return { id: String(document['request_id']), document }
    })
  },
  elastic: (body) => {
    assert.ok(body.endsWith('\n'))
    const lines = body.slice(0, -1).split('\n')
    assert.equal(lines.length % 2, 0)
    return Array.from({ length: lines.length / 2 }, (_, i) => {
      const { index } = JSON.parse(lines[2 * i] ?? '') as {
        index: { _index: string; _id: string }
      }
      assert.equal(index._index, 'yori-audit')
      const document = JSON.parse(lines[2 * i + 1] ?? '') as Record<string, unknown>
      assert.ok(Number.isFinite(Date.parse(String(document['@timestamp']))))
      return { id: index._id, document }
    })
  },
}

/** Takes documents by HTTPS, and breaks off in the middle as often as it is told to. */
class Collector implements AsyncDisposable {
  readonly taken: Taken[] = []
  readonly wrong: string[] = []
  broken = 0
  #asked = 0

  readonly server: Server
  readonly type: HttpType
  readonly breaks: number

  private constructor(server: Server, type: HttpType, breaks: number) {
    this.server = server
    this.type = type
    this.breaks = breaks
    server.on('request', (request, response) => {
      this.#answer(request, response).catch((cause: unknown) => {
        if (!request.destroyed) this.wrong.push(String(cause))
      })
    })
  }

  static async start(ca: TestCa, type: HttpType, breaks: number): Promise<Collector> {
    const { certificatePem, keyPem } = ca.issue({ names: ['127.0.0.1'] })
    const server = createServer({ cert: certificatePem, key: keyPem })
    const collector = new Collector(server, type, breaks)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return collector
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  get ids(): ReadonlySet<string> {
    return new Set(this.taken.map(({ id }) => id))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#asked++
    const isDue = this.broken < this.breaks && this.#asked % 2 === 0
    if (isDue) this.broken++
    if (isDue && this.broken % 3 === 0) return void request.socket.destroy()
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    assert.equal(request.url, PATHS[this.type])
    assert.equal(
      request.headers[this.type === 'datadog' ? 'dd-api-key' : 'authorization'],
      {
        splunk: 'Splunk hidden-token',
        datadog: 'hidden-token',
        elastic: 'ApiKey hidden-token',
      }[this.type],
    )
    const documents = READ[this.type](body)
    if (isDue && this.broken % 3 === 1) {
      response.writeHead(503).end()
      return
    }
    const bad = documents.filter(({ id }) => id === 'bad')
    if (bad.length > 0 && this.type !== 'elastic') {
      response.writeHead(400).end('{"code":6}')
      return
    }
    this.taken.push(...documents.filter(({ id }) => id !== 'bad'))
    // Taken, and nobody hears of it: it comes again.
    if (isDue) return void request.socket.destroy()
    const items = documents.map(({ id }) => ({
      index: { _id: id, status: id === 'bad' ? 400 : 201 },
    }))
    response
      .writeHead(this.type === 'datadog' ? 202 : 200)
      .end(JSON.stringify({ errors: bad.length > 0, items }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }
}

function taskOf(
  { database, path }: TemporaryFolder,
  sink: Partial<SinkSettings> & Pick<SinkSettings, 'type'>,
): SinkTask {
  return {
    ...{ to: sink.type, gateway: 'siem', database, version: '0' },
    placeFile: `${path}/sink.json`,
    sink: { format: 'yori', transport: 'tls', ...sink },
  }
}

/** In this process. */
function run(task: SinkTask) {
  let last: ShipReport | undefined
  const shipper = new Shipper({
    database: task.database,
    destination: sinkOf(task),
    now: () => systemClock.now(),
    report: (report) => (last = report),
    firstWaitMs: 1,
  })
  const ran = shipper.run()
  return {
    get counts() {
      return last?.counts
    },
    async [Symbol.asyncDispose]() {
      shipper.stop()
      await ran
    },
  }
}

async function give(store: AuditStore, names: readonly string[]): Promise<void> {
  for (const requestId of names)
    store.exchangeClosed(
      closed({ requestId, requestBody: 'hidden-body', promptPreview: 'a "b"\n\u2028=' }),
    )
  await store.flush()
}

describe('a sink of the record', () => {
  const ca = new TestCa()

  for (const type of ['splunk', 'datadog', 'elastic'] as const)
    it(`takes everything at least once by HTTPS, as ${type} does, broken off 20 times`, async () => {
      using folder = temporaryFolder()
      const tlsCa = `${folder.path}/ca.pem`
      writeFileSync(tlsCa, ca.certificatePem)
      await using store = await startStore(folder.database)
      await using collector = await Collector.start(ca, type, 20)
      const format = type === 'elastic' ? 'ecs' : 'yori'
      const token = 'hidden-token'
      const task = taskOf(folder, { type, url: collector.url, token, tlsCa, format })
      const names: string[] = []
      await using sink = run(task)
      while (collector.broken < 20) {
        const more = Array.from({ length: 20 }, (_, i) => `r${names.length + i}`)
        names.push(...more)
        await give(store, more)
        await until(() => more.every((name) => collector.ids.has(name)))
      }
      await until(() => sink.counts?.failures === 20)
      await give(store, ['v', 'w', 'bad', 'x', 'y'])
      names.push('v', 'w', 'bad', 'x', 'y')
      await until(() => sink.counts?.exchanges === names.length - 1)
      assert.deepEqual(collector.wrong, [])
      const missing = names.filter((name) => !collector.ids.has(name))
      assert.deepEqual(missing, ['bad'])
      assert.equal(sink.counts?.rejected, 1)
      const all = JSON.stringify(collector.taken)
      assert.doesNotMatch(all, /hidden-body/)
      const heads = collector.taken.filter(({ document }) =>
        JSON.stringify(document).includes('"signature"'),
      )
      assert.ok(heads.length > 0, 'a signed head')
    })

  it('goes on from where it was, by a file that names the place', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const path = `${folder.path}/out.jsonl`
    const task = taskOf(folder, { type: 'file', path })
    const lines = () =>
      existsSync(path)
        ? readFileSync(path, 'utf8').split('\n').slice(0, -1).map(idOf)
        : []
    const exchanges = () => lines().filter((id) => id !== 'undefined')
    for (let round = 0; round < 3; round++) {
      await give(store, [`a${round}`, `b${round}`])
      await using _sink = run(task)
      await until(() => exchanges().length === 2 * (round + 1))
      // As a crash leaves it.
      appendFileSync(path, '{"request_id":"tor')
    }
    assert.deepEqual(exchanges(), ['a0', 'b0', 'a1', 'b1', 'a2', 'b2'])
    // What changes comes again.
    store.exchangeChanged({
      kind: 'sent-by',
      row: { requestId: 'a1', program: { name: 'curl', folder: '/srv' } },
    })
    await store.flush()
    await using _sink = run(task)
    await until(() => exchanges().length === 7)
    assert.match(readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '', /"curl"/)
  })

  it('lives in a process that is killed and comes again, with every line', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const path = `${folder.path}/out.jsonl`
    const shipping = new Shipping({
      task: taskOf(folder, { type: 'file', path }),
      clock: systemClock,
      log: silentLog,
    })
    await using _stopped = { [Symbol.asyncDispose]: () => shipping.stop() }
    await shipping.start()
    let given = 0
    for (let round = 0; round < 3; round++) {
      const names = Array.from({ length: 3000 }, () => `k${given++}`)
      await give(store, names)
      await until(() => existsSync(path) && readFileSync(path).length > round * 2 ** 20)
      shipping.killChild()
    }
    const seen = () =>
      new Set(readFileSync(path, 'utf8').split('\n').slice(0, -1).map(idOf))
    await until(() => {
      const ids = seen()
      return Array.from({ length: given }, (_, i) => `k${i}`).every((id) => ids.has(id))
    })
    await until(() => shipping.isShipping)
    assert.ok(shipping.counts.restarts >= 3)
  })

  it('has heads by which a record that was written anew is found out', async () => {
    using folder = temporaryFolder()
    const path = `${folder.path}/out.jsonl`
    {
      await using store = await startStore(folder.database)
      await using _sink = run(taskOf(folder, { type: 'file', path }))
      await give(store, ['one', 'two'])
      await until(() => existsSync(path) && readHeads(path).heads.length > 0)
    }
    // As root of this machine would.
    const db = new Sqlite(folder.database)
    db.exec(`DELETE FROM chain; DELETE FROM chain_head;
      UPDATE exchanges SET model = 'other' WHERE request_id = 'one'`)
    db.close()
    rmSync(headsFileOf(folder.database))
    openWriter(folder.database).close()
    assert.equal(verdictOf(folder.database).wrong, 0, 'unseen from here')
    assert.ok(existsSync(keyFileOf(folder.database)))
    const read = new Sqlite(folder.database, { readonly: true })
    const steps = verifyRecord(read, { heads: readHeads(path).heads })
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    read.close()
    assert.match(step.value?.findings[0]?.says ?? '', /written anew/)

    const config = `${folder.path}/yori.yaml`
    writeFileSync(config, `audit:\n  database: ${folder.database}\n`)
    // As a search of Splunk and of Elasticsearch gives it out.
    const [line = ''] = readFileSync(path, 'utf8')
      .split('\n')
      .filter((text) => text.includes('"signature"'))
    const given = `${folder.path}/given.jsonl`
    for (const around of [
      `{"preview":false,"result":{"_raw":${JSON.stringify(line)}}}`,
      `{"_index":"yori-audit","_source":${line}}`,
    ]) {
      writeFileSync(given, `${around}\n`)
      const flags = ['--config', config, '--heads', given]
      await using cli = new Cli(['audit', 'verify', ...flags], { cwd: folder.path })
      assert.equal(await cli.exited, 1)
      assert.match(cli.stdout, /written anew/)
    }
  })
})

const idOf = (line: string): string =>
  String((JSON.parse(line) as { request_id?: string }).request_id)
