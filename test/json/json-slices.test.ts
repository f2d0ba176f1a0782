/** Long JSON is built in slices: what `JSON.parse` of the runtime makes of it is right. */
import assert from 'node:assert/strict'
import { atOnce } from '../../src/core/resting.js'
import { JSON_LIMITS, parseBounded, partialJson } from '../../src/json/json-bounds.js'
import {
  parseInSlices,
  partialInSlices,
  prefixInSlices,
} from '../../src/json/json-slices.js'

const LIMITS = { ...JSON_LIMITS, maxBytes: 8 * 1024 * 1024 }
/** Makes a text long, and stands where it counts for nothing. */
const PADDING = ' '.repeat(300 * 1024)

const read = (text: string, limits = LIMITS) =>
  atOnce(parseInSlices(Buffer.from(text), limits))

function rests(text: string): number {
  const work = parseInSlices(Buffer.from(text), LIMITS)
  let count = 0
  while (work.next().done !== true) count++
  return count
}

describe('long JSON', () => {
  it('is built as it would be in one go', () => {
    for (const text of [
      '{}',
      '[]',
      '"text"',
      '-12.5e3',
      'null',
      ' [ 1 , "a" , true , {"b" : [ ] , "c" : null } ] ',
      '{"":{"":""},"a":"","b":[[[]],[{}]]}',
      '{"__proto__":{"polluted":1},"constructor":2}',
      '{"a":1,"a":2}',
      String.raw`["\"","\\","\\\"","\u0041\ud83d\ude00","\n\/"]`,
      '["ä€😀","١"]',
      '12345678901234567890',
    ]) {
      const result = read(PADDING + text)
      assert.equal(result.kind, 'whole', text)
      assert.deepEqual(result.value, JSON.parse(text), text)
      const short = parseBounded(Buffer.from(text))
      assert.ok(short.kind === 'whole')
      assert.equal(result.keys, short.keys)
      assert.deepEqual(result.duplicateKeys, short.duplicateKeys)
    }
    assert.equal(({} as { polluted?: number }).polluted, undefined)
  })

  it('is cut in no character and no escape, wherever a piece ends', () => {
    for (const part of [
      '😀',
      'ä',
      String.raw`\\`,
      String.raw`\"`,
      String.raw`\u0041x\\u`,
    ])
      for (let before = 0; before < 8; before++) {
        const text = `["${'x'.repeat(before)}${part.repeat((400 * 1024) / part.length)}"]`
        const result = read(text)
        assert.ok(result.kind === 'whole', `${part} ${before}`)
        assert.ok((result.value as string[])[0] === (JSON.parse(text) as string[])[0])
      }
  })

  it('is refused where it is none, and where it is over a limit', () => {
    for (const text of ['[1,]', '{"a" 1}', '[', '"\u0001"', '[tru]', '"\\x"', '[1] 2'])
      assert.equal(read(PADDING + text).kind, parseBounded(Buffer.from(text)).kind, text)
    assert.equal(read(PADDING).kind, 'absent')
    const limits = { ...LIMITS, maxBytes: PADDING.length }
    assert.deepEqual(read(`${PADDING}1`, limits), {
      ...{ kind: 'over-limit', limit: 'bytes' },
      offset: PADDING.length,
    })
    const deep = `${'['.repeat(65)}${PADDING}${']'.repeat(65)}`
    const many = `[${'1,'.repeat(20_000)}1]${PADDING}`
    for (const [text, limit] of [
      [deep, 'depth'],
      [many, 'values'],
    ] as const) {
      const result = read(text)
      assert.ok(result.kind === 'over-limit')
      assert.equal(result.limit, limit)
    }
    // As many again where it is as long again.
    assert.equal(read(many + ' '.repeat(1024 * 1024)).kind, 'whole')
  })

  it('is read as far as it is there', () => {
    const whole = JSON.stringify({ a: 'x'.repeat(400 * 1024), b: ['one', 'two'] })
    const value = atOnce(prefixInSlices(Buffer.from(whole.slice(0, -5)), LIMITS))
    assert.deepEqual(value, { a: 'x'.repeat(400 * 1024), b: ['one', 't'] })
    const many = `[${'1,'.repeat(30_000)}`
    assert.equal(atOnce(prefixInSlices(Buffer.from(many), LIMITS)), undefined)
  })

  it('rests as it goes', () => {
    assert.ok(rests(JSON.stringify({ text: 'x'.repeat(2 * 1024 * 1024) })) >= 32)
    const messages = Array.from({ length: 4000 }, (_, i) => ({
      role: 'user',
      content: `${i} ${'word '.repeat(40)}`,
    }))
    assert.ok(rests(JSON.stringify({ messages })) >= 30)
    assert.equal(rests('{"short":1}'), 0)
  })

  it('is read beside another that is read in turn', () => {
    const texts = [1, 2].map(
      (n) => `${PADDING}{"a":[${'[{"b":1}],'.repeat(3000)}${n}],"c":{"d":"${n}"}}`,
    )
    const works = texts.map((text) => parseInSlices(Buffer.from(text), LIMITS))
    const values: unknown[] = []
    while (values.length < 2)
      works.forEach((work, i) => {
        const step = work.next()
        if (step.done === true && step.value?.kind === 'whole')
          values[i] = step.value.value
      })
    assert.deepEqual(
      values,
      texts.map((text) => JSON.parse(text) as unknown),
    )
  })
})

describe('the fields of a prefix, in slices', () => {
  it('are those that are had at once, wherever it is cut', () => {
    const body = Buffer.from(
      `{"stream":true,"a":${'[1,{"b":"c"}]'},"model":"m","model2":"${'x'.repeat(900)}","n":12,"stream":false}`,
    )
    for (let end = 0; end <= body.length; end += 7) {
      const prefix = body.subarray(0, end)
      assert.deepEqual(atOnce(partialInSlices(prefix)), partialJson(prefix), `${end}`)
    }
    assert.deepEqual(atOnce(partialInSlices(body)), partialJson(body))
  })
})
