/** Days of a household far from UTC, as the control plane counts them, through a change of its zone. */
import assert from 'node:assert/strict'
import { Simulator } from '../../tools/sim/simulator.js'
import { Controlled } from '../support/control.js'
import { until } from '../support/proxied.js'
import { openaiSdk } from '../support/sdk.js'

interface Told {
  readonly since: string
  readonly timezone: string
  readonly all: { readonly total: number; readonly inspected: number }
  readonly otherZones: readonly string[]
}

/** Today of a zone, by the letters of another locale than the code reads. */
const todayIn = (timeZone: string): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(Date.now())

describe('coverage of a household far from UTC', () => {
  it('is of its own day, in overview, coverage and report', async () => {
    // One of both has another date than UTC, whenever it is.
    const zone =
      todayIn('Pacific/Kiritimati') === todayIn('UTC')
        ? 'Etc/GMT+12'
        : 'Pacific/Kiritimati'
    assert.notEqual(todayIn(zone), todayIn('UTC'))
    await using simulator = await Simulator.start()
    await using on = await Controlled.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      config: { enforcement: { timezone: zone } },
    })
    await openaiSdk({ dispatcher: on.yori.dispatcher() }).models.list()
    await on.yori.closeClients()
    await until(async () => (await on.yori.rows('connections')).length >= 1)
    const told = async (path: string): Promise<Told> => {
      const { status, body, text } = await on.ask(path)
      assert.equal(status, 200, text)
      return body as Told
    }
    const today = await told('/api/coverage?days=1')
    assert.deepEqual([today.since, today.timezone], [todayIn(zone), zone])
    assert.deepEqual([today.all.total, today.all.inspected], [1, 1])
    assert.deepEqual(today.otherZones, [])
    const { coverage } = (await told('/api/overview')) as unknown as { coverage: Told }
    assert.deepEqual([coverage.since, coverage.timezone], [todayIn(zone), zone])
    assert.equal(coverage.all.total, 1)
    const { notSeen } = (await told(`/api/report?since=${todayIn(zone)}`)) as unknown as {
      notSeen: { since: string; connections: number }
    }
    assert.deepEqual([notSeen.since, notSeen.connections], [todayIn(zone), 1])

    const other = zone === 'Etc/GMT+12' ? 'Etc/GMT+11' : 'Pacific/Auckland'
    const { config } = on.yori.appliance.current
    await on.yori.appliance.reload({
      ...config,
      enforcement: { ...config.enforcement, timezone: other },
    })
    await openaiSdk({ dispatcher: on.yori.dispatcher() }).models.list()
    await on.yori.closeClients()
    await until(async () => (await on.yori.rows('connections')).length >= 2)
    const both = await told('/api/coverage?days=3')
    assert.equal(both.timezone, other)
    assert.deepEqual(both.otherZones, [zone])
  })
})
