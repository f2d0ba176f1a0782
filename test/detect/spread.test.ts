/** Numbers whose groups stand apart; cards are the published test numbers of their schemes. */
import assert from 'node:assert/strict'
import { folded } from '../../src/detect/fold.js'
import { findPersonal } from '../../src/detect/personal.js'

const kinds = (text: string): readonly string[] =>
  findPersonal(folded(text)).map(({ kind }) => kind)

const APART = {
  'line ends': '\n',
  'line ends of Windows': '\r\n',
  'empty lines': '\n\n',
  'indented lines': '\n  ',
  tabs: '\t',
  'more blanks': '  ',
  'no-break spaces': '\u00a0',
  dots: '.',
  slashes: '/',
  'low lines': '_',
  'dashes with blanks': ' - ',
  'zero-width spaces': '\u200b',
  'soft hyphens': '\u00ad',
}

describe('a number in groups', () => {
  for (const [what, between] of Object.entries(APART))
    it(`is found with ${what} between them`, () => {
      for (const groups of [
        ['4111', '1111', '1111', '1111'],
        ['3782', '822463', '10005'],
        ['6205', '5000', '0000', '0000', '004'],
      ])
        for (const around of ['', ' and so on', '.', '\n12/27\n123'])
          assert.deepEqual(
            kinds(`my card: ${groups.join(between)}${around}`),
            ['credit_card'],
            JSON.stringify(groups),
          )
    })

  it('is found where it stands, to the end', () => {
    const text = 'my card:\n4111\n1111\n1111\n1111\nthanks'
    assert.deepEqual(findPersonal(text), [{ kind: 'credit_card', start: 9, end: 28 }])
  })

  it('of an account is found over lines', () => {
    assert.deepEqual(kinds('DE89\n3704\n0044\n0532\n0130\n00'), ['iban'])
    assert.deepEqual(kinds('GB82\tWEST\t1234\t5698\t7654\t32'), ['iban'])
  })

  it('of social security is found over lines where it is called so', () => {
    assert.deepEqual(kinds('my SSN is\n078\n05\n1120'), ['us_ssn'])
    assert.deepEqual(kinds('512\n20\n4096'), [])
  })

  it('is none in columns and rows of numbers', () => {
    const column = Array.from({ length: 400 }, (_, n) => 4000 + n * 7)
    assert.deepEqual(kinds(column.join('\n')), [])
    assert.deepEqual(kinds(column.map((n) => `  ${n}`).join('\r\n')), [])
    const rows = Array.from({ length: 100 }, (_, row) =>
      column.slice(row * 4, row * 4 + 4).join('\t'),
    )
    assert.deepEqual(kinds(rows.join('\n')), [])
    assert.deepEqual(kinds('1.2.3.4 4111.1111'), ['ip_address'])
  })

  it('is none where a digit is wrong', () => {
    for (const between of Object.values(APART))
      assert.deepEqual(kinds(['4111', '1111', '1111', '1112'].join(between)), [])
  })

  it('is looked for in a time that grows with the length alone', () => {
    const texts = ['1234\n'.repeat(60_000), '4 \t'.repeat(100_000), '12.'.repeat(100_000)]
    for (const text of texts) {
      const from = performance.now()
      findPersonal(text)
      // Some thousand times what it takes; one that grows with the square takes minutes.
      assert.ok(performance.now() - from < 20_000)
    }
  })
})
