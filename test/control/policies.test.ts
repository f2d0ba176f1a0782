import assert from 'node:assert/strict'
import { WhatIfJobs } from '../../src/control/what-if-jobs.js'
import type { ExchangeRecord } from '../../src/core/record.js'
import { closed } from '../audit/support.js'
import { Controlled } from '../support/control.js'
import type { Asking } from '../support/control.js'
import { ManualClock } from '../support/manual-clock.js'

const DAY = 86_400_000
const HOUR = DAY / 24
const MIDNIGHT = Math.floor(Date.now() / DAY) * DAY

interface Effect {
  readonly name: string
  readonly enabled: boolean
  readonly block: number
  readonly alert: number
  readonly devices: readonly { readonly name: string; readonly count: number }[]
  readonly examples: readonly string[]
  readonly reason: string | null
}

interface Flips {
  readonly rows: number
  readonly flips: readonly { policy: string; from: string; to: string; count: number }[]
}

describe('what policies would have done', () => {
  let on: Controlled
  before(async () => {
    on = await Controlled.start({
      config: {
        enforcement: { timezone: 'UTC' },
        policies: {
          files: { bedtime: { action: 'alert' }, privacy: { enabled: false } },
        },
      },
    })
    const { audit } = on.yori.appliance
    const add = (
      startedAt: number,
      hostname: string,
      more: Partial<ExchangeRecord> = {},
    ) => {
      const record = closed({
        ...{ requestId: `${hostname}-${startedAt}`, startedAt, call: true },
        device: { ip: '192.0.2.4', hostname },
        ...more,
      })
      audit.exchangeOpened(record)
      audit.exchangeClosed(record)
    }
    for (const minutes of [0, 10, 20])
      add(MIDNIGHT - 2 * HOUR + minutes * 60_000, 'tablet')
    for (const minutes of [0, 10]) add(MIDNIGHT - 12 * HOUR + minutes * 60_000, 'desk')
    add(MIDNIGHT - 20 * DAY - 2 * HOUR, 'tablet')
    await audit.flush()
  })
  after(() => on[Symbol.asyncDispose]())

  const DIFF = '/api/policies/diff'
  /** As whoever waits for it asks. */
  const asked = async (path: string, asking: Asking = {}) => {
    for (;;) {
      const said = await on.ask(path, asking)
      if (said.status !== 202) return said
      const { state, rows_seen: seen } = said.body as { state: string; rows_seen: number }
      assert.equal(state, 'running')
      assert.ok(seen >= 0)
    }
  }

  it('is told of each alone, on or off, and those that ship', async () => {
    const { status, body, text } = await asked(`${DIFF}?days=7`)
    assert.equal(status, 200, text)
    const { rows, policies, problems } = body as {
      rows: number
      policies: readonly Effect[]
      problems: readonly string[]
    }
    assert.equal(rows, 5)
    const bedtime = policies.find(({ name }) => name === 'bedtime')
    const { block, alert, enabled, devices, examples, reason } = bedtime ?? ({} as Effect)
    assert.deepEqual([block, alert, enabled], [3, 0, true])
    assert.deepEqual(devices, [{ name: 'tablet', count: 3 }])
    assert.equal(examples.length, 3)
    assert.equal(reason, 'it is bedtime (21:00 to 06:00)')
    const found = await on.ask(`/api/exchanges/${examples[0] ?? ''}`)
    assert.equal(found.status, 200)
    assert.equal(policies.find(({ name }) => name === 'privacy')?.enabled, false)
    for (const name of ['cost_limit', 'homework_helper', 'tool_guard'])
      assert.ok(
        policies.some((one) => one.name === name) ||
          problems.some((one) => one.includes(name)),
        name,
      )
  })

  it('is told of a change beside what holds now, and over more days', async () => {
    const change = (changes: object) => ({ body: { changes } })
    const later = { action: 'block', params: { start_hour: 12, end_hour: 13 } }
    const month = await asked(`${DIFF}?days=30`, change({ bedtime: later }))
    const { rows, flips: all } = month.body as Flips
    assert.equal(rows, 6)
    const to = Object.fromEntries(all.map(({ to: effect, count }) => [effect, count]))
    assert.deepEqual(to, { allow: 4, block: 2 })
    const { body } = await on.ask('/config')
    const { config } = body as { config: { policies: { files: { bedtime: object } } } }
    assert.equal((config.policies.files.bedtime as { action: string }).action, 'alert')
  })

  it('is refused for what cannot be', async () => {
    const wrong: [number, unknown][] = [
      [400, {}],
      [400, { changes: {} }],
      [400, { changes: { bedtime: 5 } }],
      [400, { changes: { bedtime: { params: 5 } } }],
      [422, { changes: { bedtime: { action: 'stop' } } }],
      [422, { changes: { 'a b': { action: 'block' } } }],
      [422, { changes: { bedtime: { params: { start_hour: 'late' } } } }],
    ]
    for (const [status, body] of wrong) {
      const said = await asked(DIFF, { body })
      assert.equal(said.status, status, `${JSON.stringify(body)} ${said.text}`)
      assert.ok(!said.text.includes('--set'))
    }
    assert.equal((await on.ask(`${DIFF}?days=91`)).status, 400)
  })

  it('is one question at a time, of so many rows, and ends with who asked', async () => {
    const { config } = on.yori.appliance.current
    const clock = new ManualClock(Date.now())
    const jobs = new WhatIfJobs({ clock, patienceMs: 50, mostRows: 2 })
    const one = { config, changed: undefined, days: 30 }
    assert.equal((await jobs.ask(one)).kind, 'running')
    await assert.rejects(jobs.ask({ ...one, days: 29 }), { status: 503 })
    let answer = await jobs.ask(one)
    while (answer.kind === 'running') answer = await jobs.ask(one)
    assert.equal((answer.report as { truncated: boolean }).truncated, true)
    // Kept, until it is old.
    assert.equal((await jobs.ask(one)).kind, 'done')
    clock.advance(5 * 60_000)
    const again = jobs.ask(one)
    jobs.stop()
    await again.catch(() => undefined)
    const nowhere = { ...config, audit: { ...config.audit, database: '/nowhere.db' } }
    const other = new WhatIfJobs({ clock, patienceMs: 60_000 })
    await assert.rejects(other.ask({ ...one, config: nowhere }), { status: 503 })
    other.stop()
  })
})
