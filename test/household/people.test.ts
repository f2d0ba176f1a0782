/**
 * People and devices through the control plane: named, paused and allowed while YORI runs, seen
 * by what a client gets over HTTP/1.1 and HTTP/2, by what passes unread, and by the record.
 */
import assert from 'node:assert/strict'
import { request } from 'undici'
import type { Dispatcher } from 'undici'
import { hashPassword } from '../../src/net/password.js'
import { tlsThroughProxy } from '../support/clients.js'
import { Controlled } from '../support/control.js'
import { ManualClock } from '../support/manual-clock.js'
import { startOrigin } from '../support/origins.js'
import type { Origin } from '../support/origins.js'
import { ask, NAME, originCa, until } from '../support/proxied.js'
import { HTTP_VERSIONS } from '../support/yori.js'

const CHAT = 'chatgpt.com'
const TABLET = '127.0.0.2'
const PHONE = '127.0.0.3'
const STRANGER = '127.0.0.4'
const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true, timezone: 'Europe/Berlin' },
}
/** 19:00 in Berlin (20:00 in summer), in the middle of a month: the last that has begun. */
const EVENING = lastFifteenth(new Date())

/** Certificates of then hold now, those of next week do not. */
function lastFifteenth(now: Date): number {
  const isBefore = now.getUTCDate() < 15
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - (isBefore ? 1 : 0), 15, 18)
}

describe('people and devices of the household', () => {
  let on: Controlled
  let origin: Origin
  const clock = new ManualClock(EVENING)
  const clients = new Map<string, Dispatcher>()
  /** What the provider got, and what of it came from devices of Mia's. */
  let asked = 0
  let ofMia = 0

  before(async () => {
    const certificate = originCa.issue({ names: [NAME, CHAT] })
    origin = await startOrigin({
      certificate,
      handler: (incoming, response) => {
        asked++
        incoming.resume().once('end', () => response.end('{}'))
      },
    })
    on = await Controlled.start(
      {
        origins: { [NAME]: origin, [CHAT]: origin },
        trust: [originCa],
        clock,
        config: {
          enforcement: { timezone: 'Europe/Berlin' },
          control: {
            listen: '127.0.0.1:0',
            people: [
              {
                name: 'Ada',
                role: 'household',
                password_hash: await hashPassword('lace'),
              },
              { name: 'Guest', role: 'view', password_hash: await hashPassword('look') },
            ],
          },
        },
      },
      { clock },
    )
  })
  after(async () => {
    await on[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
  })

  const call = async (device: string, version: 'h1' | 'h2' = 'h1') => {
    const key = `${device} ${version}`
    const dispatcher = clients.get(key) ?? on.yori.dispatcher(device, version)
    clients.set(key, dispatcher)
    const answer = await request(`https://${NAME}/v1/chat/completions`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'hi' }],
      }),
    })
    const text = await answer.body.text()
    if (answer.statusCode === 200 && device !== STRANGER) ofMia++
    return { status: answer.statusCode, text }
  }
  const chat = async (device: string): Promise<string> => {
    const socket = await tlsThroughProxy(on.yori.port, CHAT, {
      ca: originCa.certificatePem,
      localAddress: device,
    })
    socket.on('error', () => undefined)
    const said = await ask(socket, `GET / HTTP/1.1\r\nHost: ${CHAT}\r\n\r\n`)
    socket.destroy()
    return said
  }
  const post = async (path: string, body: unknown, status = 200) => {
    const said = await on.ask(path, { body })
    assert.equal(said.status, status, said.text)
    return said.body as Record<string, unknown>
  }
  const devices = async () => {
    const { body } = await on.ask('/api/devices')
    return (body as { devices: Record<string, unknown>[] }).devices
  }

  it('lists a device as new until it has a name, by what it is called then', async () => {
    for (const device of [TABLET, PHONE, STRANGER])
      assert.equal((await call(device)).status, 200)
    await until(async () => (await devices()).length === 3)
    assert.ok(
      (await devices()).every((one) => one['new'] === true && one['name'] === null),
    )
    ofMia = 0
    await post(`/api/devices/${TABLET}/name`, { name: 'tablet' })
    await post('/api/devices/tablet/person', { person: 'Mia' })
    await post(`/api/devices/${PHONE}/person`, { person: 'mia' })
    const tablet = (await devices()).find(({ id }) => id === TABLET)
    assert.deepEqual(
      [tablet?.['name'], tablet?.['person'], tablet?.['new']],
      ['tablet', 'Mia', false],
    )
    const { household } = (await on.ask('/api/people')).body as {
      household: { name: string; devices: unknown }[]
    }
    assert.deepEqual(
      household.map(({ name, devices }) => ({ name, devices })),
      [
        {
          name: 'Mia',
          devices: [
            { id: TABLET, name: 'tablet' },
            { id: PHONE, name: null },
          ],
        },
      ],
    )
    // Each name is one thing.
    await post(`/api/devices/${PHONE}/name`, { name: 'TABLET' }, 409)
    await post(`/api/devices/${PHONE}/name`, { name: 'mia' }, 409)
    await post('/api/people', { name: 'Tablet' }, 409)
    await post('/api/devices/nobody/name', { name: 'x' }, 404)
    for (const name of ['', ' x', 'unknown', '192.0.2.1', 'a\u202eb', 'x'.repeat(65)])
      await post(`/api/devices/${PHONE}/name`, { name }, 400)
  })

  it('is for those who may change the household', async () => {
    const cookie = async (name: string, password: string) => {
      const said = await on.ask('/api/login', { token: null, body: { name, password } })
      const [first = ''] = said.headers['set-cookie'] ?? []
      const header = { cookie: first.split(';', 1)[0] ?? '' }
      const me = await on.ask('/api/me', { token: null, headers: header })
      const { csrf } = me.body as { csrf: string }
      return { ...header, 'x-yori-csrf': csrf }
    }
    const body = { target: 'nobody', minutes: 10 }
    const guest = await cookie('Guest', 'look')
    assert.equal(
      (await on.ask('/api/pause', { token: null, headers: guest, body })).status,
      403,
    )
    const ada = await cookie('Ada', 'lace')
    assert.equal(
      (await on.ask('/api/pause', { token: null, headers: ada, body })).status,
      404,
    )
  })

  for (const [mode, config] of [
    ['observe', {}],
    ['enforce', ENFORCE],
  ] as const)
    it(`pauses a person's devices in ${mode}, and no others, until it ends`, async () => {
      await on.yori.reload(config)
      const { until: end } = await post('/api/pause', { target: 'Mia', minutes: 10 })
      assert.equal(end, new Date(clock.now() + 600_000).toISOString())
      for (const version of HTTP_VERSIONS) {
        const { status, text } = await call(PHONE, version)
        assert.deepEqual(
          [status, /policy pause: paused until 19:\d\d/.test(text)],
          [403, true],
        )
        assert.equal((await call(STRANGER, version)).status, 200)
      }
      for (const [device, named] of [
        [PHONE, 'Mia'],
        [TABLET, 'tablet (Mia)'],
      ] as const) {
        const key = `${device} h1`
        const dispatcher = clients.get(key) ?? on.yori.dispatcher(device, 'h1')
        clients.set(key, dispatcher)
        const headers = { accept: 'text/html' }
        const page = await request(`https://${NAME}/v1/models`, { dispatcher, headers })
        assert.equal(page.statusCode, 403)
        assert.ok((await page.body.text()).includes(`<dd>${named}</dd>`), named)
      }
      await assert.rejects(chat(TABLET), /alert access denied/)
      assert.match(await chat(STRANGER), /^HTTP\/1\.1 200 /)
      const before = asked
      assert.equal((await call(TABLET)).status, 403)
      assert.equal(asked, before)
      assert.deepEqual(await post('/api/end', { target: 'Mia' }), {
        target: 'Mia',
        ended: ['pause'],
      })
      for (const version of HTTP_VERSIONS)
        assert.equal((await call(PHONE, version)).status, 200)
      assert.match(await chat(TABLET), /^HTTP\/1\.1 200 /)
      // Of one device alone; it ends by itself.
      await post('/api/pause', { target: 'tablet', minutes: 1 })
      assert.equal((await call(TABLET)).status, 403)
      assert.equal((await call(PHONE)).status, 200)
      clock.advance(61_000)
      assert.equal((await call(TABLET)).status, 200)
    })

  it('keeps a person to times and amounts over all devices, unless they are allowed', async () => {
    await on.yori.reload(ENFORCE)
    const closed = [{ days: [], start: '19:00', end: '07:00' }]
    await post('/api/people', { name: 'Mia', closed })
    for (const version of HTTP_VERSIONS) {
      const { status, text } = await call(PHONE, version)
      assert.equal(status, 403)
      assert.match(text, /closed for Mia from 19:00 to 07:00/)
    }
    await assert.rejects(chat(TABLET), /alert access denied/)
    assert.equal((await call(STRANGER)).status, 200)
    await post('/api/allow', { target: 'mia', minutes: 30 })
    for (const device of [PHONE, TABLET]) assert.equal((await call(device)).status, 200)
    assert.match(await chat(TABLET), /^HTTP\/1\.1 200 /)
    const tablet = (await devices()).find(({ id }) => id === TABLET)
    assert.ok(typeof tablet?.['allowed_until'] === 'string')
    assert.deepEqual((await post('/api/end', { target: 'Mia' }))['ended'], ['allow'])
    assert.equal((await call(PHONE)).status, 403)
    // What is said last counts.
    await post('/api/pause', { target: 'tablet', minutes: 30 })
    await post('/api/allow', { target: 'Mia', minutes: 30 })
    assert.equal((await call(TABLET)).status, 200)
    await post('/api/end', { target: 'Mia' })
    const messages = ofMia + 3
    await post('/api/people', { name: 'Mia', closed: [], messages })
    for (const device of [PHONE, TABLET, PHONE]) {
      const { status, text } = await call(device)
      assert.equal(status, 200, text)
    }
    for (const device of [PHONE, TABLET]) {
      const { status, text } = await call(device)
      assert.equal(status, 403)
      assert.match(text, new RegExp(`today's ${messages} messages of Mia are used up`))
    }
    assert.equal((await call(STRANGER)).status, 200)
    await post('/api/people', { name: 'Mia', messages: null })
    assert.equal((await call(PHONE)).status, 200)
  })

  it('is written down, with who did it', async () => {
    const log = await on.yori.rows('audit_log')
    const kinds = new Set(log.map((row) => row['event_type']))
    for (const kind of [
      'device_described',
      'person_set',
      'paused',
      'allowed',
      'act_ended',
    ])
      assert.ok(kinds.has(kind), kind)
    assert.ok(
      log.every((row) => row['event_type'] !== 'paused' || row['actor'] === 'token'),
    )
    const said = await on.ask('/api/people/mia', { method: 'DELETE' })
    assert.deepEqual(said.body, { removed: 'Mia' })
    const tablet = (await devices()).find(({ id }) => id === TABLET)
    assert.deepEqual([tablet?.['name'], tablet?.['person']], ['tablet', null])
  })
})
