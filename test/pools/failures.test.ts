/** What `Retry-After` says, and what may be answered by another provider. */
import assert from 'node:assert/strict'
import { isTargetsFault, mayFallBack, retryAfterMs } from '../../src/pools/failures.js'

const NOW = Date.parse('2026-01-01T00:00:00Z')

describe('a failure at a target', () => {
  it('tells how long to wait: seconds, a date of HTTP, milliseconds', () => {
    const read = (...fields: string[]): number | undefined => retryAfterMs(fields, NOW)
    assert.equal(read('Retry-After', '120'), 120_000)
    // RFC 9110 §5.6.7, the three forms of a date.
    assert.equal(read('retry-after', 'Thu, 01 Jan 2026 00:00:07 GMT'), 7_000)
    assert.equal(read('retry-after', 'Thursday, 01-Jan-26 00:00:07 GMT'), 7_000)
    assert.equal(read('retry-after', 'Thu Jan  1 00:00:07 2026 GMT'), 7_000)
    assert.equal(read('retry-after', 'Wed, 31 Dec 2025 23:00:00 GMT'), 0)
    assert.equal(read('retry-after', '9', 'retry-after-ms', '250'), 250)
    for (const wrong of ['', '-1', '1e9', 'soon', '2026-01-01', '9'.repeat(30)])
      assert.equal(read('retry-after', wrong), undefined, wrong)
    assert.equal(read(), undefined)
  })

  it('lets another provider be asked where this one cannot or will not', () => {
    const status = (code: number): boolean =>
      mayFallBack({ kind: 'status', status: code, retryAfterMs: undefined })
    for (const code of [429, 502, 503, 504, 529]) assert.ok(status(code), `${code}`)
    for (const code of [200, 400, 401, 403, 404, 500]) assert.ok(!status(code), `${code}`)
    assert.ok(mayFallBack({ kind: 'unsent' }))
    // It may have been acted on.
    assert.ok(!mayFallBack({ kind: 'unanswered' }))
    assert.ok(!mayFallBack({ kind: 'cut' }))
  })

  it('counts against the target unless the request is at fault, or its own limit', () => {
    const status = (code: number): boolean =>
      isTargetsFault({ kind: 'status', status: code, retryAfterMs: undefined })
    for (const code of [500, 502, 503, 504, 529]) assert.ok(status(code), `${code}`)
    for (const code of [400, 401, 404, 408, 429]) assert.ok(!status(code), `${code}`)
  })
})
