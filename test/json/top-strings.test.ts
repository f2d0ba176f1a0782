/** Strings at the top of an object, against `JSON.parse`, at every split. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { holds } from '../support/property.js'
import { TopStrings } from '../../src/json/top-strings.js'

function found(text: string, cut?: number): [string, string][] {
  const bytes = Buffer.from(text)
  const reader = new TopStrings('model')
  const at = cut ?? bytes.length
  reader.push(bytes.subarray(0, at))
  reader.push(bytes.subarray(at))
  return reader.found.map(({ value, start, end }) => [
    value,
    bytes.subarray(start, end).toString(),
  ])
}

describe('strings at the top of an object', () => {
  for (const [text, expected] of [
    ['{"model":"a"}', [['a', '"a"']]],
    [' { "x" : [1,{"model":"no"}] , "model" : "a\\"b" } ', [['a"b', '"a\\"b"']]],
    ['{"\\u006dodel":"é"}', [['é', '"é"']]],
    [
      '{"model":"a","model":"b"}',
      [
        ['a', '"a"'],
        ['b', '"b"'],
      ],
    ],
    ['{"messages":"\\\\","model":"a"}', [['a', '"a"']]],
    ['{"x":"model","y":"a"}', []],
    ['{"model":1,"x":"a"}', []],
    ['{"model":{"model":"a"}}', []],
    ['[{"model":"a"}]', []],
    ['["model","a"]', []],
    ['"model"', []],
    ['', []],
    [`{"model":"${'a'.repeat(5000)}","model":"b"}`, [['b', '"b"']]],
  ] as const)
    it(`in ${text.slice(0, 40)}`, () => {
      const { length } = Buffer.from(text)
      for (let cut = 0; cut <= Math.min(length, 64); cut++)
        assert.deepEqual(found(text, cut), expected)
    })

  const value = fc.oneof(
    fc.json(),
    fc.string().map((text) => JSON.stringify(text)),
  )
  holds(
    'as JSON.parse has them, in any object',
    fc.property(fc.dictionary(fc.string(), value), value, (object, model) => {
      const others = Object.entries(object).filter(([key]) => key !== 'model')
      const text = [...others, ['model', model] as const]
        .map(([key, json]) => `${JSON.stringify(key)}:${json}`)
        .join(',')
      const parsed = (JSON.parse(`{${text}}`) as { model: unknown }).model
      const expected = typeof parsed === 'string' ? [parsed] : []
      assert.deepEqual(
        found(`{${text}}`).map(([one]) => one),
        expected,
      )
    }),
  )
})
