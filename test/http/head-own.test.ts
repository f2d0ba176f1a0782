import assert from 'node:assert/strict'
import { readRequestHead } from '../../src/http/head.js'

describe('fields of our own', () => {
  it('YORI takes them out of what goes on, whatever their case and number', () => {
    const { fields, own } = readRequestHead([
      ...['Host', 'api.openai.com', 'X-YORI-Session-Id', 'a', 'x-yori-session-id', 'b'],
      ...[
        'X-Cylestio-Tags',
        't',
        'x-yorick',
        'stays',
        'X-Yori-Override',
        'p',
        'X-A',
        '1',
      ],
    ])
    assert.deepEqual(fields, ['x-yorick', 'stays', 'X-A', '1'])
    assert.deepEqual(
      [...(own ?? [])],
      [
        ['x-yori-session-id', 'a'],
        ['x-cylestio-tags', 't'],
        ['x-yori-override', 'p'],
      ],
    )
    assert.equal(readRequestHead(['Host', 'a']).own, undefined)
  })
})
