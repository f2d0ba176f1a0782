/** Which bound a request's body meets first, and how it is told. */
import assert from 'node:assert/strict'
import { bodyBound } from '../../../src/proxy/exchange/request-limits.js'

const MiB = 1024 * 1024
const door = { maxBodyBytes: 100 * MiB }
const endpoint = { domain: 'a.test', enabled: true, route: 'intercept' } as const
const TOO_LARGE = 'YORI_REQUEST_BODY_TOO_LARGE'

describe('the bound of a body', () => {
  for (const [what, about, written, expected] of [
    [
      'intercepted',
      { isIntercepted: true, endpoint, door: undefined },
      undefined,
      undefined,
    ],
    [
      'on the direct way',
      { isIntercepted: false, endpoint, door: undefined },
      undefined,
      { maxBytes: 10 * MiB, code: TOO_LARGE },
    ],
    [
      'at a door',
      { isIntercepted: false, endpoint, door },
      undefined,
      { maxBytes: 100 * MiB, code: 'YORI_NOT_FORWARDED' },
    ],
    [
      'at a door, with max_request_size',
      { isIntercepted: false, endpoint, door },
      MiB,
      { maxBytes: MiB, code: TOO_LARGE },
    ],
    [
      'at a door, with a larger max_request_size',
      { isIntercepted: false, endpoint, door },
      200 * MiB,
      { maxBytes: 100 * MiB, code: 'YORI_NOT_FORWARDED' },
    ],
    [
      'at a door whose endpoint has one',
      { isIntercepted: false, endpoint: { ...endpoint, maxBodyBytes: 5 }, door },
      undefined,
      { maxBytes: 5, code: TOO_LARGE },
    ],
  ] as const)
    it(what, () => {
      const maxRequestBytes = { direct: written ?? 10 * MiB, intercepted: written }
      assert.deepEqual(bodyBound({ maxRequestBytes }, about), expected)
    })
})
