/** What is kept of a body that goes by, in pieces of every size, and what that costs. */
import assert from 'node:assert/strict'
import { BodyCopy, Pieces } from '../../../src/proxy/bounds/body-copy.js'

const DIGITS = Buffer.from('0123456789'.repeat(8_000))

/** Cut into pieces of these sizes in turn. */
function* piecesOf(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number
    yield bytes.subarray(at, at + size)
    at += size
  }
}

describe('the copy of a body', () => {
  for (const sizes of [
    [1],
    [7, 4096],
    [4095],
    [4096],
    [65_536],
    [1, 70_000, 3],
    [200_000],
  ])
    it(`is all of it, or a quarter of the bound and its end: pieces of ${sizes.join()}`, () => {
      for (const most of [0, 1, 5, 1000, 70_000, DIGITS.length]) {
        const copy = new BodyCopy(most)
        let grown = 0
        for (const piece of piecesOf(DIGITS, sizes)) {
          grown += copy.growth(piece.length)
          copy.push(piece)
          assert.ok(copy.size <= most)
        }
        assert.equal(grown, copy.size)
        const { bytes, newest } = copy.kept()
        assert.equal(copy.hasGap, most < DIGITS.length)
        if (!copy.hasGap) {
          assert.ok(bytes.equals(DIGITS))
          assert.ok(Buffer.concat(copy.pieces).equals(DIGITS))
          continue
        }
        const first = Math.ceil(most / 4)
        assert.ok(bytes.equals(DIGITS.subarray(0, first)))
        const end = DIGITS.subarray(DIGITS.length - (most - first))
        assert.ok((newest ?? Buffer.alloc(0)).equals(end), `${most}`)
      }
    })

  it('goes on with its newest where there is no more room', () => {
    const copy = new BodyCopy(100)
    copy.push(DIGITS.subarray(0, 60))
    copy.seal()
    copy.push(DIGITS.subarray(60, 65))
    const { bytes, newest } = copy.kept()
    assert.equal(bytes.toString(), '0123456789012345678901234')
    assert.ok(newest?.equals(DIGITS.subarray(30, 65)))
  })
})

describe('pieces', () => {
  it('are few, however small they come', () => {
    const pieces = new Pieces()
    for (const piece of piecesOf(DIGITS, [1])) pieces.push(piece)
    assert.ok(Buffer.concat(pieces.list).equals(DIGITS))
    // A piece for some thousand bytes, and not one a byte.
    assert.ok(pieces.list.length < DIGITS.length / 2048, `${pieces.list.length}`)
  })
})
