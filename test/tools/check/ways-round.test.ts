/** The page about ways round policies: each of its tests exists. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { packageFile } from '../../../src/core/package-root.js'

const page = readFileSync(packageFile('docs', 'WAYS-ROUND.md'), 'utf8')
const rows = [...page.matchAll(/^\| .* \| `([^`]+)` \| `([^`]+)` \|$/gm)]

describe('the page about ways round', () => {
  it('lists them', () => {
    const lines = page.split('\n').filter((line) => line.startsWith('| '))
    assert.equal(rows.length, lines.length - 2)
    assert.ok(rows.length >= 18)
  })

  for (const [, file = '', title = ''] of rows)
    it(`names a test that is there: ${file}, ${title}`, () => {
      const text = readFileSync(packageFile(...file.split('/')), 'utf8')
      assert.ok(text.includes(title))
    })
})
