import assert from 'node:assert/strict'
import type { Passage } from '../../src/core/redaction.js'
import { MAX_REDACTIONS, redactJson } from '../../src/json/json-redact.js'

const CARD = '4111 1111 1111 1111'

function text(what: string, label = 'credit_card'): Passage {
  return { kind: 'text', text: what, label }
}

function redacted(json: string, ...redactions: Passage[]): string | undefined {
  return redactJson(Buffer.from(json), redactions)?.bytes.toString()
}

describe('redactJson', () => {
  const kept =
    '{ "n":1.0, "big":12345678901234567890,\t"u":"\\u00e9\\/", "z":[true,null] ,'
  it('leaves every other byte as it was', () => {
    assert.equal(
      redacted(`${kept} "content" : "my card is ${CARD}, keep it" }\n`, text(CARD)),
      `${kept} "content" : "my card is [redacted:credit_card], keep it" }\n`,
    )
    const invalid = Buffer.concat([
      Buffer.from([0x22, 0xff, 0xfe, 0x22]),
      Buffer.from(`,"${CARD}"]`),
    ])
    const bytes = Buffer.concat([Buffer.from('['), invalid])
    const done = redactJson(bytes, [text(CARD)])
    assert.deepEqual(done?.bytes.subarray(0, 6), bytes.subarray(0, 6))
  })

  const tables: readonly (readonly [string, string, Passage[], string])[] = [
    [
      'a text wherever it stands, escaped or not',
      '{"a":"x@y.zz","b":["x@\\u0079.zz",{"c":"<x@y.zz>x@y.zz"}]}',
      [text('x@y.zz', 'email')],
      '{"a":"[redacted:email]","b":["[redacted:email]",{"c":"<[redacted:email]>[redacted:email]"}]}',
    ],
    [
      'the longest of texts that begin alike, and those in it with it',
      '["x@y.zz.org"]',
      [text('x@y.zz', 'short'), text('x@y.zz.org', 'long')],
      '["[redacted:long]"]',
    ],
    [
      'a number that is written just so',
      '{"card":4111111111111111,"other":41111111111111112}',
      [text('4111111111111111')],
      '{"card":"[redacted:credit_card]","other":41111111111111112}',
    ],
    [
      'what stands at a pointer, RFC 6901',
      '{"a/b":{"~":["no","yes",7]},"yes":"yes"}',
      [
        { kind: 'value', pointer: '/a~1b/~0/1', label: 'name' },
        { kind: 'value', pointer: '/a~1b/~0/2', label: 'age' },
      ],
      '{"a/b":{"~":["no","[redacted:name]","[redacted:age]"]},"yes":"yes"}',
    ],
    [
      'parts of a text by their UTF-16 offsets, overlapping ones as one',
      '{"m":[{"content":"😀 abcdefgh"}]}',
      [
        { kind: 'span', pointer: '/m/0/content', start: 8, end: 9, label: 'c' },
        { kind: 'span', pointer: '/m/0/content', start: 3, end: 5, label: 'a' },
        { kind: 'span', pointer: '/m/0/content', start: 4, end: 6, label: 'b' },
      ],
      '{"m":[{"content":"😀 [redacted:a]de[redacted:c]gh"}]}',
    ],
    [
      'texts in JSON that stands in a text, and leaves it JSON',
      '{"arguments":"{\\"card\\":\\"4111\\"}"}',
      [text('4111', 'a"b\\c')],
      '{"arguments":"{\\"card\\":\\"[redacted:a_b_c]\\"}"}',
    ],
    [
      'the whole document',
      '"secret"',
      [{ kind: 'value', pointer: '', label: 'x' }],
      '"[redacted:x]"',
    ],
  ]
  for (const [title, json, redactions, expected] of tables) {
    it(`takes out ${title}`, () => assert.equal(redacted(json, ...redactions), expected))
  }

  const impossible: readonly (readonly [string, string, Passage[]])[] = [
    ['a text that is not there', '{"a":"b"}', [text('c@d.ee')]],
    ['a text that stands in a key, too', '{"c@d.ee":"c@d.ee"}', [text('c@d.ee')]],
    ['a text of one character', '{"a":"b"}', [text('b')]],
    ['a pointer to nothing', '{"a":"b"}', [{ kind: 'value', pointer: '/b', label: 'x' }]],
    [
      'a pointer to an object',
      '{"a":{}}',
      [{ kind: 'value', pointer: '/a', label: 'x' }],
    ],
    [
      'a part beyond its text',
      '{"a":"b"}',
      [{ kind: 'span', pointer: '/a', start: 0, end: 2, label: 'x' }],
    ],
    [
      'a part that is none',
      '{"a":"b"}',
      [{ kind: 'span', pointer: '/a', start: 1, end: 1, label: 'x' }],
    ],
    ['a kind, when nobody finds it', '{"a":"b"}', [{ kind: 'finding', of: '*' }]],
    [
      'too many at once',
      '{"a":"bb"}',
      Array<Passage>(MAX_REDACTIONS + 1).fill(text('bb')),
    ],
  ]
  for (const [title, json, redactions] of impossible) {
    it(`says that it cannot take out ${title}`, () =>
      assert.equal(redacted(json, ...redactions), undefined))
  }

  it('asks the detectors for redactions by kind, and counts passages', () => {
    const find = (where: string) =>
      [...where.matchAll(/\d{4,}/g)].map(({ index, 0: { length } }) => ({
        kind: length > 6 ? 'card' : 'pin',
        start: index,
        end: index + length,
      }))
    const json = Buffer.from('{"a":"1234 and 12345678","b":["none",1234567]}')
    const cards = redactJson(json, [{ kind: 'finding', of: 'card' }], find)
    assert.equal(
      cards?.bytes.toString(),
      '{"a":"1234 and [redacted:card]","b":["none","[redacted:card]"]}',
    )
    assert.equal(cards.passages, 2)
    const all = redactJson(json, [{ kind: 'finding', of: '*' }], find)
    assert.equal(
      all?.bytes.toString(),
      '{"a":"[redacted:pin] and [redacted:card]","b":["none","[redacted:card]"]}',
    )
  })

  it('gives up on work without end', () => {
    const texts = Array.from({ length: MAX_REDACTIONS }, (_none, i) => text(`ab${i}`))
    assert.equal(redacted(JSON.stringify('ab'.repeat(500_000)), ...texts), undefined)
  })

  it('agrees with JSON.parse on what it left, at every place of a text', () => {
    const words = ['plain', 'esc\\n', 'quote\\"', 'uni\\u2028', 'back\\\\']
    for (const [i, word] of words.entries()) {
      const items = words.map(
        (other, at) => `"${at === i ? `${word}SECRET${word}` : other}"`,
      )
      const json = `{"k":{"l":[${items.join(', ')}]}}`
      const expected = JSON.parse(json.replace('SECRET', '[redacted:s]')) as unknown
      assert.deepEqual(JSON.parse(redacted(json, text('SECRET', 's')) ?? ''), expected)
    }
  })
})
