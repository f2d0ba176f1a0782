import assert from 'node:assert/strict'
import { codeOf, describeError, errorCodes, YoriError } from '../../src/core/errors.js'

describe('the catalogue of errors', () => {
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
