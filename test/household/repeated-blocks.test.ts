import assert from 'node:assert/strict'
import { RepeatedBlocks } from '../../src/household/repeated-blocks.js'

const MINUTE = 60_000
const refusedFor = (key: string, place = 'here', words = '') => ({ key, place, words })
const never = (_requestId: string): boolean => false

/** Ids of the rows in which blocks at these moments count. */
function rowsAt(moments: readonly number[], isSettled = never): string[] {
  const repeated = new RepeatedBlocks()
  return moments.map(
    (nowMs, index) =>
      repeated.count(
        refusedFor('x'),
        { requestId: `r${index}`, marks: [] },
        { nowMs, isSettled },
      ).requestId,
  )
}

describe('blocks of the same', () => {
  it('count in the row of the first until a minute has passed without one', () => {
    assert.deepEqual(rowsAt([0, MINUTE, 2 * MINUTE, 3 * MINUTE + 1]), [
      ...['r0', 'r0', 'r0'],
      'r3',
    ])
  })

  it('get a new row after ten minutes, however often they come', () => {
    const rows = rowsAt(Array.from({ length: 25 }, (_, n) => (n * MINUTE) / 2))
    assert.deepEqual([...new Set(rows)], ['r0', 'r21'])
  })

  it('get a new row when an adult has decided on the first', () => {
    assert.deepEqual(
      rowsAt([0, 1, 2], (id) => id === 'r0'),
      ['r0', 'r1', 'r1'],
    )
  })

  it('are counted, with what each of them said', () => {
    const repeated = new RepeatedBlocks()
    const about = { nowMs: 0, isSettled: never }
    const count = (key: string, requestId: string, ...marks: string[]) =>
      repeated.count(refusedFor(key), { requestId, marks }, about)
    count('x', 'r0', 'a')
    const row = count('x', 'r1', 'a', 'b')
    assert.deepEqual([row.requestId, row.repeats, row.marks], ['r0', 1, ['a', 'b']])
    assert.equal(count('y', 'r2').requestId, 'r2')
  })

  it('are forgotten, those longest ago first, when there are too many', () => {
    const repeated = new RepeatedBlocks()
    const about = { nowMs: 0, isSettled: never }
    const count = (key: string) =>
      repeated.count(refusedFor(key), { requestId: key, marks: [] }, about).repeats
    for (let n = 0; n < 512; n++) count(String(n))
    assert.equal(count('0'), 1)
    count('one more')
    assert.equal(count('0'), 2)
    assert.equal(count('1'), 0)
  })

  it('are looked through where they were refused, the newest first, within the minute', () => {
    const repeated = new RepeatedBlocks()
    const at = (nowMs: number) => ({ nowMs, isSettled: (id: string) => id === 'settled' })
    const count = (requestId: string, nowMs: number, place?: string) =>
      repeated.count(refusedFor(requestId, place), { requestId, marks: [] }, at(nowMs))
    count('old', 0)
    for (let n = 0; n < 9; n++) count(`r${n}`, 1)
    count('settled', 1)
    count('elsewhere', 1, 'there')
    const recent = (nowMs: number) =>
      repeated.recent('here', at(nowMs)).map(({ requestId }) => requestId)
    assert.deepEqual(recent(MINUTE + 1), ['r8', 'r7', 'r6', 'r5', 'r4', 'r3', 'r2', 'r1'])
    assert.deepEqual(recent(MINUTE + 2), [])
  })
})
