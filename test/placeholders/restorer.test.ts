import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  Placeholders,
  tailOf,
  MAX_PLACEHOLDER,
} from '../../src/placeholders/placeholders.js'
import { restorerOf } from '../../src/placeholders/restorer.js'
import type { Framing } from '../../src/placeholders/restorer.js'
import { holds } from '../support/property.js'

const KEY = Buffer.alloc(32, 7)
const MAIL = 'kim@example.org'
/** With all that JSON escapes. */
const PEM = '-----BEGIN "KEY"-----\nMI\\E\n-----END-----'

function made() {
  const placeholders = new Placeholders(KEY, 'one device')
  return {
    placeholders,
    mail: placeholders.of('EMAIL_ADDRESS', MAIL),
    pem: placeholders.of('PRIVATE_KEY', PEM),
  }
}

const { placeholders, mail, pem } = made()

/** `bytes` in pieces that end where `cuts` say, parts of its length, as what went on. */
function restored(framing: Framing, bytes: Buffer, cuts: readonly number[]): string {
  const restorer = restorerOf(framing, placeholders)
  const places = [...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length]
  let out = ''
  let from = 0
  for (const to of places.toSorted((a, b) => a - b)) {
    out += restorer.write(bytes.subarray(from, to))
    from = to
  }
  return out + restorer.end()
}

const CUTS = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

/** What a model may say, and what its reader reads. */
const SAID: readonly (readonly [string, string])[] = [
  [mail, MAIL],
  [pem, PEM],
  [mail.toLowerCase(), MAIL],
  [mail.replace('EMAIL_ADDRESS', 'CORREO'), MAIL],
  [mail.slice(0, -3), mail.slice(0, -3)],
  [`[[Y-EMAIL_ADDRESS-0000000000]]`, '[[Y-EMAIL_ADDRESS-0000000000]]'],
  ['arr[[0]] and [', 'arr[[0]] and ['],
  ['[[[Y', '[[[Y'],
  ['naïve 👍 "quoted"\n', 'naïve 👍 "quoted"\n'],
]
const TEXT = fc
  .array(fc.constantFrom(...SAID), { minLength: 1, maxLength: 8 })
  .map(
    (parts) =>
      [parts.map(([a]) => a).join(' '), parts.map(([, b]) => b).join(' ')] as const,
  )

/** A text in parts that end where `cuts` say. */
function parts(text: string, cuts: readonly number[]): string[] {
  const chars = Array.from(text)
  const places = cuts
    .map((cut) => Math.floor(cut * chars.length))
    .toSorted((a, b) => a - b)
  return [0, ...places].map((from, i) =>
    chars.slice(from, places[i] ?? chars.length).join(''),
  )
}

interface Chunk {
  readonly choices: {
    index: number
    delta: { content?: string; tool?: { arguments: string } }
  }[]
}

function events(chunks: readonly unknown[]): string {
  return (
    chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('') +
    'data: [DONE]\n\n'
  )
}

function chunksIn(stream: string): Chunk[] {
  return stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)) as Chunk)
}

describe('an answer that gets back what was taken out of its request', () => {
  it('has the same placeholder for one value, and another for another household', () => {
    assert.equal(made().mail, mail)
    assert.match(mail, /^\[\[Y-EMAIL_ADDRESS-[0-9a-f]{10}\]\]$/)
    assert.ok(new Placeholders(KEY, 'another').of('EMAIL_ADDRESS', MAIL) !== mail)
    assert.ok(
      new Placeholders(Buffer.alloc(32), 'one device').of('EMAIL_ADDRESS', MAIL) !== mail,
    )
    assert.ok(placeholders.of('X'.repeat(99), MAIL).length <= MAX_PLACEHOLDER)
  })

  it('holds what can still become one, and nothing else', () => {
    assert.equal(tailOf(`to ${mail}`), 3 + mail.length)
    for (let end = 1; end < mail.length; end++)
      assert.equal(tailOf(`to ${mail.slice(0, end)}`), 3, mail.slice(0, end))
    assert.equal(tailOf('arr[[0'), 6)
    assert.equal(tailOf('[[[y-'), 1)
  })

  holds(
    'whole bodies of JSON, however they are cut',
    fc.property(TEXT, CUTS, ([said, read], cuts) => {
      const body = (text: string): unknown => ({
        content: text,
        arguments: JSON.stringify({ to: text }),
        list: [text, 1],
      })
      const bytes = Buffer.from(JSON.stringify(body(said), undefined, 1))
      assert.deepEqual(JSON.parse(restored('json', bytes, cuts)), body(read))
    }),
    { runs: 10_000 },
  )

  holds(
    'streams of events, cut within a text and within the bytes, calls of tools among them',
    fc.property(TEXT, CUTS, CUTS, ([said, read], within, cuts) => {
      const calls = JSON.stringify({ to: said })
      const chunks: Chunk[] = [
        ...parts(said, within).map((content) => ({
          choices: [{ index: 0, delta: { content } }],
        })),
        ...parts(calls, within).map((text) => ({
          choices: [{ index: 1, delta: { tool: { arguments: text } } }],
        })),
      ]
      const passed = chunksIn(restored('events', Buffer.from(events(chunks)), cuts))
      const all = passed.flatMap(({ choices }) => choices.map(({ delta }) => delta))
      assert.equal(all.map(({ content = '' }) => content).join(''), read)
      const given = all.map(({ tool }) => tool?.arguments ?? '').join('')
      assert.deepEqual(JSON.parse(given), { to: read })
    }),
    { runs: 10_000 },
  )

  it('keeps two answers apart that come in turns', () => {
    const chunks = parts(mail, [0.2, 0.4, 0.6]).flatMap((content) =>
      [0, 1].map((index) => ({ choices: [{ index, delta: { content } }] })),
    )
    const passed = chunksIn(restored('events', Buffer.from(events(chunks)), []))
    for (const index of [0, 1]) {
      const own = passed
        .flatMap(({ choices }) => choices)
        .filter((one) => one.index === index)
      assert.equal(own.map(({ delta }) => delta.content).join(''), MAIL)
    }
  })

  it('passes other events on byte by byte, and lines of JSON and text too', () => {
    const other = ': comment\r\nevent: ping\r\ndata: {"type": "ping", "n": [1]}\r\n\r\n'
    assert.equal(restored('events', Buffer.from(other), [0.3]), other)
    const lines = `{"response":"to ${mail.slice(0, 9)}"}\n{"response":"${mail.slice(9)}!"}\n`
    assert.equal(
      restored('lines', Buffer.from(lines), []),
      `{"response":"to "}\n{"response":"${MAIL}!"}\n`,
    )
    assert.equal(restored('text', Buffer.from(`to ${mail}`), [0.5]), `to ${MAIL}`)
  })

  it('gives what it holds as it is when it is told to, and goes on', () => {
    const restorer = restorerOf('events', placeholders)
    const event = (content: string): Buffer =>
      Buffer.from(`data: ${JSON.stringify({ index: 0, content })}\n\n`)
    assert.equal(restorer.write(event('a')), 'data: {"index":0,"content":"a"}\n\n')
    assert.equal(restorer.write(event(`b ${mail.slice(0, 12)}`)), '')
    assert.ok(restorer.isHolding)
    assert.equal(restorer.release(), String(event(`b ${mail.slice(0, 12)}`)))
    assert.ok(!restorer.isHolding)
    assert.equal(restorer.write(event(mail.slice(12))), String(event(mail.slice(12))))
    assert.equal(restorer.write(event(mail)), String(event(MAIL)))
  })

  it('ends as it is where the stream is cut within one', () => {
    const cut = `data: {"content":"to ${mail.slice(0, 20)}"}\n\ndata: {"cont`
    assert.equal(restored('events', Buffer.from(cut), [0.4]), cut)
    const body = `{"content":"to ${mail.slice(0, 20)}`
    assert.equal(restored('json', Buffer.from(body), [0.4]), body)
  })
})
