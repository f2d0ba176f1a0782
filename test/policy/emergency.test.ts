import assert from 'node:assert/strict'
import { activated, extended, isEmergency } from '../../src/policy/emergency.js'
import type { Emergency } from '../../src/policy/state.js'
import { NOON } from './support.js'

const MINUTE = 60_000
const request = { minutes: 30, reason: 'doctor', by: 'anna' }

function started(minutes = 30): Emergency {
  const change = activated(undefined, { ...request, minutes }, NOON)
  assert.equal(change.kind, 'ok')
  return change.emergency
}

function why(change: ReturnType<typeof activated>): string {
  return change.kind === 'refused' ? change.why : 'ok'
}

describe('an emergency override', () => {
  it('ends by itself, at its moment', () => {
    const emergency = started()
    assert.equal(isEmergency(emergency, NOON), true)
    assert.equal(isEmergency(emergency, NOON + 30 * MINUTE - 1), true)
    assert.equal(isEmergency(emergency, NOON + 30 * MINUTE), false)
    assert.equal(isEmergency(undefined, NOON), false)
  })

  for (const minutes of [1, 1440]) {
    it(`lasts ${minutes} minutes`, () => {
      assert.equal(started(minutes).expiresAt, NOON + minutes * MINUTE)
    })
  }
  for (const minutes of [0, 1441, -5, 1.5, Number.NaN]) {
    it(`does not last ${minutes} minutes`, () => {
      assert.match(why(activated(undefined, { ...request, minutes }, NOON)), /1 to 1440/)
    })
  }

  it('needs a reason, and is one at a time', () => {
    assert.match(why(activated(undefined, { ...request, reason: ' ' }, NOON)), /reason/)
    assert.match(why(activated(started(), request, NOON + 1)), /active already/)
    assert.equal(activated(started(), request, NOON + 30 * MINUTE).kind, 'ok')
  })

  it('is extended while it runs, to no more than a day ahead', () => {
    const longer = extended(started(), 15, NOON + MINUTE)
    assert.equal(longer.kind === 'ok' && longer.emergency.expiresAt, NOON + 45 * MINUTE)
    assert.match(why(extended(started(1440), 1, NOON)), /1440 minutes would remain/)
    assert.match(why(extended(started(), 5, NOON + 30 * MINUTE)), /not active/)
    assert.match(why(extended(undefined, 5, NOON)), /not active/)
  })
})
