/**
 * Who reaches what on a router, without steering and with each form of it, as docs/ROUTER.md has
 * it in its table: the usual part of the lab is run again here, `npm run lab` runs all of it.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { rows } from '../../tools/lab/rows.js'
import { runLab } from '../../tools/lab/run.js'
import { keyOf, wordsIn } from '../../tools/lab/table.js'
import { NAMESPACES, needs } from '../support/needs.js'

const page = (): string => readFileSync(packageFile('docs', 'ROUTER.md'), 'utf8')

/** The others repeat them on another network, or for another device of it. */
const CENTRAL: ReadonlySet<string> = new Set([
  'laptop',
  'six',
  'tablet',
  'guest',
  'internet',
])

describe('the table of who reaches what', () => {
  it('has every row, equal in all columns but for LLM traffic and our own port', () => {
    const told = wordsIn(page())
    assert.deepEqual([...told.keys()].sort(), rows().map(keyOf).sort())
    for (const row of rows()) {
      const words = told.get(keyOf(row)) ?? []
      assert.equal(words.length, 3)
      if (!row.mayDiffer) assert.equal(new Set(words).size, 1, keyOf(row))
    }
  })

  it('is what clients see', async function () {
    needs(this, ...NAMESPACES)
    const told = wordsIn(page())
    const outcomes = await runLab({
      only: ({ machine, during }) => CENTRAL.has(machine) && during === 'usual',
    })
    const seen = outcomes.map(({ row, words }) => [keyOf(row), words] as const)
    const expected = seen.map(([key]) => [key, told.get(key)] as const)
    assert.ok(seen.length > 100, String(seen.length))
    assert.deepEqual(seen, expected)
  })
})
