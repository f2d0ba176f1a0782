import assert from 'node:assert/strict'
import { coverageGaps } from '../../../tools/check/coverage-gaps.js'
import { holdsTypesOnly } from '../../../tools/check/coverage.js'

describe('tools/check/coverage', () => {
  it('tells modules of types from modules of code', () => {
    assert.ok(holdsTypesOnly('export {};\n//# sourceMappingURL=a.js.map'))
    assert.ok(holdsTypesOnly('/**\n * Words.\n */\nexport {};\n'))
    assert.equal(holdsTypesOnly('export const a = 1;\nexport {};'), false)
    assert.equal(holdsTypesOnly("import './a.js';\nexport {};"), false)
  })

  it('lists the files with the most untouched lines first', () => {
    const section = (file: string, lines: number, hit: number): string =>
      `SF:${file}\nDA:1,1\nLF:${lines}\nLH:${hit}\nend_of_record\n`
    const lcov = section('a.ts', 10, 9) + section('b.ts', 20, 20) + section('c.ts', 9, 2)
    assert.deepEqual(coverageGaps(lcov), [
      { file: 'c.ts', missing: 7, lines: 9 },
      { file: 'a.ts', missing: 1, lines: 10 },
    ])
  })
})
