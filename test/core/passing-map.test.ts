/** What comes and goes, against a `Map`. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { PassingMap } from '../../src/core/passing-map.js'
import { holds } from '../support/property.js'

const step = fc.record({
  what: fc.constantFrom('set', 'take', 'get'),
  // Two ids in one place, one that is the end of another, and an empty one.
  key: fc.oneof(fc.constantFrom('', 'a', 'ba', 'Aa-BBBB', 'Aa-AaAa'), fc.string()),
})

describe('what comes and goes', () => {
  holds(
    'is found as in a map',
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const passing = new PassingMap<string>()
      const map = new Map<string, string>()
      steps.forEach(({ what, key }, i) => {
        if (what === 'set') {
          passing.set(key, `v${i}`)
          map.set(key, `v${i}`)
        } else if (what === 'take') {
          assert.equal(passing.take(key), map.get(key))
          map.delete(key)
        }
        assert.equal(passing.get(key), map.get(key))
        assert.equal(passing.has(key), map.has(key))
        assert.equal(passing.size, map.size)
        const any = passing.any()
        assert.equal(any === undefined, map.size === 0)
        assert.ok(any === undefined || map.has(any))
      })
    }),
  )

  it('finds thousands at once, and nothing when they have gone', () => {
    const passing = new PassingMap<number>()
    const ids = Array.from({ length: 5000 }, (_, i) => `0190-${i.toString(16)}`)
    ids.forEach((id, i) => passing.set(id, i))
    ids.forEach((id, i) => assert.equal(passing.get(id), i))
    assert.deepEqual(
      ids.map((id) => passing.take(id)),
      ids.map((_, i) => i),
    )
    assert.equal(passing.size, 0)
    assert.equal(passing.any(), undefined)
  })
})
