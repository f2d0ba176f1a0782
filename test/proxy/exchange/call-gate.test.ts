/** A call's messages wait for a decision each, wherever their bytes are cut. */
import assert from 'node:assert/strict'
import { frameOf } from '../../../src/http/grpc-frames.js'
import { ByteBudget, Hold } from '../../../src/proxy/bounds/byte-budget.js'
import { CallGate } from '../../../src/proxy/exchange/call-gate.js'
import type { MessageState } from '../../../src/proxy/exchange/call-gate.js'
import { boundTable } from '../../support/bound-table.js'
import { everySplit } from '../../support/splits.js'

type Judged = readonly [text: string, state: MessageState]

interface Through {
  /** What was judged, without the bytes of heads. */
  readonly judged: readonly Judged[]
  readonly passed: string
  readonly held: number
}

const words = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('latin1')
    .replace(/[\0-\x1f]/g, '')

/** The first message was let go already; these pieces come after it. */
async function through(
  pieces: readonly Uint8Array[],
  { maxHeldBytes = 1000, room = 10_000, stops = 'bad' } = {},
): Promise<Through> {
  const judged: Judged[] = []
  const budget = new ByteBudget(room, room)
  const gate = new CallGate({
    maxHeldBytes,
    hold: new Hold(budget, 'a'),
    judge: (bytes, state) => {
      judged.push([words(bytes), state])
      return Promise.resolve(!bytes.includes(stops))
    },
  })
  const first = frameOf(Buffer.from('first'))
  gate.saw(first)
  const passed: Buffer[] = [gate.letGo([first])]
  for (const piece of pieces) {
    const ready = await gate.take(Buffer.from(piece))
    if (ready === undefined) return { judged, passed: all(passed), held: budget.held }
    passed.push(ready)
  }
  const last = await gate.end()
  if (last !== undefined) passed.push(last)
  return { judged, passed: all(passed), held: budget.held }
}

const all = (pieces: readonly Buffer[]): string => words(Buffer.concat(pieces))
const call = (...texts: readonly string[]): Buffer =>
  Buffer.concat(texts.map((text) => frameOf(Buffer.from(text))))

describe('what a call says after its first message', () => {
  it('goes on message by message, at every cut', async () => {
    for (const pieces of everySplit(call('one', '', 'two'))) {
      const { judged, passed, held } = await through(pieces)
      assert.equal(passed, 'firstonetwo')
      assert.equal(judged.map(([text]) => text).join(''), 'onetwo')
      assert.ok(judged.every(([, state]) => state === 'whole'))
      assert.equal(held, 0)
    }
  })

  it('is stopped at the message that may not, at every cut', async () => {
    for (const pieces of everySplit(call('one', 'bad', 'two'))) {
      const { passed } = await through(pieces)
      assert.ok(!passed.includes('bad') && !passed.includes('two'), passed)
    }
  })

  it('and is no whole message is judged at its end', async () => {
    const part = call('one', 'bad').subarray(0, -1)
    const { judged, passed } = await through([part], { stops: 'ba' })
    assert.equal(passed, 'firstone')
    assert.deepEqual(judged.at(-1), ['ba', 'ended'])
  })

  it('and is in no messages waits for its end', async () => {
    const { judged, passed } = await through([Buffer.from('{"bad"'), Buffer.from(':1}')])
    assert.equal(passed, 'first')
    assert.deepEqual(judged, [['{"bad":1}', 'ended']])
  })

  it('is judged by its beginning where there is no room for more', async () => {
    const bytes = call('x'.repeat(30), 'bad')
    const pieces = [bytes.subarray(0, 20), bytes.subarray(20)]
    const { judged, passed } = await through(pieces, { room: 10 })
    assert.deepEqual(judged[0], ['x'.repeat(15), 'cut'])
    assert.equal(passed, `first${'x'.repeat(30)}`.slice(0, passed.length))
    assert.ok(!passed.includes('bad'))
  })

  it('and follows a message that was cut is judged by itself', async () => {
    const bytes = call('x'.repeat(30), 'bad', 'two')
    const pieces = [bytes.subarray(0, 30), bytes.subarray(30)]
    const { passed } = await through(pieces, { maxHeldBytes: 20 })
    assert.equal(passed, `first${'x'.repeat(25)}`)
  })
})

const HELD = 24

boundTable({
  'a message that waits': [
    {
      bound: 'maxHeldBytes, its head among them',
      bytes: (over) => call('x'.repeat(HELD - 5 + over)).subarray(0, -1),
      read: async (pieces) => {
        const { judged, passed } = await through(pieces, { maxHeldBytes: HELD - 1 })
        return [judged.map(([, state]) => state), passed.length]
      },
      gives: [
        [['ended'], 5 + HELD - 7],
        [['ended'], 5 + HELD - 6],
        [['cut'], 5 + HELD - 5],
      ],
    },
  ],
})
