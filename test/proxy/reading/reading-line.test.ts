import assert from 'node:assert/strict'
import { ReadingLine } from '../../../src/proxy/reading/reading-line.js'

const MIB = 1024 * 1024

function work(
  order: string[],
  name: string,
): { run: () => Promise<string>; end: () => void } {
  let end = (): void => undefined
  const done = new Promise<void>((resolve) => (end = resolve))
  return {
    run: async () => {
      order.push(name)
      await done
      return name
    },
    end,
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the line of long bodies', () => {
  it('lets so many bytes be read at once, the others in their order', async () => {
    const line = new ReadingLine(8 * MIB)
    const order: string[] = []
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => work(order, name))
    assert.ok(a && b && c && d)
    const first = line.inTurn(5 * MIB, a.run)
    const second = line.inTurn(4 * MIB, b.run)
    const third = line.inTurn(1 * MIB, c.run)
    // Longer than all that fits: alone.
    const fourth = line.inTurn(20 * MIB, d.run)
    await turn()
    assert.deepEqual(order, ['a'])
    a.end()
    assert.equal(await first, 'a')
    await turn()
    assert.deepEqual(order, ['a', 'b', 'c'])
    assert.equal(line.busy, 5 * MIB)
    b.end()
    c.end()
    await Promise.all([second, third])
    await turn()
    assert.deepEqual(order, ['a', 'b', 'c', 'd'])
    d.end()
    assert.equal(await fourth, 'd')
    assert.equal(line.busy, 0)
  })

  it('keeps nobody who is short, and goes on behind one that fails', async () => {
    const line = new ReadingLine(MIB)
    const order: string[] = []
    const long = work(order, 'long')
    const first = line.inTurn(MIB, long.run)
    await turn()
    assert.equal(
      line.inTurn(1000, () => 'short'),
      'short',
    )
    const second = line.inTurn(MIB, () => Promise.reject(new Error('odd')))
    const third = line.inTurn(MIB, () => 'third')
    long.end()
    await first
    await assert.rejects(Promise.resolve(second), /odd/)
    assert.equal(await third, 'third')
    assert.equal(line.busy, 0)
  })
})
