import assert from 'node:assert/strict'
import { Prefixes } from '../../src/core/address.js'
import { mayCall, mayConnect, mayPass, whatIsAsked } from '../../src/policy/access.js'
import type { AccessPolicy, AskedFacts, Caller } from '../../src/policy/access.js'
import { EndpointTable } from '../../src/policy/endpoints.js'

const endpoints = new EndpointTable([
  { domain: 'api.openai.com', enabled: true, route: 'intercept' },
  { domain: 'api.anthropic.com', enabled: false, route: 'intercept' },
  { domain: 'web.example.com', enabled: true, route: 'tunnel' },
  { domain: 'bad.example.com', enabled: true, route: 'refuse' },
])

const access: AccessPolicy = {
  clients: new Prefixes(['192.168.1.0/24', '2001:db8:1::/64']),
  trustReaders: new Prefixes(['192.168.3.0/24']),
  isTrustPath: (path) => path === '/trust',
  steered: new Prefixes(['10.9.0.0/16']),
  relayAll: false,
  ports: new Set([443]),
  plainPorts: new Set([80]),
  isOwnName: (host) => host === 'localhost' || host === '127.0.0.1' || host === '::1',
  isConfigured: (host) => host === 'configured.test',
  providerOfPath: (path) => {
    if (path.startsWith('/v1/chat/')) return 'api.openai.com'
    return path.startsWith('/v1/messages') ? 'api.anthropic.com' : undefined
  },
}

/** On a private network of ours, and no client. */
const neighbour: Caller = { address: '192.168.3.7', loopback: false }
const loopback: Caller = { address: '127.0.0.1', loopback: true }
const member: Caller = { address: '192.168.1.7', loopback: false }
const stranger: Caller = { address: '192.168.2.7', loopback: false }

function ask(target: string, more: Partial<AskedFacts> = {}, policy = access): string {
  const asked = whatIsAsked(policy, endpoints, {
    caller: loopback,
    target,
    hosts: ['localhost:8443'],
    origin: undefined,
    fetchSite: undefined,
    localPort: 8443,
    ...more,
  })
  switch (asked.kind) {
    case 'endpoint':
      return `endpoint ${asked.name} ${asked.path}`
    case 'relay':
      return `relay ${asked.host} ${asked.port} ${asked.path}`
    case 'own':
      return `own ${asked.path}`
    case 'refused':
      return asked.code
  }
}

const host = (...hosts: string[]): Partial<AskedFacts> => ({ hosts })

type Row = readonly [string, string, Partial<AskedFacts>, string]

const originForm: readonly Row[] = [
  ['an endpoint', '/v1?a=1', host('api.openai.com'), 'endpoint api.openai.com /v1?a=1'],
  ['one in other letters', '/', host('API.OpenAI.com.:443'), 'endpoint api.openai.com /'],
  ['one that is off', '/', host('api.anthropic.com'), 'YORI_UNKNOWN_HOST'],
  ['one that is left alone', '/', host('web.example.com'), 'YORI_UNKNOWN_HOST'],
  ['one that is refused', '/', host('bad.example.com'), 'YORI_ENDPOINT_REFUSED'],
  ['our own host', '/health?x=1', host('localhost:8443'), 'own /health'],
  ['a door of the gateway', '/llm/x/v1?a=1', {}, 'own /llm/x/v1'],
  [
    'a door, to whom it is not open',
    '/llm/x/v1',
    { caller: stranger },
    'YORI_CLIENT_NOT_ALLOWED',
  ],
  ['our own address', '/health', host('127.0.0.1:8443'), 'own /health'],
  ['our own IPv6 address', '/health', host('[::1]:8443'), 'own /health'],
  [
    'an API path of ours',
    '/v1/chat/completions?x',
    {},
    'endpoint api.openai.com /v1/chat/completions?x',
  ],
  ['the API path of one that is off', '/v1/messages', {}, 'own /v1/messages'],
  ['another host', '/', host('www.example.org'), 'YORI_UNKNOWN_HOST'],
  ['an address that is not ours', '/', host('192.0.2.1'), 'YORI_UNKNOWN_HOST'],
  ['no Host', '/', host(), 'YORI_REQUEST_MALFORMED'],
  ['two Hosts', '/', host('localhost', 'localhost'), 'YORI_REQUEST_MALFORMED'],
  ['an empty Host', '/', host(''), 'YORI_REQUEST_MALFORMED'],
  ['a Host with a path', '/', host('localhost/x'), 'YORI_UNKNOWN_HOST'],
  ['a Host with a user', '/', host('x@localhost'), 'YORI_UNKNOWN_HOST'],
]

const absoluteForm: readonly Row[] = [
  ['an endpoint', 'http://api.openai.com/v1?x', {}, 'endpoint api.openai.com /v1?x'],
  ['no path', 'http://api.openai.com?x=1', {}, 'endpoint api.openai.com /?x=1'],
  ['one that is off', 'http://api.anthropic.com/', {}, 'relay api.anthropic.com 80 /'],
  ['one left alone', 'http://web.example.com/', {}, 'relay web.example.com 80 /'],
  ['one that is refused', 'http://bad.example.com/', {}, 'YORI_ENDPOINT_REFUSED'],
  ['another host', 'HTTP://Other.Test./a#b', {}, 'relay other.test 80 /a'],
  ['an address', 'http://[2001:DB8::1]/', {}, 'relay 2001:db8::1 80 /'],
  ['another port', 'http://other.test:8080/', {}, 'YORI_DESTINATION_REFUSED'],
  [
    'a configured host',
    'http://configured.test:8080/',
    {},
    'relay configured.test 8080 /',
  ],
  ['ourselves', 'http://localhost:8443/health', {}, 'own /health'],
  ['credentials', 'http://a:b@other.test/', {}, 'YORI_REQUEST_MALFORMED'],
  ['no host', 'http:///x', {}, 'YORI_REQUEST_MALFORMED'],
  ['another scheme', 'https://other.test/', {}, 'YORI_REQUEST_MALFORMED'],
  ['an asterisk', '*', {}, 'YORI_REQUEST_MALFORMED'],
]

describe('whatIsAsked', () => {
  for (const [form, rows] of [
    ['origin-form', originForm],
    ['absolute-form', absoluteForm],
  ] as const) {
    for (const [title, target, more, expected] of rows) {
      it(`in ${form}, takes ${title} as ${expected}`, () => {
        assert.equal(ask(target, more), expected)
      })
    }
  }

  const foreign: readonly (readonly [string, Partial<AskedFacts>])[] = [
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['the opaque Origin', { origin: 'null' }],
    ['an Origin of another scheme', { origin: 'chrome-extension://abc' }],
    ['a cross-site fetch', { fetchSite: 'Cross-Site' }],
  ]
  for (const [title, more] of foreign) {
    it(`refuses ${title} on the direct way, in every form`, () => {
      assert.equal(ask('/health', more), 'YORI_CLIENT_CROSS_SITE')
      assert.equal(ask('/v1/chat/completions', more), 'YORI_CLIENT_CROSS_SITE')
      const atEndpoint = { ...more, hosts: ['api.openai.com'] }
      assert.equal(ask('/', atEndpoint), 'YORI_CLIENT_CROSS_SITE')
      assert.equal(ask('http://localhost:8443/health', more), 'YORI_CLIENT_CROSS_SITE')
    })
  }

  for (const [title, more] of [
    ['our own Origin', { origin: 'http://localhost:8443' }],
    ['a same-origin fetch', { fetchSite: 'same-origin' }],
    ['what a person typed', { fetchSite: 'none' }],
  ] as const) {
    it(`serves ${title}`, () => assert.equal(ask('/health', more), 'own /health'))
  }

  it('serves a page of the endpoint itself', () => {
    const more = { hosts: ['api.openai.com'], origin: 'https://api.openai.com' }
    assert.equal(ask('/', more), 'endpoint api.openai.com /')
  })
})

describe('access', () => {
  it('of steered clients is for what was led here, not for calls', () => {
    const steered: Caller = { address: '10.9.0.7', loopback: false }
    assert.deepEqual(
      [steered, member, loopback, stranger].map((caller) => [
        mayPass(access, caller),
        mayCall(access, caller),
      ]),
      [
        [true, false],
        [true, true],
        [true, true],
        [false, false],
      ],
    )
  })

  it('is for loopback and the clients that are named', () => {
    assert.equal(mayCall(access, loopback), true)
    assert.equal(mayCall(access, member), true)
    assert.equal(mayCall(access, { address: '2001:db8:1::9', loopback: false }), true)
    assert.equal(mayCall(access, stranger), false)
    assert.equal(ask('/health', { caller: stranger }), 'YORI_CLIENT_NOT_ALLOWED')
    assert.equal(ask('/trust', { caller: stranger }), 'YORI_CLIENT_NOT_ALLOWED')
  })

  it('lets a neighbour read the trust page, from us and nothing else', () => {
    const caller = neighbour
    assert.equal(ask('/trust', { caller }), 'own /trust')
    const refused: readonly (readonly [string, Partial<AskedFacts>])[] = [
      ['/health', {}],
      ['/trust', host('api.openai.com')],
      ['/trust', host('evil.example')],
      ['http://localhost:8443/trust', {}],
    ]
    for (const [target, more] of refused)
      assert.equal(ask(target, { ...more, caller }), 'YORI_CLIENT_NOT_ALLOWED', target)
    const foreign = { origin: 'https://evil.example' }
    assert.equal(ask('/trust', { caller, ...foreign }), 'YORI_CLIENT_NOT_ALLOWED')
  })

  it('gives other clients endpoints only, unless relay is all', () => {
    const more = { caller: member }
    assert.equal(ask('http://api.openai.com/', more), 'endpoint api.openai.com /')
    assert.equal(ask('http://other.test/', more), 'YORI_DESTINATION_REFUSED')
    const all = { ...access, relayAll: true }
    assert.equal(ask('http://other.test/', more, all), 'relay other.test 80 /')
    assert.equal(ask('http://other.test:81/', more, all), 'YORI_DESTINATION_REFUSED')
  })

  it('lets whoever brings a key of ours to the gateway, and nowhere else', () => {
    const more = { caller: stranger, holdsKey: true }
    assert.equal(ask('/llm/openai/v1/models', more), 'own /llm/openai/v1/models')
    const chat = '/v1/chat/completions'
    assert.equal(ask(chat, more), `endpoint api.openai.com ${chat}`)
    for (const target of ['http://api.openai.com/', 'http://other.test/'])
      assert.equal(ask(target, more), 'YORI_CLIENT_NOT_ALLOWED')
    const byName = { ...more, hosts: ['api.openai.com'] }
    assert.equal(ask(chat, byName), 'YORI_CLIENT_NOT_ALLOWED')
    const foreign = { ...more, fetchSite: 'cross-site' }
    assert.equal(ask('/llm/openai/v1/models', foreign), 'YORI_CLIENT_NOT_ALLOWED')
  })

  const connect = (caller: Caller, name: string, port: number, policy = access) =>
    mayConnect(policy, endpoints, { caller, host: name, port })?.code

  it('gives a CONNECT by the same rules', () => {
    assert.equal(connect(stranger, 'api.openai.com', 443), 'YORI_CLIENT_NOT_ALLOWED')
    assert.equal(connect(member, 'api.openai.com', 443), undefined)
    assert.equal(connect(member, 'api.anthropic.com', 443), undefined)
    assert.equal(connect(member, 'api.openai.com', 22), 'YORI_DESTINATION_REFUSED')
    assert.equal(connect(member, 'other.test', 443), 'YORI_DESTINATION_REFUSED')
    assert.equal(connect(member, '192.0.2.1', 443), 'YORI_DESTINATION_REFUSED')
    assert.equal(connect(loopback, 'other.test', 443), undefined)
    assert.equal(connect(loopback, '192.0.2.1', 443), undefined)
    assert.equal(connect(loopback, 'other.test', 25), 'YORI_DESTINATION_REFUSED')
    assert.equal(connect(loopback, 'configured.test', 25), undefined)
    const all = { ...access, relayAll: true }
    assert.equal(connect(member, 'other.test', 443, all), undefined)
    assert.equal(connect(member, 'other.test', 80, all), 'YORI_DESTINATION_REFUSED')
  })
})
