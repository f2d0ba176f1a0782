import assert from 'node:assert/strict'
import { shownFields, shownPath } from '../../src/processors/credentials.js'
import { changedFields, mayChange } from '../../src/processors/fields.js'
import {
  auditNote,
  fieldChange,
  plainText,
  redirectTo,
} from '../../src/processors/verdict.js'

const NOBODY: ReadonlySet<string> = new Set()

describe('what a processor is shown', () => {
  it('holds no credential, by whichever field it came', () => {
    const secret = 's3cr3t'
    const fields = [
      'Authorization',
      'Cookie',
      'X-Api-Key',
      'api-key',
      'x-goog-api-key',
      'X-Amz-Security-Token',
      'Proxy-Authorization',
      'Sec-WebSocket-Protocol',
      'x-vendor-api-key',
      'X-Session-Token',
      'openai-client-secret',
    ].flatMap((name) => [name, secret])
    assert.deepEqual(shownFields([...fields, 'X-Plain', 'a'], NOBODY), ['x-plain', 'a'])
    const named = new Set(['x-api-key'])
    assert.deepEqual(shownFields(fields, named), ['x-api-key', secret])
  })

  it('keeps what only sounds like one', () => {
    const fields = ['x-token-count', '12', 'anthropic-version', '2023-06-01']
    assert.deepEqual(shownFields(fields, NOBODY), fields)
  })

  it('holds none in a query either', () => {
    const path =
      '/v1?key=AIza&a=b&access_token=t&X-Amz-Signature=s&%6bey=z&sig=1&flag&api-key=q'
    const shown = '/v1?key=&a=b&access_token=&X-Amz-Signature=&%6bey=&sig=&flag&api-key='
    assert.equal(shownPath(path, NOBODY), shown)
    assert.equal(shownPath('/v1?key=AIza', new Set(['key'])), '/v1?key=AIza')
    assert.equal(shownPath('/v1', NOBODY), '/v1')
    assert.deepEqual(shownFields(['Referer', 'https://a.example/?key=1'], NOBODY), [
      'referer',
      'https://a.example/?key=',
    ])
  })
})

describe('what a processor may change', () => {
  it('is neither framing nor the host, nor a credential that it did not name', () => {
    for (const name of [
      'host',
      'content-length',
      'transfer-encoding',
      'connection',
      'te',
      'trailer',
      'upgrade',
      ':authority',
      'x-yori-override',
      'authorization',
      'x-api-key',
      'set-cookie',
    ])
      assert.equal(mayChange(name, NOBODY), false, name)
    assert.equal(mayChange('authorization', new Set(['authorization'])), true)
    // RFC 9112 §6: naming it makes no difference.
    assert.equal(mayChange('content-length', new Set(['content-length'])), false)
    assert.equal(mayChange('x-team', NOBODY), true)
  })

  it('leaves every other field as it came', () => {
    const fields = ['A', '1', 'b', '2', 'a', '3']
    const set = { kind: 'set', name: 'a', value: 'x' } as const
    const add = { kind: 'add', name: 'b', value: 'y' } as const
    const remove = { kind: 'remove', name: 'b', value: '' } as const
    assert.deepEqual(changedFields(fields, [set]), ['b', '2', 'a', 'x'])
    assert.deepEqual(changedFields(fields, [add]), [...fields, 'b', 'y'])
    assert.deepEqual(changedFields(fields, [remove]), ['A', '1', 'a', '3'])
    assert.equal(changedFields(fields, []), fields)
  })

  it('is a field of HTTP', () => {
    assert.equal(fieldChange('set', 'a b', 'x'), undefined)
    assert.equal(fieldChange('set', 'a', 'x\r\ny: z'), undefined)
    assert.equal(fieldChange('set', 'a', 'x'.repeat(8193)), undefined)
    assert.equal(fieldChange('set', 'a', 1), undefined)
    const kept = { kind: 'add', name: 'x-a', value: 'b' }
    assert.deepEqual(fieldChange('add', 'X-A', ' b '), kept)
  })
})

describe('what a processor says', () => {
  it('is one line that can be printed, and bounded', () => {
    assert.equal(plainText('a\u001b[31m\n b\u202e'), 'a [31m b')
    assert.equal(plainText('x'.repeat(10_000))?.length, 500)
    assert.equal(plainText('\n'), undefined)
    const note = auditNote({
      tags: ['a', 2, {}, '', ...Array<string>(100).fill('t')],
      confidence: 7,
    })
    assert.deepEqual(note.tags.slice(0, 3), ['a', '2', 't'])
    assert.equal(note.tags.length <= 32, true)
    assert.equal(note.confidence, undefined)
  })

  it('leads to no place that nobody could go to', () => {
    for (const url of ['javascript:alert(1)', '//evil.example', 'https://a b', '', 1])
      assert.equal(redirectTo(url, 302), undefined)
    assert.deepEqual(redirectTo('/login', 200), { url: '/login', status: 302 })
  })
})
