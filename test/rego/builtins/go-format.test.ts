import assert from 'node:assert/strict'
import { sprintf } from '../../../src/rego/builtins/go-format.js'
import type { GoValue } from '../../../src/rego/builtins/go-format-spec.js'

const int = (value: number): GoValue => ({ kind: 'int', value: BigInt(value) })
const big = (text: string): GoValue => ({ kind: 'big', value: BigInt(text) })
const float = (value: number): GoValue => ({ kind: 'float', value })
const string = (value: string): GoValue => ({ kind: 'string', value })

// Format, operands, and what Go prints: mostly the table of Go's own package tests and docs.
const table: readonly (readonly [string, readonly GoValue[], string])[] = [
  ['%d', [int(12345)], '12345'],
  ['%v', [int(-12345)], '-12345'],
  ['%10d', [int(12345)], '     12345'],
  ['%-10d', [int(12345)], '12345     '],
  ['%010d', [int(-12345)], '-000012345'],
  ['%+d', [int(12345)], '+12345'],
  ['% d', [int(12345)], ' 12345'],
  ['%.3d', [int(7)], '007'],
  ['%8.3d', [int(7)], '     007'],
  ['%.d', [int(0)], ''],
  ['%x', [int(0x1234abcd)], '1234abcd'],
  ['%#X', [int(0x1234abcd)], '0X1234ABCD'],
  ['%-#20.8x', [int(0x1234abc)], '0x01234abc          '],
  ['%o', [int(0o1234)], '1234'],
  ['%#o', [int(0o1234)], '01234'],
  ['%O', [int(0o1234)], '0o1234'],
  ['%b', [int(7)], '111'],
  ['%c', [int(0x65e5)], '日'],
  ['%q', [int(0x0f)], "'\\x0f'"],
  ['%q', [int(0x78)], "'x'"],
  ['%U', [int(0x1f600)], 'U+1F600'],
  ['%#U', [int(0x2318)], "U+2318 '⌘'"],
  ['%f', [float(1)], '1.000000'],
  ['%.2f', [float(2.675)], '2.67'],
  ['%.0f', [float(2.5)], '2'],
  ['%8.2f', [float(-1.5)], '   -1.50'],
  ['%08.2f', [float(-1.5)], '-0001.50'],
  ['%+.3e', [float(0)], '+0.000e+00'],
  ['%+.3e', [float(1)], '+1.000e+00'],
  ['%+.3g', [float(-1)], '-1'],
  ['%v', [float(1.5)], '1.5'],
  ['%v', [float(100000)], '100000'],
  ['%v', [float(1e6)], '1e+06'],
  ['%v', [float(1234567.5)], '1.2345675e+06'],
  ['%v', [float(0.00001)], '1e-05'],
  ['%G', [float(1e-7)], '1E-07'],
  ['%#g', [float(1)], '1.00000'],
  ['%#.4x', [float(1)], '0x1.0000p+00'],
  ['%x', [float(1.5)], '0x1.8p+00'],
  ['%b', [float(1)], '4503599627370496p-52'],
  ['%s', [string('abc')], 'abc'],
  ['%5s|%-5s|%.2s', [string('ab'), string('ab'), string('日本語')], '   ab|ab   |日本'],
  ['%05s', [string('ab')], '000ab'],
  ['%q', [string('a"b\n')], '"a\\"b\\n"'],
  ['%+q', [string('日')], '"\\u65e5"'],
  ['%#q', [string('a b')], '`a b`'],
  ['%x', [string('xyz')], '78797a'],
  ['% X', [string('xyz')], '78 79 7A'],
  ['%# x', [string('xyz')], '0x78 0x79 0x7a'],
  ['%d', [big('18446744073709551616')], '18446744073709551616'],
  ['%25d', [big('18446744073709551616')], '     18446744073709551616'],
  ['%x', [big('18446744073709551616')], '10000000000000000'],
  ['%T %T', [int(1), string('')], 'int string'],
  ['%%', [], '%'],
  ['%[2]d %[1]d', [int(1), int(2)], '2 1'],
  ['%[3]*.[2]*[1]f', [float(12), int(2), int(6)], ' 12.00'],
  ['%6.2f', [float(12)], ' 12.00'],
  ['%*d', [int(4), int(42)], '  42'],
  ['%-*d|', [int(4), int(42)], '42  |'],
  ['%d %d', [int(1)], '1 %!d(MISSING)'],
  ['%d', [string('hi')], '%!d(string=hi)'],
  ['%s', [int(23)], '%!s(int=23)'],
  ['%d', [float(1.5)], '%!d(float64=1.5)'],
  ['%t', [string('true')], '%!t(string=true)'],
  ['hi', [int(1), string('a')], 'hi%!(EXTRA int=1, string=a)'],
  ['%', [], '%!(NOVERB)'],
  ['%*s', [string('x'), string('hi')], '%!(BADWIDTH)hi'],
  ['%.*s', [string('x'), string('hi')], '%!(BADPREC)hi'],
  ['%[5]d', [int(1)], '%!d(BADINDEX)'],
  ['%[x]d', [int(1)], '%!d(BADINDEX)'],
  ['%.[2]d', [int(7)], '%!d(BADINDEX)'],
]

describe('rego sprintf', () => {
  for (const [format, args, expected] of table) {
    it(`prints ${format} with ${args.length} operands as Go does: ${expected}`, () => {
      assert.equal(sprintf(format, args), expected)
    })
  }

  it('reports the length of what it is about to pad', () => {
    const spent: number[] = []
    sprintf('%1000d', [int(1)], (length) => spent.push(length))
    assert.deepEqual(spent, [1000])
  })
})
