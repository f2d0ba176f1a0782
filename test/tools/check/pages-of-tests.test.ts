/** Pages that say which test holds what: each of the tests exists. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { packageFile } from '../../../src/core/package-root.js'

const PAGES = [
  { page: 'WAYS-ROUND.md', least: 18 },
  { page: 'HARMLESS.md', least: 40 },
]

for (const { page, least } of PAGES)
  describe(`the page ${page}`, () => {
    const text = readFileSync(packageFile('docs', page), 'utf8')
    const lines = text.split('\n')
    const from = lines.findIndex((line) => line.startsWith('| ')) + 2
    const table = lines.slice(from, lines.indexOf('', from))
    const rows = table.map((line) => /^\| .* \| `([^`]+)` \| `([^`]+)` \|$/.exec(line))

    it('lists them', () => {
      assert.ok(rows.length >= least)
      assert.deepEqual(
        table.filter((_line, i) => rows[i] === null),
        [],
      )
    })

    for (const row of rows) {
      const [, file = '', title = ''] = row ?? []
      it(`names a test that is there: ${file}, ${title}`, () => {
        const test = readFileSync(packageFile(...file.split('/')), 'utf8')
        assert.ok(test.includes(title))
      })
    }

    it('names commands that are there', () => {
      for (const [, file = ''] of text.matchAll(/node (?:--\S+ )*(dist\/\S+\.js)/g))
        assert.ok(readFileSync(packageFile(...file.split('/'))).length > 0)
    })
  })
