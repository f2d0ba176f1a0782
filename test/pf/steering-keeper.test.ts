import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import type { Config } from '../../config/schema.js'
import { loadConfig } from '../../config/load.js'
import { steeringFiles } from '../../pf/steering-files.js'
import type { Log } from '../../src/core/log.js'
import { Deadlines } from '../../src/net/deadlines.js'
import { Resolver } from '../../src/net/resolver.js'
import { SteeringKeeper } from '../../pf/steering-keeper.js'
import { DnsServer } from '../support/dns-server.js'
import { ManualClock } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

function configured(folder: TempFolder, more: Record<string, unknown>): Config {
  const path = folder.file('yori.conf')
  writeFileSync(path, JSON.stringify({ state_dir: folder.file('state'), ...more }))
  const loaded = loadConfig({ path, env: {}, cwd: folder.path })
  assert.ok(loaded.kind === 'ok', JSON.stringify(loaded))
  return loaded.config
}

class Kept implements AsyncDisposable {
  readonly clock = new ManualClock()
  readonly events: [kind: string, details: Record<string, unknown>][] = []
  readonly said: string[] = []
  readonly keeper: SteeringKeeper
  readonly config: Config

  constructor(config: Config) {
    mkdirSync(config.state_dir, { recursive: true })
    this.config = config
    const say = (_fields: object, message: string): void => void this.said.push(message)
    const log: Log = { debug: say, info: say, warn: say, error: say }
    this.keeper = new SteeringKeeper({
      config,
      clock: this.clock,
      log,
      deadlines: new Deadlines(this.clock),
      own: { has: (address) => address === '203.0.113.99' },
      openLookup: (options) => new Resolver({ ...options, clock: this.clock }),
      event: (kind, details) => void this.events.push([kind, details]),
    })
  }

  async look(): Promise<void> {
    this.clock.advance(30_000)
    this.keeper.tick(this.clock.monotonic())
    await this.keeper.settled()
  }

  get table(): string[] {
    const { table } = steeringFiles(this.config.state_dir)
    return readFileSync(table, 'utf8').split('\n').filter(Boolean)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.keeper.stop()
  }
}

const steered = (dns: DnsServer) => ({
  endpoints: [{ domain: 'api.llm.test' }, { domain: 'gemini.google.com' }],
  steer: { interfaces: ['em1'], dns: [dns.address], ranges: ['160.79.104.0/23'] },
})

describe('the table of steered addresses, while YORI runs', () => {
  it('has what the resolver of the clients answers, for 30 minutes after it last did', async () => {
    await using folder = await tempFolder()
    await using dns = await DnsServer.start()
    let four = ['203.0.113.7', '203.0.113.8']
    dns.answer = (_name, family) => ({
      kind: 'addresses',
      addresses: family === 4 ? four : ['2001:db8:9::42'],
      ttl: 5,
    })
    await using kept = new Kept(configured(folder, steered(dns)))
    await kept.look()
    const ranges = ['160.79.104.0/23']
    assert.deepEqual(kept.table, [
      ...[...ranges, '203.0.113.7', '203.0.113.8', '2001:db8:9::42'],
    ])
    assert.ok(
      dns.questions.every((asked) => !asked.includes('google')),
      'not of hosts that share their addresses with everything',
    )
    four = ['203.0.113.8', '10.0.0.1', '203.0.113.99']
    await kept.look()
    assert.ok(kept.table.includes('203.0.113.7'), 'kept')
    assert.ok(!kept.table.includes('10.0.0.1'), 'private')
    assert.ok(!kept.table.includes('203.0.113.99'), 'our own')
    kept.clock.advance(29 * 60_000)
    await kept.look()
    assert.ok(kept.table.includes('203.0.113.7'), 'kept for 30 minutes')
    await kept.look()
    await kept.look()
    assert.deepEqual(kept.table, [...ranges, '203.0.113.8', '2001:db8:9::42'])
  })

  it('stays while no resolver answers, and over a restart, but not for ever', async () => {
    await using folder = await tempFolder()
    await using dns = await DnsServer.start()
    dns.answer = () => ({ kind: 'failure' })
    const config = configured(folder, steered(dns))
    await using kept = new Kept(config)
    const { table } = steeringFiles(config.state_dir)
    writeFileSync(table, '203.0.113.7\n203.0.113.99\n10.0.0.1\n')
    const seconds = kept.clock.now() / 1000
    utimesSync(table, seconds, seconds)
    await kept.look()
    assert.deepEqual(kept.table, ['160.79.104.0/23', '203.0.113.7'])
    assert.ok(kept.said.some((line) => line.includes('do not resolve')))
    kept.clock.advance(31 * 60_000)
    await kept.look()
    assert.deepEqual(kept.table, ['160.79.104.0/23'])
  })

  it('is not made where nothing is steered', async () => {
    await using folder = await tempFolder()
    await using dns = await DnsServer.start()
    await using kept = new Kept(configured(folder, { steer: { dns: [dns.address] } }))
    await kept.look()
    assert.throws(() => kept.table, /ENOENT/)
    assert.deepEqual(dns.questions, [])
  })
})

const CONSENT = { enabled: true, consent_accepted: true }

describe('off periods, while YORI runs', () => {
  it('are recorded once each, and an alert in enforce', async () => {
    for (const mode of ['observe', 'enforce'] as const) {
      await using folder = await tempFolder()
      const config = configured(folder, { mode, enforcement: CONSENT })
      const files = steeringFiles(config.state_dir)
      mkdirSync(files.directory)
      const from = '2023-11-14T22:13:20.000Z'
      const known = {
        from,
        cause: 'ended',
        on_failure: 'open',
        alert: mode === 'enforce',
      }
      writeFileSync(files.offPeriods, '1 1700000000 - ended open\n')
      {
        await using kept = new Kept(config)
        await kept.look()
        await kept.look()
        assert.deepEqual(kept.events, [['steering_off', known]])
      }
      writeFileSync(
        files.offPeriods,
        '1 1700000000 - ended open\n2 1700000000 1700000012 ended open\n',
      )
      await using again = new Kept(config)
      await again.look()
      const to = '2023-11-14T22:13:32.000Z'
      assert.deepEqual(again.events, [['steering_back', { ...known, to, seconds: 12 }]])
    }
  })

  it('stands as the supervisor says, as long as there is one', async () => {
    await using folder = await tempFolder()
    const config = configured(folder, {})
    const files = steeringFiles(config.state_dir)
    mkdirSync(files.directory)
    await using kept = new Kept(config)
    const none = { wished: false, led: [], offSeconds: 0 }
    assert.deepEqual(kept.keeper.stands, none)
    await kept.look()
    assert.deepEqual(kept.keeper.stands, none)
    writeFileSync(files.desired, 'on\n')
    writeFileSync(files.status, 'wish=on\nholds=both\nsince=1700000000\n')
    writeFileSync(files.offPeriods, '1 1700000000 1700000012 ended open\n')
    // Ours lives; a number that no process can have does not.
    for (const [pid, led] of [
      [String(process.pid), ['inet', 'inet6']],
      ['4194305', []],
      ['-1', []],
    ] as const) {
      writeFileSync(files.pid, `${pid}\n`)
      await kept.look()
      assert.deepEqual(kept.keeper.stands, { wished: true, led, offSeconds: 12 }, pid)
    }
    writeFileSync(files.pid, String(process.pid))
    writeFileSync(files.status, 'wish=on\nholds=inet6\n')
    await kept.look()
    assert.deepEqual(kept.keeper.stands.led, ['inet6'])
  })
})
