import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import {
  bundleFamilies,
  countersFamilies,
  shippingFamilies,
  sinkFamilies,
} from '../../src/fleet/families.js'
import { NO_SHIPPED } from '../../src/fleet/ship/words.js'
import { Counter, Histogram, MOST_SERIES } from '../../src/metrics/instruments.js'
import { prometheusText } from '../../src/metrics/prometheus.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { Controlled } from '../support/control.js'
import { lint, scrape } from '../support/prometheus.js'
import { openaiSdk } from '../support/sdk.js'
import { HTTP_VERSIONS } from '../support/yori.js'

const CARD = 'My card is 4111 1111 1111 1111'

describe('/metrics', () => {
  let simulator: Simulator
  let on: Controlled
  before(async () => {
    simulator = await Simulator.start()
    on = await Controlled.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      config: {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { files: { privacy: { enabled: true, action: 'block' } } },
      },
    })
    const counts = { ...NO_SHIPPED, restarts: 0, waiting: 3 }
    const shipping = { counts, behindS: 1.5, isShipping: true }
    const told = { told: 1, failures: 0, late: 0, gateways: 2, waiting: 0 }
    const counters = { counts: told, isUp: true, skewMs: -1_500 }
    on.telemetry.attachWaf(() => ({ state: 'running', restarts: 0 }))
    on.telemetry.attachFleet(() => [
      ...shippingFamilies(shipping),
      ...countersFamilies(counters),
      ...sinkFamilies([{ label: 'siem', ...shipping }]),
      ...bundleFamilies({
        counts: { requests: 0, activations: 0, failures: 0, refused: 0 },
        isUp: true,
      }),
    ])
  })
  after(async () => {
    await on[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
  })

  const families = async () => {
    const { status, headers, text } = await on.ask('/metrics')
    assert.equal(status, 200)
    assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
    return scrape(text)
  }
  const sum = async (name: string, labels: Record<string, string> = {}) => {
    const [, found] =
      [...(await families())].find(([family]) => name.startsWith(family)) ?? []
    return (found?.samples ?? [])
      .filter((sample) => sample.name === name)
      .filter((sample) =>
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      )
      .reduce((total, { value }) => total + value, 0)
  }

  it('is text that Prometheus reads, before any traffic and after', async () => {
    const before = await families()
    assert.deepEqual(lint(before), [])
    assert.ok(before.has('yori_requests_total'))
    await on.yori.tls('api.openai.com').then((socket) => socket.destroy())
    const after = await families()
    assert.deepEqual(lint(after), [])
    assert.ok([...after.keys()].every((name) => name.startsWith('yori_')))
  })

  for (const version of HTTP_VERSIONS)
    it(`counts calls, tokens, blocks and time once each, over ${version}`, async () => {
      const sdk = openaiSdk({ dispatcher: on.yori.dispatcher(undefined, version) })
      const say = (content: string) =>
        sdk.chat.completions.create({
          model: 'gpt-4o-mini',
          messages: [{ role: 'user', content }],
        })
      const names = {
        requests: 'yori_requests_total',
        calls: 'yori_calls_total',
        blocks: 'yori_blocked_requests_total',
        time: 'yori_request_duration_seconds_count',
        input: 'yori_tokens_total',
      }
      const read = async () => ({
        responses: await sum(names.requests, { outcome: 'response', provider: 'openai' }),
        blocked: await sum(names.requests, { outcome: 'block' }),
        calls: await sum(names.calls),
        byPrivacy: await sum(names.blocks, { policy: 'privacy' }),
        timed: await sum(names.time),
        input: await sum(names.input, { kind: 'input' }),
        output: await sum(names.input, { kind: 'output' }),
      })
      const before = await read()
      const { usage } = await say('Name a moon of Neptune')
      await assert.rejects(say(CARD), { status: 403 })
      await on.yori.closeClients()
      const after = await read()
      const grown = Object.fromEntries(
        Object.entries(after).map(([key, value]) => [
          key,
          value - before[key as keyof typeof before],
        ]),
      )
      assert.deepEqual(grown, {
        responses: 1,
        blocked: 1,
        calls: 2,
        byPrivacy: 1,
        timed: 2,
        input: usage?.prompt_tokens,
        output: usage?.completion_tokens,
      })
      const phases = (await families()).get('yori_phase_duration_seconds')?.samples ?? []
      const named = new Set(phases.map(({ labels }) => labels['phase']))
      assert.deepEqual([...named].sort(), ['judge', 'provider', 'request', 'response'])
    })

  it('agrees with the record on requests and connections', async () => {
    const rows = await on.yori.rows('exchanges')
    // What is blocked again for the same is counted in the first row.
    const all = rows.reduce((count, row) => count + 1 + Number(row['repeats'] ?? 0), 0)
    assert.equal(await sum('yori_requests_total'), all)
    const connections = await on.yori.rows('connections')
    assert.equal(await sum('yori_connections_total'), connections.length)
    assert.equal(
      await sum('yori_tls_handshake_duration_seconds_count'),
      connections.filter((row) => row['coverage'] === 'inspected').length,
    )
    const ways = new Set(connections.map((row) => String(row['way'])))
    for (const way of ways)
      assert.equal(
        await sum('yori_connection_ways_total', { way }),
        connections.filter((row) => row['way'] === way).length,
      )
    assert.equal(
      await sum('yori_store_write_duration_seconds_count'),
      await sum('yori_store_batches_total'),
    )
    assert.equal(
      await sum('yori_store_rows_written_total', { kind: 'exchanges' }),
      rows.length,
    )
  })

  it('measures the loop once somebody has asked', async () => {
    const [first, second] = [await families(), await families()]
    const delays = second.get('yori_event_loop_delay_seconds')?.samples ?? []
    assert.deepEqual(
      delays.map(({ labels }) => labels['stat']),
      ['mean', 'p99', 'max'],
    )
    assert.ok(delays.every(({ value }) => value >= 0 && value < 600))
    assert.ok(first.has('yori_event_loop_delay_seconds'))
  })

  it('has every name in the runbook, and the runbook none beside', async () => {
    const page = readFileSync(packageFile('docs', 'RUNBOOK.md'), 'utf8')
    const told = new Set([...page.matchAll(/`(yori_[a-z_]+)`/g)].map(([, name]) => name))
    const there = new Set((await families()).keys())
    assert.deepEqual(
      [...there].filter((name) => !told.has(name)),
      [],
    )
    assert.deepEqual(
      [...told].filter((name) => !there.has(name ?? '')),
      [],
    )
  })
})

describe('an instrument', () => {
  it('tells so many labels apart, and no more', () => {
    const counter = new Counter({ name: 'x_total', help: 'X.', labels: ['a'] })
    for (let n = 0; n < 10 * MOST_SERIES; n++) counter.add([`value-${n}`])
    const { samples } = counter.family()
    assert.equal(samples.length, MOST_SERIES + 1)
    const other = samples.find(({ labels }) => labels[0]?.[1] === 'other')
    assert.equal(other?.value, 9 * MOST_SERIES)
  })

  it('writes labels that hold anything', () => {
    const counter = new Counter({
      name: 'x_total',
      help: 'A \\ and\na line.',
      labels: ['a'],
    })
    for (const value of ['"', '\\', '\n', '\\n', 'é', '', '}', '{a="b"}'])
      counter.add([value])
    const families = scrape(prometheusText([counter.family()]))
    assert.equal(families.get('x_total')?.samples.length, 8)
  })

  it('counts a value into every bucket that is not below it', () => {
    const options = { name: 'x_seconds', help: 'X.' }
    const histogram = new Histogram(options, [0.1, 1, 10])
    for (const value of [0.05, 0.1, 0.5, 5, 50, NaN]) histogram.observe([], value)
    const samples = scrape(prometheusText([histogram.family()])).get('x_seconds')?.samples
    assert.deepEqual(
      samples?.map(({ value }) => value),
      [2, 3, 4, 5, 55.65, 5],
    )
  })
})
