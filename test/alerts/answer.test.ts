/**
 * An ask that is answered from its message: a real block, a receiver written from ntfy's pages,
 * the press of its action as its apps send it, and the same request again.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { alertCommand } from '../../src/cli/commands/household/alert-command.js'
import { systemClock } from '../../src/core/clock.js'
import { hashPassword } from '../../src/net/password.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { Chromium } from '../support/chromium.js'
import { Controlled } from '../support/control.js'
import type { Said } from '../support/control.js'
import { needs } from '../support/needs.js'
import { openaiSdk } from '../support/sdk.js'
import { HTTP_VERSIONS } from '../support/yori.js'
import { Receiver } from './support.js'

const ROLES = ['view', 'household', 'admin'] as const
const CARD = 'My card is 4111 1111 1111 1111'
/** What the household's own proxy calls us, which the control plane knows from here alone. */
const PHONE_HOST = 'answers.example.org:8088'

interface Action {
  readonly action: string
  readonly label: string
  readonly url: string
  readonly method?: string
}

describe('an ask in a message', () => {
  let simulator: Simulator
  let phone: Receiver
  let on: Controlled
  before(async () => {
    simulator = await Simulator.start()
    phone = await Receiver.start()
    const people = await Promise.all(
      ROLES.map(async (role) => ({
        ...{ name: role, role },
        password_hash: await hashPassword(`as ${role}`),
      })),
    )
    on = await Controlled.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      config: {
        control: { listen: '127.0.0.1:0', people },
        mode: 'enforce',
        enforcement: {
          ...{ enabled: true, consent_accepted: true, override_enabled: true },
          override_password_hash: `sha256:${'ab'.repeat(32)}`,
        },
        policies: { files: { privacy: { enabled: true, action: 'block' } } },
        alerts: {
          sinks: {
            phone: { type: 'ntfy', url: `http://127.0.0.1:${phone.port}/home-7F3K` },
          },
          answer_url: `http://${PHONE_HOST}/`,
        },
      },
    })
  })
  after(async () => {
    await on[Symbol.asyncDispose]()
    await phone[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
  })

  const say = (content: string, from: string, version: 'h1' | 'h2' = 'h1') =>
    openaiSdk({ dispatcher: on.yori.dispatcher(from, version) }).chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content }],
    })
  /** What is told of others may come between. */
  async function messageTo(from: string) {
    const wanted = `Asks for permission: ${from}`
    for (let count = 1; ; count++) {
      const got = (await phone.received(count))[count - 1]
      if (got?.json['title'] === wanted) return got
    }
  }
  /** The actions of the message that a refusal brings. */
  async function asked(content: string, from: string, version: 'h1' | 'h2' = 'h1') {
    await assert.rejects(say(content, from, version), { status: 403 })
    await on.yori.appliance.audit.flush()
    const got = await messageTo(from)
    const actions = got?.json['actions'] as readonly Action[] | undefined
    const [yes, no, look] = actions ?? []
    assert.ok(yes !== undefined && no !== undefined && look !== undefined)
    return { yes, no, look }
  }
  // https://docs.ntfy.sh/publish/#send-http-request: an app sends the method, and nothing else;
  // the page of a server sends its origin, too.
  const press = (url: string, headers = {}, method = 'POST'): Promise<Said> => {
    const { host, pathname } = new URL(url)
    return on.ask(pathname, { method, token: null, headers: { host, ...headers } })
  }
  const titleOf = ({ text }: Said): string => /<h1>(.*)<\/h1>/.exec(text)?.[1] ?? text

  for (const [index, version] of HTTP_VERSIONS.entries())
    it(`is let pass by its action, over ${version}, and by no look at it`, async () => {
      const from = `127.0.0.${40 + index}`
      const { yes, look } = await asked(CARD, from, version)
      assert.deepEqual([yes.action, yes.method, look.action], ['http', 'POST', 'view'])
      assert.ok(yes.url.startsWith(`http://${PHONE_HOST}/answer/`))
      // Previews of links and scanners of mail.
      for (const method of ['GET', 'HEAD', 'GET']) {
        const seen = await press(look.url, {}, method)
        assert.equal(seen.status, 200)
        assert.match(String(seen.headers['cache-control']), /no-store/)
      }
      await assert.rejects(say(CARD, from, version), { status: 403 })
      const said = await press(yes.url, { origin: 'https://ntfy.sh' })
      assert.deepEqual([said.status, titleOf(said)], [200, 'It may pass'])
      assert.match(said.text, /What privacy refused to .* at api\.openai\.com may pass/)
      const { choices } = await say(CARD, from, version)
      assert.equal(choices.length, 1)
      const again = await press(yes.url)
      assert.deepEqual([again.status, titleOf(again)], [410, 'Somebody has answered'])
      const other = `${CARD}, and my other one is 5555 5555 5555 4444`
      await assert.rejects(say(other, from, version), { status: 403 })
    })

  it('is in the record as answered by that sink, and acknowledged', async () => {
    await on.yori.appliance.audit.flush()
    const events = await on.yori.rows('audit_log')
    const granted = events.filter((row) => row['event_type'] === 'grant_approved')
    assert.deepEqual(
      granted.map((row) => row['actor']),
      ['alert:phone', 'alert:phone'],
    )
    const inbox = await on.alerts.ask('list', { most: 50, all: true })
    const asks = inbox.filter(({ event }) => event.rule === 'ask')
    const states = asks.map(({ state, by }) => `${state} ${String(by)}`)
    assert.deepEqual(states, ['acknowledged phone', 'acknowledged phone'])
  })

  it('passes once, or stays refused, as the other buttons say', async () => {
    const one = await asked(CARD, '127.0.0.50')
    assert.equal(titleOf(await press(`${one.yes.url}/once`)), 'It may pass')
    await say(CARD, '127.0.0.50')
    await assert.rejects(say(CARD, '127.0.0.50'), { status: 403 })
    const two = await asked(CARD, '127.0.0.51')
    const denied = await press(two.no.url)
    assert.deepEqual([denied.status, titleOf(denied)], [200, 'It stays refused'])
    assert.equal((await press(two.yes.url)).status, 410)
    await assert.rejects(say(CARD, '127.0.0.51'), { status: 403 })
  })

  it('is answered once, of many presses at the same time', async () => {
    const { yes } = await asked(CARD, '127.0.0.52')
    const said = await Promise.all(Array.from({ length: 8 }, () => press(yes.url)))
    const statuses = said.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [200, ...Array<number>(7).fill(410)])
  })

  it('tells who guesses nothing, and opens no other door', async () => {
    const { yes } = await asked(CARD, '127.0.0.53')
    const changed = yes.url.slice(0, -1) + (yes.url.endsWith('A') ? 'B' : 'A')
    for (const wrong of [
      changed,
      `${yes.url}x`,
      yes.url.slice(0, -1),
      `${yes.url}/maybe`,
    ])
      assert.equal((await press(wrong)).status, 404, wrong)
    const host = { host: PHONE_HOST }
    assert.equal((await on.ask('/api/status', { headers: host })).status, 421)
    assert.equal((await press(yes.url, { host: 'evil.example' })).status, 421)
    assert.equal((await press(yes.url)).status, 200)
  })

  it('is kept as a digest alone, and shown nowhere', async () => {
    const { yes } = await asked(CARD, '127.0.0.54')
    const token = new URL(yes.url).pathname.split('/').at(-1) ?? ''
    assert.equal(Buffer.from(token, 'base64url').length, 32)
    const inbox = await on.ask('/api/alerts?all=yes')
    assert.match(inbox.text, /127\.0\.0\.54/)
    assert.ok(!inbox.text.includes(token))
    for (const name of ['alerts.db', 'alerts.db-wal'])
      assert.ok(!readFileSync(`${on.stateDir}/${name}`, 'latin1').includes(token), name)
  })

  it('is answered in a browser, by a form and no script', async function () {
    needs(this, 'Chromium')
    const { look } = await asked(CARD, '127.0.0.55')
    const hostRules = [`MAP ${PHONE_HOST} 127.0.0.1:${on.port}`]
    await using browser = await Chromium.start({ hostRules })
    const page = await browser.page({ width: 390, height: 844 })
    assert.equal(await page.navigate(look.url), 200)
    const dark = 'getComputedStyle(document.querySelector("button.yes")).color'
    assert.equal(await page.evaluate(dark), 'rgb(255, 255, 255)')
    assert.equal(await page.follow('form[action$="/once"] button'), 200)
    assert.match(await page.text(), /It may pass/)
    await say(CARD, '127.0.0.55')
  })

  it('lets the inbox be seen, answered and tested by role', async () => {
    const [alert] = await on.alerts.ask('list', { most: 1, all: true })
    const id = alert?.id ?? assert.fail('nothing was told')
    const questions = [
      ['GET', '/api/alerts', undefined],
      ['POST', `/api/alerts/${id}/ack`, {}],
      ['POST', `/api/alerts/${id}/snooze`, { seconds: 60 }],
      ['POST', '/api/alerts/test', { sink: 'phone' }],
    ] as const
    const statuses: Record<string, number[]> = {}
    for (const role of ['nobody', ...ROLES]) {
      const as = role === 'nobody' ? {} : await login(role)
      statuses[role] = []
      for (const [method, path, body] of questions) {
        const said = await on.ask(path, { method, body, token: null, headers: as })
        statuses[role].push(said.status)
      }
    }
    assert.deepEqual(statuses, {
      nobody: [401, 401, 401, 401],
      view: [200, 403, 403, 403],
      household: [200, 200, 200, 403],
      admin: [200, 200, 200, 200],
    })
  })
  const login = async (role: string): Promise<Record<string, string>> => {
    const body = { name: role, password: `as ${role}` }
    const said = await on.ask('/api/login', { token: null, body })
    const cookie = String(said.headers['set-cookie']).split(';', 1)[0] ?? ''
    return { cookie, 'x-yori-csrf': (said.body as { csrf: string }).csrf }
  }

  it('says so where no address can be reached', async () => {
    const list = async (answerUrl?: string): Promise<string> => {
      let said = ''
      const { config } = on.yori.appliance.current
      on.alerts.use({
        ...config,
        alerts: { ...config.alerts, answer_url: answerUrl },
      } as typeof config)
      const command = alertCommand({
        config: () => config,
        clock: systemClock,
        print: (text) => (said += text),
        exit: () => undefined,
      })
      await command.parseAsync(['list', '--all'], { from: 'user' })
      return said
    }
    assert.match(await list(), /cannot be answered from their messages: .*answer_url/)
    await assert.rejects(say(CARD, '127.0.0.56'), { status: 403 })
    assert.equal((await messageTo('127.0.0.56')).json['actions'], undefined)
    assert.doesNotMatch(await list('http://a.example'), /cannot be answered/)
  })
})
