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

  it('that pin are tested again after an hour, then twice as long up to a day', () => {
    const { memory, clock } = start()
    memory.accepted({ ...party, name: 'other.test', fingerprint: 'bb' })
    for (const hours of [1, 2, 4, 8, 16, 24, 24]) {
      memory.refused(party, 'alert')
      clock.advance(hours * HOUR_MS - 1)
      assert.equal(memory.learned(party), 'tunnel-pinned', `${hours} h`)
      clock.advance(1)
      assert.equal(memory.learned(party), undefined, `${hours} h`)
    }
  })

  for (const [how, kind] of [
    ['alert', 'tunnel-not-trusted'],
    ['clock', 'tunnel-clock'],
  ] as const) {
    it(`that are ${kind} are tested again after seconds, doubling up to a day`, () => {
      const { memory, clock } = start()
      for (let seconds = 5, n = 0; n < 18; n += 1, seconds *= 2) {
        memory.refused(party, how)
        clock.advance(Math.min(seconds * 1000, 24 * HOUR_MS) - 1)
        assert.equal(memory.learned(party), kind, `${seconds} s`)
        clock.advance(1)
        assert.equal(memory.learned(party), undefined, `${seconds} s`)
      }
    })

    it(`that are ${kind} end with any success of the device, its fetch or its test`, () => {
      const { device } = party
      const elsewhere = { ...party, name: 'other.test', fingerprint: 'bb' }
      const ends: readonly (readonly [(memory: LearnedNames) => void, boolean])[] = [
        [(memory) => memory.accepted(elsewhere), true],
        [(memory) => memory.gotRoot(device), true],
        [(memory) => memory.forget(device), true],
        [(memory) => memory.useRoot('another'), false],
      ]
      for (const [end, isItsOwn] of ends) {
        const { memory } = start()
        const stranger = { ...party, device: { ip: '192.0.2.2' } }
        const third = { ...party, name: 'third.test' }
        for (const one of [party, third, stranger]) memory.refused(one, how)
        const before = memory.revision
        end(memory)
        assert.ok(memory.revision > before)
        assert.equal(memory.learned(party), undefined)
        assert.equal(memory.learned(third), undefined)
        assert.equal(memory.learned(stranger), isItsOwn ? kind : undefined)
      }
    })
  }

  it('that pin stay so when the device succeeds elsewhere or fetches the root', () => {
    const { memory } = start()
    const elsewhere = { ...party, name: 'other.test', fingerprint: 'bb' }
    memory.accepted(elsewhere)
    memory.refused(party, 'alert')
    memory.accepted({ ...elsewhere, name: 'third.test' })
    memory.gotRoot(party.device)
    assert.equal(memory.learned(party), 'tunnel-pinned')
    memory.forget(party.device)
    assert.equal(memory.learned(party), undefined)
  })

  it('begin anew when it is another thing than it was', () => {
    const { memory, clock } = start()
    for (let n = 0; n < 8; n += 1) memory.refused(party, 'clock')
    memory.refused(party, 'alert')
    clock.advance(5_000)
    assert.equal(memory.learned(party), undefined)
  })

  it('are forgotten when the software accepts', () => {
    const { memory, clock } = start()
    memory.refused(party, 'alert')
    clock.advance(HOUR_MS)
    memory.accepted(party)
    assert.equal(memory.learned(party), undefined)
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
