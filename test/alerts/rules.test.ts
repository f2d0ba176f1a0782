import assert from 'node:assert/strict'
import type { CaCondition } from '../../ca/condition.js'
import type { AuditHealth } from '../../src/audit/store.js'
import { historyIn, isUnusualAmount, isUnusualHour } from '../../src/alerts/history.js'
import { aboutBudget, budgetOf } from '../../src/alerts/rules/budget.js'
import { CoverageWatch } from '../../src/alerts/rules/coverage-watch.js'
import { aboutExchange } from '../../src/alerts/rules/exchange-rules.js'
import { Habits } from '../../src/alerts/rules/habits.js'
import type { Happened } from '../../src/alerts/rules/rule.js'
import { RunawayWatch } from '../../src/alerts/rules/runaway.js'
import { StateWatch } from '../../src/alerts/rules/state-watch.js'
import type { Watchable } from '../../src/alerts/rules/state-watch.js'
import type { Sent } from '../../src/alerts/words.js'
import { approvalCode } from '../../src/policy/approval.js'
import type { Coverage } from '../../src/core/record.js'
import type { TrustEntry } from '../../src/core/trust.js'
import { LocalTimes } from '../../src/policy/local-time.js'
import { closed, connection, startStore, temporaryFolder } from '../audit/support.js'
import { blockedEvent, office, settingsFor, sinkTo } from './support.js'

const NOON = Date.UTC(2026, 10, 30, 12)
const HOUR = 3_600_000
const DAY = 24 * HOUR
const times = new LocalTimes()
const MAC = 'aa:bb:cc:00:11:22'

describe('a rule of alerts', () => {
  describe('about one exchange', () => {
    const about = (fields: Parameters<typeof closed>[0], canAsk = false) =>
      aboutExchange(closed({ requestId: 'r1', ...fields }), { canAsk })

    it('tells a block, with the code by which it can be approved', () => {
      const block = { outcome: 'block', policyName: 'bedtime', reason: 'late' } as const
      const told = about(block)
      assert.equal(told?.rule, 'blocked')
      assert.equal(told.policy, 'bedtime')
      assert.equal(told.reason, 'late')
      assert.equal(told.metadata?.['code'], approvalCode('r1'))
      // Where a password can let it pass, somebody waits for an answer.
      assert.equal(about(block, true)?.rule, 'ask')
    })

    it('tells of a block that was repeated by the code of the first', () => {
      const repeated = { requestId: 'r0', repeats: 1, marks: [] }
      const told = about({ outcome: 'block', policyName: 'bedtime', repeated })
      assert.equal(told?.metadata?.['code'], approvalCode('r0'))
    })

    it('tells what was found, by kind and number, and never what it was', () => {
      const findings = [
        { kind: 'card', count: 2 },
        { kind: 'iban', count: 1 },
      ]
      const told = about({ findings, promptPreview: 'my card is 4111' })
      assert.equal(told?.rule, 'finding')
      assert.match(told.reason, /card \(2\), iban \(1\)/)
      assert.doesNotMatch(JSON.stringify(told), /4111/)
    })

    it('tells what a policy alerts on, and nothing of what passes', () => {
      const alert = {
        policyName: 'privacy',
        policyDecision: 'alert',
        reason: 'x',
      } as const
      assert.equal(about(alert)?.rule, 'alerted')
      assert.equal(about({ ...alert, bypass: 'grant' }), undefined)
      assert.equal(about({ policyDecision: 'allow' }), undefined)
      // Observed alone: it records.
      assert.equal(about({ policyDecision: 'deny', policyName: 'privacy' }), undefined)
    })
  })

  it('tells each share of a budget once a month, for the device or the group', () => {
    const policy = { enabled: true, action: 'block', params: { monthly_usd: 10 } }
    const config = { policies: { files: { budget: policy } } } as never
    const settings = budgetOf(config)
    assert.ok(settings !== undefined)
    assert.equal(budgetOf({ policies: { files: {} } } as never), undefined)
    const spent = (usd: number) => ({
      ...{ requests: 1, tokens: 1, microUsd: usd * 1e6, atMostMicroUsd: 0 },
    })
    const at = (usd: number, groups: Record<string, ReturnType<typeof spent>> = {}) =>
      aboutBudget(settings, {
        device: { ip: '192.168.1.23', mac: MAC },
        monthly: { device: spent(usd), groups },
        month: '2026-11',
        percents: [50, 80, 95],
      }).map(({ once, reason }) => [once, reason])
    assert.deepEqual(at(4.99), [])
    assert.deepEqual(at(5), [
      [' 2026-11 50', "50 % of the month's budget is spent: $5.00 of $10.00"],
    ])
    assert.equal(at(9)[0]?.[0], ' 2026-11 80')
    assert.equal(at(12)[0]?.[0], ' 2026-11 95')
    assert.deepEqual(at(12, { parents: spent(12) }), [])
    const group = { ...settings, scope: 'group' as const, groups: ['kids'] }
    const [told] = aboutBudget(group, {
      device: { ip: '192.168.1.23' },
      monthly: { device: spent(0), groups: { kids: spent(8), others: spent(9) } },
      month: '2026-11',
      percents: [50, 80, 95],
    })
    assert.equal(told?.once, 'kids 2026-11 80')
    assert.equal(told.device, undefined)
  })

  it('tells an agent that asks more often than anybody could follow', () => {
    const watch = new RunawayWatch()
    const limits = { calls: 30, withinMs: 600_000 }
    const call = { call: true, sessionId: 'session-0123456789', agentId: 'claude-code' }
    const run = (sessionId: string, everyMs: number, count: number) =>
      Array.from({ length: count }, (_, n) =>
        watch.ended(closed({ ...call, sessionId }), NOON + n * everyMs, limits),
      ).findIndex((told) => told !== undefined)
    assert.equal(run('s1', 1_000, 40), 29)
    assert.equal(run('s2', 30_000, 200), -1)
    assert.equal(watch.ended(closed({ ...call, call: false }), NOON, limits), undefined)
  })

  describe('about what is new or unusual', () => {
    const local = times.at(NOON, 'UTC')

    it('asks once about a device and a service, also one that is only met', () => {
      const told: Happened[] = []
      const habits = new Habits((one) => told.push(one))
      for (let n = 0; n < 3; n++) habits.ended(closed(), local)
      habits.connectionEnded(connection({ nameClass: 'api.mistral.ai' }))
      habits.connectionEnded(connection({ nameClass: '(other)' }))
      const asked = told.map(({ rule, once }) => `${rule} ${once ?? ''}`)
      assert.deepEqual(asked, [
        `new_device ${MAC}`,
        'new_service api.openai.com',
        'new_service api.mistral.ai',
      ])
    })

    it('asks about the hour at its first call, and about the amount as it doubles', () => {
      const told: Happened[] = []
      const habits = new Habits((one) => told.push(one))
      for (let n = 0; n < 100; n++) habits.ended(closed({ call: true }), local)
      const checks = told
        .filter(({ rule }) => rule === 'unusual')
        .map(({ check }) => check)
      assert.deepEqual(checks, [
        { kind: 'unusual-hour', device: MAC },
        { kind: 'unusual-amount', device: MAC, calls: 21 },
        { kind: 'unusual-amount', device: MAC, calls: 42 },
        { kind: 'unusual-amount', device: MAC, calls: 84 },
      ])
    })

    it('is held against the last 30 days of the device', async () => {
      using folder = temporaryFolder()
      const store = await startStore(folder.database)
      // Ten days at 16 and 17 o'clock in Berlin, five calls an hour.
      for (let day = 1; day <= 10; day++)
        for (const hour of [15, 16])
          for (let n = 0; n < 5; n++) {
            const startedAt = Date.UTC(2026, 10, 30 - day, hour, n)
            const row = closed({ startedAt, call: true })
            store.exchangeOpened(row)
            store.exchangeClosed(row)
          }
      await store.stop()
      const history = historyIn(folder.database)
      const zone = 'Europe/Berlin'
      const hours = history.hours(MAC, NOON - 30 * DAY, NOON)
      assert.equal(hours.length, 20)
      const at = (hour: number) =>
        isUnusualHour(hours, Date.UTC(2026, 10, 30, hour), { times, zone })
      // UTC 14 to 17 are 15 to 18 o'clock: an hour more or less is usual.
      assert.deepEqual([13, 14, 15, 16, 17, 18, 2].map(at), [
        ...[true, false, false, false, false, true, true],
      ])
      const amount = (calls: number) =>
        isUnusualAmount(hours, calls, { times, zone, nowMs: NOON })
      assert.deepEqual([20, 21].map(amount), [false, true])
      // A few days are no habit.
      const few = hours.slice(0, 6)
      assert.equal(isUnusualHour(few, NOON - 10 * HOUR, { times, zone }), false)

      const told: string[] = []
      const send = (_sink: unknown, { event }: { event: { reason: string } }) => {
        told.push(event.reason)
        return Promise.resolve<Sent>({ kind: 'taken' })
      }
      using post = office(`${folder.database}.alerts`, { history, send })
      post.use(settingsFor([sinkTo('')], { timezone: zone }), NOON)
      const seen = (key: string, what: 'device' | 'service' = 'device') => ({
        count: 1,
        event: blockedEvent(NOON, {
          rule: what === 'device' ? 'new_device' : 'new_service',
          once: key,
          check: { kind: 'first-seen', what, key },
          reason: key,
        }),
      })
      const night = Date.UTC(2026, 10, 30, 1)
      const check = { kind: 'unusual-hour', device: MAC } as const
      const unusual = { rule: 'unusual', once: 'hour', reason: 'night', check } as const
      post.take(
        [
          ...[seen(MAC), seen('new'), seen('new')],
          ...[seen('api.openai.com', 'service'), seen('api.mistral.ai', 'service')],
          { count: 1, event: blockedEvent(night, unusual) },
        ],
        NOON,
      )
      await post.settled()
      assert.deepEqual(told, ['new', 'api.mistral.ai', 'night'])
    })
  })

  it('tells that less is seen than before, and not what was wanted so', () => {
    const watch = new CoverageWatch()
    const end = (coverage: Coverage, count: number, at: number) => {
      for (let n = 0; n < count; n++)
        watch.connectionEnded(connection({ coverage, nameClass: 'api.openai.com' }), at)
    }
    end('inspected', 40, NOON)
    end('tunnel-pinned', 4, NOON)
    assert.equal(watch.look(NOON + HOUR), undefined)
    end('tunnel-exempt', 50, NOON + 2 * HOUR)
    end('inspected', 5, NOON + 2 * HOUR)
    end('tunnel-not-trusted', 4, NOON + 2 * HOUR)
    assert.equal(watch.look(NOON + 2 * HOUR), undefined)
    end('tunnel-not-trusted', 6, NOON + 2 * HOUR)
    const told = watch.look(NOON + 2 * HOUR)
    assert.equal(told?.rule, 'coverage_drop')
    assert.equal(told.metadata?.['most_often'], 'tunnel-not-trusted')
    assert.match(told.reason, /^33 % .* 91 % before$/)
  })

  describe('about how things stand', () => {
    const root = 'AA:BB'
    const entry = (more: Partial<TrustEntry>): TrustEntry => ({
      ...{ device: MAC, ip: '192.168.1.23', hostname: 'desk', root, ...more },
    })
    const state = {
      ca: { kind: 'good' } as CaCondition,
      health: { kind: 'ok' } as AuditHealth,
      dropped: 0,
      trust: [entry({ trustedAt: 1 })],
      free: 10 * 2 ** 30,
    }
    const on: Watchable = {
      ca: () => state.ca,
      audit: () => ({ health: state.health, dropped: state.dropped }),
      trust: () => state.trust,
      root: () => root,
      folder: '/',
      disk: () => Promise.resolve({ freeBytes: state.free, allBytes: 100 * 2 ** 30 }),
    }

    it('tells of CA, record, disk, trust and steering when they turn bad', async () => {
      const told: Happened[] = []
      const watch = new StateWatch(on, (one) => told.push(one))
      let now = 0
      const look = async (): Promise<string[]> => {
        watch.tick((now += 60_000))
        await watch.settled()
        return told.splice(0).map(({ rule, reason }) => `${rule}: ${reason}`)
      }
      assert.deepEqual(await look(), [])
      state.ca = { kind: 'renewal-due', reason: 'it ends' }
      assert.deepEqual(await look(), ['ca: the CA is due for renewal: it ends'])
      state.ca = { kind: 'unusable', reason: 'it ended' }
      assert.deepEqual(await look(), ['ca: the CA cannot be used: it ended'])
      state.ca = { kind: 'good' }
      state.dropped = 7
      assert.deepEqual(await look(), ['audit_loss: 7 rows of the record were dropped'])
      assert.deepEqual(await look(), [])
      const degraded = { kind: 'degraded', reason: 'x', sinceMs: 0 } as const
      state.health = { ...degraded, trouble: 'unwritable' }
      assert.match((await look())[0] ?? '', /^audit_loss: .*unwritable/)
      state.health = { ...degraded, trouble: 'full' }
      assert.match((await look())[0] ?? '', /^disk: the disk is full/)
      state.health = { kind: 'ok' }
      state.free = 2 ** 30
      assert.deepEqual(await look(), [
        'disk: 1024 MiB are free where YORI keeps its record',
      ])
      state.free = 10 * 2 ** 30
      state.trust = [entry({ trustedAt: 1, refusedAt: 2, refusedCause: 'unknown_ca' })]
      assert.match((await look())[0] ?? '', /^untrusted: desk .*unknown_ca/)
      assert.deepEqual(await look(), [])
      const details = { cause: 'no-answer', from: '2026-11-30T12:00:00Z' }
      watch.event({ at: NOON, kind: 'steering_off', details })
      watch.event({ at: NOON, kind: 'steering_back', details })
      assert.deepEqual(await look(), [
        'steering_off: traffic is not led through YORI: no-answer',
      ])
    })

    it('asks the system itself how much is free', async () => {
      const { disk: _disk, ...asked } = on
      const told: Happened[] = []
      const watch = new StateWatch({ ...asked, folder: '/proc' }, (one) => told.push(one))
      watch.tick(0)
      await watch.settled()
      // Nothing is free there, and nothing is kept there either.
      assert.deepEqual(told, [])
    })
  })
})
