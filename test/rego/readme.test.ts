import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { builtins, unsupported } from '../../src/rego/builtins/index.js'
import { compileModules, toJson } from '../../src/rego/index.js'

const readme = readFileSync(packageFile('src', 'rego', 'README.md'), 'utf8')
const [supported = '', rest = ''] = readme.split('Not supported: ')

/** What operators and the language itself stand for is not called by name. */
const UNNAMED = new Set(
  'equal neq lt lte gt gte plus minus mul div rem and or'.split(' '),
)

describe('The README of Rego', () => {
  it('names every built-in that is supported', () => {
    const missing = builtins
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('internal.') && !UNNAMED.has(name))
      .filter((name) => !supported.includes(`\`${name}\``))
    assert.deepEqual(missing, [])
  })

  it('names every built-in that is not', () => {
    const missing = unsupported
      .filter((name) => !name.startsWith('internal.'))
      .filter((name) => !rest.includes(`\`${name}\``))
    assert.deepEqual(missing, [])
  })

  it('shows an example that runs', () => {
    const text =
      'package home\ndeny contains msg if { input.hour >= 21; msg := $"{input.hour}h is late" }'
    assert.ok(readme.includes(JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')))
    const compiled = compileModules([{ name: 'home.rego', text }])
    assert.equal(compiled.kind, 'ok')
    const result = compiled.policy.prepareQuery('data.home.deny')({ hour: 22 })
    assert.deepEqual(result.kind === 'value' ? toJson(result.value) : result, [
      '22h is late',
    ])
  })
})
