/** Apps that will not have our certificate where policies may block, and who is never asked. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { systemClock } from '../../../src/core/clock.js'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin } from '../../support/origins.js'
import { curl } from '../../support/programs.js'
import { certificate, joined, NAME, originCa, until } from '../../support/proxied.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { Yori } from '../../support/yori.js'
import { needs } from '../../support/needs.js'

/** curl: the TLS handshake failed; the certificate did not verify. */
const REFUSED = 35
const UNTRUSTED = 60

async function curlOnce(yori: Yori, trusts: 'origin' | 'yori'): Promise<number> {
  const file = yori.folder.file('origin-root.pem')
  writeFileSync(file, originCa.certificatePem)
  const cacert = trusts === 'yori' ? yori.rootFile : file
  const args = ['--proxy', yori.url, '--cacert', cacert, `https://${NAME}/v1/models`]
  return (await curl(args)).status
}

/** What became of an app without the root that comes twice, on a device that has it or not. */
async function appOf(
  config: Record<string, unknown>,
  device: 'trusts' | 'does not trust' = 'does not trust',
): Promise<{ statuses: number[]; coverage: unknown }> {
  const origin = await startOrigin({ certificate })
  // Time stands still: nothing is tried again meanwhile.
  await using setup = await joined(origin, config, new ManualClock(systemClock.now()))
  const { yori } = setup
  if (device === 'trusts') assert.equal(await curlOnce(yori, 'yori'), 0)
  const statuses = [await curlOnce(yori, 'origin'), await curlOnce(yori, 'origin')]
  const count = device === 'trusts' ? 3 : 2
  await until(async () => (await yori.rows('connections')).length === count)
  return { statuses, coverage: (await yori.rows('connections')).at(-1)?.['coverage'] }
}

const enforcement = { enabled: true, consent_accepted: true }
const blocking = { default: 'default', files: { default: { action: 'block' } } }
const enforce = { mode: 'enforce', enforcement, policies: blocking }

describe('an app that cannot be inspected', () => {
  before(function () {
    needs(this, 'curl')
  })

  it('is refused where a policy may block it', async () => {
    const { statuses, coverage } = await appOf(enforce)
    assert.deepEqual(statuses, [UNTRUSTED, REFUSED])
    assert.equal(coverage, 'refused')
  })

  it('passes where the policies only alert', async () => {
    const policies = { default: 'default', files: { default: { action: 'alert' } } }
    const { statuses, coverage } = await appOf({ ...enforce, policies })
    assert.deepEqual(statuses, [UNTRUSTED, 0])
    assert.equal(coverage, 'tunnel-not-trusted')
  })

  it('passes on a device that an adult has put on the allowlist', async () => {
    const allowlist = { devices: [{ name: 'this one', ip: '127.0.0.1' }] }
    const { statuses, coverage } = await appOf({
      ...enforce,
      enforcement: { ...enforcement, allowlist },
    })
    assert.deepEqual(statuses, [UNTRUSTED, 0])
    assert.equal(coverage, 'tunnel-not-trusted')
  })

  it('passes where the catalogue knows apps that pin, if its device trusts us', async () => {
    await using folder = await tempFolder()
    const file = folder.file('providers.yaml')
    writeFileSync(
      file,
      `providers:\n  - { name: openai, hosts: [${NAME}], pinned_apps: [a phone's] }\n`,
    )
    const config = { ...enforce, catalogue: { file } }
    const pinned = await appOf(config, 'trusts')
    assert.deepEqual(pinned.statuses, [UNTRUSTED, 0])
    assert.equal(pinned.coverage, 'tunnel-pinned')
    // Without the root nothing on the device can be inspected: that is no pinning.
    const untrusting = await appOf(config)
    assert.equal(untrusting.coverage, 'refused')
  })
})

describe('what is never decrypted', () => {
  before(function () {
    needs(this, 'curl')
  })

  for (const [title, intercept, coverage] of [
    ['a name of intercept.never', { never: ['*.openai.com'] }, 'tunnel-never'],
    ['a device by its address', { exempt_devices: ['127.0.0.1'] }, 'tunnel-exempt'],
    ['a device by its prefix', { exempt_devices: ['127.0.0.0/8'] }, 'tunnel-exempt'],
  ] as const) {
    it(`passes with the provider's own certificate: ${title}`, async () => {
      const seen = await appOf({ ...enforce, intercept })
      assert.deepEqual(seen.statuses, [0, 0])
      assert.equal(seen.coverage, coverage)
    })
  }
})
