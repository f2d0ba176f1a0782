import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { loadConfig } from '../../config/load.js'
import { showConfig } from '../../config/show-config.js'
import { formatProblem } from '../../config/problem.js'
import { settingsOf } from '../../src/alerts/settings.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

describe('the configuration of alerts', () => {
  let folder: TempFolder
  before(async () => {
    folder = await tempFolder()
  })
  after(() => folder[Symbol.asyncDispose]())

  function load(alerts: unknown, env: Record<string, string> = {}) {
    const path = folder.file('yori.conf')
    writeFileSync(path, JSON.stringify({ alerts }), { mode: 0o600 })
    return loadConfig({ path, env, cwd: folder.path })
  }
  function problems(alerts: unknown): string[] {
    const loaded = load(alerts)
    assert.equal(loaded.kind, 'invalid', JSON.stringify(alerts))
    return loaded.problems.map((one) => `${one.key} ${one.wrong}`)
  }

  it('tells which key a sink is nothing without', () => {
    const needs = {
      webhook: 'url',
      email: 'host',
      ntfy: 'url',
      gotify: 'url',
      pushover: 'token',
      slack: 'url',
      discord: 'url',
      teams: 'url',
      homeassistant: 'url',
      syslog: 'host',
    }
    for (const [type, key] of Object.entries(needs))
      assert.ok(
        problems({ sinks: { one: { type } } }).some((text) =>
          text.endsWith(`a sink of type ${type} needs ${key}`),
        ),
        type,
      )
    assert.equal(load({ sinks: { s: { type: 'syslog', host: '127.0.0.1' } } }).kind, 'ok')
  })

  it('refuses rules and sinks that there are not, and what makes no sense', () => {
    const sinks = { hook: { type: 'webhook', url: 'https://h.example/', secret: SECRET } }
    const wrong: [unknown, RegExp][] = [
      [{ sinks, rules: { blokked: {} } }, /no such rule/],
      [{ sinks, rules: { blocked: { sinks: ['phone'] } } }, /no sink "phone"/],
      [{ sinks, rules: { blocked: { escalate_after: 60 } } }, /go together/],
      [{ sinks, quiet_hours: '22-7' }, /not a span of the day/],
      [{ sinks: { hook: { ...sinks.hook, secret: 'whsec_short' } } }, /the value/],
      [{ sinks: { hook: { ...sinks.hook, url: 'ftp://h.example' } } }, /no URL/],
      [
        {
          sinks: {
            mail: {
              ...{
                type: 'email',
                host: 'm.example',
                from: 'a@b.example',
                to: 'c@d.example',
              },
              ...{ starttls: 'off', user: 'yori', password: 'x' },
            },
          },
        },
        /in the clear/,
      ],
      [
        {
          sinks: {
            mail: {
              ...{ type: 'email', host: 'm.example', to: 'c@d.example' },
              from: 'a@b.example, eve@example.org',
            },
          },
        },
        /not an address of mail/,
      ],
    ]
    for (const [alerts, says] of wrong)
      assert.match(problems(alerts).join('\n'), says, JSON.stringify(alerts))
    for (const alerts of wrong.map(([one]) => one))
      assert.ok(!problems(alerts).join().includes('whsec_short'))
  })

  it('takes secrets from the environment and from files, and shows none', () => {
    const file = folder.file('secret')
    writeFileSync(file, `${SECRET}\n`, { mode: 0o600 })
    const loaded = load(
      {
        sinks: {
          chat: { type: 'slack', url: '${SLACK}' },
          hook: { type: 'webhook', url: 'https://h.example/x', secret_file: file },
        },
      },
      { SLACK: 'https://hooks.slack.example/services/T0/B0/abc' },
    )
    assert.equal(loaded.kind, 'ok')
    assert.deepEqual(loaded.warnings, [])
    const { sinks } = settingsOf(loaded.config)
    assert.equal(sinks[0]?.url, 'https://hooks.slack.example/services/T0/B0/abc')
    assert.equal(sinks[1]?.secret, SECRET)
    const shown = showConfig(loaded)
    for (const hidden of ['hooks.slack.example', 'h.example', SECRET.slice(6)])
      assert.ok(!shown.includes(hidden), hidden)
    chmodSync(file, 0o644)
    const open = { type: 'webhook', url: 'https://h.example/x', secret_file: file }
    assert.match(problems({ sinks: { hook: open } }).join(), /read or written by others/)
  })

  it('warns of each secret of a sink that stands in plain text, and does not repeat it', () => {
    const sinks = {
      chat: { type: 'slack', url: 'https://hooks.slack.example/services/T0/B0/abc' },
      hook: { type: 'webhook', url: 'https://h.example/x', secret: SECRET },
      phone: { type: 'gotify', url: 'https://g.example/', token: 'A1b2C3' },
      mail: {
        ...{ type: 'email', host: 'm.example', user: 'u', password: 'open sesame' },
        ...{ from: 'a@b.example', to: 'c@d.example' },
      },
    }
    const loaded = load({ sinks })
    assert.equal(loaded.kind, 'ok')
    const said = loaded.warnings.map(formatProblem)
    for (const key of ['chat.url', 'hook.secret', 'phone.token', 'mail.password'])
      assert.ok(
        said.some(
          (line) => line.includes(`alerts.sinks.${key}`) && /plain text/.test(line),
        ),
        `${key}: ${said.join()}`,
      )
    assert.equal(said.length, 4)
    assert.doesNotMatch(said.join(), /services|A1b2C3|sesame|whsec_M/)
  })

  it('tells every sink of a block unless a rule says otherwise', () => {
    const url = 'https://h.example/'
    const sinks = { a: { type: 'slack', url }, b: { type: 'discord', url } }
    const rulesOf = (more: object) => {
      const loaded = load({ sinks, ...more })
      assert.equal(loaded.kind, 'ok')
      return settingsOf(loaded.config).rules
    }
    const plain = rulesOf({})
    assert.deepEqual(plain.blocked.sinks, ['a', 'b'])
    assert.equal(plain.blocked.cooldownMs, 900_000)
    assert.deepEqual(plain.new_device.sinks, [])
    const told = rulesOf({
      cooldown: 60,
      quiet_hours: '22:00-07:00',
      rules: {
        blocked: { sinks: 'b', cooldown: 5 },
        new_device: {},
        ca: { urgent: true },
        disk: { enabled: false },
      },
    })
    assert.deepEqual(told.blocked.sinks, ['b'])
    assert.deepEqual(told.ask.sinks, ['b'])
    assert.equal(told.blocked.cooldownMs, 5_000)
    assert.equal(told.budget.cooldownMs, 60_000)
    assert.deepEqual(told.new_device.sinks, ['a', 'b'])
    assert.deepEqual(told.blocked.quiet, [{ days: [], start: 1320, end: 420 }])
    assert.deepEqual(told.ca.quiet, [])
    assert.equal(told.disk.enabled, false)
  })
})
