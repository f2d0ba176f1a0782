import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { errorCodes } from '../../src/core/errors.js'
import { packageFile } from '../../src/core/package-root.js'
import { configurationPage } from '../../tools/dev/configuration-page.js'

const page = (...parts: string[]): string => readFileSync(packageFile(...parts), 'utf8')

describe('the pages made from the code', () => {
  it('docs/CONFIGURATION.md says what the schema says', () => {
    assert.equal(page('docs', 'CONFIGURATION.md'), configurationPage())
  })

  it('docs/RUNBOOK.md says what to do about every code, each once', () => {
    const rows = [...page('docs', 'RUNBOOK.md').matchAll(/^\| `(YORI_\w+)` \|/gm)]
    assert.deepEqual(rows.map(([, code]) => code).sort(), [...errorCodes].sort())
  })

  it('docs/RUNBOOK.md names keys of the configuration that there are', () => {
    const keys = new Set(
      [...configurationPage().matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key),
    )
    const [codes = ''] = page('docs', 'RUNBOOK.md').split('## Events')
    const named = [...codes.matchAll(/`((?:\w+\.)+\w+)`/g)]
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
