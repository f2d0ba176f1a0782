import assert from 'node:assert/strict'
import { setOf } from '../../../src/rego/value.js'
import { call, checkAll, context } from './call.js'

// Expected: arithmetic by hand, Go's math/big for 64 bits of mantissa, OPA's error messages.
describe('rego arithmetic', () => {
  checkAll([
    ['plus', '[1, 2]', '3'],
    ['plus', '[0.1, 0.2]', '0.3'],
    ['plus', '[9007199254740993, 1]', '9007199254740994'],
    ['plus', '[18446744073709551616, 1]', '18446744073709551617'],
    ['minus', '[5, 7]', '-2'],
    ['minus', '[1.5, 0.5]', '1'],
    ['minus', [setOf([1, 2, 3]), setOf([2])], '{1, 3}'],
    ['minus', [1, setOf([])], '!minus: operand 2 must be number but got set'],
    ['minus', [setOf([]), 1], '!minus: operand 2 must be set but got number'],
    ['minus', ['x', 1], '!minus: operand 1 must be one of {number, set} but got string'],
    ['mul', '[3, 4]', '12'],
    ['mul', '[4294967296, 4294967296]', '18446744073709551616'],
    ['mul', '[1.1, 1.1]', '1.21'],
    ['div', '[6, 3]', '2'],
    ['div', '[1, 4]', '0.25'],
    ['div', '[1, 0]', '!div: divide by zero'],
    ['div', '[1, 0.0]', '!div: divide by zero'],
    ['rem', '[7, 3]', '1'],
    ['rem', '[-7, 3]', '-1'],
    ['rem', '[10, 18446744073709551616]', '10'],
    ['rem', '[1, 0]', '!rem: modulo by zero'],
    ['rem', '[1.5, 2]', '!rem: modulo on floating-point number'],
    ['round', '[2.5]', '3'],
    ['round', '[-2.5]', '-3'],
    ['round', '[0.4]', '0'],
    ['ceil', '[1.01]', '2'],
    ['ceil', '[-0.5]', '0'],
    ['ceil', '[3.0]', '3'],
    ['floor', '[1.99]', '1'],
    ['floor', '[-0.5]', '-1'],
    ['abs', '[-2.5]', '2.5'],
    ['abs', '[-18446744073709551616]', '18446744073709551616'],
    ['bits.and', '[12, 10]', '8'],
    ['bits.or', '[12, 10]', '14'],
    ['bits.xor', '[12, 10]', '6'],
    ['bits.negate', '[42]', '-43'],
    ['bits.lsh', '[1, 70]', '1180591620717411303424'],
    ['bits.rsh', '[-5, 1]', '-3'],
    [
      'bits.rsh',
      '[7.2, 1]',
      '!bits.rsh: operand 1 must be integer number but got floating-point number',
    ],
    [
      'bits.lsh',
      '[1, -1]',
      '!bits.lsh: operand 2 must be an unsigned integer number but got a negative integer',
    ],
    ['numbers.range', '[1, 4]', '[1, 2, 3, 4]'],
    ['numbers.range', '[3, 1]', '[3, 2, 1]'],
    ['numbers.range', '[2, 2]', '[2]'],
    [
      'numbers.range',
      '[1, 3.14]',
      '!numbers.range: operand 2 must be integer number but got floating-point number',
    ],
    [
      'numbers.range',
      '[1, 1000000000]',
      '!numbers.range: range is over the limit of 1000000 numbers',
    ],
    ['numbers.range_step', '[0, 10, 4]', '[0, 4, 8]'],
    ['numbers.range_step', '[10, 0, 5]', '[10, 5, 0]'],
    [
      'numbers.range_step',
      '[0, 1, 0]',
      '!numbers.range_step: numbers.range_step: step must be a positive integer',
    ],
    ['sum', '[[1, 2.5, 3]]', '6.5'],
    ['sum', '[[]]', '0'],
    ['sum', '[[9007199254740993, 2]]', '9007199254740995'],
    [
      'sum',
      '[["a"]]',
      '!sum: operand 1 must be array of numbers but got array containing string',
    ],
    ['product', '[[2, 3, 4]]', '24'],
    // To 53 bits, where `0.1 * 3` has 64.
    ['product', '[[0.1, 3]]', '0.30000000000000004'],
    ['product', '[[1.1, 1.1]]', '1.2100000000000002'],
    ['product', '[[0.5, 0.5]]', '0.25'],
    ['count', '["h\\u00e9llo\\ud83d\\ude00"]', '6'],
    ['count', '[{"a": 1}]', '1'],
    [
      'count',
      '[5]',
      '!count: operand 1 must be one of {array, object, set, string} but got number',
    ],
    ['max', '[[1, "a", null]]', '"a"'],
    ['max', '[[]]', 'undefined'],
    ['min', '[[3, 1, 2]]', '1'],
    ['sort', '[[3, "b", 1, null, [0]]]', '[null, 1, 3, "b", [0]]'],
    ['all', '[[true, true]]', 'true'],
    ['all', '[[true, 1]]', 'false'],
    ['any', '[[]]', 'false'],
    ['to_number', '["-42.0"]', '-42.0'],
    ['to_number', '["1e3"]', '1e3'],
    ['to_number', '[".5"]', '0.5'],
    ['to_number', '["+7"]', '7'],
    ['to_number', '[true]', '1'],
    ['to_number', '[null]', '0'],
    [
      'to_number',
      '["nan"]',
      '!to_number: operand 1 must be valid number string but got string',
    ],
    [
      'to_number',
      '["1x"]',
      '!to_number: strconv.ParseFloat: parsing "1x": invalid syntax',
    ],
    ['format_int', '[255, 16]', '"ff"'],
    ['format_int', '[-10.7, 10]', '"-10"'],
    ['format_int', '[5, 3]', '!format_int: operand 2 must be one of {2, 8, 10, 16}'],
  ])

  it('spends a step for each number of a range', () => {
    assert.throws(() => call('numbers.range', [1, 500], context(499)), /out of steps/)
    assert.equal((call('numbers.range', [1, 500], context(500)) as number[]).length, 500)
  })

  it('gives one random number for one name throughout an evaluation', () => {
    const evaluation = context()
    const first = call('rand.intn', ['x', 1000], evaluation)
    assert.equal(call('rand.intn', ['x', 1000], evaluation), first)
    assert.ok(Number(first) >= 0 && Number(first) < 1000)
    assert.equal(call('rand.intn', ['x', 0], evaluation), 0)
  })
})
