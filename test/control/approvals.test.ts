import assert from 'node:assert/strict'
import Sqlite from 'better-sqlite3'
import { policyDatabasePath } from '../../src/household/policy-database.js'
import { hashPassword } from '../../src/net/password.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { Controlled } from '../support/control.js'
import type { Asking } from '../support/control.js'
import { openaiSdk } from '../support/sdk.js'
import { HTTP_VERSIONS } from '../support/yori.js'

const PIN = '271828'

interface Waiting {
  readonly code: string
  readonly answer: string | null
  readonly exchange: { readonly request_id: string }
}

describe('what the household says to what was refused', () => {
  let simulator: Simulator
  let on: Controlled
  let adult: Asking
  before(async () => {
    simulator = await Simulator.start()
    const people = [
      { name: 'Ada', pin_hash: await hashPassword(PIN), role: 'admin' },
      { name: 'Bea', password_hash: await hashPassword('look on') },
    ]
    on = await Controlled.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      config: {
        control: { listen: '127.0.0.1:0', people },
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { files: { privacy: { enabled: true, action: 'block' } } },
      },
    })
    adult = await login({ name: 'Ada', pin: PIN })
  })
  after(async () => {
    await on[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
  })

  const login = async (body: Record<string, string>): Promise<Asking> => {
    const said = await on.ask('/api/login', { token: null, body })
    assert.equal(said.status, 200, said.text)
    const cookie = String(said.headers['set-cookie']).split(';', 1)[0] ?? ''
    const { csrf } = said.body as { csrf: string }
    return { token: null, headers: { cookie, 'x-yori-csrf': csrf } }
  }
  const say = (content: string, version: (typeof HTTP_VERSIONS)[number] = 'h1') =>
    openaiSdk({
      dispatcher: on.yori.dispatcher(undefined, version),
    }).chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content }],
    })
  const waiting = async (): Promise<readonly Waiting[]> => {
    await on.yori.appliance.audit.flush()
    const { body } = await on.ask('/api/approvals', adult)
    return (body as { blocked: readonly Waiting[] }).blocked
  }
  const refused = async (content: string, version: (typeof HTTP_VERSIONS)[number]) => {
    await assert.rejects(say(content, version), { status: 403 })
    const [newest] = await waiting()
    assert.ok(newest !== undefined)
    return newest
  }

  for (const [index, version] of HTTP_VERSIONS.entries())
    it(`is yes, which holds at once, and no longer when it is taken back, over ${version}`, async () => {
      const card = `My card is 4111 1111 1111 1111, for order ${index}`
      const { code, answer } = await refused(card, version)
      assert.equal(answer, null)
      // As people type it.
      const typed = code.toLowerCase().replace('-', '')
      const path = `/api/approvals/${typed}/approve`
      const said = await on.ask(path, { ...adult, body: { for: '30m' } })
      assert.equal(said.status, 201, said.text)
      const { id, until } = said.body as { id: string; until: number }
      assert.ok(Math.abs(until - Date.now() - 30 * 60_000) < 60_000)
      assert.equal((await say(card, version)).choices.length, 1)
      assert.equal((await waiting())[0]?.answer, 'approved')
      const taken = { ...adult, method: 'DELETE' }
      assert.equal((await on.ask(`/api/grants/${id}`, taken)).status, 200)
      assert.equal((await on.ask(`/api/grants/${id}`, taken)).status, 404)
      await assert.rejects(say(card, version), { status: 403 })
    })

  it('is yes to one request', async () => {
    const card = 'Take 5500 0055 5555 5559 once'
    const { code } = await refused(card, 'h1')
    const path = `/api/approvals/${code}/approve`
    const { body } = await on.ask(path, { ...adult, body: { once: true } })
    assert.equal((body as { once: boolean }).once, true)
    await say(card)
    await assert.rejects(say(card), { status: 403 })
  })

  it('is no, which is told and recorded by whom', async () => {
    const { code, exchange } = await refused('No: 3782 822463 10005', 'h1')
    const said = await on.ask(`/api/approvals/${code}/deny`, { ...adult, method: 'POST' })
    assert.deepEqual(said.body, { code, requestId: exchange.request_id })
    const now = await waiting()
    assert.equal(now.find((one) => one.code === code)?.answer, 'denied')
    const events = await on.yori.rows('audit_log')
    const kinds = ['approval_denied', 'grant_approved', 'grant_revoked']
    for (const kind of kinds) {
      const event = events.find(({ event_type: type }) => type === kind)
      assert.equal(event?.['actor'], 'Ada', kind)
    }
  })

  it('is refused to who only looks, and what cannot be said is not taken', async () => {
    const [{ code } = { code: '' }] = await waiting()
    const looker = await login({ name: 'Bea', password: 'look on' })
    for (const [path, method] of [
      [`/api/approvals/${code}/approve`, 'POST'],
      [`/api/approvals/${code}/deny`, 'POST'],
      ['/api/grants/x', 'DELETE'],
    ] as const)
      assert.equal((await on.ask(path, { ...looker, method })).status, 403, path)
    const wrong = [
      { once: true, always: true },
      { for: 'x' },
      { for: '0m' },
      { for: 5 },
      { for: '2026-01-01' },
      { until: 5 },
    ]
    for (const body of wrong) {
      const { status } = await on.ask(`/api/approvals/${code}/approve`, {
        ...adult,
        body,
      })
      assert.equal(status, 400, JSON.stringify(body))
    }
    for (const other of ['000-000', 'x', '%00'])
      for (const verb of ['approve', 'deny']) {
        const path = `/api/approvals/${other}/${verb}`
        assert.equal((await on.ask(path, { ...adult, method: 'POST' })).status, 404, path)
      }
  })

  it('is made through the socket in the name of who is at the keyboard', async () => {
    const headers = { 'x-yori-actor': 'root' }
    const me = await on.ask('/api/me', { socket: true, headers })
    assert.equal((me.body as { who: string }).who, 'root')
    const odd = { 'x-yori-actor': ' '.repeat(3) }
    const other = await on.ask('/api/me', { socket: true, headers: odd })
    assert.equal((other.body as { who: string }).who, 'socket')
    // Nobody else may say who he is.
    const here = await on.ask('/api/me', { headers })
    assert.equal((here.body as { who: string }).who, 'token')
  })

  it('waits for another process that changes something, and not on the loop', async () => {
    const { code } = await refused('Again: 6011 1111 1111 1117', 'h1')
    const other = new Sqlite(policyDatabasePath(on.stateDir))
    other.exec('BEGIN IMMEDIATE')
    const asked = on.ask(`/api/approvals/${code}/deny`, { ...adult, method: 'POST' })
    // The loop goes on: it answers others meanwhile.
    assert.equal((await on.ask('/health', { token: null })).status, 200)
    other.exec('COMMIT')
    other.close()
    assert.equal((await asked).status, 200)
  })

  it('lets a PIN do what the household may, and no more', async () => {
    const me = await on.ask('/api/me', adult)
    const { role, entrance } = me.body as { role: string; entrance: string }
    assert.deepEqual([role, entrance], ['household', 'pin'])
    assert.equal((await on.ask('/api/settings', adult)).status, 403)
    const tries = [
      { name: 'Ada', pin: '271829' },
      { name: 'Bea', pin: PIN },
      { name: 'Ada', password: PIN },
    ]
    for (const body of tries)
      assert.equal((await on.ask('/api/login', { token: null, body })).status, 401)
    for (const body of [
      { name: 'Ada', pin: '27182' },
      { name: 'Ada', pin: '27182x' },
      { name: 'Ada', pin: Number(PIN) },
      { name: 'Ada', pin: PIN, password: 'x' },
    ])
      assert.equal((await on.ask('/api/login', { token: null, body })).status, 400)
    for (let n = 0; n < 2; n++)
      await on.ask('/api/login', { token: null, body: { name: 'Ada', pin: '000000' } })
    const body = { name: 'Ada', pin: PIN }
    assert.equal((await on.ask('/api/login', { token: null, body })).status, 429)
  })
})
