/**
 * Reading rests: between two rests it does no more than a bounded piece of work, whatever shape
 * a body of some megabytes has. Counted in rests for so many things, not in time, which on a
 * shared machine says nothing.
 */
import assert from 'node:assert/strict'
import { PIECE_CHARS } from '../../../src/core/long-text.js'
import { Heard } from '../../../src/conversations/heard.js'
import { decoded } from '../../../src/detect/text-shape.js'
import type { Resting } from '../../../src/core/resting.js'
import { JSON_LIMITS } from '../../../src/json/json-scanner.js'
import { recognise } from '../../../src/providers/index.js'
import { BodyTextReader, piecesIn } from '../../../src/providers/body-text.js'
import type { BodyText } from '../../../src/providers/body-text.js'
import { jsonTextInSlices } from '../../../src/providers/json-text.js'
import { NamedInBody } from '../../../src/providers/named-in-body.js'
import { readRequest } from '../../../src/proxy/reading/request-reading.js'
import { SAID_LIMITS, saidOf } from '../../../src/proxy/reading/said.js'
import type { Said } from '../../../src/proxy/reading/said.js'

const MIB = 1024 * 1024
const CARD = '4111 1111 1111 1111'

function counted<T>(work: Resting<T>): { rests: number; made: T } {
  for (let rests = 0; ; rests++) {
    const step = work.next()
    if (step.done === true) return { rests, made: step.value }
  }
}

function read(body: Buffer, contentType = 'application/json') {
  const head = { contentType, contentEncoding: undefined }
  const copy = { bytes: body, whole: true, head, path: '/v1/chat/completions' }
  const asked = { host: 'api.openai.com', method: 'POST', path: copy.path }
  const recognised = recognise(asked)
  assert.ok(recognised !== undefined)
  const json = { ...JSON_LIMITS, maxBytes: 8 * MIB }
  const { rests, made } = counted(
    readRequest(recognised, copy, { json, wantsText: true }),
  )
  return { rests, text: made.text ?? assert.fail('it has no text') }
}

const look = ({ units }: BodyText): { rests: number; made: Said } =>
  counted(saidOf(units, new Heard().in('a conversation', {})))

const found = ({ findings }: Said): readonly string[] => findings.map(({ kind }) => kind)

const chat = (content: string, role = 'user'): Buffer =>
  Buffer.from(`{"model":"m","messages":[{"role":"${role}","content":${content}}]}`)

describe('reading rests', () => {
  it('in a text of megabytes that is looked at again, edited', () => {
    const { text } = read(
      chat(JSON.stringify(`steam engines, ${'and water '.repeat(400_000)}`)),
    )
    const { made } = look(text)
    let edited = 0
    const again = made.again((each) => {
      edited++
      return each
    })
    // Between two rests there is one piece that is edited, and none is left out.
    let most = 0
    for (let before = 0; again.next().done !== true; before = edited)
      most = Math.max(most, edited - before)
    assert.ok(edited >= (4 * MIB) / PIECE_CHARS - 4, `${edited}`)
    assert.equal(most, 1)
  })

  it('in parts that are joined, while they are sorted and while they are joined', () => {
    const reader = new BodyTextReader()
    const parts = Array.from({ length: 100_000 }, () => 'water and steam')
    counted(reader.message(parts, [], false))
    const { rests, made } = counted(reader.ended())
    assert.equal(made.units.length, 1)
    // Twice for each 256.
    assert.ok(rests > (1.9 * parts.length) / 256, `${rests}`)
  })

  it('in a message of a hundred thousand parts, which is read all the same', () => {
    const part = '{"type":"text","text":"hi"},'
    const body = chat(`[${part.repeat(45_000)}{"type":"text","text":"${CARD}"}]`)
    // As many values as a text of its length may have.
    const { text } = read(Buffer.concat([body, Buffer.alloc(6 * MIB, ' ')]))
    const { rests, made } = look(text)
    assert.ok(rests > 45_000, `${rests}`)
    assert.ok(found(made).includes('credit_card'))
  })

  it('in what a model is said to have said, by its lines', () => {
    const body = chat(`"${'one line\\n'.repeat(20_000)}${CARD}"`, 'assistant')
    const { rests, made } = look(read(body).text)
    assert.ok(rests > 20_000 / 64, `${rests}`)
    assert.ok(found(made).includes('credit_card'))
  })

  it('in lines of JSON, in names of fields, and in a form that is nothing but delimiters', () => {
    const lines = read(Buffer.from(`{"a":"words"}\n`.repeat(20_000)))
    assert.ok(look(lines.text).rests > 20_000)
    const names = Array.from({ length: 900 }, (_, i) => `"${`${i}`.padEnd(2000, 'k')}":1`)
    const { rests } = read(Buffer.from(`{${names.join()}}`))
    assert.ok(rests > 4, `${rests}`)
    const form = `--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n${'\r\n--'.repeat(
      MIB / 4,
    )}${CARD}\r\n--b--\r\n`
    const dashes = read(Buffer.from(form), 'multipart/form-data; boundary=b')
    assert.ok(dashes.rests >= MIB / (16 * 1024), `${dashes.rests}`)
    assert.ok(found(look(dashes.text).made).includes('credit_card'))
  })

  it('in lines of JSON, of which no list holds all, and in what is split over two of them', () => {
    const lines = Array.from({ length: 10_000 }, (_, i) => `{"text":"line ${i}"}`)
    // Wherever a list ends, one of these pairs stands on both sides of it.
    for (let at = 0; at < lines.length; at += 2)
      lines.splice(at, 2, '{"text":"4111 1111"}', '{"text":"1111 1111"}')
    const { text } = read(Buffer.from(lines.join('\n')))
    for (const { pieces } of text.units) assert.ok(pieces.length <= 4096 + 1)
    assert.ok(text.units.length > 1)
    const { made } = look(text)
    const parts = text.units.filter(({ joined }) => joined.length > 0)
    assert.ok(found(made).includes('credit_card'))
    for (const { joined } of parts)
      for (const piece of joined) assert.match(piece.text, /4111 1111\s?1111 1111/)
  })

  it('in tens of thousands of tools, each of which is named', () => {
    const tools = Array.from({ length: 20_000 }, (_, i) => ({
      type: 'function',
      function: { name: `tool-${i}` },
    }))
    const named = new NamedInBody()
    const { rests } = counted(named.add({ tools }))
    assert.deepEqual(
      [...named.tools],
      tools.map((tool) => tool.function.name),
    )
    assert.ok(rests >= tools.length / 256 - 1, `${rests}`)
  })

  it('in what is no UTF-8, and in what has characters that are not seen', () => {
    const bytes = Buffer.from(`${'größer und schöner '.repeat(60_000)}${CARD}`, 'latin1')
    const { rests, text } = read(bytes, 'text/plain')
    assert.ok(rests >= bytes.length / (8 * 1024), `${rests}`)
    assert.ok(found(look(text).made).includes('credit_card'))
    const hidden = chat(`"${'w\u0000\u200b'.repeat(100_000)} ${CARD}"`)
    const said = look(read(hidden).text)
    // Of three units each, and of each two are not seen.
    assert.ok(said.rests >= 300_000 / (4 * 1024), `${said.rests}`)
    assert.ok(found(said.made).includes('credit_card'))
  })

  it('while a body becomes a text again, which is that of JSON.stringify', () => {
    const records = Array.from({ length: 20_000 }, (_, i) => ({
      i,
      note: `"${i}"`,
      a: [],
    }))
    const values = [
      records,
      { one: 'long "'.repeat(50_000), none: null, deep: [[{}], [[true]]] },
      ['"'.repeat(200_000), '"'.repeat(200_000), '\ud83d\ude00é\0'],
      ...['word', 1.5, false, {}, []],
    ]
    for (const value of values)
      assert.equal(counted(jsonTextInSlices(value)).made, JSON.stringify(value))
    const { rests } = counted(jsonTextInSlices(records))
    assert.ok(rests >= (4 * records.length) / 128, `${rests}`)
  })

  it('in base64 in lines, wherever a line ends', () => {
    const plain = `${'the quick brown fox '.repeat(20_000)}ends here`
    const base64 = Buffer.from(plain).toString('base64')
    for (const width of [4, 63, 64, 76]) {
      const lined = base64.replace(new RegExp(`.{${width}}`, 'g'), '$&\r\n')
      const { rests, made } = counted(decoded(lined, false))
      assert.equal(made?.kind === 'text' ? made.texts.join('') : undefined, plain)
      assert.ok(rests > lined.length / (64 * 1024), `${rests}`)
    }
  })
})

/** Shapes of some megabytes in which one text is very long. */
const LONG: readonly (readonly [string, Buffer, string?])[] = [
  ['one text', chat(`"${'words and words '.repeat(250_000)}${CARD}"`)],
  ['one text without a blank', chat(`"${'w'.repeat(4 * MIB)} ${CARD}"`)],
  ['one text of escapes', chat(`"${'\\u0077'.repeat(700_000)} ${CARD}"`)],
  ['one text of escapes of escapes', chat(`"${'\\\\u0077'.repeat(500_000)} ${CARD}"`)],
  ['one text of quotes', chat(`"${'\\"'.repeat(2 * MIB)} ${CARD}"`)],
  ['one text of backslashes', chat(`"${'\\\\'.repeat(2 * MIB)} ${CARD}"`)],
  ['one text that is not ASCII', chat(`"${'ａ漢'.repeat(700_000)} ${CARD}"`)],
  [
    'base64 of a text',
    chat(`"${Buffer.from(`${'words '.repeat(500_000)}${CARD}`).toString('base64')}"`),
  ],
  [
    'what a model said in one line',
    chat(`"${'w '.repeat(2 * MIB)}${CARD}"`, 'assistant'),
  ],
  ['plain text', Buffer.from(`${'some words\n'.repeat(300_000)}${CARD}`), 'text/plain'],
  [
    'a form',
    Buffer.from(`q=${'%77'.repeat(1_300_000)}+${CARD.replaceAll(' ', '+')}`),
    'application/x-www-form-urlencoded',
  ],
  [
    'a part in quoted-printable',
    Buffer.from(
      `--b\r\nContent-Disposition: form-data; name="f"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'=77=\r\n'.repeat(500_000)} ${CARD.replaceAll(' ', '=20')}\r\n--b--\r\n`,
    ),
    'multipart/form-data; boundary=b',
  ],
]

describe('a very long text', () => {
  for (const [name, body, type] of LONG)
    it(`is looked at in pieces: ${name}`, () => {
      const { rests, text } = read(body, type)
      assert.ok(rests >= body.length / (512 * 1024), `${rests} rests of reading`)
      for (const { pieces, joined } of text.units)
        for (const piece of [...pieces, ...joined])
          for (const each of piecesIn(piece)) assert.ok(each.length <= PIECE_CHARS)
      const chars = text.units.flatMap(({ pieces }) =>
        pieces.map((one) => one.text.length),
      )
      const most = Math.max(...chars)
      const said = look(text)
      assert.ok(said.rests >= most / (8 * 1024), `${said.rests} rests of ${most}`)
      for (const { text: seen } of said.made.pieces)
        assert.ok(seen.length <= SAID_LIMITS.pieceChars + 1024)
      assert.ok(found(said.made).includes('credit_card'))
    })

  it('is seen by policies without a gap, and again at each seam', () => {
    const words = Array.from({ length: 60_000 }, (_, i) => `w${i}`).join(' ')
    const { made } = look(read(chat(JSON.stringify(words))).text)
    const seen = made.pieces.map(({ said }) => said.person).filter((one) => one !== '')
    let whole = ''
    for (const piece of seen) {
      const seam = Math.min(SAID_LIMITS.overlapChars, whole.length)
      const again = whole === '' ? 0 : piece.indexOf(whole.slice(-seam)) + seam
      whole += piece.slice(again)
    }
    assert.ok(whole.includes(words))
  })
})
