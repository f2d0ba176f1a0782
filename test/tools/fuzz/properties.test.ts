import assert from 'node:assert/strict'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { packageFile } from '../../../src/core/package-root.js'
import { fuzzProperties } from '../../../tools/fuzz/properties.js'
import { tempFolder } from '../../support/temp-folder.js'

/** Holds for the suite's seed; with others it does not. */
function fixture(failed: readonly number[] = []): string {
  const url = (...parts: string[]): string =>
    JSON.stringify(pathToFileURL(packageFile(...parts)))
  return `
    import fc from ${url('node_modules', 'fast-check', 'lib', 'fast-check.js')}
    import { holds } from ${url('dist', 'test', 'support', 'property.js')}
    holds('a rare one', fc.property(fc.integer({ min: 0, max: 1_999 }), (n) => n !== 1_471), {
      runs: 100, failed: ${JSON.stringify(failed)},
    })`
}

describe('fuzzing properties', () => {
  it('runs them with one seed after the other, and names the one that broke', async () => {
    await using folder = await tempFolder()
    const file = folder.file('rare.mjs')
    writeFileSync(file, fixture())
    let printed = ''
    const print = (text: string): void => void (printed += text)
    let rounds = 0
    const done = (): boolean => ++rounds === 200
    assert.equal(fuzzProperties({ seed: 1, files: [file], done, print }), false)
    const broke = /^broke: with seed (\d+);/m.exec(printed)?.[1]
    assert.match(printed, /1471/)

    // The same seed breaks again, and no other round is begun.
    const again = { seed: Number(broke), files: [file], print }
    assert.equal(fuzzProperties({ ...again, done: () => true }), false)
  })

  it('gives the suite the same inputs each time', () => {
    const sources = readdirSync(packageFile('test'), {
      recursive: true,
      encoding: 'utf8',
    })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [name, readFileSync(packageFile('test', name), 'utf8')] as const)
    assert.ok(sources.length > 100)
    const byChance =
      /\bfc\.(?:assert|check|sample)\((?!.*\bseed\b)|\bMath\.random\(|\brandomBytes\(\d/
    // A serial number of a certificate must be one's own.
    const ours = new Set([
      'support/property.ts',
      'support/test-ca.ts',
      'tools/fuzz/properties.test.ts',
    ])
    const found = sources.filter(([name, text]) => !ours.has(name) && byChance.test(text))
    assert.deepEqual(
      found.map(([name]) => name),
      [],
    )
  })
})
