/** Which requests are the same, and which are answered by lot: by the vendors' references. */
import assert from 'node:assert/strict'
import {
  cacheKey,
  cacheWish,
  isDeterministic,
} from '../../../src/proxy/exchange/cache-key.js'
import type { CacheAsked } from '../../../src/proxy/exchange/cache-key.js'

const body = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const ASKED: CacheAsked = {
  api: 'chat',
  door: 'openai',
  client: ['192.0.2.7', '', ''],
  method: 'POST',
  path: '/v1/chat/completions',
  fields: ['authorization', 'Bearer a', 'Content-Type', 'application/json'],
  body: body({ model: 'm', temperature: 0, messages: [] }),
}

describe('the key of a request', () => {
  it('is the same whatever changes from request to request alone', () => {
    const key = cacheKey(ASKED)
    assert.ok(key)
    const fields = [
      ...['content-type', 'application/json', 'Authorization', 'Bearer a'],
      ...['traceparent', '00-1', 'X-Stainless-Retry-Count', '1', 'User-Agent', 'x/2'],
    ]
    assert.equal(cacheKey({ ...ASKED, fields }), key)
  })

  const others: Partial<CacheAsked>[] = [
    { door: 'other' },
    { client: ['192.0.2.8', '', ''] },
    { client: ['192.0.2.7', '', 'key'] },
    { client: ['192.0.2.7', 'key', ''] },
    { path: '/v1/chat/completions?a=1' },
    { fields: ['authorization', 'Bearer b', 'Content-Type', 'application/json'] },
    { fields: [...ASKED.fields, 'openai-organization', 'o'] },
    { fields: [...ASKED.fields, 'accept-encoding', 'gzip'] },
    { body: body({ model: 'n', temperature: 0, messages: [] }) },
    { body: body({ model: 'm', temperature: 0, messages: [], stream: true }) },
  ]
  for (const other of others)
    it(`is another for ${JSON.stringify({ ...other, body: other.body?.toString() })}`, () => {
      const key = cacheKey({ ...ASKED, ...other })
      assert.ok(key)
      assert.notEqual(key, cacheKey(ASKED))
    })

  it('is none for what cannot be read, or asks for nothing', () => {
    assert.equal(cacheKey({ ...ASKED, method: 'GET' }), undefined)
    const coded = [...ASKED.fields, 'Content-Encoding', 'gzip']
    assert.equal(cacheKey({ ...ASKED, fields: coded }), undefined)
    assert.equal(cacheKey({ ...ASKED, body: Buffer.from('{"temperature":0') }), undefined)
    assert.equal(cacheKey({ ...ASKED, body: Buffer.from('[]') }), undefined)
  })
})

describe('a request that is deterministic', () => {
  const yes: [CacheAsked['api'], object][] = [
    ['chat', { temperature: 0 }],
    ['chat', { temperature: 0.0, tools: [{ type: 'function', function: {} }] }],
    ['messages', { temperature: 0, tools: [{ name: 'f', input_schema: {} }] }],
    ['messages', { temperature: 0, tools: [{ type: 'custom', name: 'f' }] }],
    ['generate', { generationConfig: { temperature: 0 } }],
    [
      'generate',
      {
        generationConfig: { temperature: 0 },
        tools: [{ functionDeclarations: [{ name: 'f' }] }],
      },
    ],
    ['chat', { options: { temperature: 0 } }],
    ['completions', { temperature: 0 }],
    ['embeddings', { input: 'x' }],
  ]
  for (const [api, asked] of yes)
    it(`${api} ${JSON.stringify(asked)}`, () => {
      assert.equal(isDeterministic(api, body(asked)), true)
    })

  const no: [CacheAsked['api'], object][] = [
    ['chat', {}],
    ['chat', { temperature: null }],
    ['chat', { temperature: '0' }],
    ['chat', { temperature: 0.01 }],
    ['chat', { temperature: 0, options: { temperature: 1 } }],
    ['chat', { temperature: 0, store: true }],
    ['chat', { temperature: 0, web_search_options: {} }],
    ['chat', { temperature: 0, tools: 'all' }],
    [
      'messages',
      { temperature: 0, tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    ],
    ['messages', { temperature: 0, mcp_servers: [{}] }],
    ['messages', { temperature: 0, container: 'c' }],
    ['generate', { generationConfig: { temperature: 0 }, tools: [{ googleSearch: {} }] }],
    ['responses', { temperature: 0 }],
    ['images', { temperature: 0 }],
    ['moderations', { input: 'x' }],
  ]
  for (const [api, asked] of no)
    it(`is not: ${api} ${JSON.stringify(asked)}`, () => {
      assert.equal(isDeterministic(api, body(asked)), false)
    })
})

describe('what a client says of the cache, RFC 9111 §5.2.1', () => {
  for (const [said, wish] of [
    [undefined, 'any'],
    ['max-age=600', 'any'],
    ['No-Cache', 'fresh'],
    ['max-age=0, private', 'fresh'],
    ['no-cache, no-store', 'none'],
    ['NO-STORE', 'none'],
    ['x-no-store', 'any'],
  ] as const)
    it(`${String(said)}: ${wish}`, () => {
      assert.equal(cacheWish(said), wish)
    })
})
