import assert from 'node:assert/strict'
import { fromH2, toH2 } from '../../src/http/h2-fields.js'

const pseudo = [':method', 'POST', ':path', '/v1/x?y', ':scheme', 'https'] as const

describe('a head of HTTP/2', () => {
  it('becomes one of HTTP/1.1: host first, order and duplicates kept', () => {
    const raw = [...pseudo, ':authority', 'a.test', 'b', '1', 'a', '2', 'b', '3']
    assert.deepEqual(fromH2(raw, true), {
      method: 'POST',
      path: '/v1/x?y',
      rawHeaders: ['host', 'a.test', 'b', '1', 'a', '2', 'b', '3'],
    })
  })

  it('has its cookie crumbs joined where the first stood', () => {
    const raw = [...pseudo, 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2', 'cookie', 'c=3']
    assert.deepEqual(fromH2(raw, true).rawHeaders, ['cookie', 'a=1; b=2; c=3', 'x', 'y'])
  })

  it('tells a body of unknown length from none and from a known one', () => {
    assert.deepEqual(fromH2(pseudo, true).rawHeaders, [])
    assert.deepEqual(fromH2(pseudo, false).rawHeaders, ['transfer-encoding', 'chunked'])
    const known = fromH2([...pseudo, 'content-length', '3'], false)
    assert.deepEqual(known.rawHeaders, ['content-length', '3'])
  })

  it('keeps a Host that differs from the authority, for both to be seen', () => {
    const same = fromH2([...pseudo, ':authority', 'a', 'host', 'a'], true)
    assert.deepEqual(same.rawHeaders, ['host', 'a'])
    const other = fromH2([...pseudo, ':authority', 'a', 'host', 'b'], true)
    assert.deepEqual(other.rawHeaders, ['host', 'a', 'host', 'b'])
  })
})

describe('an answer in HTTP/2', () => {
  it('has lower-case names, repeated ones as a list, and no connection fields', () => {
    const fields = ['Set-Cookie', 'a=1', 'X', '1', 'set-cookie', 'b=2', 'Connection', 'x']
    const expected = { ':status': 200, 'set-cookie': ['a=1', 'b=2'], x: '1' }
    assert.deepEqual(toH2(200, fields), expected)
  })

  it('has a status that HTTP/2 can carry', () => {
    // RFC 9110 §15: what is outside 100 to 599 counts as a 5xx.
    for (const [given, sent] of [
      ...[
        [200, 200],
        [429, 429],
        [529, 529],
        [599, 599],
        [600, 500],
        [999, 500],
      ],
    ] as const)
      assert.deepEqual(toH2(given, []), { ':status': sent })
  })

  it('takes any name that a field may have for a name', () => {
    const fields = ['constructor', '1', '__proto__', '2', 'toString', '3', ':path', '/x']
    const head = toH2(200, fields)
    assert.deepEqual(Object.entries(head), [
      [':status', 200],
      ['constructor', '1'],
      ['tostring', '3'],
    ])
  })

  it('has one value where HTTP/2 allows one', () => {
    const fields = ['content-type', 'a/b', 'content-type', 'c/d']
    assert.deepEqual(toH2(200, fields), { ':status': 200, 'content-type': 'a/b' })
  })
})
