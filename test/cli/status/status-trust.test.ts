import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { stageNewRoot } from '../../../ca/manage.js'
import type { Config } from '../../../config/schema.js'
import { describeDevice } from '../../../src/household/people.js'
import { caSettingsOf } from '../../../src/assembly/from-config/ca.js'
import { caSection } from '../../../src/cli/status/status-ca.js'
import { trustSection } from '../../../src/cli/status/status-trust.js'
import { systemClock } from '../../../src/core/clock.js'
import type { TrustEntry } from '../../../src/core/trust.js'
import { readTrust, trustPath, writeTrust } from '../../../src/net/trust-file.js'
import { TrustLedger } from '../../../src/learned/trust-ledger.js'
import { Deadlines } from '../../../src/net/deadlines.js'
import { silentLog } from '../../../src/core/log.js'
import { ManualClock } from '../../support/manual-clock.js'
import { tempFolder } from '../../support/temp-folder.js'
import { Yori } from '../../support/yori.js'

const AT = Date.UTC(2026, 10, 20, 12)

const sourcesOf = (config: Config) => ({ config, clock: systemClock, days: 7 })

describe('yori status on the CA', () => {
  it('tells of a CA that is usable, staged, or not there', async () => {
    await using yori = await Yori.start()
    const { config, authority } = yori.appliance.current
    const good = await caSection.read(sourcesOf(config))
    assert.equal(good.level, 'good')
    assert.match(good.lines.join('\n'), /^usable; \d+ names/)
    assert.ok(good.lines.some((line) => line.includes(authority.rootFingerprint)))
    const late = { now: () => Date.now() + 20 * 365 * 86_400_000, monotonic: () => 0 }
    const bad = await caSection.read({ ...sourcesOf(config), clock: late })
    assert.deepEqual([bad.level, /expired/.test(bad.lines[0] ?? '')], ['bad', true])
    const ca = { ...config.ca, directory: yori.folder.file('none') }
    const none = await caSection.read(sourcesOf({ ...config, ca }))
    assert.equal(none.level, 'notice')
  })
})

describe('yori status on who trusts us', () => {
  it('lists each device, its last success and its last refusal with the cause', async () => {
    await using yori = await Yori.start({
      config: { enforcement: { timezone: 'Europe/Berlin' } },
    })
    const { config, authority } = yori.appliance.current
    const root = authority.rootFingerprint
    const entries: TrustEntry[] = [
      {
        device: 'a4:83:e7:00:11:22',
        ip: '10.0.0.5',
        hostname: 'phone',
        root,
        trustedAt: AT,
        trustedName: 'api.openai.com',
      },
      {
        device: '10.0.0.6',
        ip: '10.0.0.6',
        hostname: 'evil\u001b[2J',
        root,
        refusedAt: AT,
        refusedName: 'api.openai.com',
        refusedCause: 'unknown_ca',
      },
      { device: '10.0.0.7', ip: '10.0.0.7', root: 'AA:BB', trustedAt: AT },
    ]
    await writeTrust(trustPath(config.state_dir), entries)
    const { level, lines, facts } = await trustSection.read(sourcesOf(config))
    const text = lines.join('\n')
    const mac = 'a4:83:e7:00:11:22'
    await yori.appliance.policyState.change((database) => {
      const author = { by: 'test', nowMs: AT }
      return describeDevice(database, { mac }, { name: "Mia's" }, author)
    })
    const again = await trustSection.read(sourcesOf(config))
    assert.match(again.lines.join('\n'), /Mia's \(a4:83:e7:00:11:22\) /)
    assert.equal(level, 'notice')
    assert.match(
      text,
      /phone \(a4:83:e7:00:11:22\) +2026-11-20 13:00 GMT\+1 api\.openai\.com +-/,
    )
    assert.match(
      text,
      /10\.0\.0\.6\) +- +2026-11-20 13:00 GMT\+1 api\.openai\.com +unknown_ca/,
    )
    assert.doesNotMatch(text, /\u001b|10\.0\.0\.7/)
    assert.equal((facts as { devices: unknown[] }).devices.length, 2)
  })

  it('lists who is not ready for a staged root', async () => {
    await using yori = await Yori.start()
    const { config, authority } = yori.appliance.current
    const root = authority.rootFingerprint
    const settings = { ...caSettingsOf(config), clock: systemClock }
    const next = (await stageNewRoot(settings)).next?.x509.fingerprint256 ?? ''
    const one = (device: string, under: string): TrustEntry => ({
      device,
      ip: device,
      root: under,
      trustedAt: AT,
    })
    const entries = [one('10.0.0.5', root), one('10.0.0.6', root), one('10.0.0.5', next)]
    const refused = { ...one('10.0.0.6', next), refusedAt: AT + 1 }
    await writeTrust(trustPath(config.state_dir), [...entries, refused])
    const { lines, facts } = await trustSection.read(sourcesOf(config))
    assert.deepEqual((facts as { notReady: unknown }).notReady, ['10.0.0.6'])
    assert.match(lines.join('\n'), /1 ready, 1 not\nnot ready: 10\.0\.0\.6/)
  })
})

describe('the ledger of who trusts us', () => {
  it('is kept over a restart, bounded, and survives a damaged file', async () => {
    await using folder = await tempFolder()
    const path = trustPath(folder.path)
    const clock = new ManualClock(AT)
    const open = async (): Promise<TrustLedger> => {
      const deadlines = new Deadlines(clock)
      const ledger = new TrustLedger({ path, clock, deadlines, log: silentLog })
      await ledger.start()
      return ledger
    }
    const first = await open()
    for (let i = 0; i < 3_000; i++)
      first.accepted({ ip: `10.0.${i >> 8}.${i & 255}` }, 'api.openai.com', 'AA')
    first.refused({ ip: '10.9.9.9' }, 'x.test', { root: 'AA', cause: 'unknown_ca' })
    await first.stop()
    const second = await open()
    const entries = second.entries()
    assert.equal(entries.length, 1_024)
    assert.deepEqual(entries[0], {
      device: '10.9.9.9',
      ip: '10.9.9.9',
      root: 'AA',
      refusedAt: AT,
      refusedName: 'x.test',
      refusedCause: 'unknown_ca',
    })
    await second.stop()
    for (const text of ['', '{', '[1, null, {}]', '{"a":1}']) {
      await writeFile(path, text)
      assert.deepEqual(await readTrust(path), [])
    }
  })

  it('writes a success down again only after a while, or after a refusal', async () => {
    await using folder = await tempFolder()
    const clock = new ManualClock(AT)
    const deadlines = new Deadlines(clock)
    const path = trustPath(folder.path)
    const ledger = new TrustLedger({ path, clock, deadlines, log: silentLog })
    const device = { ip: '10.0.0.5' }
    const at = (): number | undefined => ledger.entries()[0]?.trustedAt
    ledger.accepted(device, 'a.test', 'AA')
    clock.advance(60_000)
    ledger.accepted(device, 'a.test', 'AA')
    assert.equal(at(), AT)
    ledger.refused(device, 'a.test', { root: 'AA', cause: 'unknown_ca' })
    ledger.accepted(device, 'a.test', 'AA')
    assert.equal(at(), AT + 60_000)
    clock.advance(600_000)
    ledger.accepted(device, 'a.test', 'AA')
    assert.equal(at(), AT + 660_000)
  })
})
