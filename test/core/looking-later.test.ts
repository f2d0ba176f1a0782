import assert from 'node:assert/strict'
import { LookingLater } from '../../src/core/looking-later.js'
import type { LookedAtLater, LookingPart } from '../../src/core/looking-later.js'

/** One that was there before the turn, or that began in it, and what was looked at. */
function one(name: string, isFresh: boolean, seen: string[]): LookedAtLater {
  return { isFresh, look: (part: LookingPart) => void seen.push(`${name} ${part}`) }
}

describe('what is looked at later', () => {
  it('comes part by part for all, in the turn in which it was given', async () => {
    const seen: string[] = []
    const later = new LookingLater()
    later.add(one('a', false, seen))
    later.add(one('b', false, seen))
    assert.equal(seen.length, 0)
    await new Promise((resolve) => setImmediate(resolve))
    const parts = seen.filter((text, i) => seen.indexOf(text) === i)
    assert.deepEqual(parts, [
      'a asked',
      'b asked',
      'a judged',
      'b judged',
      'a answered',
      'b answered',
    ])
  })

  it('lets one that began in the turn meet what another left that ended in it', () => {
    const seen: string[] = []
    const later = new LookingLater()
    later.add(one('ended', false, seen))
    later.add(one('began', true, seen))
    later.now()
    assert.ok(seen.indexOf('ended answered') < seen.indexOf('began judged'))
    assert.ok(seen.indexOf('began judged') < seen.indexOf('began answered'))
  })

  it('does not let more than 32 wait', () => {
    const seen: string[] = []
    const later = new LookingLater()
    for (let i = 0; i < 31; i++) later.add(one(`${i}`, false, seen))
    assert.equal(seen.length, 0)
    later.add(one('31', false, seen))
    assert.ok(seen.includes('0 answered') && seen.includes('31 answered'))
  })

  it('is done at once for who needs to know, and once', async () => {
    const seen: string[] = []
    const later = new LookingLater()
    later.add(one('a', false, seen))
    later.now()
    const { length } = seen
    assert.ok(seen.includes('a answered'))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(seen.length, length)
  })

  it('comes to its end for who waits for all of it', async () => {
    const seen: string[] = []
    const later = new LookingLater()
    const decided = Promise.resolve().then(() => undefined)
    later.add({
      isFresh: false,
      look: (part) => {
        if (part === 'answered') void decided.then(() => seen.push('row'))
      },
    })
    await later.whole()
    assert.deepEqual(seen, ['row'])
  })

  it('takes what is given while it is done, too', async () => {
    const seen: string[] = []
    const later = new LookingLater()
    const next = one('next', true, seen)
    let isGiven = false
    later.add({
      isFresh: false,
      look: () => {
        if (!isGiven) later.add(next)
        isGiven = true
      },
    })
    later.now()
    assert.equal(seen.length, 0)
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(seen.includes('next answered'))
  })
})
