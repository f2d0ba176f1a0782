/** What goes to somebody else than the client meant: nothing by which the client is known. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { forAnother, holdsCredential, withoutOwn } from '../../src/providers/crossing.js'
import type { Credentialed } from '../../src/providers/credentials.js'
import { holds } from '../support/property.js'

const KEY = 'sk-proj-AbC123xyz'

/** Where libraries and portals put keys, by their own documents. */
const CARRIERS: readonly (readonly [string, string])[] = [
  ['Authorization', `Bearer ${KEY}`],
  ['authorization', `Basic ${KEY}`],
  ['X-Api-Key', KEY],
  ['api-key', KEY],
  ['X-Goog-Api-Key', KEY],
  ['Cookie', `a=b; session=${KEY}`],
  ['Cookie2', KEY],
  ['x-portkey-api-key', 'pk-other'],
  ['Helicone-Auth', 'Bearer pk-other'],
  ['cf-aig-authorization', 'Bearer other'],
  ['Ocp-Apim-Subscription-Key', 'other'],
  ['x-amz-security-token', 'other'],
  ['x-auth-token', 'other'],
  ['x-access-token', 'other'],
  ['x-litellm-api-key', 'other'],
  ['X-Client-Secret', 'other'],
  ['OpenAI-Organization', 'org-1'],
  ['OpenAI-Project', 'proj-1'],
  ['x-goog-user-project', 'proj-1'],
  ['Sec-WebSocket-Protocol', `realtime, openai-insecure-api-key.${KEY}`],
]
const QUERIES = [`key=${KEY}`, `k%65y=${KEY}`, `api_key=${KEY}`, `api-key=other`]
const MORE_QUERIES = [`access_token=other`, `a=${encodeURIComponent(KEY)}`, `sk=${KEY}`]

function text({ fields, path }: Credentialed): string {
  return [...fields, path, decodeURIComponent(path)].join('\n')
}

describe('a request that goes to somebody else', () => {
  for (const [who, take] of [
    ['another server', withoutOwn],
    ['another provider', forAnother],
  ] as const) {
    it(`leaves every credential behind, for ${who}`, () => {
      for (const [name, value] of CARRIERS) {
        const given = {
          fields: ['Authorization', `Bearer ${KEY}`, name, value],
          path: '/v1',
        }
        const sent = text(take(given))
        for (const secret of [KEY, 'other', 'pk-other', 'org-1', 'proj-1'])
          assert.ok(!sent.includes(secret), `${name}: ${sent}`)
      }
      for (const item of [...QUERIES, ...MORE_QUERIES]) {
        const path = `/v1/x?alt=sse&${item}&limit=2`
        const sent = take({ fields: ['x-api-key', KEY], path })
        assert.equal(sent.path, '/v1/x?alt=sse&limit=2', item)
      }
    })

    it(`keeps with what the API is asked, for ${who}`, () => {
      const fields = [
        ...['Content-Type', 'application/json', 'anthropic-version', '2023-06-01'],
        ...['User-Agent', 'OpenAI/JS', 'X-Stainless-Lang', 'js', 'accept', '*/*'],
      ]
      const sent = take({ fields: [...fields, 'x-api-key', KEY], path: '/v1/messages' })
      assert.deepEqual(sent.fields, fields)
      assert.equal(sent.path, '/v1/messages')
    })
  }

  it('leaves behind all that another provider has no use for', () => {
    const fields = [
      'x-tenant',
      'mine',
      'x-forwarded-for',
      '10.0.0.1',
      'referer',
      'http://x',
    ]
    assert.deepEqual(forAnother({ fields, path: '/?user=me' }), { fields: [], path: '/' })
    const kept = withoutOwn({ fields, path: '/?user=me' })
    assert.deepEqual(kept, { fields, path: '/?user=me' })
  })

  holds(
    'leaves the key behind wherever it stands',
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9_-]{6,40}$/),
      fc.constantFrom('x-one', 'User-Agent', 'accept', 'content-type', 'b-c'),
      fc.constantFrom('', 'v=', '"', ' , '),
      (key, name, around) => {
        const given = {
          fields: ['authorization', `bearer ${key}`, name, around + key + around],
          path: `/?limit=${key}&n=1`,
        }
        for (const take of [withoutOwn, forAnother]) {
          const { fields, path } = take(given)
          assert.ok(!fields.some((value, i) => i % 2 === 1 && value.includes(key)))
          assert.ok(!path.includes(key))
        }
      },
    ),
  )

  it('sees a credential within a body', () => {
    const request = { fields: ['authorization', `Bearer ${KEY}`], path: '/' }
    assert.ok(holdsCredential(Buffer.from(`{"a":"${KEY}"}`), request))
    assert.ok(!holdsCredential(Buffer.from('{"a":"b"}'), request))
    // No key is that short, and what is holds it by chance.
    assert.ok(
      !holdsCredential(Buffer.from('abc'), { fields: ['api-key', 'a'], path: '/' }),
    )
  })
})
