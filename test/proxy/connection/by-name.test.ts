/**
 * Limits of what passes unread: bedtime, allowance and rules for devices hold for web chats and
 * for endpoints that are tunnelled. Judged by what the client sees, what the far server sees, and the row.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { ManualClock } from '../../support/manual-clock.js'
import { ask, NAME, originCa, until } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'

/** Of the catalogue, and no endpoint of the configuration. */
const CHAT = 'chatgpt.com'
const SITE = 'www.example.org'
const certificate = originCa.issue({ names: [CHAT, SITE, NAME] })

const UTC = { timezone: 'UTC' }
const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true, ...UTC },
}
const BEDTIME = {
  files: { bedtime: { action: 'block', params: { start_hour: 21, end_hour: 7 } } },
}

interface House extends AsyncDisposable {
  readonly yori: Yori
  readonly origin: Origin
  readonly clock: ManualClock
  readonly chat: (name?: string) => Promise<TLSSocket>
}

/** `time` is today's, of UTC. */
async function house(time: string, config: Record<string, unknown>): Promise<House> {
  const today = new Date().toISOString().slice(0, 10)
  const clock = new ManualClock(Date.parse(`${today}T${time}Z`))
  const origin = await startOrigin({ certificate })
  const yori = await Yori.start({
    origins: { [CHAT]: origin, [SITE]: origin, [NAME]: origin },
    trust: [originCa],
    config,
    clock,
  })
  return {
    yori,
    origin,
    clock,
    chat: async (name = CHAT) => {
      const socket = await yori.tls(name, { ca: originCa.certificatePem })
      socket.on('error', () => undefined)
      return socket
    },
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

async function talks(socket: TLSSocket, name = CHAT): Promise<void> {
  const text = `GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`
  assert.match(await ask(socket, text), /^HTTP\/1\.1 200 /)
}

async function refusedRow({ yori }: House): Promise<void> {
  await until(async () => (await yori.rows('connections')).length > 0)
  const [row] = await yori.rows('connections')
  assert.deepEqual(
    [row?.['coverage'], row?.['code']],
    ['refused', 'YORI_REFUSED_BY_POLICY'],
  )
}

describe('a web chat under bedtime', () => {
  it('is refused by an alert, before anything is dialled', async () => {
    await using home = await house('22:00:00', { ...ENFORCE, policies: BEDTIME })
    await assert.rejects(home.chat(), /alert access denied/)
    assert.equal(home.origin.accepted, 0)
    await refusedRow(home)
    // What is no LLM passes.
    const site = await home.chat(SITE)
    await talks(site, SITE)
    site.destroy()
  })

  it('ends within a minute when bedtime begins', async () => {
    await using home = await house('20:59:30', { ...ENFORCE, policies: BEDTIME })
    const [chat, site] = [await home.chat(), await home.chat(SITE)]
    await talks(chat)
    await talks(site, SITE)
    home.clock.advance(20_000)
    home.yori.appliance.tick()
    await talks(chat)
    const ended = once(chat, 'end')
    chat.resume()
    home.clock.advance(40_000)
    home.yori.appliance.tick()
    await Promise.all([ended, refusedRow(home)])
    chat.destroy()
    await talks(site, SITE)
    site.destroy()
  })

  for (const [what, config] of [
    ['in observe', { policies: BEDTIME, enforcement: UTC }],
    ['in advisory', { mode: 'advisory', policies: BEDTIME, enforcement: UTC }],
    [
      'when the policy only alerts',
      {
        ...ENFORCE,
        policies: { files: { bedtime: { ...BEDTIME.files.bedtime, action: 'alert' } } },
      },
    ],
    [
      'on an exempt device',
      {
        ...ENFORCE,
        policies: BEDTIME,
        intercept: { exempt_devices: ['127.0.0.1'] },
      },
    ],
    [
      'on a device that an adult has put on the allowlist',
      {
        ...ENFORCE,
        policies: BEDTIME,
        enforcement: {
          ...ENFORCE.enforcement,
          allowlist: { devices: [{ name: 'this one', ip: '127.0.0.1' }] },
        },
      },
    ],
    ['of an endpoint that is off', { ...ENFORCE, policies: BEDTIME, off: true }],
    [
      'under policies that read what is said',
      { ...ENFORCE, policies: { files: { privacy: { action: 'block' } } } },
    ],
  ] as const)
    it(`passes ${what}`, async () => {
      const { off, ...rest } = { off: false, ...config }
      const endpoints = off ? { endpoints: [{ domain: CHAT, enabled: false }] } : {}
      await using home = await house('22:00:00', { ...rest, ...endpoints })
      const chat = await home.chat()
      await talks(chat)
      home.clock.advance(40_000)
      home.yori.appliance.tick()
      await talks(chat)
      chat.destroy()
    })
})

describe('an endpoint that is tunnelled', () => {
  it('is refused by bedtime as web chats are', async () => {
    const config = {
      ...ENFORCE,
      policies: BEDTIME,
      endpoints: [{ domain: NAME, route: 'tunnel' }],
    }
    await using home = await house('22:00:00', config)
    await assert.rejects(home.chat(NAME), /alert access denied/)
    await refusedRow(home)
  })
})
