/** A bounded cache, against a list that is kept in the order of use. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Recent } from '../../src/core/recent.js'
import { holds } from '../support/property.js'

const MAX = 4
const step = fc.record({
  what: fc.constantFrom('get', 'peek', 'has', 'set', 'delete', 'pop'),
  key: fc.integer({ min: 0, max: 7 }),
})

describe('what was used of late', () => {
  holds(
    'is what a list in the order of use says',
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pushedOut: number[] = []
      const recent = new Recent<number, string>({
        max: MAX,
        pushedOut: (value, key) => {
          assert.equal(value, `v${key}`)
          pushedOut.push(key)
        },
      })
      const list: number[] = []
      const gone: number[] = []
      const remove = (key: number): boolean => {
        const at = list.indexOf(key)
        if (at !== -1) list.splice(at, 1)
        return at !== -1
      }
      for (const { what, key } of steps) {
        const there = list.includes(key) ? `v${key}` : undefined
        if (what === 'get') {
          assert.equal(recent.get(key), there)
          if (remove(key)) list.push(key)
        } else if (what === 'set') {
          recent.set(key, `v${key}`)
          remove(key)
          if (list.push(key) > MAX) gone.push(list.shift() as number)
        } else if (what === 'delete') {
          recent.delete(key)
          remove(key)
        } else if (what === 'pop') {
          const oldest = list.shift()
          assert.equal(recent.pop(), oldest === undefined ? undefined : `v${oldest}`)
        } else if (what === 'has') assert.equal(recent.has(key), there !== undefined)
        else assert.equal(recent.peek(key), there)
        assert.equal(recent.size, list.length)
        assert.deepEqual(
          [...recent.oldestFirst()],
          list.map((one) => `v${one}`),
        )
        assert.deepEqual(
          recent.newestFirst().map(([one]) => one),
          list.toReversed(),
        )
      }
      assert.deepEqual(pushedOut, gone)
    }),
  )
})
