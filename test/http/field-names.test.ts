import assert from 'node:assert/strict'
import { inLowerCase, MAX_NAMES } from '../../src/http/field-names.js'

describe('names of fields', () => {
  it('are in lower case, however they are spelled and however often', () => {
    for (const name of ['Content-Type', 'cOnTeNt-TyPe', 'content-type', 'X-Unheard-Of'])
      for (let i = 0; i < 2; i++) assert.equal(inLowerCase(name), name.toLowerCase())
  })

  it('are the same when there are more than are kept, and longer than those', () => {
    const many = Array.from({ length: 2 * MAX_NAMES }, (_, i) => `X-Many-${i}`)
    for (const name of [...many, ...many, 'X-'.repeat(500)])
      assert.equal(inLowerCase(name), name.toLowerCase())
  })
})
