import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import Sqlite from 'better-sqlite3'
import { request } from 'undici'
import { loadConfig } from '../../../../config/load.js'
import { PolicyDatabase } from '../../../../src/household/policy-database.js'
import {
  allowCommand,
  pauseCommand,
} from '../../../../src/cli/commands/household/act-command.js'
import { deviceCommand } from '../../../../src/cli/commands/household/device-command.js'
import { personCommand } from '../../../../src/cli/commands/household/person-command.js'
import { allowlistCommand } from '../../../../src/cli/commands/household/allowlist.js'
import { approveCommand } from '../../../../src/cli/commands/household/approve.js'
import { emergencyCommand } from '../../../../src/cli/commands/household/emergency-command.js'
import type { PolicyStateDeps } from '../../../../src/cli/commands/household/household-database.js'
import { timeCommand } from '../../../../src/cli/commands/household/time-command.js'
import { systemClock } from '../../../../src/core/clock.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { behind, NAME, until } from '../../../support/proxied.js'
import { tempFolder } from '../../../support/temp-folder.js'
import type { TempFolder } from '../../../support/temp-folder.js'

/** Another wall than this machine's. */
const BERLIN = 'enforcement: { timezone: Europe/Berlin }\n'
/** A Wednesday, 12:00 UTC. */
const NOON = Date.parse('2026-03-04T12:00:00Z')
const MAC = '02:00:5e:10:00:01'

interface Ran {
  readonly out: string
  readonly notes: string
  readonly code: number
  readonly usage: boolean
}

class Household implements AsyncDisposable {
  readonly folder: TempFolder
  readonly clock = new ManualClock(NOON)
  readonly neighbours = new Map<string, string>()
  readonly #config: string

  constructor(folder: TempFolder, config: string) {
    this.folder = folder
    this.#config = config
  }

  static async with(text = ''): Promise<Household> {
    const folder = await tempFolder()
    const file = folder.file('yori.conf')
    writeFileSync(file, `state_dir: ${folder.file('state')}\n${text}`)
    return new Household(folder, file)
  }

  async run(...args: string[]): Promise<Ran> {
    const ran = { out: '', notes: '', code: 0, usage: false }
    const deps: PolicyStateDeps = {
      load: () => {
        const loaded = loadConfig({
          path: this.#config,
          env: {},
          cwd: this.folder.path,
        })
        assert.equal(loaded.kind, 'ok')
        return loaded
      },
      print: (text) => void (ran.out += text),
      note: (text) => void (ran.notes += text),
      clock: this.clock,
      env: {
        USER: 'root',
        SUDO_USER: 'anna',
        SSH_CONNECTION: '192.0.2.5 4 192.0.2.1 22',
      },
      neighbours: () => Promise.resolve(this.neighbours),
      askSecret: () => Promise.resolve(undefined),
      exit: (code) => void (ran.code = code),
    }
    const yori = new Command('yori')
    for (const command of [
      allowlistCommand,
      timeCommand,
      emergencyCommand,
      deviceCommand,
      personCommand,
      pauseCommand,
      allowCommand,
    ]) {
      yori.addCommand(command(deps))
    }
    const quiet = (command: Command): void => {
      command.exitOverride().configureOutput({ writeErr: () => undefined })
      command.commands.forEach((sub) => quiet(sub))
    }
    quiet(yori)
    try {
      await yori.parseAsync(['node', 'yori', ...args])
    } catch (error) {
      if (error instanceof CommanderError) ran.usage = true
      else ran.notes += (error as Error).message
    }
    return ran
  }

  async json(...args: string[]): Promise<unknown> {
    return JSON.parse((await this.run(...args, '--json')).out)
  }

  events(): { event_type: string; actor: string; client_ip: string; details: unknown }[] {
    const db = new Sqlite(this.folder.file('state/audit.db'), { readonly: true })
    try {
      return db
        .prepare(
          'SELECT event_type, actor, client_ip, details FROM audit_log ORDER BY id',
        )
        .all() as ReturnType<Household['events']>
    } finally {
      db.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]()
  }
}

describe('yori allowlist', () => {
  it('adds, lists, checks and removes, and records who did it from where', async () => {
    await using home = await Household.with(BERLIN)
    assert.equal((await home.run('allowlist', 'check', '192.0.2.10')).code, 1)
    await home.run('allowlist', 'add', '192.0.2.10', 'laptop', '--expires', '1d')
    const listed = await home.run('allowlist', 'list')
    assert.match(
      listed.out,
      /ENABLED +laptop +192\.0\.2\.10 .*2026-03-05 13:00 GMT\+1 +database/,
    )
    const found = await home.run('allowlist', 'check', '::ffff:192.0.2.10')
    assert.equal(found.code, 0)
    assert.match(found.out, /listed as laptop/)
    home.clock.advance(86_400_000)
    assert.equal((await home.run('allowlist', 'check', '192.0.2.10')).code, 1)
    assert.match((await home.run('allowlist', 'list')).out, /^EXPIRED /m)
    assert.equal((await home.run('allowlist', 'remove', '192.0.2.10')).code, 0)
    assert.equal((await home.run('allowlist', 'remove', '192.0.2.10')).code, 1)
    const events = home.events()
    assert.deepEqual(
      events.map(({ event_type, actor, client_ip }) => [event_type, actor, client_ip]),
      [
        ['allowlist_added', 'anna', '192.0.2.5'],
        ['allowlist_removed', 'anna', '192.0.2.5'],
      ],
    )
  })

  it('binds an address to the MAC that has it', async () => {
    await using home = await Household.with()
    home.neighbours.set('192.0.2.10', MAC)
    const added = await home.run('allowlist', 'add', '192.0.2.10', 'laptop')
    assert.match(added.out, /while it has the MAC 02:00:5e:10:00:01/)
    assert.equal((await home.run('allowlist', 'check', '192.0.2.10')).code, 0)
    home.neighbours.set('192.0.2.10', '00:11:22:33:44:55')
    const stolen = await home.run('allowlist', 'check', '192.0.2.10')
    assert.equal(stolen.code, 1)
    assert.match(stolen.out, /but has 00:11:22:33:44:55 now/)
  })

  it('shows entries of the file with their line and refuses to remove them', async () => {
    await using home = await Household.with(
      'enforcement:\n  allowlist:\n    devices:\n      - name: tv\n        ip: 192.0.2.30\n',
    )
    const [entry] = (await home.json('allowlist', 'list')) as Record<string, unknown>[]
    assert.equal(entry?.['source'], 'config')
    assert.equal(entry['line'], 5)
    const refused = await home.run('allowlist', 'remove', '192.0.2.30')
    assert.match(refused.notes, /yori\.conf:5, enforcement\.allowlist\.devices\[0\]/)
    assert.equal((await home.run('allowlist', 'check', '192.0.2.30')).code, 0)
  })

  it('takes MAC addresses in every spelling, and says what it cannot take', async () => {
    await using home = await Household.with()
    await home.run('allowlist', 'add', '0200.5e10.0001', 'tablet', '--permanent')
    const check = await home.run('allowlist', 'check', '192.0.2.9', '--mac', MAC)
    assert.equal(check.code, 0)
    assert.match((await home.run('allowlist', 'list')).out, /PERMANENT +tablet/)
    for (const wrong of [
      ['allowlist', 'add', 'laptop', 'x'],
      ['allowlist', 'add', '192.0.2.1', 'x', '--expires', 'soon'],
      ['allowlist', 'add', '192.0.2.1', 'x', '--mac', 'zz'],
      ['time', 'add', 'x', '--start', '25:00', '--end', '06:00'],
      ['time', 'add', 'x', '--start', '06:00', '--end', '06:00'],
      ['time', 'add', 'x', '--start', '06:00', '--end', '07:00', '--days', 'someday'],
      ['time', 'add', 'x', '--start', '06:00', '--end', '07:00', '--timezone', 'Mars/X'],
      ['emergency', 'activate', '--reason', 'x', '--minutes', '1441'],
      ['emergency', 'activate', '--minutes', '10'],
    ]) {
      assert.equal((await home.run(...wrong)).usage, true, wrong.join(' '))
    }
  })
})

describe('yori time', () => {
  it('adds, lists and removes exceptions and rules', async () => {
    await using home = await Household.with('enforcement: { timezone: UTC }\n')
    await home.run(
      ...['time', 'add', 'homework', '--start', '11:00', '--end', '13:00'],
      ...['--days', 'wed,thu', '--devices', '192.0.2.10,02-00-5e-10-00-01'],
    )
    await home.run(
      ...['time', 'add', 'night', '--start', '21:00', '--end', '06:00'],
      ...['--action', 'block', '--priority', '5'],
    )
    const { out } = await home.run('time', 'list')
    assert.match(
      out,
      /ACTIVE NOW +homework +allow +11:00 to 13:00 +wed,thu +192\.0\.2\.10, 02:00:5e:10:00:01/,
    )
    assert.match(out, /ENABLED +night +block +21:00 to 06:00 +every day +all devices/)
    assert.equal((await home.run('time', 'remove', 'homework')).code, 0)
    assert.equal((await home.run('time', 'remove', 'homework')).code, 1)
    assert.deepEqual(
      home.events().map(({ event_type }) => event_type),
      ['time_added', 'time_added', 'time_removed'],
    )
  })

  it('TRAP: a time without devices is for all of them, in the list and in effect', async () => {
    await using home = await Household.with()
    await home.run('time', 'add', 'party', '--start', '00:00', '--end', '24:00')
    assert.match((await home.run('time', 'list')).out, /all devices/)
    using database = new PolicyDatabase(home.folder.file('state/policy.db'))
    const [exception] = database.state(NOON).exceptions
    assert.deepEqual([exception?.ips, exception?.macs, exception?.groups], [[], [], []])
  })
})

describe('yori device, person, pause and allow', () => {
  const MAC2 = '02:00:5e:10:00:02'

  it('name a device by its MAC or address, once for all', async () => {
    await using home = await Household.with('enforcement: { timezone: Europe/Berlin }\n')
    home.neighbours.set('192.0.2.10', MAC)
    assert.match((await home.run('device', 'list')).out, /no devices yet/)
    const named = await home.run('device', 'name', '192.0.2.10', 'tablet')
    assert.equal(named.out, `${MAC}: tablet\n`)
    await home.run('device', 'person', 'TABLET', 'Mia')
    await home.run('device', 'person', MAC2.replaceAll(':', '-'), 'mia')
    await home.run('device', 'group', MAC2, 'phones')
    const { out } = await home.run('device', 'list')
    assert.match(out, new RegExp(`tablet +Mia +${MAC} `))
    assert.match(out, new RegExp(`Mia +phones +${MAC2} `))
    const twice = await home.run('device', 'name', MAC2, 'Tablet')
    assert.deepEqual([twice.code, /is the name of 02:/.test(twice.notes)], [1, true])
    assert.equal((await home.run('device', 'name', 'nobody', 'x')).code, 1)
    assert.equal((await home.run('device', 'name', 'tablet')).code, 1)
    assert.match(
      (await home.run('device', 'name', 'tablet', '--none')).out,
      /no name, of Mia/,
    )
    // It is on no list that frees it from anything.
    assert.equal((await home.run('allowlist', 'check', '192.0.2.10')).code, 1)
  })

  it('tell in the time of the household what holds', async () => {
    await using home = await Household.with('enforcement: { timezone: Europe/Berlin }\n')
    await home.run('device', 'person', MAC, 'Mia')
    await home.run('device', 'name', MAC, 'tablet')
    const paused = await home.run('pause', 'Mia', '90m')
    assert.equal(paused.out, 'Mia: no AI service until 14:30 (tablet)\n')
    assert.match((await home.run('device', 'list')).out, /tablet.* paused until 14:30/)
    const allowed = await home.run('allow', 'tablet', '12h')
    assert.equal(allowed.out, 'tablet: nothing is blocked until 2026-03-05 01:00\n')
    assert.equal((await home.run('allow', 'tablet', '--end')).out, 'tablet: as before\n')
    assert.equal((await home.run('allow', 'tablet', '--end')).code, 1)
    assert.match(
      (await home.run('person', 'list')).out,
      /Mia +tablet +paused until 14:30/,
    )
    // One does not end the other.
    assert.equal((await home.run('allow', 'Mia', '--end')).code, 1)
    assert.match((await home.run('device', 'list')).out, /tablet.* paused until 14:30/)
    home.clock.advance(91 * 60_000)
    assert.doesNotMatch((await home.run('person', 'list')).out, /paused/)
    const kinds = home.events().map(({ event_type }) => event_type)
    assert.deepEqual(kinds.slice(2), ['paused', 'allowed', 'act_ended'])
    for (const wrong of [
      ['pause', 'Mia'],
      ['pause', 'Mia', '0m'],
      ['pause', 'Mia', '8d'],
      ['pause', 'Mia', 'long'],
      ['allow', 'Mia', '10m', '--end'],
    ])
      assert.equal((await home.run(...wrong)).usage, true, wrong.join(' '))
  })

  it('give a person times and amounts', async () => {
    await using home = await Household.with()
    const set = await home.run(
      ...['person', 'set', 'Mia', '--group', 'children', '--messages', '30'],
      ...['--closed', '21:00-07:00', 'sun@18:00-24:00', '--usd', '2.5'],
    )
    assert.equal(
      set.out,
      'Mia: closed 21:00 to 07:00, closed 18:00 to 24:00 (sun), 30 messages a day, ' +
        '$2.50 a month\n',
    )
    assert.match(set.notes, /once mode is enforce/)
    const less = await home.run(
      ...['person', 'set', 'mia', '--closed', 'none', '--usd', 'none'],
    )
    assert.equal(less.out, 'Mia: 30 messages a day\n')
    for (const wrong of ['21:00', '21:00-21:00', 'someday@20:00-21:00', '25:00-26:00'])
      assert.equal(
        (await home.run('person', 'set', 'Mia', '--closed', wrong)).usage,
        true,
      )
    assert.equal(
      (await home.run('person', 'set', 'Mia', '--minutes', '1441')).usage,
      true,
    )
    assert.equal((await home.run('person', 'remove', 'MIA')).code, 0)
    assert.equal((await home.run('person', 'remove', 'MIA')).code, 1)
  })
})

describe('yori emergency', () => {
  const enabled = 'enforcement: { emergency_override: { enabled: true } }\n'

  it('needs its switch and its password, and tells nobody which was tried', async () => {
    const switchedOff = enabled.replace('true', 'false')
    await using off = await Household.with(switchedOff)
    await off.run('emergency', 'set-password', '--new', 'correct horse')
    const refused = await off.run(
      ...['emergency', 'activate', '--reason', 'doctor', '--password', 'correct horse'],
    )
    assert.match(refused.notes, /emergency_override\.enabled is false/)
    await using home = await Household.with(enabled)
    const none = await home.run('emergency', 'activate', '--reason', 'doctor')
    assert.match(none.notes, /set-password/)
    assert.equal((await home.run('emergency', 'set-password', '--new', 'short')).code, 1)
    await home.run('emergency', 'set-password', '--new', 'correct horse')
    const wrong = await home.run(
      ...['emergency', 'activate', '--reason', 'doctor', '--password', 'battery staple'],
    )
    assert.equal(wrong.code, 1)
    const password = ['--password', 'correct horse']
    await home.run('emergency', 'activate', '--reason', 'doctor', ...password)
    await using folder = await tempFolder()
    const [old, next] = [folder.file('old'), folder.file('next')]
    writeFileSync(old, 'correct horse\n')
    writeFileSync(next, 'brown horse\n')
    const change = ['set-password', '--password-file', old, '--new-file', next]
    assert.match((await home.run('emergency', ...change)).out, /is set/)
    assert.match((await home.run('emergency', ...change)).notes, /wrong password/)
    assert.match(
      (await home.run('emergency', 'status')).out,
      /^active until .*by anna: doctor/,
    )
    const events = JSON.stringify(home.events())
    assert.match(events, /emergency_attempt_failed/)
    assert.doesNotMatch(events, /staple|horse/)
  })

  it('is one at a time, extended, ended, and over by itself', async () => {
    await using home = await Household.with(
      'enforcement: { timezone: Europe/Berlin, emergency_override: { enabled: true, require_password: false } }\n',
    )
    await home.run('emergency', 'activate', '--reason', 'a', '--minutes', '30')
    const second = await home.run('emergency', 'activate', '--reason', 'b')
    assert.match(second.notes, /active already/)
    const longer = await home.json('emergency', 'extend', '30')
    assert.deepEqual((longer as { until: string }).until, '2026-03-04 14:00 GMT+1')
    home.clock.advance(60 * 60_000)
    assert.match((await home.run('emergency', 'status')).out, /^not active/)
    await home.run('emergency', 'activate', '--reason', 'c', '--minutes', '5')
    assert.equal((await home.run('emergency', 'deactivate')).code, 0)
    assert.equal((await home.run('emergency', 'deactivate')).code, 1)
  })

  it('TRAP: what is written of a password is scrypt with a salt, never SHA-256', async () => {
    await using home = await Household.with(enabled)
    await home.run('emergency', 'set-password', '--new', 'correct horse')
    using database = new PolicyDatabase(home.folder.file('state/policy.db'))
    const hash = database.setting('emergency_password_hash') ?? ''
    assert.match(hash, /^scrypt:16384:8:1:[^:]{16,}:[^:]{40,}$/)
  })
})

describe('yori emergency without a word of it in the configuration', () => {
  it('works once it has a password', async () => {
    await using home = await Household.with()
    await home.run('emergency', 'set-password', '--new', 'correct horse')
    const begun = await home.run(
      ...['emergency', 'activate', '--reason', 'doctor', '--password', 'correct horse'],
    )
    assert.match(begun.out, /nothing is blocked until/)
    assert.match((await home.run('emergency', 'status')).out, /^active until/)
  })
})

describe('a running YORI', () => {
  it('sees what a command changes within a second', async () => {
    await using setup = await behind((_incoming, response) => response.end('{}'), {
      mode: 'enforce',
      enforcement: { enabled: true, consent_accepted: true },
      policies: { files: { default: { action: 'block' } } },
    })
    const { yori } = setup
    const status = async (): Promise<number> => {
      const { statusCode, body } = await request(`https://${NAME}/v1/models`, {
        dispatcher: yori.dispatcher(),
      })
      await body.dump()
      return statusCode
    }
    assert.equal(await status(), 403)
    using database = new PolicyDatabase(yori.folder.file('state/policy.db'))
    const value = { name: 'test', ip: '127.0.0.1', enabled: true, permanent: false }
    database.put('device', { key: '127.0.0.1', value, addedAt: 1, addedBy: 'anna' })
    await until(async () => (await status()) === 200)
    database.remove('device', '127.0.0.1')
    await until(async () => (await status()) === 403)
  })

  it('lets a request pass once its code has been approved, by --once only the next', async () => {
    await using setup = await behind((_incoming, response) => response.end('{}'), {
      mode: 'enforce',
      enforcement: { enabled: true, consent_accepted: true },
      policies: { files: { default: { action: 'block' } } },
    })
    const { yori } = setup
    const asked = async (): Promise<{ status: number; text: string }> => {
      const { statusCode, body } = await request(`https://${NAME}/v1/models`, {
        dispatcher: yori.dispatcher(),
      })
      return { status: statusCode, text: await body.text() }
    }
    const blocked = await asked()
    assert.equal(blocked.status, 403)
    const code = /with the code (\w{3}-\w{3})/.exec(blocked.text)?.[1] ?? ''
    assert.equal((await yori.rows('exchanges')).length, 1)

    const deps = depsFor(yori.folder.file('yori.conf'), yori.folder.path)
    // It waits until somebody has said something to it.
    await run(deps, 'approve')
    assert.match(
      deps.said.splice(0).join(''),
      new RegExp(
        `CODE +WHEN .*\\n${code} .* 127\\.0\\.0\\.1 +api\\.openai\\.com +default `,
      ),
    )
    await run(deps, 'approve', '--once', code.toLowerCase().replace('-', ''))
    await run(deps, 'approve', '000-000')
    await run(deps, 'approve', '--json')
    assert.equal(deps.said.pop(), '[]\n')
    assert.match(
      deps.said.join(''),
      /127\.0\.0\.1, policy default, api\.openai\.com: the next/,
    )
    assert.match(deps.said.join(''), /nothing with the code 000-000 was blocked/)

    await until(async () => (await asked()).status === 200)
    assert.equal((await asked()).status, 403)
    const passed = (await yori.rows('audit_events')).filter(
      (row) => row['bypass'] !== null,
    )
    assert.deepEqual(
      passed.map((row) => [row['bypass'], row['event_type'], row['enforcement_action']]),
      [['grant', 'response', 'override']],
    )
    const [event] = (await yori.rows('audit_log')).filter(
      (row) => row['event_type'] === 'grant_approved',
    )
    assert.equal(event?.['actor'], 'anna')
  })
})

function depsFor(config: string, cwd: string): PolicyStateDeps & { said: string[] } {
  const said: string[] = []
  return {
    said,
    load: () => {
      const loaded = loadConfig({ path: config, env: {}, cwd })
      assert.ok(loaded.kind === 'ok')
      return loaded
    },
    print: (text) => void said.push(text),
    note: (text) => void said.push(text),
    clock: systemClock,
    env: { USER: 'anna' },
    neighbours: () => Promise.resolve(new Map()),
    askSecret: () => Promise.resolve(undefined),
    exit: () => undefined,
  }
}

async function run(deps: PolicyStateDeps, ...args: string[]): Promise<void> {
  const yori = new Command('yori').addCommand(approveCommand(deps))
  await yori.parseAsync(['node', 'yori', ...args])
}
