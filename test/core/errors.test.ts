import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { codeOf, describeError, errorCodes, YoriError } from '../../src/core/errors.js'
import { packageFile } from '../../src/core/package-root.js'

describe('the catalogue of errors', () => {
  it('stands in the README as it is', () => {
    const readme = readFileSync(packageFile('README.md'), 'utf8')
    const rows = readme
      .split('\n')
      .filter((line) => line.startsWith('| `YORI_'))
      .map((line) =>
        line
          .split('|')
          .map((cell) => cell.trim().replaceAll('`', ''))
          .slice(1, 5),
      )
    const catalogue = errorCodes.map((code) => {
      const { source, status, says } = describeError(code)
      return [code, source, String(status), says]
    })
    assert.deepEqual(rows, catalogue)
  })

  it('gives every code a status of HTTP or 499, and plain words', () => {
    for (const code of errorCodes) {
      const { status, says } = describeError(code)
      assert.ok(status >= 400 && status < 600, code)
      assert.match(says, /^[a-zA-Z].*[^.]$/, code)
    }
  })
})

describe('an error', () => {
  it('has its code; whatever else was thrown is ours', () => {
    assert.equal(codeOf(new YoriError('YORI_MISDIRECTED')), 'YORI_MISDIRECTED')
    assert.equal(codeOf(new TypeError('x')), 'YORI_INTERNAL')
    assert.equal(new YoriError('YORI_MISDIRECTED').status, 421)
  })
})
