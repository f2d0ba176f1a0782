import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { statSync, writeFileSync } from 'node:fs'
import { MOST_WAITING } from '../../src/alerts/post-office.js'
import { send } from '../../src/alerts/sinks/send.js'
import type { Delivery, Sent } from '../../src/alerts/words.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { Receiver, blockedEvent, office, settingsFor, sinkTo } from './support.js'

const NOON = Date.UTC(2026, 10, 30, 12)
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
// The secret of the examples of the Standard Webhooks specification.
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

describe('the outbox of alerts', () => {
  let folder: TempFolder
  let hook: Receiver
  let files = 0
  before(async () => {
    folder = await tempFolder()
    hook = await Receiver.start()
  })
  after(async () => {
    await hook[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    hook.got.length = 0
    hook.script.length = 0
  })
  const file = (): string => folder.file(`alerts-${++files}.db`)
  const told = (at: number, more = {}) => [{ event: blockedEvent(at, more), count: 1 }]

  it('signs a message so that an independent HMAC agrees, in the body that is promised', async () => {
    using post = office(file())
    post.use(settingsFor([sinkTo(hook.url, { secret: SECRET })]), NOON)
    post.take(told(NOON), NOON)
    await post.settled()
    const [{ headers, text, json } = assert.fail()] = hook.got
    const id = String(headers['webhook-id'])
    const timestamp = String(headers['webhook-timestamp'])
    const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64')
    const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${text}`)
    assert.equal(headers['webhook-signature'], `v1,${mac.digest('base64')}`)
    assert.equal(timestamp, String(NOON / SECOND))
    assert.match(id, /^msg_[\da-f]{32}$/)
    assert.deepEqual(Object.keys(json), [
      ...['timestamp', 'user', 'device', 'policy', 'reason', 'mode', 'metadata'],
    ])
    assert.equal(json['timestamp'], '2026-11-30T12:00:00.000Z')
    assert.equal(json['device'], 'tablet')
    assert.equal(json['user'], null)
    assert.equal(json['reason'], 'it is bedtime')
    assert.equal((json['metadata'] as Record<string, unknown>)['code'], '7F3-K2M')
  })

  it('tells the same rule, device and policy once within the cool-down', async () => {
    using post = office(file())
    post.use(settingsFor([sinkTo(hook.url)]), NOON)
    for (const minutes of [0, 1, 5, 14]) {
      post.take(told(NOON + minutes * MINUTE), NOON + minutes * MINUTE)
      await post.settled()
    }
    assert.equal(hook.got.length, 1)
    // Another device, policy or rule is another matter.
    const now = NOON + 14 * MINUTE
    post.take(told(now, { device: { id: 'x', ip: '192.168.1.21' } }), now)
    post.take(told(now, { policy: 'budget' }), now)
    post.take(told(now, { rule: 'finding' }), now)
    await post.settled()
    assert.equal(hook.got.length, 4)
    post.take(told(NOON + 15 * MINUTE), NOON + 15 * MINUTE)
    await post.settled()
    assert.equal(hook.got.length, 5)
    assert.deepEqual(
      post.list(10).map(({ count }) => count),
      [1, 1, 1, 1, 4],
    )
    assert.equal(post.counts.heldBack, 3)
  })

  it('keeps the cool-down over a restart', async () => {
    const path = file()
    for (const minutes of [0, 5]) {
      using post = office(path)
      const now = NOON + minutes * MINUTE
      post.use(settingsFor([sinkTo(hook.url)]), now)
      post.take(told(now), now)
      await post.settled()
    }
    assert.equal(hook.got.length, 1)
  })

  for (const fault of [500, 404, 302, 'reset'] as const)
    it(`tries again within 10 s what was answered by ${fault}: the same id and body`, async () => {
      using post = office(file())
      post.use(settingsFor([sinkTo(hook.url, { secret: SECRET })]), NOON)
      hook.script.push(fault, fault)
      post.take(told(NOON), NOON)
      await post.settled()
      for (let seconds = 1; seconds <= 10; seconds++) {
        post.tick(NOON + seconds * SECOND)
        await post.settled()
      }
      assert.equal(hook.got.length, 2)
      post.tick(NOON + 30 * SECOND)
      await post.settled()
      post.tick(NOON + HOUR)
      await post.settled()
      assert.equal(hook.got.length, 3)
      assert.ok(hook.got.every(({ path }) => path === '/hook'))
      const [first, second, third] = hook.got
      assert.equal(second?.headers['webhook-id'], first?.headers['webhook-id'])
      assert.equal(third?.headers['webhook-id'], first?.headers['webhook-id'])
      assert.equal(third?.text, first?.text)
      assert.equal(third?.headers['webhook-timestamp'], String(NOON / SECOND + 30))
      const [alert] = post.list(1)
      assert.deepEqual(alert?.deliveries, [
        { sink: 'hook', state: 'sent', tries: 3, error: null },
      ])
    })

  it('delivers after a restart what was not taken before, by the same id, once', async () => {
    const path = file()
    const down = await Receiver.start()
    const { url, port } = down
    await down[Symbol.asyncDispose]()
    const ids: unknown[] = []
    {
      using post = office(path, { send: remembering(ids) })
      post.use(settingsFor([sinkTo(url)]), NOON)
      post.take(told(NOON), NOON)
      await post.settled()
      assert.match(post.list(1)[0]?.deliveries[0]?.error ?? '', /nobody listens/)
    }
    await using up = await Receiver.start(port)
    for (const minutes of [1, 2, 3]) {
      using post = office(path, { send: remembering(ids) })
      post.use(settingsFor([sinkTo(url)]), NOON + minutes * MINUTE)
      post.tick(NOON + minutes * MINUTE)
      await post.settled()
    }
    assert.equal(up.got.length, 1)
    assert.equal(ids.length, 2)
    assert.deepEqual(up.got[0]?.headers['webhook-id'], ids[0])
    assert.equal(ids[1], ids[0])
  })

  it('sends again, by the same id, what was under way when it was killed', async () => {
    const path = file()
    const post = office(path)
    post.use(settingsFor([sinkTo(hook.url)]), NOON)
    hook.script.push('hang')
    post.take(told(NOON), NOON)
    await hook.received(1)
    // As a kill would leave the file: nobody wrote down what became of it.
    post[Symbol.dispose]()
    using next = office(path)
    next.use(settingsFor([sinkTo(hook.url)]), NOON + MINUTE)
    next.tick(NOON + MINUTE)
    await next.settled()
    assert.equal(hook.got.length, 2)
    assert.equal(hook.got[1]?.headers['webhook-id'], hook.got[0]?.headers['webhook-id'])
    assert.equal(next.waiting, 0)
  })

  it('gives up after a day, and says so', async () => {
    const notes: string[] = []
    const refuse = (): Promise<Sent> =>
      Promise.resolve({ kind: 'refused', reason: 'it answered 500' })
    using post = office(file(), { notes, send: refuse })
    post.use(settingsFor([sinkTo(hook.url)]), NOON)
    post.take(told(NOON), NOON)
    await post.settled()
    for (let hours = 0; hours <= 26; hours += 0.1) {
      post.tick(NOON + hours * HOUR)
      await post.settled()
    }
    const [alert] = post.list(1)
    const [delivery] = alert?.deliveries ?? []
    assert.equal(delivery?.state, 'failed')
    // 5 s, 15 s, 1 min, 5 min, 30 min, then every hour or so.
    assert.ok(delivery.tries > 20 && delivery.tries < 35, String(delivery.tries))
    assert.equal(post.counts.failed, 1)
    assert.equal(post.nextDue, null)
    assert.match(notes.at(-1) ?? '', /given up/)
  })

  it('drops what is more than may wait, and counts it', async () => {
    const notes: string[] = []
    const refuse = (): Promise<Sent> =>
      Promise.resolve({ kind: 'refused', reason: 'it answered 500' })
    assert.equal(MOST_WAITING, 1_000)
    using post = office(file(), { notes, send: refuse, mostWaiting: 20 })
    post.use(settingsFor([sinkTo(hook.url)]), NOON)
    const many = Array.from({ length: 50 }, (_, n) => ({
      event: blockedEvent(NOON, { policy: `p${n}` }),
      count: 1,
    }))
    post.take(many, NOON)
    await post.settled()
    assert.equal(post.waiting, 20)
    assert.equal(post.counts.dropped, 30)
    assert.ok(notes.some((note) => note.includes('dropped')))
  })

  it('lets a slow sink delay no other', async () => {
    let release = (): void => undefined
    const sent: string[] = []
    const slowly = async (sink: { name: string }, _delivery: Delivery): Promise<Sent> => {
      if (sink.name === 'slow') await new Promise<void>((resolve) => (release = resolve))
      sent.push(sink.name)
      return { kind: 'taken' }
    }
    using post = office(file(), { send: slowly })
    const sinks = [sinkTo(hook.url, { name: 'slow' }), sinkTo(hook.url, { name: 'fast' })]
    post.use(settingsFor(sinks), NOON)
    for (const policy of ['a', 'b', 'c']) post.take(told(NOON, { policy }), NOON)
    while (sent.length < 3) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(sent, ['fast', 'fast', 'fast'])
    release()
    while (sent.length < 6) {
      await new Promise((resolve) => setImmediate(resolve))
      release()
    }
    await post.settled()
    assert.equal(post.counts.sent, 6)
  })

  it('waits for the end of quiet hours, by the wall clock of the household', async () => {
    using post = office(file())
    const quiet = [{ days: [], start: 22 * 60, end: 7 * 60 }]
    const settings = settingsFor([sinkTo(hook.url)], {
      timezone: 'Europe/Berlin',
      rules: { blocked: { quiet } },
    })
    // 22:30 in Berlin, in winter.
    const night = Date.UTC(2026, 10, 30, 21, 30)
    post.use(settings, night)
    post.take(told(night), night)
    post.take(told(night, { rule: 'runaway' }), night)
    await post.settled()
    assert.deepEqual(
      hook.got.map(({ json }) => (json['metadata'] as { rule: string }).rule),
      ['runaway'],
    )
    const morning = Date.UTC(2026, 11, 1, 6)
    assert.equal(post.nextDue, morning)
    post.tick(morning - MINUTE)
    await post.settled()
    assert.equal(hook.got.length, 1)
    post.tick(morning)
    await post.settled()
    assert.equal(hook.got.length, 2)
    assert.equal(hook.got[1]?.json['timestamp'], '2026-11-30T21:30:00.000Z')
  })

  it('escalates what nobody has acknowledged, and only that', async () => {
    using post = office(file())
    const sinks = [sinkTo(hook.url), sinkTo(hook.url, { name: 'phone' })]
    const rules = {
      blocked: { sinks: ['hook'], escalateAfterMs: 10 * MINUTE, escalateTo: ['phone'] },
    }
    post.use(settingsFor(sinks, { rules }), NOON)
    post.take(told(NOON, { policy: 'a' }), NOON)
    post.take(told(NOON, { policy: 'b' }), NOON)
    await post.settled()
    assert.equal(hook.got.length, 2)
    const answered = post.list(10).find(({ event }) => event.policy === 'a')
    const ack = { id: answered?.id.slice(-8) ?? '', by: 'Ada' }
    assert.equal(await post.ask('ack', ack, NOON + MINUTE), true)
    for (const minutes of [9, 10, 11, 60]) {
      post.tick(NOON + minutes * MINUTE)
      await post.settled()
    }
    assert.equal(hook.got.length, 3)
    const { policy, metadata } = hook.got[2]?.json ?? {}
    assert.equal(policy, 'b')
    assert.equal((metadata as { escalated?: boolean }).escalated, true)
    assert.deepEqual(
      post.list(10).map(({ event }) => event.policy),
      ['b'],
    )
  })

  it('is silent about what is snoozed until it is over, also past the cool-down', async () => {
    using post = office(file())
    post.use(settingsFor([sinkTo(hook.url)]), NOON)
    post.take(told(NOON), NOON)
    await post.settled()
    const [{ id } = assert.fail()] = post.list(1)
    const until = NOON + 2 * HOUR
    assert.equal(await post.ask('snooze', { id, by: 'Ada', until }, NOON), true)
    assert.deepEqual(post.list(10), [])
    assert.equal(post.list(10, true)[0]?.state, 'snoozed')
    post.take(told(NOON + HOUR), NOON + HOUR)
    await post.settled()
    assert.equal(hook.got.length, 1)
    post.take(told(until), until)
    await post.settled()
    assert.equal(hook.got.length, 2)
    assert.equal(await post.ask('ack', { id: 'no-such-one', by: 'Ada' }, until), false)
  })

  it('keeps its file to its own user, and a corrupt one aside', async () => {
    const path = file()
    writeFileSync(
      path,
      'not a database at all, but long enough to be taken for one'.repeat(50),
    )
    using post = office(path)
    post.use(settingsFor([sinkTo(hook.url)]), NOON)
    post.take(told(NOON), NOON)
    await post.settled()
    assert.equal(hook.got.length, 1)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.ok(statSync(`${path}.corrupt`).size > 1000)
  })

  it('sends all the same where nothing can be kept', async () => {
    const notes: string[] = []
    using post = office('/proc/no-such-folder/alerts.db', { notes })
    post.use(settingsFor([sinkTo(hook.url)]), NOON)
    post.take(told(NOON), NOON)
    await post.settled()
    assert.equal(hook.got.length, 1)
    assert.match(notes[0] ?? '', /does not outlive a restart/)
  })

  it('fails what waits for a sink that is taken out of the configuration', async () => {
    using post = office(file())
    post.use(settingsFor([sinkTo(hook.url)]), NOON)
    hook.script.push(500)
    post.take(told(NOON), NOON)
    await post.settled()
    post.use(settingsFor([]), NOON + MINUTE)
    assert.equal(post.counts.dropped, 1)
    assert.match(post.list(1)[0]?.deliveries[0]?.error ?? '', /no such sink/)
  })

  function remembering(ids: unknown[]): typeof send {
    return (sink, delivery) => {
      ids.push(delivery.id)
      return send(sink, delivery)
    }
  }
})
