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
  it('rests each 8 KiB of each way through it, whatever stands there', () => {
    for (const text of ['4111 1111 ', 'T3BlbkFJ', 'fe80::', 'http://a:b@c '])
      assert.ok(rests(lookedAt(repeated(text), detector)) >= (2 * MIB) / (8 * 1024), text)
    // What is folded is shorter then.
    for (const text of ['e\u0301', 'a\u200b', '\u{e0041}'])
      assert.ok(rests(lookedAt(repeated(text), detector)) >= MIB / (8 * 1024), text)
  })

  it('finds what nobody sees on both sides of where it rested', () => {
    const run = '\u{e0041}\u{e0042}\u{e0043}\u{e0044}'
    for (const at of [65_530, 65_533, 65_536, 65_537, 131_070]) {
      const text = `${'x'.repeat(at - 3)} ${run} and on`
      const found = atOnce(lookedAt(text, detector))
      const unseen = found.filter(({ kind }) => kind === 'INVISIBLE_TEXT')
      assert.deepEqual(
        unseen.map(({ start, end }) => text.slice(start, end)),
        [run],
        String(at),
      )
    }
  })

  it('tells no more of one kind than a bound, and of the others all the same', () => {
    const mails = repeated('kim@example.org, ')
    const found = atOnce(lookedAt(`${mails} 4111 1111 1111 1111`, detector))
    const kinds = found.map(({ kind }) => kind)
    assert.equal(kinds.filter((kind) => kind === 'EMAIL_ADDRESS').length, MAX_OF_KIND)
    assert.equal(kinds.at(-1), 'CREDIT_CARD')
  })

  it('finds a value at the end of a long run of others, and a link behind ones without end', () => {
    const key = 'k3Jd82Hsq9ZxQw7Lm1Pv'
    const fields = Array.from({ length: 2000 }, (_none, i) => `token_${i}=v${i}`)
    const query = atOnce(lookedAt(`${fields.join('&')}&api_key=${key}`, detector))
    assert.deepEqual(
      query.map(({ kind }) => kind),
      ['SECRET'],
    )
    const link = '![a](https://a.example/?q=what+you+said+to+me)'
    const open = atOnce(lookedAt(`${repeated('[a](https://', 9000)} ${link}`, detector))
    assert.deepEqual(
      open.map(({ kind }) => kind),
      ['EXFILTRATION'],
    )
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
