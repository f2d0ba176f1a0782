import assert from 'node:assert/strict'
import { approvalCode, readApprovalCode } from '../../src/policy/approval.js'

describe('the code of a blocked request', () => {
  it('is short, the same for the same request, and read as people type it', () => {
    const code = approvalCode('01a1f8fb-a54c-7558-bf69-d6a6b7006a67')
    assert.match(code, /^[0-9A-HJKMNP-TV-Z]{3}-[0-9A-HJKMNP-TV-Z]{3}$/)
    assert.equal(approvalCode('01a1f8fb-a54c-7558-bf69-d6a6b7006a67'), code)
    assert.notEqual(approvalCode('01a1f8fb-a54c-7558-bf69-d6a6b7006a68'), code)
    assert.equal(readApprovalCode(code.toLowerCase()), code)
    assert.equal(readApprovalCode(` ${code.replace('-', ' ')} `), code)
    assert.equal(readApprovalCode('oil-o1l'), '011-011')
    assert.equal(readApprovalCode('12345'), undefined)
    assert.equal(readApprovalCode('12345U'), undefined)
  })
})
