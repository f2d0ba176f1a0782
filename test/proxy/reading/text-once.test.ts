/**
 * What is looked at of a body that is no UTF-8: text in one byte a character once and not once
 * a piece, and of bytes that are no text nothing, whether a bound cut them or not.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { atOnce } from '../../../src/core/resting.js'
import { JSON_LIMITS } from '../../../src/json/json-scanner.js'
import { recognise } from '../../../src/providers/index.js'
import { readRequest } from '../../../src/proxy/reading/request-reading.js'

const MIB = 1024 * 1024
const CARD = '4111 1111 1111 1111'

/** All strings that would be looked at. */
function looked(bytes: Buffer, contentType: string, whole: boolean): string[] {
  const head = { contentType, contentEncoding: undefined }
  const copy = { bytes, whole, head, path: '/nobody/knows' }
  const asked = { host: 'api.openai.com', method: 'POST', path: copy.path }
  const recognised = recognise(asked)
  assert.ok(recognised !== undefined)
  const options = { json: JSON_LIMITS, wantsText: true }
  const { text } = atOnce(readRequest(recognised, copy, options))
  return (text?.units ?? []).flatMap(({ pieces }) => pieces.map((piece) => piece.text))
}

const sizeOf = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + text.length, 0)

/** About so many bytes of German in ISO 8859-1, a card number at the end. */
const latin1 = (bytes: number): Buffer =>
  Buffer.from(`${'Größe ärgert früh schön. '.repeat(bytes / 25)}${CARD}`, 'latin1')

/** With a NUL, so that it is no text of any form. */
const noText = (bytes: number): Buffer =>
  Buffer.concat([Buffer.alloc(8), randomBytes(bytes), Buffer.from(CARD)])

describe('text in ISO 8859-1', () => {
  for (const [type, whole] of [
    ['text/csv', true],
    ['text/csv', false],
    ['application/json', true],
  ] as const)
    it(`is looked at a bounded number of times (${type}, ${whole ? 'whole' : 'cut'})`, () => {
      const bytes = latin1(MIB)
      const texts = looked(bytes, type, whole)
      assert.ok(texts.some((text) => text.includes(CARD)))
      assert.ok(texts.some((text) => text.includes('Größe')))
      assert.ok(sizeOf(texts) <= 2 * bytes.length, `${sizeOf(texts)} characters`)
    })
})

describe('a body of no text', () => {
  for (const whole of [true, false])
    it(`is not looked at as one, ${whole ? 'whole' : 'cut'}`, () => {
      const type = 'application/octet-stream'
      assert.deepEqual(looked(noText(200_000), type, whole), [])
      const form = Buffer.concat([
        Buffer.from('--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n'),
        Buffer.from('Content-Type: application/octet-stream\r\n\r\n'),
        noText(200_000),
        Buffer.from(whole ? '\r\n--b--\r\n' : ''),
      ])
      const texts = looked(form, 'multipart/form-data; boundary=b', whole)
      assert.ok(sizeOf(texts) < 100, `${sizeOf(texts)} characters`)
    })

  it('is looked at where it is called a text, or is one', () => {
    for (const whole of [true, false]) {
      const called = looked(noText(200_000), 'text/plain', whole)
      assert.ok(called.some((text) => text.includes(CARD)))
      const words = Buffer.from(`${'plain words. '.repeat(20_000)}${CARD}`)
      const under = looked(words, 'application/octet-stream', whole)
      assert.ok(under.some((text) => text.includes(CARD)))
    }
  })
})
