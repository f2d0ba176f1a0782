import assert from 'node:assert/strict'
import { orderedId } from '../../src/core/ordered-id.js'

describe('orderedId', () => {
  it('makes UUIDs of version 7 that hold the time', () => {
    // RFC 9562 appendix A.6: Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00
    const id = orderedId(Date.UTC(2022, 1, 22, 19, 22, 22))
    assert.match(id, /^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('sorts by time and never repeats', () => {
    const ids = Array.from({ length: 1000 }, (_, i) => orderedId(1_700_000_000_000 + i))
    assert.deepEqual([...ids].sort(), ids)
    assert.equal(new Set(Array.from({ length: 1000 }, () => orderedId(5))).size, 1000)
  })

  it('has 74 random bits, each as often one as not', () => {
    const count = 4_000
    const ones = new Array<number>(128).fill(0)
    for (let i = 0; i < count; i++) {
      const bits = BigInt(`0x${orderedId(0).replaceAll('-', '')}`)
      for (let bit = 0; bit < 128; bit++)
        ones[bit] = (ones[bit] as number) + Number((bits >> BigInt(127 - bit)) & 1n)
    }
    // Time, then the version 0111 and the variant 10, RFC 9562 §5.7.
    const fixed = [...new Array<number>(48).fill(0), 0, 1, 1, 1]
    fixed.forEach((value, bit) => assert.equal(ones[bit], value * count, `bit ${bit}`))
    assert.deepEqual([ones[64], ones[65]], [count, 0])
    // Six standard deviations: one run in ten million fails for a fair bit.
    const most = 3 * Math.sqrt(count)
    for (const bit of [...ones.keys()].filter((at) => at >= 52 && at !== 64 && at !== 65))
      assert.ok(Math.abs((ones[bit] as number) - count / 2) < most, `bit ${bit}`)
  })

  it('takes any time for one of 48 bits', () => {
    for (const [time, text] of [
      [-5, '00000000-0000-7'],
      [Number.NaN, '00000000-0000-7'],
      [1.9, '00000000-0001-7'],
      [2 ** 48, 'ffffffff-ffff-7'],
    ] as const)
      assert.equal(orderedId(time).slice(0, 15), text)
  })
})
