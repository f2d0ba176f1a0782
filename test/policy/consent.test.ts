import assert from 'node:assert/strict'
import { consentProblem, mayBlock } from '../../src/policy/consent.js'
import type { Mode } from '../../src/policy/consent.js'

const table: readonly [Mode, boolean, boolean, boolean, string | undefined][] = [
  ['observe', false, false, false, undefined],
  ['observe', true, false, false, 'enforcement_enabled_without_consent'],
  ['observe', true, true, false, undefined],
  ['advisory', false, false, false, undefined],
  ['advisory', true, false, false, 'enforcement_enabled_without_consent'],
  ['advisory', true, true, false, undefined],
  ['enforce', false, false, false, 'mode_enforce_without_consent'],
  ['enforce', false, true, false, undefined],
  ['enforce', true, false, false, 'consent_not_accepted'],
  ['enforce', true, true, true, undefined],
]

describe('consent', () => {
  for (const [mode, enabled, consentAccepted, blocks, code] of table) {
    const switches = { mode, enabled, consentAccepted }
    it(`for ${JSON.stringify(switches)} is ${code ?? 'no matter'}`, () => {
      assert.equal(mayBlock(switches), blocks)
      assert.equal(consentProblem(switches), code)
    })
  }
})
