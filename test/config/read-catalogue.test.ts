import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CATALOGUE_FILE,
  loadCatalogue,
  mergeCatalogues,
  parseCatalogue,
} from '../../config/read-catalogue.js'
import { loadConfig } from '../../config/load.js'
import type { Problem } from '../../config/problem.js'
import { canonicalHostname } from '../../src/core/hostname.js'
import type { Catalogue } from '../../src/providers/catalogue.js'
import type { Usage } from '../../src/providers/provider.js'
import { providers, recognise } from '../../src/providers/index.js'
import { tempFolder } from '../support/temp-folder.js'
import { accepted } from './support.js'

async function shipped(own?: string): Promise<Catalogue> {
  const loaded = await loadCatalogue(own)
  assert.ok(loaded.kind === 'ok', JSON.stringify(loaded))
  return loaded.catalogue
}

const usage = (inputTokens: number, outputTokens: number): Usage => ({
  inputTokens,
  outputTokens,
  inputEstimated: false,
  outputEstimated: false,
})

describe('the provider catalogue', () => {
  it('knows every default endpoint, and each that is steered by name of its provider', async () => {
    const { entries } = await shipped()
    const { endpoints, steer } = accepted(
      loadConfig({ env: {}, cwd: '/', searched: [] }),
    ).config
    for (const { domain, route } of endpoints) {
      const entry = entries.find(({ hosts }) => hosts.includes(domain))
      assert.ok(entry !== undefined, domain)
      // Whose addresses serve much else: steered when its name is among them, or Google's.
      const isSteered = entry.shared !== 'broad' || steer.shared.includes(entry.name)
      assert.ok(
        isSteered || entry.name.startsWith('gemini'),
        `${entry.name} is not steered`,
      )
      if (route === 'by-policy') assert.equal(entry.route, 'tunnel', domain)
    }
  })

  it('YORI reads every intercepted host with the reader that the catalogue names', async () => {
    const { entries } = await shipped()
    for (const entry of entries.filter(({ route }) => route === 'intercept'))
      for (const pattern of entry.hosts) {
        const host = pattern.replace('*', 'x')
        const found = recognise({ host, method: 'POST', path: '/' })
        assert.equal(found?.provider.name, entry.speaks, host)
      }
  })

  it('YORI knows a host of every provider that it reads', async () => {
    const names = new Set((await shipped()).entries.map(({ name }) => name))
    // Servers of MCP have no hosts of their own.
    for (const { name } of providers) if (name !== 'mcp') assert.ok(names.has(name), name)
  })

  it('YORI lists hosts that are host names, each once, and prices that make sense', async () => {
    const seen = new Set<string>()
    for (const entry of (await shipped()).entries) {
      for (const host of entry.hosts) {
        assert.ok(canonicalHostname(host.replace('*.', '')) !== undefined, host)
        assert.ok(!seen.has(host), host)
        seen.add(host)
      }
      for (const { id, price } of entry.models) {
        assert.ok(price.input > 0, id)
        assert.ok((price.cached ?? 0) <= price.input, id)
        assert.ok((price.cacheWrite ?? price.input) >= price.input, id)
        assert.ok((price.long?.input ?? price.input) >= price.input, id)
      }
    }
  })

  it('YORI finds an entry by name, by pattern, and not by likeness', async () => {
    const catalogue = await shipped()
    const name = (host: string) => catalogue.entryFor(host)?.name
    assert.equal(name('api.openai.com'), 'openai')
    assert.equal(name('eu.api.openai.com'), 'openai')
    assert.equal(name('mine.openai.azure.com'), 'azure-openai')
    assert.equal(name('openai.azure.com'), undefined)
    assert.equal(name('api.openai.com.evil.test'), undefined)
    assert.equal(catalogue.entryFor('chatgpt.com')?.route, 'tunnel')
  })

  it('YORI knows a model with its date, with its region, and not by its beginning', async () => {
    const catalogue = await shipped()
    const id = (provider: string, model: string) => catalogue.model(provider, model)?.id
    assert.equal(id('openai', 'gpt-4o-2024-08-06'), 'gpt-4o')
    assert.equal(id('openai', 'gpt-4o-2024-05-13'), 'gpt-4o-2024-05-13')
    assert.equal(id('openai', 'gpt-4o-audio-preview'), undefined)
    assert.equal(id('openai', 'gpt-4o-mini-2024-07-18'), 'gpt-4o-mini')
    assert.equal(id('openai', 'gpt-3.5-turbo-0613'), 'gpt-3.5-turbo-0613')
    assert.equal(id('anthropic', 'claude-sonnet-4-5-20250929'), 'claude-sonnet-4-5')
    assert.equal(id('vertex', 'claude-sonnet-4@20250514'), 'claude-sonnet-4')
    assert.equal(id('gemini', 'models/gemini-2.5-pro-preview-05-06'), 'gemini-2.5-pro')
    assert.equal(id('mistral', 'mistral-large-latest'), 'mistral-large')
    assert.equal(
      id('bedrock', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'),
      'anthropic.claude-sonnet-4-5',
    )
    assert.equal(id('openai', 'claude-sonnet-4-5'), undefined)
    assert.equal(id('nobody', 'gpt-4o'), undefined)
  })

  it('YORI says no cost where it knows no price, never zero', async () => {
    const catalogue = await shipped()
    assert.equal(catalogue.costOf('openai', 'gpt-4o', usage(1_000_000, 0)), 2_500_000)
    assert.equal(catalogue.costOf('openai', 'gpt-next', usage(1, 1)), undefined)
    assert.equal(catalogue.costOf('openai', undefined, usage(1, 1)), undefined)
  })
})

describe('the compiled catalogue', () => {
  it('YORI loads what the file says', async () => {
    const problems: Problem[] = []
    const source = await readFile(CATALOGUE_FILE, 'utf8')
    const file = parseCatalogue(source, CATALOGUE_FILE, problems)
    assert.deepEqual(problems, [])
    assert.ok(file !== undefined)
    const { entries } = await shipped()
    assert.deepEqual(entries, mergeCatalogues([file]))
  })
})

describe("the operator's catalogue", () => {
  it('YORI adds to a known provider, replaces its prices and keeps the rest', async () => {
    await using folder = await tempFolder()
    const path = join(folder.path, 'own.yaml')
    await writeFile(
      path,
      `providers:
  - name: openai
    hosts: [Gateway.Example.net]
    models:
      - { id: GPT-4o, input: 9, output: 10, priced_on: 2026-01-02 }
  - name: anthropic-web
    hosts: [claude.example]
  - name: in-house
    hosts: ['*.llm.example']
    speaks: anthropic
`,
    )
    const catalogue = await shipped(path)
    assert.equal(catalogue.entryFor('gateway.example.net')?.name, 'openai')
    assert.equal(catalogue.entryFor('api.openai.com')?.name, 'openai')
    assert.equal(catalogue.costOf('openai', 'gpt-4o', usage(1, 0)), 9)
    assert.equal(catalogue.model('openai', 'gpt-4o')?.pricedOn, '2026-01-02')
    assert.equal(catalogue.model('openai', 'gpt-4o-mini')?.id, 'gpt-4o-mini')
    assert.equal(catalogue.entryFor('claude.example')?.route, 'tunnel')
    assert.equal(catalogue.entryFor('a.llm.example')?.speaks, 'anthropic')
  })

  it('YORI says that there is no such file', async () => {
    const loaded = await loadCatalogue('/nowhere/own.yaml')
    assert.ok(loaded.kind === 'invalid')
    assert.equal(loaded.problems[0]?.file, '/nowhere/own.yaml')
  })

  const wrong: readonly [string, string, Partial<Problem>][] = [
    [
      'an unknown key',
      'providers:\n  - name: x\n    host: [a.b]',
      { line: 3, key: 'providers[0].host', wrong: 'is not a known key' },
    ],
    ['no providers', 'priced_on: 2025-01-01', { key: 'providers', wrong: 'is missing' }],
    [
      'a bad host',
      'providers: [{name: x, hosts: [a..b]}]',
      { line: 1, key: 'providers[0].hosts[0]' },
    ],
    [
      'a price that is text',
      'priced_on: 2025-01-01\nproviders: [{name: x, models: [{id: m, input: cheap, output: 1}]}]',
      { line: 2, key: 'providers[0].models[0].input' },
    ],
    [
      'a negative price',
      'priced_on: 2025-01-01\nproviders: [{name: x, models: [{id: m, input: -1, output: 1}]}]',
      { key: 'providers[0].models[0].input' },
    ],
    [
      'a price without a day',
      'providers: [{name: x, models: [{id: m, input: 1, output: 1}]}]',
      { key: 'providers[0].models[0]' },
    ],
    [
      'a day that is none',
      'priced_on: soon\nproviders: []',
      { line: 1, key: 'priced_on' },
    ],
    [
      'an API nobody reads',
      'providers: [{name: x, speaks: klingon}]',
      { key: 'providers[0].speaks' },
    ],
    [
      'a route that is none',
      'providers: [{name: x, route: maybe}]',
      { key: 'providers[0].route' },
    ],
    ['one name twice', 'providers: [{name: x}, {name: x}]', { key: 'providers[1].name' }],
    ['what is no YAML', 'providers: [', { line: 1 }],
    ['a list for a file', '[]', {}],
  ]
  for (const [title, source, problem] of wrong) {
    it(`YORI points at ${title}`, () => {
      const problems: Problem[] = []
      assert.equal(parseCatalogue(source, 'own.yaml', problems), undefined)
      const [first] = problems
      assert.ok(first !== undefined)
      for (const [key, value] of Object.entries(problem))
        assert.deepEqual(first[key as keyof Problem], value)
    })
  }
})
