import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { REMEDIES } from '../../src/core/remedies.js'
import { configurationPage } from '../../tools/dev/configuration-page.js'
import { errorsPage } from '../../tools/dev/errors-page.js'

const page = (...parts: string[]): string => readFileSync(packageFile(...parts), 'utf8')

describe('the pages made from the code', () => {
  it('docs/CONFIGURATION.md says what the schema says', () => {
    assert.equal(page('docs', 'CONFIGURATION.md'), configurationPage())
  })

  it('docs/ERRORS.md says what the catalogue says, and what to do about it', () => {
    assert.equal(page('docs', 'ERRORS.md'), errorsPage())
  })

  it('what is to be done about a code names keys of the configuration that there are', () => {
    const keys = new Set(
      [...configurationPage().matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key),
    )
    const told = Object.values(REMEDIES).map((remedy) => `${remedy.look} ${remedy.do}`)
    const named = [...told.join('\n').matchAll(/`((?:\w+\.)+\w+)`/g)]
    assert.ok(named.length > 10)
    assert.deepEqual(
      named.map(([, key]) => key ?? '').filter((key) => !keys.has(key)),
      [],
    )
  })

  it('CONTRIBUTING.md names scripts that there are', () => {
    const { scripts } = JSON.parse(page('package.json')) as {
      scripts: Record<string, string>
    }
    for (const [, name = ''] of page('CONTRIBUTING.md').matchAll(/npm run ([\w:-]+)/g))
      assert.ok(name in scripts, name)
  })
})
