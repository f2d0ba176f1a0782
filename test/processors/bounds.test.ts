import assert from 'node:assert/strict'
import { Breaker } from '../../src/processors/breaker.js'
import { AnswerPieces } from '../../src/processors/guardrail-answers.js'
import { Lane } from '../../src/processors/lane.js'
import { Patience } from '../../src/processors/patience.js'
import { ProcessorFailure } from '../../src/processors/words.js'
import { ManualClock } from '../support/manual-clock.js'

describe('the breaker of a processor', () => {
  function opened(isAbsence = false): { breaker: Breaker; clock: ManualClock } {
    const clock = new ManualClock()
    const breaker = new Breaker(clock)
    for (let i = 0; i < 5; i++) {
      assert.equal(breaker.enter(), true)
      breaker.failed(isAbsence)
    }
    return { breaker, clock }
  }

  it('opens after five failures in a row, for 30 s', () => {
    const { breaker, clock } = opened()
    assert.equal(breaker.state, 'open')
    assert.equal(breaker.enter(), false)
    clock.advance(29_999)
    assert.equal(breaker.enter(), false)
    clock.advance(1)
    assert.equal(breaker.enter(), true)
    // One tries at a time.
    assert.equal(breaker.enter(), false)
  })

  it('is not opened by failures with a good answer between', () => {
    const breaker = new Breaker(new ManualClock())
    for (let i = 0; i < 20; i++) {
      assert.equal(breaker.enter(), true)
      if (i % 5 === 4) breaker.succeeded()
      else breaker.failed(false)
    }
    assert.equal(breaker.state, 'closed')
  })

  it('closes after two good answers, and opens again by one bad', () => {
    const { breaker, clock } = opened()
    clock.advance(30_000)
    assert.equal(breaker.enter(), true)
    breaker.succeeded()
    assert.equal(breaker.state, 'half-open')
    assert.equal(breaker.enter(), true)
    breaker.failed(false)
    assert.equal(breaker.state, 'open')
    assert.equal(breaker.trips, 2)
    clock.advance(30_000)
    for (const expected of ['half-open', 'closed']) {
      assert.equal(breaker.enter(), true)
      breaker.succeeded()
      assert.equal(breaker.state, expected)
    }
  })

  it('gives a trial back that came to nothing', () => {
    const { breaker, clock } = opened()
    clock.advance(30_000)
    assert.equal(breaker.enter(), true)
    breaker.passed()
    assert.equal(breaker.enter(), true)
  })

  it('is tried at once where nobody was there, and somebody has come back', () => {
    // One that was late among them does not hide that the others found nobody.
    const { breaker } = opened(true)
    breaker.returned()
    for (let i = 0; i < 3; i++) {
      assert.equal(breaker.enter(), true)
      breaker.failed(false)
      assert.equal(breaker.enter(), false)
      breaker.returned()
    }
    // It is there, and hangs: after so many it waits as others do.
    assert.equal(breaker.enter(), false)
    breaker.absent()
    breaker.returned()
    assert.equal(breaker.enter(), true)
  })

  it('is not tried before its time where somebody was there, and hung', () => {
    const { breaker } = opened(false)
    breaker.returned()
    assert.equal(breaker.enter(), false)
  })
})

describe('answers that wait for their end', () => {
  const told = (bytes: Buffer, isLast = false) =>
    ({ kind: 'response_body', status: 200, bytes, index: 0, isLast, sofar: 0 }) as const

  it('are so many, of so many bytes, and give their room back', () => {
    const pieces = new AnswerPieces()
    const half = Buffer.alloc(8 * 1024 * 1024)
    assert.equal(pieces.take('a', told(half)), undefined)
    assert.equal(pieces.take('b', told(half)), undefined)
    assert.throws(() => pieces.take('c', told(Buffer.alloc(1))), { kind: 'busy' })
    pieces.forget('a')
    assert.equal(pieces.take('b', told(Buffer.from('!'), true))?.bytes.length, 8388609)
    assert.equal(pieces.size, 0)
    for (let i = 0; i < 1024; i++) pieces.take(`n ${i}`, told(Buffer.alloc(0)))
    assert.throws(() => pieces.take('more', told(Buffer.alloc(0))), { kind: 'busy' })
  })
})

describe('the lane to a processor', () => {
  it('lets so many in at once, so many wait, and no more', async () => {
    const lane = new Lane(1, 1)
    const patience = new Patience(60_000)
    assert.equal(lane.enter(patience), undefined)
    const second = lane.enter(patience)
    assert.throws(() => lane.enter(patience), { kind: 'busy' })
    lane.leave()
    await second
    assert.equal(lane.active, 1)
    lane.leave()
    assert.equal(lane.active, 0)
    patience.settle()
  })

  it('has no place for whoever lost patience', async () => {
    const lane = new Lane(1, 1)
    const patience = new Patience(60_000)
    const other = new Patience(60_000)
    void lane.enter(other)
    const waiting = lane.enter(patience)
    patience.end(new ProcessorFailure('timeout'))
    await assert.rejects(async () => waiting, { kind: 'timeout' })
    assert.equal(lane.waiting, 0)
    lane.leave()
    assert.equal(lane.active, 0)
    other.settle()
  })
})
