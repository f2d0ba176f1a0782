import assert from 'node:assert/strict'
import { LearnedNames } from '../../src/learned/learned.js'
import { ManualClock } from '../support/manual-clock.js'

const HOUR_MS = 3_600_000
const party = { device: { ip: '192.0.2.1' }, name: 'api.test', fingerprint: 'aa' }

function start(): { memory: LearnedNames; clock: ManualClock } {
  const clock = new ManualClock()
  const memory = new LearnedNames(clock)
  memory.useRoot('root')
  return { memory, clock }
}

describe('learned names', () => {
  it('are not trusted after one alert, for that software on that device alone', () => {
    const { memory } = start()
    memory.refused(party, 'alert')
    assert.equal(memory.learned(party), 'tunnel-not-trusted')
    assert.equal(memory.learned({ ...party, fingerprint: 'bb' }), undefined)
    assert.equal(memory.learned({ ...party, name: 'other.test' }), undefined)
    assert.equal(memory.learned({ ...party, device: { ip: '192.0.2.2' } }), undefined)
  })

  it('are pinned when the device trusts the root elsewhere, and only this root', () => {
    const { memory } = start()
    memory.accepted({ ...party, name: 'other.test', fingerprint: 'bb' })
    memory.refused(party, 'alert')
    assert.equal(memory.learned(party), 'tunnel-pinned')
    memory.useRoot('another')
    memory.refused({ ...party, name: 'third.test' }, 'alert')
    assert.equal(memory.learned({ ...party, name: 'third.test' }), 'tunnel-not-trusted')
  })

  it('need two closes in a row where there is no alert', () => {
    const { memory } = start()
    memory.refused(party, 'close')
    assert.equal(memory.learned(party), undefined)
    memory.refused(party, 'close')
    assert.equal(memory.learned(party), 'tunnel-not-trusted')
  })

  it('learn nothing from closes of who has used our certificate', () => {
    const { memory } = start()
    memory.accepted(party)
    for (let i = 0; i < 5; i++) memory.refused(party, 'close')
    assert.equal(memory.learned(party), undefined)
  })

  it('are tested again after an hour, then twice as long up to a day', () => {
    const { memory, clock } = start()
    for (const hours of [1, 2, 4, 8, 16, 24, 24]) {
      memory.refused(party, 'alert')
      clock.advance(hours * HOUR_MS - 1)
      assert.equal(memory.learned(party), 'tunnel-not-trusted', `${hours} h`)
      clock.advance(1)
      assert.equal(memory.learned(party), undefined, `${hours} h`)
    }
  })

  it('are forgotten when the software accepts', () => {
    const { memory, clock } = start()
    memory.refused(party, 'alert')
    clock.advance(HOUR_MS)
    memory.accepted(party)
    memory.refused(party, 'alert')
    clock.advance(HOUR_MS)
    assert.equal(memory.learned(party), undefined)
  })

  it('are bounded for each device', () => {
    const { memory } = start()
    memory.refused({ ...party, device: { ip: '192.0.2.9' } }, 'alert')
    for (let i = 0; i < 1000; i++)
      memory.refused({ ...party, name: `n${i}.test` }, 'alert')
    assert.equal(memory.learned({ ...party, name: 'n999.test' }), 'tunnel-not-trusted')
    assert.equal(memory.learned({ ...party, name: 'n0.test' }), undefined)
    assert.equal(memory.export().lessons.length, 129)
  })

  it('survive a restart', () => {
    const { memory, clock } = start()
    memory.accepted({ ...party, name: 'other.test' })
    memory.refused(party, 'alert')
    const kept = JSON.parse(JSON.stringify(memory.export())) as ReturnType<
      LearnedNames['export']
    >
    const next = new LearnedNames(clock)
    next.useRoot('root')
    next.import(kept)
    assert.equal(next.learned(party), 'tunnel-pinned')
    next.refused({ ...party, name: 'new.test' }, 'alert')
    assert.equal(next.learned({ ...party, name: 'new.test' }), 'tunnel-pinned')
  })
})
