import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { atOnce } from '../../src/core/resting.js'
import { decoded, isId, isText, mediaOf } from '../../src/detect/text-shape.js'

function decode(text: string, named = false) {
  const found = atOnce(decoded(text, named))
  if (found?.kind !== 'text') return found
  const { texts, ...others } = found
  return { ...others, text: texts.join('') }
}

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')
const CARD = 'my card is 4111 1111 1111 1111, thanks'
/** The smallest PNG, of one black pixel (as in RFC 2083's examples of chunks). */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const NOISE = base64(
  Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 197 + 91) % 256)),
)

describe('a text by its shape', () => {
  it('is what it decodes to, where that is text', () => {
    const text = { kind: 'text', text: CARD }
    assert.deepEqual(decode(base64(CARD)), text)
    assert.deepEqual(decode(Buffer.from(CARD).toString('base64url')), text)
    assert.deepEqual(decode(`data:text/plain;base64,${base64(CARD)}`), text)
    assert.deepEqual(decode(`data:text/plain;charset=utf-8;base64,${base64(CARD)}`), text)
    assert.deepEqual(decode(`data:;base64,${base64('hi')}`), { kind: 'text', text: 'hi' })
    assert.deepEqual(decode(`data:application/pdf;base64,${base64(CARD)}`), text)
    const lined = base64(CARD).replace(/(.{20})/g, '$1\r\n')
    assert.deepEqual(decode(lined), text)
    assert.deepEqual(decode(base64('Grüße aus München, 日本')), {
      kind: 'text',
      text: 'Grüße aus München, 日本',
    })
  })

  it('of a data URL without base64 is both of its forms', () => {
    const found = decode('data:,my%20card%20is%204111')
    assert.deepEqual(found, {
      kind: 'text',
      text: 'my%20card%20is%204111\nmy card is 4111',
    })
  })

  it('of a data URL has a head, where that says more than a usual type', () => {
    assert.equal(decode(`DATA:text/plain;base64,${base64('a b')}`)?.head, undefined)
    assert.equal(decode(` data:;base64,${base64('a b')}`)?.kind, 'text')
    assert.equal(decode('data:recipe/soup,x')?.head, 'data:recipe/soup,')
    const head = 'data:image/png;x=a recipe;base64,'
    assert.equal(decode(`${head}${PNG}`)?.head, head)
  })

  it('is text piece by piece, cut inside characters or not', () => {
    const long = 'Größe 日本 '.repeat(30_000)
    assert.deepEqual(decode(base64(long)), { kind: 'text', text: long })
  })

  it('is media by its first bytes, or where something says that it is data', () => {
    assert.deepEqual(decode(PNG), { kind: 'bytes', media: 'image/png' })
    assert.deepEqual(decode(`data:image/png;base64,${PNG}`), {
      kind: 'bytes',
      media: 'image/png',
    })
    assert.deepEqual(decode(NOISE, true), { kind: 'bytes', media: undefined })
    assert.equal(decode(NOISE), undefined)
  })

  it('is words whatever it begins with', () => {
    for (const words of [
      'hello',
      'internationalization',
      'my/credit/card/is/4111/1111/1111/1111/and/so/on/and/so/forth',
      `${PNG} my card is 4111 1111 1111 1111`,
      `data:image/png;base64,${PNG} my card`,
      `data:image/png;base64,${PNG.repeat(2000)} my card`,
      `${'iVBORw0KGgoA'.repeat(20_000)}, my card`,
      `${PNG}${base64(CARD)}`,
    ])
      assert.equal(decode(words, true)?.kind === 'bytes', false, words.slice(0, 40))
  })

  it('of bytes is told by what is rare in text', () => {
    assert.ok(isText(Buffer.from('\u001b[31mred\u001b[0m\ttab\r\n'), true))
    assert.ok(isText(Buffer.alloc(0), true))
    assert.ok(isText(readFileSync(new URL(import.meta.url)), true))
    assert.equal(isText(Buffer.from(PNG, 'base64'), true), false)
    assert.equal(isText(Buffer.from('Grüße', 'latin1'), true), false)
    assert.equal(mediaOf(Buffer.from('%PDF-1.7\n%')), 'application/pdf')
  })

  it('is an id only as machines make them', () => {
    for (const id of [
      'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
      'call_DdmO9pD3xa9XTPNJ32zg2hcA',
      'toolu_01A09q90qw90lq917835lq9',
      'resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b',
      '3fa85f64-5717-4562-b3fc-2c963f66afa6',
      'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    ])
      assert.ok(isId(id), id)
    for (const words of [
      'hello',
      'kim@example.org',
      '4111111111111111',
      'card-4111111111111111',
      '4111-1111-1111-1111',
      'x_123-45-6789',
      'DE89370400440532013000',
      'teach me poker 101',
      'tell-me-everything-about-1',
      'a'.repeat(300),
    ])
      assert.equal(isId(words), false, words)
  })
})
