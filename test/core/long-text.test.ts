import assert from 'node:assert/strict'
import {
  cutInPieces,
  headOf,
  joinedTexts,
  LongTexts,
  PIECE_CHARS,
  tailOf,
} from '../../src/core/long-text.js'

const WORDS = 'größer und 𝔸nders, '
const text = WORDS.repeat(20_000)

describe('a long text', () => {
  it('is the same in its pieces, none of which is long or ends in half a character', () => {
    const pieces = cutInPieces(text)
    assert.equal(pieces.join(''), text)
    for (const piece of pieces) {
      assert.ok(piece.length <= PIECE_CHARS)
      assert.doesNotMatch(piece, /\p{Cs}/u)
    }
  })

  it('is known by its pieces wherever it stands, and its ends are had from them', () => {
    const long = new LongTexts()
    const pieces = cutInPieces(text)
    const value = { messages: [{ content: long.join(pieces) }] }
    const found = value.messages[0]?.content ?? ''
    assert.equal(long.piecesOf(found), pieces)
    long.during(() => {
      assert.ok(headOf(found, 100).length <= PIECE_CHARS)
      assert.ok(found.startsWith(headOf(found, 100_000)))
      assert.ok(headOf(found, 100_000).length >= 100_000)
      assert.ok(found.endsWith(tailOf(found, 100)))
      assert.ok(tailOf(found, 100).length >= 100)
    })
  })

  it('that is joined again of the same pieces is the one of before', () => {
    const long = new LongTexts()
    const pieces = cutInPieces(text)
    const found = long.join(pieces)
    long.join(pieces.map((piece) => piece))
    assert.equal(long.piecesOf(found), pieces)
  })

  it('of the same length as another is none but itself', () => {
    const long = new LongTexts()
    const [a, b] = ['a', 'b'].map((first) => first + text.slice(1))
    assert.ok(a !== undefined && b !== undefined)
    for (const each of [a, b]) long.join(cutInPieces(each))
    assert.equal(long.piecesOf(a).join(''), a)
    assert.equal(long.piecesOf(b).join(''), b)
    const one = new LongTexts()
    one.join(cutInPieces(a))
    assert.ok(one.has(a))
    assert.ok(!one.has(b))
    assert.equal(one.piecesOf(b).join(''), b)
  })

  it('of parts is joined as they are', () => {
    const long = new LongTexts()
    const parts = ['first', long.join(cutInPieces(text)), 'last']
    const joined = long.during(() => joinedTexts(parts, '\n'))
    assert.equal(joined, parts.join('\n'))
    assert.equal(long.piecesOf(joined).join(''), joined)
    assert.ok(long.piecesOf(joined).every((piece) => piece.length <= PIECE_CHARS))
    assert.equal(joinedTexts(['a', 'b'], '\n'), 'a\nb')
  })
})
