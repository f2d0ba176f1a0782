import assert from 'node:assert/strict'
import fc from 'fast-check'
import { JsonSkimmer, SKIM_LIMITS } from '../../src/json/json-skim.js'
import type { SkimLimits } from '../../src/json/json-skim.js'
import { cutAtOffsets, everySplit } from '../support/splits.js'
import { holds } from '../support/property.js'

const LIMITS: SkimLimits = {
  maxStringBytes: 4,
  maxNumbers: 2,
  maxValues: 1_000,
  maxOutputBytes: 10_000,
}

function skim(chunks: readonly Uint8Array[], limits = LIMITS): string | undefined {
  const skimmer = new JsonSkimmer(limits)
  for (const chunk of chunks) skimmer.push(chunk)
  return skimmer.end()?.toString()
}

describe('JsonSkimmer', () => {
  const cases: readonly [string, string][] = [
    ['{"a":1}', '{"a":1}'],
    ['[1,2,3,4]', '[1,2]'],
    ['[1, 2 , -3.5e1 , 4 ]', '[1, 2 ]'],
    ['[1,2,3,"a",4,{"b":5},6]', '[1,2,"a",{"b":5}]'],
    ['[[1,2,3],[4,5,6],[7,8,9]]', '[[1,2],[4,5],[7,8]]'],
    [
      '{"e":[1,2,3],"u":{"t":9,"x":1,"y":2,"z":3}}',
      '{"e":[1,2],"u":{"t":9,"x":1,"y":2,"z":3}}',
    ],
    ['"abcd"', '"abcd"'],
    ['"abcdef"', '"abcd"'],
    ['"abc\\"def"', '"abc\\""'],
    ['"abcd\\"def","x"', '"abcd","x"'],
    ['"abc\\u00e9f"', '"abc\\u00e9"'],
    ['"aé€😀"', '"aé€"'],
    ['["]",",","[1,2,3]"]', '["]",",","[1,2"]'],
    ['[true,null,false,1]', '[true,null,false]'],
  ]
  for (const [text, expected] of cases) {
    it(`YORI shortens ${text}, at every split`, () => {
      for (const chunks of everySplit(Buffer.from(text)))
        assert.equal(skim(chunks), expected)
    })
  }

  holds(
    'YORI leaves short JSON as it is',
    fc.property(fc.json(), fc.array(fc.nat(100), { maxLength: 4 }), (text, offsets) => {
      const skimmed = skim(cutAtOffsets(Buffer.from(text), offsets), SKIM_LIMITS)
      assert.equal(skimmed, text)
    }),
    { runs: 200 },
  )

  holds(
    'YORI makes JSON of JSON, whatever is left out and however it is cut',
    fc.property(fc.json({ maxDepth: 5 }), fc.array(fc.nat(300)), (text, offsets) => {
      const bytes = Buffer.from(text)
      const limits = {
        maxStringBytes: 2,
        maxNumbers: 1,
        maxValues: 1_000,
        maxOutputBytes: 10_000,
      }
      const whole = skim([bytes], limits)
      assert.equal(skim(cutAtOffsets(bytes, offsets), limits), whole)
      assert.doesNotThrow(() => JSON.parse(whole ?? '') as unknown)
    }),
    { runs: 300 },
  )

  it('YORI keeps less when half of the room is taken, however it is cut', () => {
    const long = 'x'.repeat(100)
    const bytes = Buffer.from(JSON.stringify([long, long, long, long, 1, 2, 3, 4]))
    const limits = {
      maxStringBytes: 90,
      maxNumbers: 9,
      maxValues: 1_000,
      maxOutputBytes: 500,
    }
    const whole = skim([bytes], limits) ?? ''
    const lengths = (JSON.parse(whole) as unknown[]).map((v) => String(v).length)
    assert.deepEqual(lengths, [90, 90, 90, 64])
    for (const chunks of everySplit(bytes)) assert.equal(skim(chunks, limits), whole)
  })

  it('YORI gives up where even the short text is over the limit, or too deep', () => {
    const many = JSON.stringify(Array.from({ length: 2_000 }, () => ({ a: 1 })))
    assert.equal(skim([Buffer.from(many)]), undefined)
    assert.equal(skim([Buffer.from('['.repeat(65))]), undefined)
  })
})
