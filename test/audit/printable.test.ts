import assert from 'node:assert/strict'
import { csvField, jsonLine, printable } from '../../src/audit/printable.js'

describe('audit text on its way out', () => {
  it('shows what a terminal would act on', () => {
    assert.equal(printable('a\u001b[2Jb'), 'a\\u001b[2Jb')
    assert.equal(printable('\u009b31m'), '\\u009b31m')
    assert.equal(printable('line\nnext\r\u007f'), 'line\\u000anext\\u000d\\u007f')
    assert.equal(printable('user\u202egnp.exe'), 'user\\u202egnp.exe')
    assert.equal(printable('Grüße, 世界 👋'), 'Grüße, 世界 👋')
  })

  it('leaves JSON that reads back the same and holds nothing a terminal acts on', () => {
    const value = { text: '\u001b]0;x\u0007 \u009b \u2028 "quoted" \\ end' }
    const line = jsonLine(value)
    assert.deepEqual(JSON.parse(line), value)
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028]/)
  })

  it('quotes CSV fields by RFC 4180', () => {
    const cases: [string | number | null, string][] = [
      ['plain', 'plain'],
      ['a,b', '"a,b"'],
      ['say "hi"', '"say ""hi"""'],
      ['two\r\nlines', '"two\r\nlines"'],
      [42, '42'],
      [-1, '-1'],
      [null, ''],
    ]
    for (const [value, expected] of cases) assert.equal(csvField(value), expected)
  })

  it('takes the power from spreadsheet formulas', () => {
    const cases: [string, string][] = [
      ['=1+1', '"\'=1+1"'],
      ['+1', '"\'+1"'],
      ['-1', '"\'-1"'],
      ['@SUM(A1)', '"\'@SUM(A1)"'],
      ['\t=1', '"\'\t=1"'],
      ['=HYPERLINK("http://x")', '"\'=HYPERLINK(""http://x"")"'],
    ]
    for (const [value, expected] of cases) assert.equal(csvField(value), expected)
  })
})
