/** Alerts of a YORI that runs: real clients, the real worker, a receiver that verifies. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { alertCommand } from '../../src/cli/commands/household/alert-command.js'
import { systemClock } from '../../src/core/clock.js'
import { approvalCode } from '../../src/policy/approval.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { Controlled } from '../support/control.js'
import { openaiSdk } from '../support/sdk.js'
import { HTTP_VERSIONS } from '../support/yori.js'
import { Receiver } from './support.js'
import type { Received } from './support.js'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const CARD = 'My card is 4111 1111 1111 1111'

describe('alerts of a running YORI', () => {
  let simulator: Simulator
  let hook: Receiver
  let on: Controlled
  before(async () => {
    simulator = await Simulator.start()
    hook = await Receiver.start()
    on = await Controlled.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      config: {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { files: { privacy: { enabled: true, action: 'block' } } },
        alerts: {
          sinks: { hook: { type: 'webhook', url: hook.url, secret: SECRET } },
          cooldown: 3600,
        },
      },
    })
  })
  after(async () => {
    await on[Symbol.asyncDispose]()
    await hook[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
  })
  const say = (content: string, from?: string, version: 'h1' | 'h2' = 'h1') =>
    openaiSdk({ dispatcher: on.yori.dispatcher(from, version) }).chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content }],
    })

  it('start no worker while nothing happens', () => {
    on.alerts.tick()
    assert.equal(on.alerts.running, false)
  })

  it('keep what is merely new to the inbox', async () => {
    await say('Name a moon of Neptune')
    // Its row is complete when its connection has ended.
    await on.yori.closeClients()
    const inbox = await on.alerts.ask('list', { most: 50, all: false })
    assert.deepEqual(
      inbox.map(({ event, deliveries }) => [event.rule, deliveries]).sort(),
      [
        ['new_device', []],
        ['new_service', []],
      ],
    )
    assert.equal(hook.got.length, 0)
  })

  for (const [index, version] of HTTP_VERSIONS.entries())
    it(`tell of a block, over ${version}, once a device, and signed`, async () => {
      const from = `127.0.0.${20 + index}`
      for (let n = 0; n < 3; n++)
        await assert.rejects(say(`${CARD} ${n}`, from, version), { status: 403 })
      const { headers, text, json } = (await hook.received(index + 1))[index] as Received
      const id = String(headers['webhook-id'])
      const key = Buffer.from(SECRET.slice(6), 'base64')
      const signed = `${id}.${String(headers['webhook-timestamp'])}.${text}`
      const mac = createHmac('sha256', key).update(signed).digest('base64')
      assert.equal(headers['webhook-signature'], `v1,${mac}`)
      assert.deepEqual(
        [json['device'], json['policy'], json['mode']],
        [from, 'privacy', 'enforce'],
      )
      const rows = await on.yori.rows('exchanges')
      const row = rows.find(
        (one) => one['device_ip'] === from && one['event_type'] === 'block',
      )
      const { code, rule } = json['metadata'] as Record<string, unknown>
      assert.equal(rule, 'blocked')
      assert.equal(code, approvalCode(String(row?.['request_id'])))
      assert.equal(json['reason'], row?.['reason'])
      assert.doesNotMatch(text, /4111/)
      const inbox = await on.alerts.ask('list', { most: 50, all: false })
      const alert = inbox.find(
        ({ event }) => event.device?.ip === from && event.rule === 'blocked',
      )
      assert.equal(alert?.count, 3)
      assert.equal(hook.got.length, index + 1)
    })

  it('never touch traffic while a sink hangs', async () => {
    hook.script.push('hang')
    await assert.rejects(say(CARD, '127.0.0.30'), { status: 403 })
    await hook.received(3)
    const { choices } = await say('Name a moon of Saturn', '127.0.0.31')
    assert.equal(choices.length, 1)
  })

  const command = async (...args: string[]) => {
    let said = ''
    let code = 0
    const made = alertCommand({
      config: () => on.yori.appliance.current.config,
      clock: systemClock,
      print: (text) => (said += text),
      exit: (wanted) => (code = wanted),
    })
    await made.parseAsync(args, { from: 'user' })
    return { said, code }
  }

  it('are listed, snoozed and acknowledged from the command line', async () => {
    const { said } = await command('list', '--json')
    const { alerts } = JSON.parse(said) as { alerts: { id: string; rule: string }[] }
    const [first, second] = alerts.filter(({ rule }) => rule === 'blocked')
    const [one, two] = [first?.id.slice(-8) ?? '', second?.id ?? '']
    assert.match((await command('list')).said, new RegExp(`^${one} .* blocked `, 'm'))
    assert.equal((await command('snooze', one, '--for', '2h')).said, `snoozed ${one}\n`)
    assert.equal((await command('ack', two)).said, `acknowledged ${two}\n`)
    const left = (await command('list')).said
    assert.ok(!left.includes(one) && !left.includes(two.slice(-8)))
    const all = JSON.parse((await command('list', '--all', '--json')).said) as {
      alerts: { id: string; state: string }[]
    }
    const states = [first, second].map(
      (alert) => all.alerts.find(({ id }) => id === alert?.id)?.state,
    )
    assert.deepEqual(states, ['snoozed', 'acknowledged'])
    await assert.rejects(command('ack', 'no-such-one'), /no such alert/)
  })

  it('are acknowledged by who may, and by nobody else', async () => {
    const { status } = await on.ask('/api/alerts', { token: null })
    assert.equal(status, 401)
    const metrics = (await on.ask('/metrics')).text
    assert.match(metrics, /^yori_alert_messages_total\{result="sent"\} [2-9]$/m)
    assert.match(metrics, /^yori_alert_events_total\{result="held_back"\} \d+$/m)
  })

  it('are tested sink by sink: 1 where it refused', async () => {
    const before = hook.got.length
    assert.deepEqual(await command('test', 'hook'), { said: 'hook: taken\n', code: 0 })
    assert.equal(hook.got.at(-1)?.json['mode'], 'test')
    hook.script.push(503)
    assert.deepEqual(await command('test', 'hook'), {
      said: 'hook: refused: it answered 503\n',
      code: 1,
    })
    assert.equal(hook.got.length, before + 2)
    await assert.rejects(command('test', 'phone'), /no sink phone/)
  })

  it('show no secret', async () => {
    const { text } = await on.ask('/config')
    assert.match(text, /"hook"/)
    assert.ok(!text.includes(SECRET.slice(6)))
    assert.ok(!text.includes(hook.url))
  })
})
