import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  measureJson,
  parseBounded,
  parsePrefix,
  partialJson,
} from '../../src/json/json-bounds.js'
import { holds } from '../support/property.js'

const LIMITS = { maxDepth: 4, maxValues: 10, maxBytes: 200, maxKeys: 5 }

function measure(text: string) {
  return measureJson(Buffer.from(text), LIMITS)
}

/** Of an object that both sides have: what is asked here. */
function without<T extends object>({ ...rest }: T & { keys?: number }): object {
  delete rest.keys
  return rest
}

function ok(depth: number, values: number, ...duplicateKeys: string[]) {
  return { kind: 'ok', depth, values, duplicateKeys }
}

describe('measureJson', () => {
  const cases: readonly [string, object][] = [
    ['1', ok(0, 1)],
    ['"a\\"]"', ok(0, 1)],
    [' [ ] ', ok(1, 1)],
    ['{}', ok(1, 1)],
    ['{"a":[1,true,{"b":null}]}', ok(3, 6)],
    ['[[[[1]]]]', ok(4, 5)],
    ['[[[[[1]]]]]', { kind: 'too-deep', offset: 4 }],
    ['[1,2,3,4,5,6,7,8,9]', ok(1, 10)],
    ['[1,2,3,4,5,6,7,8,9,0]', { kind: 'too-many', offset: 19 }],
    [`"${'x'.repeat(199)}"`, { kind: 'too-large', offset: 200 }],
    ['{"a":1,"b":1,"c":1,"d":1,"e":[]}', ok(2, 6)],
    ['{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}', { kind: 'too-many', offset: 34 }],
    ['[1,]', { kind: 'invalid', offset: 3 }],
    ['[1 2]', { kind: 'invalid', offset: 3 }],
    ['{"a" 1}', { kind: 'invalid', offset: 5 }],
    ['{1:2}', { kind: 'invalid', offset: 1 }],
    ['[1}', { kind: 'invalid', offset: 2 }],
    [']', { kind: 'invalid', offset: 0 }],
    ['{} {}', { kind: 'invalid', offset: 3 }],
    ["{'a':1}", { kind: 'invalid', offset: 1 }],
    ['', { kind: 'truncated', offset: 0 }],
    ['{"a":"b', { kind: 'truncated', offset: 7 }],
    ['{"a":"b\\"}', { kind: 'truncated', offset: 10 }],
    ['[12', { kind: 'truncated', offset: 3 }],
    ['{"model":"a","model":"b"}', ok(1, 3, 'model')],
    ['{"model":"a","mod\\u0065l":"b"}', ok(1, 3, 'model')],
    ['{"messages":[{"role":1,"role":2}]}', ok(3, 5, 'role')],
    ['{"tools":[{"name":1,"name":2}]}', ok(3, 5)],
    ['[{"a":1,"a":2}]', ok(2, 4)],
  ]
  for (const [text, expected] of cases) {
    it(`YORI measures ${text.slice(0, 40)}`, () => {
      assert.deepEqual(without(measure(text)), expected)
    })
  }

  it('YORI finds a key that stands twice among many, escaped or long', () => {
    const many = Array.from({ length: 40 }, (_, i) => `"key${i}":0`).join(',')
    const long = 'k'.repeat(60)
    for (const [first, second, key] of [
      ['key3', 'key3', 'key3'],
      ['key39', 'key39', 'key39'],
      ['\\u006bey3', 'key3', 'key3'],
      [long, long, long],
      [`${long}\\u0061`, `${long}a`, `${long}a`],
    ] as const) {
      for (const text of [
        `{${many},"${first}":0,"${second}":0}`,
        `{"${first}":0,"${second}":0,${many}}`,
      ]) {
        const measured = measureJson(Buffer.from(text))
        assert.ok(measured.kind === 'ok')
        assert.deepEqual(measured.duplicateKeys, [key], text)
      }
    }
    const different = measureJson(Buffer.from(`{${many}}`))
    assert.ok(different.kind === 'ok')
    assert.deepEqual(different.duplicateKeys, [])
  })

  it('YORI calls every prefix of an object truncated', () => {
    const text = '{"a":[1,-2.5e3,"x\\\\\\"y",{"b":null}],"é":true}'
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at++)
      assert.equal(measureJson(bytes.subarray(0, at)).kind, 'truncated', `at ${at}`)
    assert.equal(measureJson(bytes).kind, 'ok')
  })

  it('YORI finds the end of long strings with escapes', () => {
    for (let length = 0; length < 60; length++) {
      for (const tail of ['', '\\"', '\\\\', '\\\\\\"', '\\u0022"'.slice(0, 6)]) {
        const text = `["${'x'.repeat(length)}${tail}",1]`
        assert.deepEqual(without(measureJson(Buffer.from(text))), ok(1, 3), text)
      }
    }
  })

  holds(
    'YORI accepts all that a JSON serialiser writes, and counts it right',
    fc.property(fc.json({ maxDepth: 8 }), fc.nat(3), (text, indent) => {
      const value: unknown = JSON.parse(text)
      const bytes = Buffer.from(JSON.stringify(value, null, indent))
      const measured = measureJson(bytes)
      assert.ok(measured.kind === 'ok')
      assert.equal(measured.values, countValues(value))
    }),
    { runs: 200 },
  )

  const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', ' ', 'null')
  holds(
    'YORI never accepts structure that the parser refuses',
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''))
      const measured = measureJson(bytes)
      const parsed = parses(bytes.toString())
      if (parsed) assert.equal(measured.kind, 'ok')
      if (measured.kind === 'invalid') assert.equal(parsed, false)
    }),
    { runs: 2000 },
  )

  it('YORI answers a depth of 100,000 without recursion', () => {
    const deep = Buffer.from('['.repeat(100_000))
    assert.deepEqual(measureJson(deep), { kind: 'too-deep', offset: 64 })
  })
})

describe('the keys of a text', () => {
  const cases: readonly [string, number][] = [
    ['[]', 0],
    ['{"a":1,"b":{"c":[{"d":1},{"d":2}]}}', 5],
    ['{"a":1,"a":{"a":1,"\\u0061":2}}', 4],
  ]
  for (const [text, keys] of cases)
    it(`are ${keys} in ${text}`, () => {
      const measured = measureJson(Buffer.from(text))
      assert.equal(measured.kind === 'ok' && measured.keys, keys)
    })
})

describe('parseBounded', () => {
  const cases: readonly [string, object][] = [
    ['{"a":1}', { kind: 'whole', value: { a: 1 }, duplicateKeys: [] }],
    ['', { kind: 'absent' }],
    [' \r\n', { kind: 'absent' }],
    ['{"a":', { kind: 'truncated', offset: 5 }],
    ['{"a":nul}', { kind: 'invalid', offset: 9 }],
    ['{"a"}', { kind: 'invalid', offset: 4 }],
    ['[[[[[', { kind: 'over-limit', limit: 'depth', offset: 4 }],
    ['[1,2,3,4,5,6,7,8,9,0]', { kind: 'over-limit', limit: 'values', offset: 19 }],
    [' '.repeat(201), { kind: 'over-limit', limit: 'bytes', offset: 200 }],
  ]
  for (const [text, expected] of cases) {
    it(`YORI answers ${JSON.stringify(text.slice(0, 30))} with its kind`, () => {
      assert.deepEqual(without(parseBounded(Buffer.from(text), LIMITS)), expected)
    })
  }

  it('YORI lets __proto__ be a key like any other', () => {
    const parsed = parseBounded(Buffer.from('{"__proto__":{"model":"x"}}'))
    assert.ok(parsed.kind === 'whole')
    assert.equal((parsed.value as { model?: unknown }).model, undefined)
  })
})

describe('partialJson', () => {
  const text =
    '{"model":"gpt-4o","n":12,"messages":[{"role":"user","model":"no"}],"stream":true}'

  const cases: readonly [string, string, Record<string, unknown>][] = [
    ['the whole object', text, { model: 'gpt-4o', n: 12, stream: true }],
    [
      'a prefix that ends inside a message',
      text.slice(0, 50),
      { model: 'gpt-4o', n: 12 },
    ],
    ['a number that may go on', '{"model":"m","n":12', { model: 'm' }],
    ['a string without its end', '{"model":"gpt-4', {}],
    ['a literal that may go on', '{"stream":true', {}],
    ['an escaped key and value', '{"mod\\u0065l":"\\u0061"', { model: 'a' }],
    ['a key that stands twice', '{"model":"a","n":1,"model":"b"', { n: 1 }],
    ['what is no JSON', '{"model":"a",,"n":1', {}],
    ['an array', '["model","a"', {}],
    ['a literal that is none', '{"stream":yes,"n":1,', { n: 1 }],
  ]
  for (const [title, prefix, expected] of cases) {
    it(`YORI reads only what is whole of ${title}`, () => {
      assert.deepEqual(Object.fromEntries(partialJson(Buffer.from(prefix))), expected)
    })
  }

  it('YORI never reads from a prefix what the whole does not say', () => {
    const whole: Record<string, unknown> = { model: 'gpt-4o', n: 12, stream: true }
    for (let at = 0; at <= text.length; at++)
      for (const [key, value] of partialJson(Buffer.from(text.slice(0, at))))
        assert.equal(value, whole[key])
  })
})

describe('parsePrefix', () => {
  const cases: readonly [string, unknown][] = [
    ['{"a":1,"b":"hel', { a: 1, b: 'hel' }],
    ['{"a":1,"b":"h\\', { a: 1, b: 'h' }],
    ['{"a":1,"b":"h\\\\', { a: 1, b: 'h\\' }],
    ['{"a":1,"b":"h\\u00e', { a: 1, b: 'h' }],
    ['{"a":1,"b":"h\\u00e9', { a: 1, b: 'hé' }],
    ['{"a":1,"b', { a: 1 }],
    ['{"a":1,"b":', { a: 1 }],
    ['{"a":1,"b":2', { a: 1 }],
    ['{"a":[1,{"b":"c"},', { a: [1, { b: 'c' }] }],
    ['{"a":[', { a: [] }],
    ['{', {}],
    ['', undefined],
    ['{"a":1,,', undefined],
    ['{"a":1}', { a: 1 }],
  ]
  for (const [prefix, expected] of cases) {
    it(`YORI reads what is there of ${prefix}`, () => {
      assert.deepEqual(parsePrefix(Buffer.from(prefix)), expected)
    })
  }

  holds(
    'YORI reads of any prefix only what the whole says',
    fc.property(fc.json({ maxDepth: 5 }), fc.nat(), (text, cut) => {
      const bytes = Buffer.from(text)
      const prefix = bytes.subarray(0, cut % (bytes.length + 1))
      const read = parsePrefix(prefix)
      assert.ok(isPart(read, JSON.parse(text)), prefix.toString())
    }),
    { runs: 1_000 },
  )

  it('YORI cuts a text at whole characters, wherever it breaks off', () => {
    const text = 'aé€😀\\\\\\"\\u00e9x'
    const bytes = Buffer.from(`["${text}"]`)
    const whole = (JSON.parse(bytes.toString()) as [string])[0]
    for (let at = 2; at < bytes.length - 1; at++) {
      const [read] = parsePrefix(bytes.subarray(0, at)) as [string]
      assert.ok(whole.startsWith(read) && !read.includes('\ufffd'), `at ${at}: ${read}`)
    }
  })

  it('YORI reads a body over its limits up to them', () => {
    const many = Buffer.from(JSON.stringify(Array(50).fill(7)))
    assert.deepEqual(parsePrefix(many, LIMITS), Array(9).fill(7))
    const long = Buffer.from(JSON.stringify({ model: 'm', text: 'x'.repeat(500) }))
    assert.deepEqual(parsePrefix(long, LIMITS), { model: 'm', text: 'x'.repeat(179) })
  })
})

/** Nothing in `part` that `whole` does not hold at the same place; texts may be cut. */
function isPart(part: unknown, whole: unknown): boolean {
  if (part === undefined) return true
  if (typeof part === 'string') return typeof whole === 'string' && whole.startsWith(part)
  if (typeof part !== 'object' || part === null) return Object.is(part, whole)
  if (typeof whole !== 'object' || whole === null) return false
  if (Array.isArray(part) !== Array.isArray(whole)) return false
  return Object.entries(part).every(
    ([key, value]) =>
      Object.hasOwn(whole, key) && isPart(value, (whole as Record<string, unknown>)[key]),
  )
}

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, item) => sum + countValues(item), 1)
}
