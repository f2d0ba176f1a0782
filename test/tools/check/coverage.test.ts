import assert from 'node:assert/strict'
import { holdsTypesOnly } from '../../../tools/check/coverage.js'

describe('tools/check/coverage', () => {
  it('tells modules of types from modules of code', () => {
    assert.ok(holdsTypesOnly('export {};\n//# sourceMappingURL=a.js.map'))
    assert.ok(holdsTypesOnly('/**\n * Words.\n */\nexport {};\n'))
    assert.equal(holdsTypesOnly('export const a = 1;\nexport {};'), false)
    assert.equal(holdsTypesOnly("import './a.js';\nexport {};"), false)
  })
})
