import assert from 'node:assert/strict'
import { mutate, randomFrom } from '../../../tools/fuzz/mutate.js'
import { fuzz } from '../../../tools/fuzz/run.js'
import { targets } from '../../../tools/fuzz/targets.js'
import type { FuzzTarget } from '../../../tools/fuzz/target.js'

const rounds = (count: number) => ({
  seed: 7,
  done: (inputs: number) => inputs >= count,
  maxInputMs: 60_000,
})

describe('fuzzing', () => {
  for (const target of targets) {
    it(`holds for a few hundred inputs: ${target.name}`, async () => {
      const outcome = await fuzz(target, rounds(400))
      assert.equal(outcome.kind, 'held', outcome.kind === 'broke' ? outcome.why : '')
    })
  }

  it('finds a parser that breaks, and shows the input', async () => {
    const target: FuzzTarget = {
      name: 'broken',
      about: '',
      seeds: () => [Buffer.from([1, 2, 3, 4])],
      check: (input) => assert.ok(input.length !== 3, 'three bytes'),
    }
    const outcome = await fuzz(target, rounds(2_000))
    assert.ok(outcome.kind === 'broke')
    assert.equal(outcome.input.length, 3)
    assert.match(outcome.why, /three bytes/)
  })

  it('finds what breaks only later, and shows that input', async () => {
    const pending: Buffer[] = []
    const target: FuzzTarget = {
      name: 'broken later',
      about: '',
      seeds: () => [Buffer.from([1, 2, 3, 4])],
      check: (input) => void pending.push(input),
      settle: async () => {
        const input = pending.splice(0).find(({ length }) => length === 3)
        return input && { input, why: 'three bytes' }
      },
    }
    const outcome = await fuzz(target, rounds(1_500))
    assert.ok(outcome.kind === 'broke')
    assert.equal(outcome.input.length, 3)
  })

  it('repeats itself from the same seed', () => {
    const make = (): string[] => {
      const random = randomFrom(42)
      const seed = Buffer.from('a seed of some bytes')
      return Array.from({ length: 50 }, () =>
        mutate(seed, [seed], random).toString('hex'),
      )
    }
    assert.deepEqual(make(), make())
    assert.ok(new Set(make()).size > 40)
  })
})
