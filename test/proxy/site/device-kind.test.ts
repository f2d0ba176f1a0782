import assert from 'node:assert/strict'
import { deviceKindOf } from '../../../src/proxy/site/device-kind.js'
import { stepsFor, TRUST_STEPS } from '../../../src/proxy/site/trust-steps.js'

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)'
/** As browsers send them today; their makers froze most of what is in them. */
const table: readonly (readonly [userAgent: string, kind: string, firefox?: boolean])[] =
  [
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
      'ios',
    ],
    [
      'Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/131.0 Mobile/15E148 Safari/605.1.15',
      'ios',
    ],
    [
      `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/130.0.0.0 Mobile Safari/537.36`,
      'android',
    ],
    [
      'Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0',
      'android',
      true,
    ],
    [
      `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/130.0.0.0 Safari/537.36`,
      'chromeos',
    ],
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0`,
      'windows',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0',
      'windows',
      true,
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
      'macos',
    ],
    [
      'Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0',
      'firefox',
      true,
    ],
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/130.0.0.0 Safari/537.36`, 'linux'],
    [
      'Mozilla/5.0 (X11; FreeBSD amd64; rv:131.0) Gecko/20100101 Firefox/131.0',
      'firefox',
      true,
    ],
    ['curl/8.5.0', 'program'],
    ['python-requests/2.32 Linux', 'program'],
    ['', 'program'],
    [`${'x'.repeat(100_000)} Android`, 'program'],
  ]

describe('the kind of a device', () => {
  for (const [userAgent, kind, firefox = false] of table) {
    it(`is ${kind} for ${userAgent.slice(0, 60)}`, () => {
      assert.deepEqual(deviceKindOf(userAgent), { kind, firefox })
    })
  }

  it('is a program without a User-Agent', () => {
    assert.deepEqual(deviceKindOf(undefined), { kind: 'program', firefox: false })
  })

  it('has steps of its own, each once', () => {
    const kinds = TRUST_STEPS.map(({ kind }) => kind)
    assert.equal(new Set(kinds).size, kinds.length)
    for (const [, kind] of table) assert.equal(stepsFor(kind as 'ios').kind, kind)
  })
})
