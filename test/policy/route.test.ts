import assert from 'node:assert/strict'
import { EndpointTable } from '../../src/policy/endpoints.js'
import { chooseRoute } from '../../src/policy/route.js'
import type { RouteFacts, RoutePolicy } from '../../src/policy/route.js'

const policy: RoutePolicy = {
  endpoints: new EndpointTable([
    { domain: 'api.openai.com', enabled: true, route: 'intercept' },
    { domain: 'off.example.com', enabled: false, route: 'intercept' },
    { domain: 'web.example.com', enabled: true, route: 'tunnel' },
    { domain: 'bad.example.com', enabled: true, route: 'refuse' },
    { domain: 'offbad.example.com', enabled: false, route: 'refuse' },
    { domain: '*.wide.example', enabled: true, route: 'intercept' },
    { domain: '*.deep.wide.example', enabled: true, route: 'refuse' },
    { domain: 'exact.deep.wide.example', enabled: true, route: 'tunnel' },
  ]),
  never: ['never.wide.example', '*.bank.wide.example'],
}

const facts: RouteFacts = {
  serverName: 'api.openai.com',
  serverNameIsAddress: false,
  alpn: [],
  deviceExempt: false,
  learned: undefined,
  mintable: () => true,
}

const named = (serverName: string): Partial<RouteFacts> => ({ serverName })

const table: readonly (readonly [string, Partial<RouteFacts>, string])[] = [
  ['an endpoint', {}, 'intercept'],
  ['HTTP/1.1 among the protocols', { alpn: ['h2', 'http/1.1'] }, 'intercept'],
  ['h2 alone', { alpn: ['h2'] }, 'intercept'],
  ['HTTP/1.0 alone', { alpn: ['http/1.0'] }, 'intercept'],
  ['neither HTTP/1 nor h2', { alpn: ['acme-tls/1', 'spdy/3.1'] }, 'tunnel-alpn'],
  ['no name', { serverName: undefined }, 'tunnel-no-sni'],
  [
    'an address as name',
    { serverName: undefined, serverNameIsAddress: true },
    'tunnel-ip-sni',
  ],
  [
    'another name that may hide the true one',
    { serverName: 'www.example.org', nameMayBeHidden: true },
    'tunnel-ech',
  ],
  [
    'no name where one may be hidden',
    { serverName: undefined, nameMayBeHidden: true },
    'tunnel-ech',
  ],
  ['an endpoint in the outer hello', { nameMayBeHidden: true }, 'intercept'],
  ['another name', named('www.example.org'), 'tunnel-not-endpoint'],
  ['a name that ends like an endpoint', named('xapi.openai.com'), 'tunnel-not-endpoint'],
  ['a name below an endpoint', named('a.api.openai.com'), 'tunnel-not-endpoint'],
  ['an exempt device', { deviceExempt: true }, 'tunnel-exempt'],
  ['an endpoint that is off', named('off.example.com'), 'tunnel-endpoint-off'],
  ['an endpoint that is left alone', named('web.example.com'), 'tunnel-endpoint-off'],
  ['an endpoint that is refused', named('bad.example.com'), 'refuse'],
  ['one refused but off', named('offbad.example.com'), 'tunnel-endpoint-off'],
  ['a name below a pattern', named('a.wide.example'), 'intercept'],
  ['a name two labels below a pattern', named('a.b.wide.example'), 'intercept'],
  ['the name of the pattern itself', named('wide.example'), 'tunnel-not-endpoint'],
  ['the longer of two patterns', named('a.deep.wide.example'), 'refuse'],
  ['an exact name in a pattern', named('exact.deep.wide.example'), 'tunnel-endpoint-off'],
  ['a name of intercept.never', named('never.wide.example'), 'tunnel-never'],
  ['a pattern of intercept.never', named('a.bank.wide.example'), 'tunnel-never'],
  ['a pinning device', { learned: 'tunnel-pinned' }, 'tunnel-pinned'],
  [
    'a pinning device that must be inspected',
    { learned: 'tunnel-pinned', mustInspect: true, mustRead: true },
    'refuse',
  ],
  [
    'a pinning app that is known to',
    { learned: 'tunnel-pinned', mustInspect: true, mustRead: true, knownToPin: true },
    'tunnel-pinned',
  ],
  [
    'a device without our root where apps are known to pin',
    {
      learned: 'tunnel-not-trusted',
      mustInspect: true,
      mustRead: true,
      knownToPin: true,
    },
    'refuse',
  ],
  [
    'a client certificate where it must be inspected',
    { learned: 'tunnel-client-certificate', mustInspect: true, mustRead: true },
    'tunnel-client-certificate',
  ],
  [
    'a pinning device where policies decide by name',
    { mustInspect: true, learned: 'tunnel-pinned' },
    'tunnel-pinned',
  ],
  [
    'a provider that wants a client certificate',
    { learned: 'tunnel-client-certificate' },
    'tunnel-client-certificate',
  ],
  ['a name the CA may not sign', { mintable: () => false }, 'tunnel-ca-unusable'],
  [
    'an exempt device at a refused endpoint',
    { serverName: 'bad.example.com', deviceExempt: true },
    'tunnel-exempt',
  ],
]

const holding = { mustInspect: true, mustRead: true } as const
const calling = (calledName: string, changes: Partial<RouteFacts>) => ({
  calledName,
  ...changes,
})

/** What a client may do to get past a policy that blocks, and what is none of that. */
const evasions: readonly (readonly [string, Partial<RouteFacts>, string])[] = [
  ['no HTTP', { ...holding, alpn: ['acme-tls/1'] }, 'YORI_NOT_INSPECTABLE'],
  ['a pinning device', { ...holding, learned: 'tunnel-pinned' }, 'YORI_NOT_INSPECTABLE'],
  [
    'a device that trusts nobody',
    { ...holding, learned: 'tunnel-not-trusted' },
    'YORI_NOT_INSPECTABLE',
  ],
  [
    'a provider that wants a client certificate',
    { ...holding, learned: 'tunnel-client-certificate' },
    'tunnel-client-certificate',
  ],
  ...(
    [
      ['another name', named('www.example.org')],
      ['no name', { serverName: undefined }],
      ['an address', { serverName: undefined, serverNameIsAddress: true }],
      ['a hidden name', { serverName: 'x.example.org', nameMayBeHidden: true }],
    ] as const
  ).flatMap(
    ([what, hello]) =>
      [
        [
          `${what} in a CONNECT to an endpoint`,
          { ...holding, ...calling('api.openai.com', hello) },
          'YORI_NOT_INSPECTABLE',
        ],
        [
          `${what} in a CONNECT to a refused endpoint, whatever is in force`,
          calling('bad.example.com', hello),
          'YORI_ENDPOINT_REFUSED',
        ],
      ] as const,
  ),
  [
    'another name in a CONNECT to an endpoint, while nothing blocks',
    calling('api.openai.com', named('www.example.org')),
    'tunnel-not-endpoint',
  ],
  [
    'another name in a CONNECT to no endpoint',
    { ...holding, ...calling('www.example.org', named('www.example.net')) },
    'tunnel-not-endpoint',
  ],
  [
    'another name in a CONNECT to an endpoint that is off',
    { ...holding, ...calling('off.example.com', named('www.example.org')) },
    'tunnel-not-endpoint',
  ],
  [
    'another name in a CONNECT of an exempt device',
    {
      ...holding,
      deviceExempt: true,
      ...calling('api.openai.com', named('www.example.org')),
    },
    'tunnel-not-endpoint',
  ],
  [
    'another name, without a CONNECT',
    { ...holding, ...named('www.example.org') },
    'tunnel-not-endpoint',
  ],
]

describe('chooseRoute', () => {
  for (const [title, changes, expected] of evasions) {
    it(`answers ${expected} to ${title}`, () => {
      const route = chooseRoute(policy, { ...facts, ...changes })
      assert.notEqual(route.kind, 'intercept')
      const what =
        route.kind === 'tunnel' ? route.coverage : 'code' in route && route.code
      assert.equal(what, expected)
    })
  }

  for (const [title, changes, expected] of table) {
    it(`gives ${expected} for ${title}`, () => {
      const route = chooseRoute(policy, { ...facts, ...changes })
      assert.equal(route.kind === 'tunnel' ? route.coverage : route.kind, expected)
    })
  }

  it('names what it intercepts and by which entry', () => {
    const route = chooseRoute(policy, { ...facts, serverName: 'a.wide.example' })
    assert.ok(route.kind === 'intercept')
    assert.equal(route.name, 'a.wide.example')
    assert.equal(route.endpoint.domain, '*.wide.example')
  })
})
