import assert from 'node:assert/strict'
import { loadRules } from '../../config/read-detect.js'
import { atOnce } from '../../src/core/resting.js'
import type { Resting } from '../../src/core/resting.js'
import { MAX_OF_KIND } from '../../src/detect/detector.js'
import { foldingWithPlaces, foldedWithPlaces } from '../../src/detect/fold-places.js'
import { folded } from '../../src/detect/fold.js'
import { lookedAt } from '../../src/detect/look.js'

const loaded = loadRules()
assert.ok(loaded.kind === 'ok')
const { detector } = loaded

const MIB = 1024 * 1024

function repeated(text: string, size = MIB): string {
  return text.repeat(Math.ceil(size / text.length)).slice(0, size)
}

/** Turns in which it rested. */
function rests(work: Resting<unknown>): number {
  for (let count = 0; ; count++) if (work.next().done === true) return count
}

describe('what looking at a text may take', () => {
  it('rests at least each 36 KiB, whatever stands there', () => {
    for (const text of ['4111 1111 ', 'T3BlbkFJ', 'e\u0301', 'a\u200b', '\u{e0041}'])
      assert.ok(rests(lookedAt(repeated(text), detector)) >= MIB / (36 * 1024), text)
  })

  it('tells no more of one kind than a bound, and of the others all the same', () => {
    const mails = repeated('kim@example.org, ')
    const found = atOnce(lookedAt(`${mails} 4111 1111 1111 1111`, detector))
    const kinds = found.map(({ kind }) => kind)
    assert.equal(kinds.filter((kind) => kind === 'EMAIL_ADDRESS').length, MAX_OF_KIND)
    assert.equal(kinds.at(-1), 'CREDIT_CARD')
  })

  it('finds no words in what looks like base64 and decodes to letters in one row', () => {
    // `T3BlbkFJ` is "OpenAI": base64 of it over and over is one long word.
    assert.deepEqual(atOnce(lookedAt(repeated('T3BlbkFJ'), detector)), [])
  })

  it('folds in slices to what is folded at once, at the same places', () => {
    const parts = [
      'card ４１１１',
      'e\u0301',
      '\u{e0042}',
      '👨\u200d👩',
      'plain',
      'ﬁne',
      '\u200b',
    ]
    const text = repeated(parts.join(' '), 64 * 1024)
    assert.ok(rests(foldingWithPlaces(text)) > 4)
    const places = foldedWithPlaces(text)
    assert.equal(places.text, folded(text))
    for (let at = 0; at < places.text.length; at += 97) {
      const end = Math.min(at + 5, places.text.length)
      const again = folded(text.slice(places.start(at), places.end(end)))
      assert.ok(again.includes(places.text.slice(at, end)), String(at))
    }
  })
})
