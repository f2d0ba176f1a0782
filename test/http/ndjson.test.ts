import assert from 'node:assert/strict'
import { NdjsonReader } from '../../src/http/ndjson.js'
import type { NdjsonLine } from '../../src/http/ndjson.js'
import { everySplit, readAll } from '../support/splits.js'

function line(text: string, unterminated = false): NdjsonLine {
  return { text, unterminated }
}

describe('NdjsonReader', () => {
  const cases: readonly [string, string, NdjsonLine[]][] = [
    ['gives a text per line', '{"a":1}\n{"b":2}\n', [line('{"a":1}'), line('{"b":2}')]],
    ['takes CRLF and passes over blank lines', '1\r\n\r\n\n2\n', [line('1'), line('2')]],
    ['marks a last line without its end', '1\n{"é', [line('1'), line('{"é', true)]],
    ['gives nothing for nothing', '', []],
  ]
  for (const [title, text, expected] of cases) {
    it(`YORI ${title}, at every split`, () => {
      for (const chunks of everySplit(Buffer.from(text)))
        assert.deepEqual(readAll(new NdjsonReader(), chunks), expected)
    })
  }

  it('YORI skips and counts a line over its limit, and reads the next', () => {
    for (const chunks of everySplit(Buffer.from('123456789\n12345678\n'))) {
      const reader = new NdjsonReader({ maxLineBytes: 8 })
      assert.deepEqual(readAll(reader, chunks), [line('12345678')])
      assert.equal(reader.skipped, 1)
    }
  })
})
