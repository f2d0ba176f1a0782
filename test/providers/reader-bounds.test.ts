/** An answer is read to the same facts at the bounds of its text and of its events, however it is cut. */
import assert from 'node:assert/strict'
import { BoundedText } from '../../src/providers/bounded-text.js'
import { recognise } from '../../src/providers/index.js'
import { READER_LIMITS } from '../../src/providers/provider.js'
import type { ReaderLimits } from '../../src/providers/provider.js'
import { boundTable } from '../support/bound-table.js'
import type { BoundRow } from '../support/bound-table.js'
import { eventStreamMessage } from '../support/event-stream.js'
import { sse } from '../support/exchanges.js'

const x = (length: number): string => 'x'.repeat(length)

function reads(
  host: string,
  path: string,
  contentType: string,
  limits: Partial<ReaderLimits>,
): BoundRow['read'] {
  const found = recognise({ host, method: 'POST', path })
  assert.ok(found !== undefined)
  const { provider, api } = found
  return (pieces) => {
    const all = { ...READER_LIMITS, ...limits }
    const reader = provider.reader({ api, path, status: 200, contentType, limits: all })
    for (const piece of pieces) reader.push(piece)
    const { text, textChars, unread } = reader.end()
    return [text, textChars, unread]
  }
}

const CHAT = ['api.openai.com', '/v1/chat/completions'] as const
const delta = (content: string): object => ({
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
})
const ROWS: readonly BoundRow[] = [
  {
    bound: 'maxTextChars of a stream',
    bytes: (over) => Buffer.from(sse(delta(x(6 + over)), delta('yz'), '[DONE]')),
    read: reads(...CHAT, 'text/event-stream', { maxTextChars: 8 }),
    gives: [
      ['xxxxxyz', 7, 0],
      ['xxxxxxyz', 8, 0],
      ['xxxxxxxy', 9, 0],
    ],
  },
  {
    bound: 'maxTextChars of a stream, in the midst of a character',
    bytes: (over) =>
      Buffer.from(sse(delta(x(6 + over)), delta('\u{1f600}'), delta('y'), '[DONE]')),
    read: reads(...CHAT, 'text/event-stream', { maxTextChars: 8 }),
    gives: [
      ['xxxxx\u{1f600}y', 8, 0],
      ['xxxxxx\u{1f600}', 9, 0],
      ['xxxxxxx', 10, 0],
    ],
  },
  {
    bound: 'maxJsonBytes of an event',
    bytes: (over) => Buffer.from(sse(delta(x(10 + over)), delta('n'), '[DONE]')),
    read: reads(...CHAT, 'text/event-stream', {
      maxJsonBytes: 'data: '.length + JSON.stringify(delta(x(10))).length,
    }),
    gives: [
      [`${x(9)}n`, 10, 0],
      [`${x(10)}n`, 11, 0],
      ['n', 1, 1],
    ],
  },
  {
    bound: 'maxJsonBytes of a message of an event stream',
    bytes: (over) => {
      const type = { ':event-type': 'contentBlockDelta' }
      const said = (text: string): object => ({ contentBlockIndex: 0, delta: { text } })
      return Buffer.concat([
        eventStreamMessage(type, said(x(10 + over))),
        eventStreamMessage(type, said('n')),
      ])
    },
    read: reads(
      'bedrock-runtime.us-east-1.amazonaws.com',
      '/model/anthropic.claude-3/converse-stream',
      'application/vnd.amazon.eventstream',
      // 16 bytes of framing, 32 of the header, 53 of JSON.
      { maxJsonBytes: 101 },
    ),
    gives: [
      [`${x(9)}n`, 10, 0],
      [`${x(10)}n`, 11, 0],
      ['n', 1, 1],
    ],
  },
]

describe('a text that is kept up to a bound', () => {
  const text = 'ab\u{1f600}c\u{1f601}d'
  for (let most = 0; most <= text.length + 1; most++)
    it(`is the same with ${most} however it comes`, () => {
      const kept = (pieces: readonly string[]): unknown => {
        const bounded = new BoundedText(most)
        for (const piece of pieces) bounded.append(piece)
        return [bounded.text, bounded.chars, bounded.cut]
      }
      const whole = kept([text])
      for (let at = 0; at <= text.length; at++)
        for (let next = at; next <= text.length; next++)
          // What comes as JSON text comes in whole characters.
          if ([at, next].every((cut) => !isLow(text.charCodeAt(cut))))
            assert.deepEqual(
              kept([text.slice(0, at), text.slice(at, next), text.slice(next)]),
              whole,
              `${at} ${next}`,
            )
    })
})

const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff

boundTable({ 'a provider’s answers': ROWS })
