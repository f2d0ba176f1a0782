/** All text of messages that nobody here knows; bytes by protobufjs. */
import assert from 'node:assert/strict'
import { atOnce } from '../../src/core/resting.js'
import { protoTexts } from '../../src/providers/protobuf-text.js'
import { writer } from '../support/llm-protos.js'

/** Bytes without any order, the same each time. */
function scattered(count: number): Buffer {
  let state = 1
  return Buffer.from(
    Array.from({ length: count }, () => {
      state = (state * 48_271) % 2_147_483_647
      return state & 0xff
    }),
  )
}

const LIMITS = { maxDepth: 16, maxFields: 1000 }

function texts(bytes: Uint8Array, limits = LIMITS) {
  return atOnce(protoTexts(Buffer.from(bytes), limits))
}

function inside(depth: number, text: string): Uint8Array {
  let bytes = writer().uint32(10).string(text).finish()
  for (let i = 1; i < depth; i++) bytes = writer().uint32(18).bytes(bytes).finish()
  return bytes
}

const CARD = '4012 8888 8888 1881'

describe('the text of an unknown message', () => {
  it('is found in strings, wherever they stand', () => {
    const bytes = writer().uint32(8).int32(5).uint32(34).bytes(inside(3, CARD)).finish()
    const read = texts(bytes)
    assert.ok(read.texts.includes(CARD))
    assert.equal(read.over, undefined)
  })

  it('is found in what could be a text and a message', () => {
    // Field 8 with a length of 65, all of it letters: a text by its looks, too.
    const long = `${CARD}${'x'.repeat(65 - CARD.length)}`
    const bytes = Buffer.from(`BA${long}`)
    for (const head of [10, 0xff2]) {
      const read = texts(writer().uint32(head).bytes(bytes).finish())
      const given = [...read.texts, ...read.again]
      assert.ok(given.includes(`BA${long}`))
      assert.ok(given.includes(long))
    }
  })

  it('is found where a text is swallowed by numbers of a message', () => {
    // A is a fixed64: as a message, eight digits of the card are a number.
    const text = `A${CARD.replaceAll(' ', '').slice(0, 8)}A${CARD.replaceAll(' ', '').slice(8)}`
    const read = texts(writer().uint32(10).string(text).finish())
    assert.ok([...read.texts, ...read.again].some((one) => one.includes(text)))
  })

  it('is found in numbers: as varints, fixed and doubles', () => {
    const number = 4012888888881881
    for (const bytes of [
      writer().uint32(8).uint64(number).finish(),
      writer().uint32(9).fixed64(number).finish(),
      writer().uint32(9).double(number).finish(),
    ])
      assert.deepEqual(texts(bytes).texts, [String(number)])
  })

  it('is found in UTF-16 and in the letters of ISO 8859-1', () => {
    for (const coded of [
      Buffer.from(`\ufeffcard ${CARD}`, 'utf16le'),
      Buffer.from(`für ${CARD} und mehr`, 'latin1'),
    ]) {
      const read = texts(writer().uint32(10).bytes(coded).finish())
      assert.ok(
        read.texts.some((text) => text.includes(CARD)),
        coded.toString('hex'),
      )
    }
  })

  it('is none in pictures, and bytes of no known kind are told', () => {
    const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), scattered(99)])
    const picture = texts(writer().uint32(10).bytes(png).finish())
    assert.equal(picture.hasBytes, false)
    const other = Buffer.alloc(99, 0xff)
    assert.equal(texts(writer().uint32(10).bytes(other).finish()).hasBytes, true)
  })

  it('is looked for as deep as the limit says', () => {
    const { maxDepth } = LIMITS
    // The innermost text is a node of its own.
    for (const [depth, over] of [
      [maxDepth - 2, undefined],
      [maxDepth - 1, undefined],
      [maxDepth, 'depth'],
    ] as const) {
      const read = texts(inside(depth, CARD))
      assert.equal(read.over, over, String(depth))
      assert.equal(read.texts.includes(CARD), over === undefined)
    }
  })

  it('is looked for in as many fields as the limit says', () => {
    const many = (fields: number) =>
      Buffer.concat(Array.from({ length: fields }, () => Buffer.from([0x08, 1])))
    assert.equal(texts(many(999)).over, undefined)
    assert.equal(texts(many(1000)).over, undefined)
    assert.equal(texts(many(1001)).over, 'values')
  })

  it('is not given more often than twice, however deep it stands', () => {
    const word = 'a word'.repeat(100)
    const { texts: once, again } = texts(inside(12, word))
    const given = [...once, ...again].filter((text) => text.includes(word))
    assert.ok(given.length <= 2)
  })
})
