import assert from 'node:assert/strict'
import { folded } from '../../src/detect/fold.js'
import { foldedWithPlaces } from '../../src/detect/fold-places.js'

const ZWSP = '\u200b'

/** Forms of Unicode's own charts (U+FF00, U+2460, U+FB00, U+1D7CE) and their plain text. */
const FORMS: readonly (readonly [string, string])[] = [
  ['plain ASCII, as it is', 'plain ASCII, as it is'],
  ['４１１１ １１１１', '4111 1111'],
  ['ｋｉｍ＠example.org', 'kim@example.org'],
  ['𝟒𝟏𝟏𝟏', '4111'],
  ['①②③', '123'],
  ['ﬁne ﬂour', 'fine flour'],
  [`car${ZWSP}d`, 'card'],
  [`41\u00ad11${ZWSP}11\u2060\ufeff11`, '41111111'],
  ['a\u202eb', 'ab'],
  ['ca\0r\u0007\u009fd', 'card'],
  ['ca\ud800r\ufffd\ufdd0d', 'card'],
  ['line\r\n\ttab', 'line\r\n\ttab'],
  [`is${ZWSP}4111${ZWSP}${ZWSP}or`, 'is 4111 or'],
  [`is\u00074111`, 'is 4111'],
  [`h4${ZWSP}11`, 'h411'],
  ['e\u0301', '\u00e9'],
  ['\u{e0041}\u{e0042}\u{e0020}\u{e0043}', 'AB C'],
  ['👨\u200d👩', '👨👩'],
  ['日本語', '日本語'],
  ['\u00a0', ' '],
]

describe('a text as it is compared', () => {
  for (const [given, plain] of FORMS)
    it(`is ${JSON.stringify(plain)} of ${JSON.stringify(given)}`, () => {
      assert.equal(folded(given), plain)
      assert.equal(foldedWithPlaces(given).text, plain)
    })

  it('knows the place in the original of what is found in it', () => {
    const text = `my ｃａｒｄ is 4${ZWSP}111 𝟏111 １111 1111, e\u0301tc`
    const places = foldedWithPlaces(text)
    const card = '4111 1111 1111 1111'
    const at = places.text.indexOf(card)
    assert.ok(at > 0)
    const found = text.slice(places.start(at), places.end(at + card.length))
    assert.equal(found, `4${ZWSP}111 𝟏111 １111 1111`)
    assert.equal(places.end(0), 0)
    assert.equal(places.end(places.text.length), text.length)
    assert.equal(places.start(places.text.length), text.length)
  })
})
