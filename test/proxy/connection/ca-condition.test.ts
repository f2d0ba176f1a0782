/** The CA out of its time, on the wire: everything passes untouched, and it is told. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import type { Log } from '../../../src/core/log.js'
import { silentLog } from '../../../src/core/log.js'
import { takeRootKeyAway } from '../../../ca/manage.js'
import { curl } from '../../support/programs.js'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin } from '../../support/origins.js'
import { certificate, disposable, NAME, originCa } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

interface Told {
  readonly level: 'warn' | 'error'
  readonly text: string
}

function logInto(told: Told[]): Log {
  const to =
    (level: Told['level']) =>
    (fields: object, message: string): void =>
      void told.push({ level, text: `${message} ${JSON.stringify(fields)}` })
  return { ...silentLog, warn: to('warn'), error: to('error') }
}

interface Health {
  readonly status: string
  readonly ca: string
}

/** By a connection of its own: a clock that jumps ends those that wait. */
const fetchNew = (url: string): Promise<Response> =>
  fetch(url, { headers: { connection: 'close' } })

const healthOf = async (yori: Yori): Promise<Health> =>
  (await (await fetchNew(`${yori.url}/health`)).json()) as Health

async function kinds(yori: Yori): Promise<unknown[]> {
  const rows = await yori.rows('audit_log')
  return rows
    .map((row) => row['event_type'])
    .filter((kind) => String(kind).startsWith('ca-'))
}

describe('a CA out of its time', () => {
  for (const [what, byMs, reason] of [
    ['expired', 20 * 365 * DAY_MS, /expired at/],
    ['not valid yet, by a clock that was set back,', -3 * DAY_MS, /clock is before/],
  ] as const) {
    it(`that is ${what} lets every name pass untouched, and says so`, async () => {
      const clock = new ManualClock(Date.now())
      const told: Told[] = []
      await using origin = await startOrigin({ certificate })
      const options = { origins: { [NAME]: origin }, trust: [originCa] }
      await using yori = await Yori.start({ ...options, clock, log: logInto(told) })
      {
        using before = disposable(await yori.tls(NAME))
        assert.ok(before.stream.authorized)
      }
      assert.deepEqual(await healthOf(yori), { ...(await healthOf(yori)), ca: 'good' })

      clock.advance(byMs)
      yori.appliance.tick()
      {
        using after = disposable(await yori.tls(NAME, { ca: originCa.certificatePem }))
        const shown = after.stream.getPeerX509Certificate()
        const expected = new X509Certificate(certificate.certificatePem)
        assert.equal(shown?.fingerprint256, expected.fingerprint256)
      }
      const health = await healthOf(yori)
      assert.deepEqual([health.status, health.ca], ['degraded', 'unusable'])
      assert.match(await (await fetchNew(`${yori.url}/`)).text(), /nothing to test now/)
      const [error, ...more] = told.filter(({ level }) => level === 'error')
      assert.match(error?.text ?? '', reason)
      assert.deepEqual(more, [])
      assert.deepEqual(await kinds(yori), ['ca-unusable'])

      clock.advance(-byMs)
      yori.appliance.tick()
      assert.equal((await healthOf(yori)).status, 'healthy')
      assert.deepEqual(await kinds(yori), ['ca-unusable', 'ca-usable'])
    })
  }

  it('starts all the same, and tunnels', async () => {
    const clock = new ManualClock(Date.now() - 30 * DAY_MS)
    await using origin = await startOrigin({ certificate })
    const options = { origins: { [NAME]: origin }, trust: [originCa] }
    await using yori = await Yori.start({ ...options, clock })
    await yori.appliance.stop()
    clock.advance(20 * 365 * DAY_MS)
    await using again = await yori.restart()
    using socket = disposable(await again.tls(NAME, { ca: originCa.certificatePem }))
    assert.ok(socket.stream.authorized)
  })

  it('asks for a rotation when it cannot renew itself, and works on', async () => {
    const clock = new ManualClock(Date.now())
    const told: Told[] = []
    await using yori = await Yori.start({ clock, log: logInto(told) })
    const { directory } = yori.appliance.current.config.ca
    await removeRootKeyOf(directory, clock)
    await yori.appliance.current.authority.reread()
    clock.advance(300 * DAY_MS)
    yori.appliance.tick()
    const health = await healthOf(yori)
    assert.deepEqual([health.status, health.ca], ['healthy', 'renewal-due'])
    assert.match(told.map(({ text }) => text).join(), /due for renewal.*--root-key FILE/)
    assert.deepEqual((await kinds(yori)).at(-1), 'ca-renewal-due')
    const tellings = told.length
    yori.appliance.tick()
    assert.equal(told.length, tellings)
    clock.advance(HOUR_MS)
    yori.appliance.tick()
    assert.equal(told.length, tellings + 1)
  })
})

describe('a clock an hour off', () => {
  for (const [how, byMs] of [
    ['ahead', 59 * 60_000],
    ['behind', -59 * 60_000],
  ] as const) {
    it(`${how} costs no connection: clients with the right time believe the leaf`, async () => {
      await using origin = await startOrigin({ certificate })
      const options = { origins: { [NAME]: origin }, trust: [originCa] }
      await using yori = await Yori.start({
        ...options,
        clock: new ManualClock(Date.now() + byMs),
      })
      const ran = await curl([
        ...['--proxy', yori.url, '--cacert', yori.rootFile],
        `https://${NAME}/v1/models`,
      ])
      assert.equal(ran.stdout.toString(), 'ok', ran.stderr)
    })
  }

  it('after the CA was made by the right one leaves it usable', async () => {
    const clock = new ManualClock(Date.now())
    await using yori = await Yori.start({ clock })
    const { authority } = yori.appliance.current
    for (const ms of [-HOUR_MS, HOUR_MS])
      assert.equal(authority.usable(clock.now() + ms).kind, 'usable')
  })
})

/** As `yori ca export --root-key --remove` does, but for the copy. */
async function removeRootKeyOf(directory: string, clock: ManualClock): Promise<void> {
  await takeRootKeyAway({ directory, issuedNames: [NAME, 'localhost'], clock })
}
