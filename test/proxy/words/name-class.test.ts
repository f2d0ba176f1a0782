import assert from 'node:assert/strict'
import { loadCatalogue } from '../../../config/read-catalogue.js'
import { readFileSync } from 'node:fs'
import { EndpointTable } from '../../../src/policy/endpoints.js'
import { chooseRoute } from '../../../src/policy/route.js'
import {
  classOfHello,
  classOfHost,
  subjectOf,
} from '../../../src/proxy/words/name-class.js'
import { parseClientHello } from '../../../src/tls/client-hello.js'
import type { ClientHello } from '../../../src/tls/client-hello.js'
import {
  browserLikeMessage,
  extension,
  hello,
  inRecords,
} from '../../support/hello-builder.js'
import { sni } from '../../support/hello-builder.js'
import { recordedCases } from '../../support/needs.js'

const endpoints = new EndpointTable([
  { domain: 'api.openai.com', enabled: true, route: 'intercept' },
  { domain: '*.openai.azure.com', enabled: true, route: 'intercept' },
])

/** What a hello is counted as: its class, and the kind of its tunnel or what else is done. */
function counted(bytes: Buffer): [nameClass: string, how: string] {
  const peek = parseClientHello(bytes)
  assert.ok(peek.kind === 'hello')
  return countedHello(peek.hello)
}

function countedHello(read: ClientHello): [nameClass: string, how: string] {
  const { serverName, serverNameIsAddress, alpn, ech, esni } = read
  const endpoint = serverName === undefined ? undefined : endpoints.find(serverName)
  const route = chooseRoute(
    { endpoints, never: [] },
    {
      serverName,
      serverNameIsAddress,
      nameMayBeHidden: ech || esni,
      alpn,
      deviceExempt: false,
      learned: undefined,
      mintable: () => true,
    },
  )
  return [
    classOfHello(read, endpoint?.domain),
    route.kind === 'tunnel' ? route.coverage : route.kind,
  ]
}

describe('a name, for counting,', () => {
  for (const [title, bytes, expected] of [
    [
      'that is an endpoint',
      hello(sni('api.openai.com')),
      ['api.openai.com', 'intercept'],
    ],
    [
      'below a pattern is that pattern',
      hello(sni('mine.openai.azure.com')),
      ['*.openai.azure.com', 'intercept'],
    ],
    ['that is none', hello(sni('www.example.org')), ['(other)', 'tunnel-not-endpoint']],
    ['that is an address', hello(sni('192.0.2.7')), ['(address)', 'tunnel-ip-sni']],
    ['that is missing', hello(), ['(none)', 'tunnel-no-sni']],
    ['under ESNI', hello(extension(0xffce, [0, 0])), ['(hidden)', 'tunnel-ech']],
    [
      'of an endpoint beside an offer of ECH',
      inRecords(browserLikeMessage('api.openai.com')),
      ['api.openai.com', 'intercept'],
    ],
    [
      'of another beside an offer of ECH, which may mean nothing',
      inRecords(browserLikeMessage('www.example.org')),
      ['(other)', 'tunnel-ech'],
    ],
    [
      'that an ECH service shows for all',
      inRecords(browserLikeMessage('cloudflare-ech.com')),
      ['(hidden)', 'tunnel-ech'],
    ],
  ] as const)
    it(`${title} is ${expected.join(', ')}`, () => {
      assert.deepEqual(counted(bytes), expected)
    })

  it('of a CONNECT is what it asks for', () => {
    const endpoint = endpoints.find('api.openai.com')
    assert.equal(classOfHost('api.openai.com', endpoint?.domain), 'api.openai.com')
    assert.equal(classOfHost('www.example.org', undefined), '(other)')
    assert.equal(classOfHost('2001:db8::1', undefined), '(address)')
  })

  it('of an LLM that nobody reads is counted by itself, of any other site not', async () => {
    const loaded = await loadCatalogue()
    assert.ok(loaded.kind === 'ok')
    const { catalogue } = loaded
    for (const [name, expected] of [
      ['chatgpt.com', 'chatgpt.com'],
      ['claude.ai', 'claude.ai'],
      ['grok.com', 'grok.com'],
      ['copilot.microsoft.com', 'copilot.microsoft.com'],
      ['chat.mistral.ai', 'chat.mistral.ai'],
      ['www.perplexity.ai', 'www.perplexity.ai'],
      ['gemini.google.com', 'gemini.google.com'],
      ['character.ai', 'character.ai'],
      ['beta.character.ai', '*.character.ai'],
      ['replika.com', 'replika.com'],
      ['my.replika.com', '*.replika.com'],
      ['notcharacter.ai', undefined],
      ['www.example.org', undefined],
    ] as const)
      assert.equal(subjectOf(name, undefined, catalogue.entryFor(name)), expected, name)
    const endpoint = { domain: '*.character.ai' }
    const entry = catalogue.entryFor('beta.character.ai')
    assert.equal(subjectOf('beta.character.ai', endpoint, entry), '*.character.ai')
  })

  it('in recorded hellos with ECH is hidden where the service of it is named', function () {
    const file = recordedCases(this, 'tls', 'client-hellos.jsonl')
    const seen = new Set<string>()
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const row = JSON.parse(line) as {
        segments_hex: string[]
        expected: { sni: string | null; ech_outer?: boolean }
      }
      if (row.expected.ech_outer !== true) continue
      const [nameClass, how] = counted(Buffer.from(row.segments_hex.join(''), 'hex'))
      assert.equal(how, 'tunnel-ech')
      const isService = row.expected.sni === 'cloudflare-ech.com'
      assert.equal(nameClass, isService ? '(hidden)' : '(other)')
      seen.add(nameClass)
    }
    assert.deepEqual([...seen].sort(), ['(hidden)', '(other)'])
  })
})
