/**
 * A month of a household by a simulated clock: what was told, what was held back, and the report
 * that it gives, against sums of the same rows made here.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { historyIn } from '../../src/alerts/history.js'
import { aboutExchange } from '../../src/alerts/rules/exchange-rules.js'
import { Habits } from '../../src/alerts/rules/habits.js'
import type { Happened } from '../../src/alerts/rules/rule.js'
import { RunawayWatch } from '../../src/alerts/rules/runaway.js'
import { windowOf } from '../../src/alerts/quiet-hours.js'
import type { Alert, AlertEvent, Delivery, Sent } from '../../src/alerts/words.js'
import { openDatabase } from '../../src/audit/queries.js'
import type { ExchangeRecord } from '../../src/core/record.js'
import { LocalTimes } from '../../src/policy/local-time.js'
import { describeReason } from '../../src/core/coverage.js'
import { gatherReport } from '../../src/report/gather.js'
import { notSeenLines } from '../../src/report/lines.js'
import { reportPage } from '../../src/report/page.js'
import { plainReport } from '../../src/report/plain-report.js'
import type { Report } from '../../src/report/report.js'
import { ReportWords } from '../../src/report/words.js'
import { office, settingsFor, sinkTo } from '../alerts/support.js'
import { startStore, temporaryFolder } from '../audit/support.js'
import type { TemporaryFolder } from '../audit/support.js'
import { Chromium } from '../support/chromium.js'
import {
  DEVICES,
  HOUSEHOLD,
  MONTH_END,
  MONTH_START,
  ZONE,
  month,
} from '../support/household-month.js'
import { needs } from '../support/needs.js'

const says = (reason: string): string => describeReason(reason) ?? reason

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const seen = month()
const exchanges = seen.flatMap((one) => ('exchange' in one ? [one.exchange] : []))
const calls = (list: readonly ExchangeRecord[]): number =>
  list.filter(({ call }) => call === true).length
const minutes = (list: readonly ExchangeRecord[]): number =>
  new Set(list.map(({ startedAt }) => Math.floor(startedAt / MINUTE))).size
const of = (...names: readonly (keyof typeof DEVICES)[]): readonly ExchangeRecord[] =>
  exchanges.filter(({ device }) => names.some((name) => DEVICES[name].ip === device.ip))

describe('a month of a household', () => {
  let folder: TemporaryFolder
  before(async () => {
    folder = temporaryFolder()
    await using store = await startStore(folder.database, {
      ...{ clock: at(MONTH_END), zone: () => ZONE },
    })
    for (const one of seen)
      if ('connection' in one) store.connection(one.connection)
      else {
        store.exchangeOpened(one.exchange)
        store.exchangeClosed(one.exchange)
      }
    store.event({
      ...{ at: MONTH_START + 9 * DAY + 21 * HOUR, kind: 'grant_approved' },
      actor: 'alert:phone',
      details: {
        requestId: exchanges.find(({ outcome }) => outcome === 'block')?.requestId,
      },
    })
    await store.flush()
  })
  after(() => folder[Symbol.dispose]())

  const report = (more = {}): Report => {
    const db = openDatabase(folder.database, true)
    try {
      return gatherReport(db, {
        ...{ sinceMs: MONTH_START, untilMs: MONTH_END, timezone: ZONE },
        ...{ household: HOUSEHOLD, budget: { people: { Ada: 20 }, policyUsd: 50 } },
        ...more,
      })
    } finally {
      db.close()
    }
  }

  describe('with alerts', () => {
    const sent: Delivery[] = []
    let counts: { sent: number; dropped: number; failed: number }
    let inbox: readonly Alert[]
    before(async () => {
      const times = new LocalTimes()
      const isDown = (now: number): boolean =>
        now >= MONTH_START + 9 * DAY && now < MONTH_START + 10 * DAY
      const send = (_sink: unknown, delivery: Delivery): Promise<Sent> => {
        if (isDown(delivery.nowMs))
          return Promise.resolve({ kind: 'refused', reason: 'down' })
        sent.push(delivery)
        return Promise.resolve({ kind: 'taken' })
      }
      const quiet = [windowOf('22:00-07:00')]
      const none = { sinks: [] }
      const rules = { new_device: none, new_service: none, unusual: none }
      using post = office(`${folder.path}/alerts.db`, {
        history: historyIn(folder.database),
        send,
      })
      const sinks = [sinkTo('http://phone.example')]
      const settings = settingsFor(sinks, { timezone: ZONE, rules })
      for (const rule of Object.values(settings.rules)) Object.assign(rule, { quiet })
      post.use(settings, MONTH_START)
      let queue: Happened[] = []
      const habits = new Habits((one) => queue.push(one))
      const runaway = new RunawayWatch()
      const take = (now: number): void => {
        const base = { at: now, mode: 'enforce', since: MONTH_START, metadata: {} }
        const told = queue.map((one): { event: AlertEvent; count: number } => ({
          event: { ...base, ...one },
          count: 1,
        }))
        queue = []
        if (told.length > 0) post.take(told, now)
      }
      let next = MONTH_START
      for (const one of seen) {
        for (; next < one.at; next += 30 * MINUTE) {
          post.tick(next)
          await post.settled()
        }
        if ('connection' in one) {
          habits.connectionEnded(one.connection)
          continue
        }
        const { exchange } = one
        const about = aboutExchange(exchange, { canAsk: false })
        if (about !== undefined) queue.push(about)
        const runs = runaway.ended(exchange, one.at, { calls: 120, withinMs: 600_000 })
        if (runs !== undefined) queue.push(runs)
        habits.ended(exchange, times.at(one.at, ZONE))
        take(one.at)
      }
      for (; next < MONTH_END + DAY; next += HOUR) {
        post.tick(next)
        await post.settled()
      }
      counts = post.counts
      inbox = post.list(1_000, true)
    })

    const local = (ms: number): string =>
      new Intl.DateTimeFormat('en-GB', {
        ...{ timeZone: ZONE, day: '2-digit', hour: '2-digit', minute: '2-digit' },
      }).format(ms)

    it('tells each evening of blocks once, a finding, and nothing by night', () => {
      const rules = sent.map(({ event }) => event.rule)
      assert.deepEqual(rules, ['blocked', 'finding', 'blocked', 'runaway', 'blocked'])
      const hours = sent.map(({ nowMs }) => Number(/, (\d+):/.exec(local(nowMs))?.[1]))
      assert.ok(
        hours.every((hour) => hour >= 7 && hour < 22),
        hours.join(),
      )
    })

    it('tells what happened while the sink was down a day later, once', () => {
      const [, , late] = sent
      assert.equal(local(late?.event.at ?? 0), '10, 21:30')
      assert.ok((late?.nowMs ?? 0) >= MONTH_START + 10 * DAY + 7 * HOUR)
      assert.equal(new Set(sent.map(({ id }) => id)).size, sent.length)
    })

    it('holds back what only adds, and loses nothing', () => {
      // Six blocks an evening within a quarter of an hour: one is told.
      const evenings = inbox.filter(({ event }) => event.rule === 'blocked')
      assert.deepEqual(
        evenings.map(({ count }) => count),
        [6, 6, 6],
      )
      const quiet = inbox.filter(({ deliveries }) => deliveries.length === 0)
      assert.deepEqual(
        new Set(quiet.map(({ event }) => event.rule)),
        new Set(['new_device', 'new_service', 'unusual']),
      )
      assert.equal(counts.sent, sent.length)
      assert.deepEqual([counts.dropped, counts.failed], [0, 0])
    })
  })

  it('is reported person by person, as its rows add up', () => {
    const { people, total, services, hours, days, cut } = report()
    assert.deepEqual(
      people.map(({ name, isPerson }) => [name, isPerson]),
      [
        ['Ada', true],
        ['Bo', true],
        ['<b>tablet</b>', false],
      ],
    )
    const [ada, bo] = people
    const adas = of('phone', 'laptop')
    assert.deepEqual([ada?.messages, ada?.minutes], [calls(adas), minutes(adas)])
    assert.deepEqual(
      [bo?.messages, bo?.minutes],
      [calls(of('child')), minutes(of('child'))],
    )
    assert.deepEqual(
      [total.messages, total.minutes],
      [calls(exchanges), minutes(exchanges)],
    )
    const cost = adas.reduce((sum, { costMicroUsd = 0 }) => sum + costMicroUsd, 0) / 1e6
    assert.ok(Math.abs((ada?.costUsd ?? 0) - cost) < 1e-9)
    assert.deepEqual(ada?.budget?.usd, 20)
    assert.ok(Math.abs((ada?.budget?.spentUsd ?? 0) - cost) < 1e-9)
    assert.equal(bo?.budget?.usd, 50)
    assert.deepEqual(
      services.map(({ name }) => name),
      ['anthropic', 'openai'],
    )
    assert.equal(
      hours.reduce((a, b) => a + b),
      calls(exchanges),
    )
    // Homework at four, by the clock on the wall.
    assert.ok((hours[16] ?? 0) > 100 && hours[4] === 0)
    assert.equal(days.length, 30)
    assert.deepEqual([days[0]?.date, days.at(-1)?.date], ['2026-11-01', '2026-11-30'])
    assert.deepEqual(cut, [])
  })

  it('says what was blocked, asked, talked about and not seen', () => {
    const { people, blocked, asked, notSeen } = report()
    assert.deepEqual(
      blocked.map(({ who, policy, count }) => [who, policy, count]),
      [['Bo', 'bedtime', 18]],
    )
    assert.deepEqual(
      asked.map(({ who, policy, said, by }) => [who, policy, said, by]),
      [['Bo', 'bedtime', 'yes', 'alert:phone']],
    )
    const topics = people.map(({ topics }) => topics.map(({ name }) => name).slice(0, 2))
    assert.deepEqual(topics, [['food', 'code'], ['games', 'school'], ['pictures']])
    assert.deepEqual([notSeen.connections, notSeen.seen], [600, 420])
    assert.deepEqual(
      notSeen.reasons.map(({ reason, count }) => [reason, count]),
      [
        ['tunnel-pinned', 120],
        ['tunnel-not-trusted', 60],
      ],
    )
  })

  it('says in words why something was refused or failed, never by its code', () => {
    const found = report()
    const reasons = [
      { group: 'failed', reason: 'YORI_UPSTREAM_UNREACHABLE', count: 3 },
      { group: 'refused', reason: 'of a later version', count: 2 },
    ] as const
    const rows = reasons.map((line) => ({ ...line, says: says(line.reason) }))
    const notSeen = { ...found.notSeen, reasons: rows }
    for (const [language, failed] of [
      ['en', 'failed'],
      ['de', 'gescheitert'],
    ] as const) {
      const lines = notSeenLines(
        { ...found, notSeen },
        new ReportWords(language, { timezone: ZONE }),
      )
      // docs/ERRORS.md has the sentence.
      assert.ok(lines.includes(`3: ${failed}: could not connect`), lines.join('\n'))
      assert.ok(lines.some((line) => line.endsWith(': of a later version')))
      assert.doesNotMatch(lines.join('\n'), /YORI_/)
    }
  })

  it('is reported of one person alone', () => {
    const { people, total, blocked } = report({ person: 'Ada' })
    assert.deepEqual([people.length, people[0]?.name], [1, 'Ada'])
    assert.equal(total.messages, calls(of('phone', 'laptop')))
    assert.deepEqual(blocked, [])
  })

  it('is words and one page that holds no script, in four languages', () => {
    const found = report()
    for (const [language, time] of [
      ['en', 'Time'],
      ['de', 'Zeit'],
      ['es', 'Tiempo'],
      ['fr', 'Temps'],
    ] as const) {
      const words = new ReportWords(language, found)
      const page = reportPage(found, words)
      assert.match(page, new RegExp(`<html lang="${language}">[\\s\\S]*<dt>${time}</dt>`))
      assert.doesNotMatch(page, /<script|<b>tablet|https?:/)
      assert.match(page, /&lt;b&gt;tablet/)
      assert.match(
        plainReport(found, words),
        /Ada \(work laptop, phone\): \d+ h \d\d min/,
      )
    }
    const words = new ReportWords('de', found)
    assert.equal(words.range(found), '1.–30. November 2026')
    assert.equal(words.span(61), '1 h 01 min')
    assert.equal(words.usd(0.001), '< 0,01\u00a0$')
  })

  it('fits a phone, a desk and paper', async function () {
    needs(this, 'Chromium')
    const found = report()
    const file = `${folder.path}/report.html`
    writeFileSync(file, reportPage(found, new ReportWords('de', found)))
    if (process.env['YORI_SHOTS'] !== undefined)
      writeFileSync(
        `${process.env['YORI_SHOTS']}/report.html`,
        reportPage(found, new ReportWords('de', found)),
      )
    await using browser = await Chromium.start()
    for (const view of [
      { width: 360, height: 740 },
      { width: 1280, height: 900 },
    ]) {
      const page = await browser.page(view)
      await page.navigate(`file://${file}`)
      const wide = 'document.documentElement.scrollWidth - innerWidth'
      assert.ok((await page.evaluate<number>(wide)) <= 0, `${view.width}`)
      const shown = process.env['YORI_SHOTS']
      if (shown !== undefined)
        await page.screenshot(`${shown}/report-${view.width}.png`, { whole: true })
    }
  })
})

function at(ms: number) {
  return { now: () => ms, monotonic: () => ms }
}
