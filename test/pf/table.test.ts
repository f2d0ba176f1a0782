import assert from 'node:assert/strict'
import { loadCatalogue } from '../../config/read-catalogue.js'
import {
  KEPT_MS,
  LlmTable,
  MAX_ADDRESSES,
  collapse,
  planTable,
  rangeProblem,
  tableText,
} from '../../pf/table.js'
import type { TableSettings } from '../../pf/table.js'
import type { CatalogueEntry } from '../../src/providers/catalogue.js'
import { named } from './support.js'

const provider = (more: Partial<CatalogueEntry>): CatalogueEntry => ({
  name: 'acme',
  speaks: 'openai',
  hosts: [],
  resolve: [],
  ranges: [],
  route: 'intercept',
  shared: 'own',
  upstream: 'h1',
  pinnedApps: [],
  models: [],
  ...more,
})

const endpoint = (domain: string, more: object = {}) => ({
  domain,
  enabled: true,
  route: 'intercept' as const,
  ...more,
})

const plan = (settings: Partial<TableSettings>, catalogue: CatalogueEntry[] = []) =>
  planTable({ endpoints: [], never: [], shared: [], ranges: [], ...settings }, catalogue)

const namesIn = (...args: Parameters<typeof plan>): string[] =>
  plan(...args).names.map(({ name }) => name)

describe('what goes into the LLM table', () => {
  const broad = provider({ name: 'front', hosts: ['a.front.test'], shared: 'broad' })

  it('is every endpoint that is opened or refused, by name', () => {
    const endpoints = [
      endpoint('B.test'),
      endpoint('a.test', { route: 'refuse' }),
      endpoint('off.test', { enabled: false }),
      endpoint('left.test', { route: 'tunnel' }),
      endpoint('never.test'),
    ]
    const made = plan({ endpoints, never: ['*.test2', 'never.test'] })
    assert.deepEqual(made.names, [
      { name: 'a.test', from: 'endpoints[1]' },
      { name: 'b.test', from: 'endpoints[0]' },
    ])
    assert.deepEqual(
      made.leftOut.map(({ name }) => name),
      ['off.test', 'left.test', 'never.test'],
    )
  })

  it('leaves out addresses that serve much else, unless provider or host is named', () => {
    const endpoints = [endpoint('a.front.test')]
    assert.deepEqual(namesIn({ endpoints }, [broad]), [])
    assert.match(
      plan({ endpoints }, [broad]).leftOut[0]?.why ?? '',
      /steer\.shared.*front/,
    )
    for (const shared of [['front'], ['A.front.test']])
      assert.deepEqual(namesIn({ endpoints, shared }, [broad]), ['a.front.test'])
  })

  it('takes, for a pattern, the names that the catalogue knows below it', () => {
    const known = provider({
      hosts: ['*.acme.test', 'eu.acme.test'],
      resolve: ['us.acme.test', 'x.test'],
    })
    const endpoints = [endpoint('*.acme.test')]
    assert.deepEqual(namesIn({ endpoints }, [known]), ['eu.acme.test', 'us.acme.test'])
    assert.deepEqual(plan({ endpoints: [endpoint('*.other.test')] }).leftOut, [
      { name: '*.other.test', why: 'a pattern has no single name to look up' },
    ])
  })

  it('has the fixed ranges of providers and operator, none inside another', () => {
    const known = provider({
      hosts: ['acme.test'],
      ranges: ['160.79.104.0/23', '2607:6bc0::/48'],
    })
    const ranges = named('steer.ranges', '160.79.104.9', '192.168.0.0/24', '0.0.0.0/0')
    const made = plan({ endpoints: [endpoint('acme.test')], ranges }, [known])
    assert.deepEqual(made.ranges, ['160.79.104.0/23', '2607:6bc0::/48'])
    assert.deepEqual(
      made.leftOut.map(({ name }) => name),
      ['192.168.0.0/24', '0.0.0.0/0'],
    )
  })

  it('never is a private, special or too wide range', () => {
    for (const [range, why] of [
      ['10.0.0.0/24', /private/],
      ['8.0.0.0/11', /wider/],
      ['0.0.0.0/0', /wider/],
      ['2600::/27', /wider/],
      ['::/0', /wider/],
      ['100.48.0.0/12', undefined],
      ['100.80.0.0/12', /carrier/],
      ['192.160.0.0/12', /meets 192\.168/],
      ['fd00::/32', /unique/],
      ['::1', /loopback/],
      ['127.0.0.1', /loopback/],
      ['api.example.com', /neither/],
      ['160.79.104.0/23', undefined],
      ['2607:6bc0::/48', undefined],
    ] as const) {
      const found = rangeProblem(range)
      if (why === undefined) assert.equal(found, undefined, range)
      else assert.match(found ?? 'accepted', why, range)
    }
  })

  it('of the shipped catalogue has Anthropic, and Google only when it is named', async () => {
    const loaded = await loadCatalogue()
    assert.ok(loaded.kind === 'ok')
    const endpoints = ['api.anthropic.com', 'gemini.google.com'].map((name) =>
      endpoint(name),
    )
    const { entries } = loaded.catalogue
    assert.deepEqual(namesIn({ endpoints }, [...entries]), ['api.anthropic.com'])
    const shared = ['gemini-web']
    assert.equal(namesIn({ endpoints, shared }, [...entries]).length, 2)
    assert.deepEqual(plan({ endpoints }, [...entries]).ranges, [
      '160.79.104.0/23',
      '2607:6bc0::/48',
    ])
  })
})

describe('the LLM table', () => {
  const own = (address: string): boolean => address === '198.51.100.1'
  const none = plan({})

  it('keeps an address for 30 minutes after it was last answered', () => {
    const table = new LlmTable()
    table.answered('a.test', ['203.0.113.1', '2001:DB8::0:1'], { nowMs: 0, own })
    table.answered('a.test', ['203.0.113.2'], { nowMs: 60_000, own })
    assert.equal(KEPT_MS, 1_800_000)
    const at = (nowMs: number) => table.content(none, nowMs)
    assert.deepEqual(at(KEPT_MS).inet, ['203.0.113.1', '203.0.113.2'])
    assert.deepEqual(at(KEPT_MS).inet6, ['2001:db8::1'])
    assert.deepEqual(at(KEPT_MS + 1).inet, ['203.0.113.2'])
    assert.deepEqual(at(KEPT_MS + 60_001).inet, [])
  })

  it('refuses private addresses and our own, and says so', () => {
    const table = new LlmTable()
    const answers = [
      '192.168.1.1',
      '198.51.100.1',
      '::1',
      '::ffff:10.0.0.1',
      'x',
      '203.0.113.1',
    ]
    table.answered('a.test', answers, { nowMs: 0, own })
    const { inet, inet6, refused } = table.content(none, 0)
    assert.deepEqual([inet, inet6], [['203.0.113.1'], []])
    assert.equal(refused.length, 5)
    assert.match(refused[1]?.why ?? '', /this machine/)
  })

  it('holds a bounded number of addresses; the oldest go', () => {
    const table = new LlmTable()
    const many = Array.from(
      { length: MAX_ADDRESSES + 2 },
      (_, i) => `8.${i >> 14}.${(i >> 7) & 127}.${i & 127}`,
    )
    table.answered('a.test', many, { nowMs: 0, own })
    const { inet } = table.content(none, 0)
    assert.equal(inet.length, MAX_ADDRESSES)
    assert.ok(!inet.includes('8.0.0.0') && inet.includes('8.0.0.2'))
  })

  it('is written one address a line, sorted, each once', () => {
    const texts = [
      '203.0.113.9',
      '203.0.113.0/28',
      '2001:db8::2',
      '203.0.113.9',
      '9.0.0.1',
      '2001:db8::/64',
    ]
    assert.deepEqual(collapse(texts), ['9.0.0.1', '203.0.113.0/28', '2001:db8::/64'])
    assert.equal(
      tableText({ inet: ['9.0.0.1'], inet6: ['2001:db8::/64'] }),
      '9.0.0.1\n2001:db8::/64\n',
    )
  })
})
