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
})
