import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Counter, Histogram } from '../../src/metrics/instruments.js'
import { OtlpExporter, MOST_SPANS } from '../../src/metrics/otlp-exporter.js'
import { attributesOf, nanoseconds } from '../../src/core/otlp-values.js'
import { metricsBody } from '../../src/metrics/otlp-json.js'
import { systemClock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import { Secret } from '../../src/core/secret.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { closed } from '../audit/support.js'
import { Controlled } from '../support/control.js'
import { openaiSdk } from '../support/sdk.js'
import { HTTP_VERSIONS } from '../support/yori.js'

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly flags: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly status: { readonly code?: number }
}

interface Taken {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: {
    readonly resourceSpans?: readonly {
      readonly resource: { readonly attributes: readonly Attribute[] }
      readonly scopeSpans: readonly { readonly spans: readonly Span[] }[]
    }[]
    readonly resourceMetrics?: readonly {
      readonly scopeMetrics: readonly { readonly metrics: readonly { name: string }[] }[]
    }[]
  }
}

/** Answers as it is told, 200 then, and keeps what it was sent. */
class Collector implements AsyncDisposable {
  readonly taken: Taken[] = []
  readonly answers: (readonly [status: number, fields?: Record<string, string>])[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<Collector> {
    const server = createServer()
    const collector = new Collector(server)
    server.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { url: path = '', headers } = request
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Taken['body']
        collector.taken.push({ path, headers, body })
        const [status, fields] = collector.answers.shift() ?? [200]
        response.writeHead(status, fields)
        response.end('{}')
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return collector
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  spans(): Span[] {
    return this.taken.flatMap(({ body }) =>
      (body.resourceSpans ?? []).flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) => spans),
      ),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    const ended = once(this.#server, 'close')
    this.#server.close()
    await ended
  }
}

const plain = (attributes: readonly Attribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`

describe('the export by OTLP', () => {
  for (const version of HTTP_VERSIONS)
    it(`tells of calls by the names of the conventions, over ${version}`, async () => {
      await using collector = await Collector.start()
      await using simulator = await Simulator.start()
      await using on = await Controlled.start({
        origins: { 'api.openai.com': simulator },
        trust: [simulator.ca],
        config: {
          otel: { endpoint: `${collector.url}/`, headers: { 'x-key': 'very secret' } },
        },
      })
      const sdk = openaiSdk({ dispatcher: on.yori.dispatcher(undefined, version) })
      const say = (headers: Record<string, string>) =>
        sdk.chat.completions.create(
          {
            model: 'gpt-4o-mini',
            messages: [{ role: 'user', content: 'a secret word' }],
          },
          { headers },
        )
      const { usage } = await say({ traceparent: TRACEPARENT })
      await say({ traceparent: '00-0-0-zz' })
      await say({})
      assert.deepEqual(
        simulator.requests.all.map((request) => request.header('traceparent')),
        [TRACEPARENT, '00-0-0-zz', undefined],
      )
      await on.yori.closeClients()
      await on.telemetry.exporter?.flush()
      const [first] = collector.taken
      assert.equal(first?.path, '/v1/traces')
      assert.equal(first.headers['content-type'], 'application/json')
      assert.equal(first.headers['x-key'], 'very secret')
      const [one, other] = collector.spans()
      assert.ok(one !== undefined && other !== undefined)
      assert.equal(one.traceId, TRACE)
      assert.equal(one.parentSpanId, PARENT)
      assert.equal(one.flags, 0x301)
      assert.match(other.traceId, /^[0-9a-f]{32}$/)
      assert.match(other.spanId, /^[0-9a-f]{16}$/)
      assert.equal(other.parentSpanId, undefined)
      assert.equal(one.name, 'chat gpt-4o-mini')
      assert.equal(one.kind, 3)
      assert.deepEqual(one.status, {})
      for (const time of [one.startTimeUnixNano, one.endTimeUnixNano])
        assert.match(time, /^\d{19}$/)
      assert.ok(BigInt(one.endTimeUnixNano) >= BigInt(one.startTimeUnixNano))
      const told = plain(one.attributes)
      assert.equal(told['gen_ai.operation.name'], 'chat')
      assert.equal(told['gen_ai.provider.name'], 'openai')
      assert.equal(told['gen_ai.usage.input_tokens'], String(usage?.prompt_tokens))
      assert.equal(told['gen_ai.usage.output_tokens'], String(usage?.completion_tokens))
      assert.equal(told['server.address'], 'api.openai.com')
      assert.ok(!JSON.stringify(collector.taken).includes('secret word'), 'no content')
      const metrics = collector.taken.find(({ path }) => path === '/v1/metrics')?.body
      const names = metrics?.resourceMetrics?.[0]?.scopeMetrics[0]?.metrics
      assert.ok(names?.some(({ name }) => name === 'yori_requests_total'))
      assert.ok(!(await on.ask('/config')).text.includes('very secret'))
      const rows = await on.yori.rows('exchanges')
      assert.deepEqual(
        rows.map((row) => row['traceparent']),
        [TRACEPARENT, null, null],
      )
    })

  it('begins, ends and tells content as a reload says', async () => {
    await using collector = await Collector.start()
    await using on = await Controlled.start()
    const flush = () => on.telemetry.exporter?.flush()
    assert.equal(flush(), undefined)
    const use = async (otel: object): Promise<void> => {
      await on.yori.reload({ otel })
      await on.control.use(on.yori.appliance.current.config)
    }
    const record = { call: true, promptPreview: 'a secret word', model: 'm', api: 'chat' }
    const ended = (): void => {
      const exporter = on.telemetry.observers.find(({ name }) => name === 'otlp')
      exporter?.ended?.(closed(record))
    }
    await use({ endpoint: collector.url, content: true, metrics: false })
    ended()
    await flush()
    assert.deepEqual(
      collector.taken.map(({ path }) => path),
      ['/v1/traces'],
    )
    assert.ok(JSON.stringify(collector.taken).includes('secret word'))
    await use({})
    ended()
    await flush()
    assert.equal(collector.taken.length, 1)
  })

  describe('to a collector in trouble', () => {
    const started = (collector: Collector) => {
      const spans = new Counter({ name: 'x_total', help: 'X.', labels: ['result'] })
      const exporter = new OtlpExporter({
        clock: systemClock,
        log: silentLog,
        resource: { version: '0', instance: 'test' },
        startedAt: 0,
        spans,
        families: () => [],
        batchMs: 3_600_000,
        firstWaitMs: 1,
      })
      exporter.use({
        endpoint: collector.url,
        headers: { authorization: new Secret('Bearer x') },
        ...{ traces: true, metrics: false, interval: 60, content: false },
      })
      const counts = (): Record<string, number> =>
        Object.fromEntries(
          spans
            .family()
            .samples.map(({ labels, value }) => [labels[0]?.[1] ?? '', value]),
        )
      return { exporter, counts }
    }
    const call = () => closed({ call: true, model: 'm', api: 'chat', provider: 'openai' })

    for (const status of [429, 502, 503, 504])
      it(`sends again what met ${status}`, async () => {
        await using collector = await Collector.start()
        const { exporter, counts } = started(collector)
        collector.answers.push([status, { 'retry-after': '0' }], [status])
        exporter.ended(call())
        await exporter.flush()
        assert.equal(collector.taken.length, 3)
        assert.deepEqual(counts(), { sent: 1 })
        await exporter.stop()
      })

    for (const status of [301, 400, 401, 404, 500])
      it(`gives up what met ${status}, and follows nowhere`, async () => {
        await using collector = await Collector.start()
        const { exporter, counts } = started(collector)
        collector.answers.push([status, { location: `${collector.url}/elsewhere` }])
        exporter.ended(call())
        await exporter.flush()
        assert.equal(collector.taken.length, 1)
        assert.deepEqual(counts(), { failed: 1 })
        await exporter.stop()
      })

    it('tries so often, and keeps so many', async () => {
      await using collector = await Collector.start()
      const { exporter, counts } = started(collector)
      for (let n = 0; n < MOST_SPANS + 9; n++) exporter.ended(call())
      assert.deepEqual(counts(), { dropped: 9 })
      for (let n = 0; n < 5; n++) collector.answers.push([503])
      await exporter.flush()
      assert.equal(collector.taken.length, 5)
      assert.equal(counts()['failed'], 256)
      await exporter.flush()
      assert.equal(counts()['sent'], MOST_SPANS - 256)
      await exporter.stop()
    })
  })

  it('leaves out what is no number, and writes no integer past 64 bits', () => {
    assert.deepEqual(
      attributesOf({ ratio: NaN, rate: -Infinity, many: 1e21, some: 5, none: undefined }),
      [
        { key: 'many', value: { doubleValue: 1e21 } },
        { key: 'some', value: { intValue: '5' } },
      ],
    )
  })

  it('writes 64-bit times as text, and buckets that are not cumulative', () => {
    assert.equal(nanoseconds(1_764_000_000_123), '1764000000123000000')
    assert.equal(nanoseconds(0.5), '500000')
    const histogram = new Histogram(
      { name: 'x_seconds', help: 'X.', labels: ['a'] },
      [1, 2],
    )
    for (const value of [0.5, 1.5, 1.7, 9]) histogram.observe(['b'], value)
    const resource = { version: '0', instance: 'i' }
    const times = { startedAt: 1, now: 2 }
    const body = metricsBody([histogram.family()], times, resource) as {
      resourceMetrics: { scopeMetrics: { metrics: unknown[] }[] }[]
    }
    assert.deepEqual(body.resourceMetrics[0]?.scopeMetrics[0]?.metrics, [
      {
        name: 'x_seconds',
        description: 'X.',
        unit: 's',
        histogram: {
          aggregationTemporality: 2,
          dataPoints: [
            {
              attributes: [{ key: 'a', value: { stringValue: 'b' } }],
              count: '4',
              sum: 12.7,
              bucketCounts: ['1', '2', '1'],
              explicitBounds: [1, 2],
              startTimeUnixNano: '1000000',
              timeUnixNano: '2000000',
            },
          ],
        },
      },
    ])
  })
})
