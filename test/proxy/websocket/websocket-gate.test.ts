/** What a client says over a WebSocket waits for its decision. */
import assert from 'node:assert/strict'
import type { Decision } from '../../../src/policy/engine.js'
import { MessageGate } from '../../../src/proxy/websocket/websocket-gate.js'
import type { Seen } from '../../../src/proxy/websocket/websocket-gate.js'
import type { Heard } from '../../../src/proxy/websocket/websocket-speech.js'
import type { Judgement } from '../../../src/proxy/words/exchange-about.js'

const DENY = { enforce: true, reason: 'no' } as Decision

interface Gated {
  readonly gate: MessageGate
  readonly sent: () => string
  readonly told: string[]
  /** Bytes come, of which so many are whole messages that say this. */
  readonly come: (bytes: string, says?: string, seen?: Partial<Seen>) => void
}

function gated(judge: (said: Heard) => Judgement): Gated {
  let out = ''
  const told: string[] = []
  let seen: Seen = { messages: 0, consumed: 0, atBoundary: true, malformed: undefined }
  const gate = new MessageGate({
    judge,
    seen: () => seen,
    maxMessageBytes: 1024 * 1024,
  })
  gate.attach({
    send: (bytes) => (out += bytes.toString()),
    pause: () => told.push('pause'),
    resume: () => undefined,
    finish: () => told.push('finish'),
    block: ({ reason }) => told.push(`block ${reason ?? ''}`),
  })
  return {
    gate,
    told,
    sent: () => out,
    come: (bytes, says, more = {}) => {
      gate.push(Buffer.from(bytes), () => {
        const consumed = seen.consumed + bytes.length
        seen = { ...seen, consumed, atBoundary: says !== undefined, ...more }
        if (says === undefined) return
        seen = { ...seen, messages: seen.messages + 1 }
        gate.message(consumed, says === '?' ? undefined : says)
      })
    },
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

describe('the gate of a WebSocket', () => {
  it('lets a message go on whole when it was allowed, in order', async () => {
    const asked: Heard[] = []
    const answers: ((decision: Decision | undefined) => void)[] = []
    const { come, sent, told, gate } = gated((said) => {
      asked.push(said)
      return new Promise((resolve) => answers.push(resolve))
    })
    come('aa')
    assert.equal(sent(), '')
    come('AA', 'one')
    come('BB', 'two')
    come('CC', '')
    await turns()
    assert.deepEqual(asked, ['one'])
    assert.equal(sent(), '')
    answers[0]?.(undefined)
    await turns()
    assert.equal(sent(), 'aaAA')
    assert.deepEqual(asked, ['one', 'two'])
    gate.end()
    answers[1]?.(undefined)
    await turns()
    assert.equal(sent(), 'aaAABBCC')
    assert.deepEqual(told, ['finish'])
  })

  it('lets what says nothing go on at once', () => {
    const { come, sent } = gated(() => assert.fail('was asked'))
    come('sound', '')
    come('more', '')
    assert.equal(sent(), 'soundmore')
  })

  it('blocks a message and all after it', async () => {
    const { come, sent, told } = gated((said) => (said === 'bad' ? DENY : undefined))
    come('AA', 'good')
    come('BB', 'bad')
    come('CC', 'good')
    await turns()
    come('DD', 'good')
    await turns()
    assert.equal(sent(), 'AA')
    assert.deepEqual(told, ['block no'])
  })

  it('asks about what cannot be read, and lets it pass when it may', async () => {
    const asked: Heard[] = []
    const { come, sent } = gated((said) => {
      asked.push(said)
      return undefined
    })
    come('AA', '?')
    await turns()
    assert.equal(sent(), 'AA')
    come('noise', undefined, { malformed: 'a reserved bit' })
    await turns()
    come('more noise')
    assert.equal(sent(), 'AAnoisemore noise')
    assert.deepEqual(asked, [undefined, undefined])
  })

  it('blocks bytes that are no frames where the unreadable is blocked', async () => {
    const { come, sent, told } = gated((said) => (said === undefined ? DENY : undefined))
    come('noise', undefined, { malformed: 'a reserved bit' })
    await turns()
    assert.equal(sent(), '')
    assert.deepEqual(told, ['block no'])
  })

  it('judges a message that is too long before it is whole, once', async () => {
    let asked = 0
    const { come, sent, told } = gated((said) => {
      assert.equal(said, undefined)
      asked++
      return undefined
    })
    const piece = 'x'.repeat(600_000)
    come(piece)
    assert.equal(sent(), '')
    come(piece)
    assert.ok(told.includes('pause'))
    await turns()
    assert.equal(sent().length, 1_200_000)
    come(piece)
    assert.equal(sent().length, 1_800_000)
    come('end', '?')
    come('next', '')
    assert.equal(sent().length, 1_800_007)
    assert.equal(asked, 1)
  })

  it('lets the connection go on when deciding fails', async () => {
    const { come, sent } = gated(() => Promise.reject(new Error('a fault of ours')))
    come('AA', 'one')
    await turns()
    assert.equal(sent(), 'AA')
  })
})
