/** Whom `yori sessions stop` stops: one conversation of one device, and its agent. */
import assert from 'node:assert/strict'
import { Command } from 'commander'
import { request } from 'undici'
import { addStopCommands } from '../../../src/cli/commands/household/session-stop.js'
import { runCommand } from '../../support/policy-command.js'
import { behind, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}
const VERSIONS = ['h1', 'h2'] as const
const OTHER_DEVICE = '127.0.0.2'

interface Asking {
  readonly session?: string
  readonly agent?: string
  readonly system?: string
  readonly program?: string
  readonly from?: string
  readonly path?: string
}

const provider = () =>
  behind((incoming, response) => {
    incoming.resume()
    response.setHeader('content-type', 'application/json')
    response.end('{"id":"c","choices":[]}')
  }, ENFORCE)

function asker({ yori }: Proxied, version: (typeof VERSIONS)[number]) {
  return async (asking: Asking): Promise<number> => {
    const { session, agent, system, program = 'agent/1', from, path } = asking
    const messages = [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: 'go on' },
    ]
    const { statusCode, body } = await request(
      `https://${NAME}${path ?? '/v1/chat/completions'}`,
      {
        method: path === undefined ? 'POST' : 'GET',
        dispatcher: yori.dispatcher(from, version),
        headers: {
          'content-type': 'application/json',
          'user-agent': program,
          ...(session === undefined ? {} : { 'x-yori-session-id': session }),
          ...(agent === undefined ? {} : { 'x-yori-agent-id': agent }),
        },
        ...(path === undefined
          ? { body: JSON.stringify({ model: 'gpt-5', messages }) }
          : {}),
      },
    )
    await body.dump()
    return statusCode
  }
}

async function command({ yori }: Proxied, ...args: string[]) {
  await yori.appliance.audit.flush()
  const ran = await runCommand(
    yori,
    (deps) => {
      const sessions = new Command('sessions')
      addStopCommands(sessions, deps)
      return sessions
    },
    'sessions',
    ...args,
  )
  return ran
}

/** The running YORI knows what the database says. */
async function seen({ yori }: Proxied, stops: number): Promise<void> {
  await until(() => yori.appliance.policyState.current.stops.length === stops)
}

describe('a conversation that a person stops', () => {
  for (const version of VERSIONS) {
    it(`is that of one device over ${version}, also where two have one id`, async () => {
      await using setup = await provider()
      const ask = asker(setup, version)
      const mine = { session: 's1', program: 'mine/1' }
      const theirs = { session: 's1', program: 'mine/1', from: OTHER_DEVICE }
      assert.deepEqual([await ask(mine), await ask(theirs)], [200, 200])
      const unclear = await command(setup, 'stop', 's1')
      assert.equal(unclear.code, 1)
      assert.match(unclear.notes, /several devices have s1.*127\.0\.0\.1, 127\.0\.0\.2/)
      assert.equal((await command(setup, 'stop', 's1', '--device', OTHER_DEVICE)).code, 0)
      await seen(setup, 1)
      assert.deepEqual([await ask(mine), await ask(theirs)], [200, 403])
      assert.equal((await command(setup, 'resume', 's1')).code, 0)
      await seen(setup, 0)
      assert.deepEqual([await ask(mine), await ask(theirs)], [200, 200])
    })

    it(`is stopped under another id or none over ${version}, and other agents are not`, async () => {
      await using setup = await provider()
      const ask = asker(setup, version)
      const system = 'You are a coding agent.'
      assert.equal(await ask({ session: 's1', system }), 200)
      assert.equal((await command(setup, 'stop', 's1')).code, 0)
      await seen(setup, 1)
      for (const asking of [
        { session: 's1', system },
        { session: 's2', system },
        { system },
        // Its system prompt tells, whatever its program calls itself, and the other way round.
        { system, program: 'other/2' },
        {},
      ])
        assert.equal(await ask(asking), 403, JSON.stringify(asking))
      for (const asking of [
        { session: 's3', system: 'You are a poet.' },
        { session: 's3', program: 'other/2' },
        { system, from: OTHER_DEVICE },
        { session: 's1', system, from: OTHER_DEVICE },
        // It asks no model.
        { path: '/v1/models' },
      ])
        assert.equal(await ask(asking), 200, JSON.stringify(asking))
      assert.equal((await command(setup, 'resume', 's1')).code, 0)
      await seen(setup, 0)
      assert.equal(await ask({ session: 's2', system }), 200)
    })

    it(`is known by the name of its agent over ${version}, also when that is left out`, async () => {
      await using setup = await provider()
      const ask = asker(setup, version)
      assert.equal(await ask({ session: 's1', agent: 'runaway' }), 200)
      assert.equal((await command(setup, 'stop', 's1')).code, 0)
      await seen(setup, 1)
      assert.equal(await ask({ session: 's2', agent: 'runaway', program: 'x/1' }), 403)
      assert.equal(await ask({ session: 's2' }), 403)
      assert.equal(await ask({ session: 's2', system: 'You are an agent.' }), 403)
      assert.equal(await ask({ session: 's3', agent: 'calm' }), 200)
    })
  }

  it('is over after an hour for its agent under another id, and not for itself', async () => {
    await using setup = await provider()
    const ask = asker(setup, 'h1')
    assert.equal(await ask({ session: 's1' }), 200)
    const before = Date.now()
    assert.equal((await command(setup, 'stop', 's1')).code, 0)
    await seen(setup, 1)
    const [stop] = setup.yori.appliance.policyState.current.stops
    const hour = 60 * 60 * 1000
    const left = (stop?.agent?.until ?? 0) - before
    assert.ok(left >= hour && left < hour + 60_000, String(left))
    assert.ok((stop?.until ?? 0) - before > 6 * 24 * hour)
  })
})
