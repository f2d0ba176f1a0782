import assert from 'node:assert/strict'
import { Course, PHASES, PHASE_TABLE } from '../../src/core/phases.js'
import type { Phase } from '../../src/core/phases.js'

/** What may follow what, said once more by hand: a change of the table is a change here. */
const WAYS: Readonly<Record<Phase, readonly Phase[]>> = {
  received: ['admitted', 'closed'],
  admitted: ['held', 'sent', 'closed'],
  held: ['judged', 'closed'],
  judged: ['sent', 'closed'],
  sent: ['sent', 'answering', 'switched', 'closed'],
  answering: ['closed'],
  switched: ['closed'],
  closed: [],
}

function courseAt(phase: Phase): Course {
  const way: Readonly<Record<Phase, readonly Phase[]>> = {
    received: [],
    admitted: ['admitted'],
    held: ['admitted', 'held'],
    judged: ['admitted', 'held', 'judged'],
    sent: ['admitted', 'sent'],
    answering: ['admitted', 'sent', 'answering'],
    switched: ['admitted', 'sent', 'switched'],
    closed: ['closed'],
  }
  const course = new Course()
  for (const step of way[phase]) assert.equal(course.enter(step), true)
  return course
}

describe('the course of an exchange', () => {
  for (const from of PHASES)
    for (const to of PHASES) {
      const may = WAYS[from].includes(to)
      it(`${may ? 'goes' : 'does not go'} from ${from} to ${to}`, () => {
        const course = courseAt(from)
        assert.equal(course.enter(to), may)
        assert.equal(course.phase, may ? to : from)
      })
    }

  it('can end from every phase but its end', () => {
    for (const phase of PHASES)
      assert.equal(PHASE_TABLE[phase].next.includes('closed'), phase !== 'closed')
  })

  it('sends nothing that is held before it was judged', () => {
    assert.equal(PHASE_TABLE.held.next.includes('sent'), false)
  })
})
