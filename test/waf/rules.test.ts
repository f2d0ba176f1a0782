/** Which rules are in use, what they say afterwards, and how they are tuned. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { request } from 'undici'
import { parse } from 'yaml'
import { systemClock } from '../../src/core/clock.js'
import { loadConfig } from '../../config/load.js'
import type { Config } from '../../config/schema.js'
import { wafCommand } from '../../src/cli/commands/policy/waf-command.js'
import { wafCheck } from '../../src/doctor/doctor-waf.js'
import { before as directives } from '../../src/waf/directives.js'
import { Engine, EngineMissing } from '../../src/waf/libmodsecurity.js'
import { openJudge } from '../../src/waf/open-judge.js'
import { readSaid } from '../../src/waf/said.js'
import { settingsAnyway } from '../../src/waf/settings-of.js'
import { Cli } from '../support/cli.js'
import { FIREWALL, needs } from '../support/needs.js'
import { behind, endedExchanges, NAME, until } from '../support/proxied.js'
import type { Proxied } from '../support/proxied.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { firewallOf } from '../support/waf.js'
import type { Firewall } from '../support/waf.js'
import { writeRuleSet } from './rule-sets.js'

const INJECTION = "1' OR '1'='1"
const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
}

describe('rules of the firewall', function () {
  this.timeout(60_000)
  let folder: TempFolder
  let house: Proxied
  let firewall: Firewall

  before(async function () {
    needs(this, ...FIREWALL)
    folder = await tempFolder()
    writeRuleSet(folder.file('three'), '3.9.1')
    writeRuleSet(folder.file('four'), '4.7.0')
    house = await behind((_incoming, response) => response.end('{}'), {
      ...ENFORCE,
      waf: { enabled: true, rules: folder.file('three'), timeout_ms: 10_000 },
    })
    firewall = await firewallOf(house.yori)
  })
  after(async () => {
    await firewall?.[Symbol.asyncDispose]()
    await house?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  const config = (): Config => house.yori.appliance.current.config

  async function command(...args: string[]) {
    let out = ''
    let err = ''
    let code = 0
    await wafCommand({
      config,
      clock: systemClock,
      print: (text) => void (out += text),
      note: (text) => void (err += text),
      exit: (given) => void (code = given),
    }).parseAsync(args, { from: 'user' })
    return { out, err, code }
  }

  async function ask(path: string): Promise<number> {
    const answer = await request(`https://${NAME}${path}`, {
      dispatcher: house.yori.dispatcher(),
      headers: { 'user-agent': 'a test' },
    })
    await answer.body.dump()
    return answer.statusCode
  }
  const attack = (name = 'id'): Promise<number> =>
    ask(`/v1/models?${name}=${encodeURIComponent(INJECTION)}`)

  /** Connections of before are answered for a moment by the process of before. */
  async function untilLookedBy(version: string): Promise<void> {
    await until(() => firewall.keeper.state.version === version)
    await until(async () => {
      const before = (await endedExchanges(house.yori, 0)).length
      assert.equal(await attack(), 403)
      const rows = await endedExchanges(house.yori, before + 1)
      return String(rows.at(-1)?.['policy_message']).includes(`crs ${version}`)
    })
  }

  it('are chosen by version, without a break, and the one before is kept', async () => {
    assert.equal(await attack(), 403)
    const told = await command('rules', 'add', folder.file('four'))
    assert.match(told.out, /CRS 4\.7\.0 is kept/)
    assert.equal((await command('rules', 'use', '4.7.0')).code, 0)
    await untilLookedBy('4.7.0')
    assert.equal(firewall.keeper.state.restarts, 0)

    const list = JSON.parse((await command('rules', 'list', '--json')).out) as {
      version: string
      installed: boolean
      chosen: boolean
    }[]
    assert.deepEqual(
      list.map(({ version, installed, chosen }) => [version, installed, chosen]),
      [
        ['3.9.1', true, false],
        ['4.7.0', false, true],
        ['3.9.1', false, false],
      ],
    )
    const status = JSON.parse((await command('status', '--json')).out) as object
    assert.equal((status as { version: string }).version, '4.7.0')
    assert.equal((await command('rules', 'use', 'installed')).code, 0)
    await untilLookedBy('3.9.1')
  })

  it('that cannot be read are not chosen', async () => {
    const bad = writeRuleSet(folder.file('bad'), '4.8.0', 'SecRule ARGS "@nonsense"')
    await command('rules', 'add', bad)
    const { code, err } = await command('rules', 'use', '4.8.0')
    assert.equal(code, 1)
    assert.match(err, /REQUEST-942-SQL\.conf.*nothing was changed/s)
    const unknown = await command('rules', 'use', '9.9.9')
    assert.equal(unknown.code, 1)
    assert.equal(firewall.keeper.state.version, '3.9.1')
  })

  it('give way to those of before where an update broke them', async () => {
    const file = folder.file('three/rules/REQUEST-942-SQL.conf')
    const whole = readFileSync(file, 'utf8')
    writeFileSync(file, 'SecRule ARGS "@nonsense"\n')
    try {
      process.kill(firewall.pid, 'SIGKILL')
      await until(() => firewall.keeper.state.fallback !== undefined)
      await until(() => firewall.keeper.state.state === 'running')
      await until(async () => (await attack()) === 403)
      const { state } = firewall.keeper
      assert.match(state.folder ?? '', /waf\/rules\/3\.9\.1$/)
      assert.match((await command('status')).out, /rules of before, since: .*942-SQL/)
    } finally {
      writeFileSync(file, whole)
    }
  })

  it('are tuned by what was seen: the exclusion that is proposed does what it says', async () => {
    const before = (await house.yori.rows('exchanges')).length
    assert.equal(await attack('harmless'), 403)
    await endedExchanges(house.yori, before + 1)
    const { out } = await command('tune', '--since', '1h')
    assert.match(out, /942100 +ARGS:harmless +1 +1 +127\.0\.0\.1/)
    const { waf } = parse(out.slice(out.indexOf('\nwaf:'))) as {
      waf: { exclusions: { argument: string }[] }
    }
    const exclusions = waf.exclusions.filter(({ argument }) => /harmless/.test(argument))
    assert.equal(exclusions.length, 1)
    const rules = folder.file('three')
    const tuned = { enabled: true, rules, exclusions, timeout_ms: 10_000 }
    await house.yori.reload({ waf: tuned })
    const settings = { ...settingsAnyway(config()) }
    await firewall.keeper.use(settings)
    await until(async () => (await attack('harmless')) === 200)
    assert.equal(await attack('other'), 403)
    // It is of that path alone.
    const elsewhere = `/v1/files?harmless=${encodeURIComponent(INJECTION)}`
    assert.equal(await ask(elsewhere), 403)
  })

  it('are left out no longer than until their day is over', () => {
    const exclusions = [{ rule: '942100', reason: 'x', until: '2030-05-01' }]
    const set = { version: '3.3.4', generation: 3 } as const
    const at = (time: string): string =>
      directives(set, { paranoia: 1, threshold: 5, exclusions }, Date.parse(time))
    assert.match(at('2030-05-01T23:59:59Z'), /ruleRemoveById=942100/)
    assert.doesNotMatch(at('2030-05-02T00:00:00Z'), /942100/)
  })

  it('are tried on recordings before they are used', async () => {
    const other = writeRuleSet(
      folder.file('other'),
      '4.9.0',
      `SecRule REQUEST_HEADERS:User-Agent "@streq odd" "id:942999,phase:2,deny,status:403,log,msg:'odd'"`,
    )
    const recording = {
      ...{ yori_recording: 1, id: 'r1', recorded_at: '2030-01-01T00:00:00.000Z' },
      ...{
        outcome: 'ok',
        latency_ms: 1,
        sanitised: 'all',
        about: { device: '10.0.0.2' },
      },
      request: {
        ...{ method: 'GET', url: `https://${NAME}/v1/models`, http_version: '1.1' },
        ...{ headers: [['User-Agent', 'odd']], body: { text: '' }, end_ms: 1 },
      },
    }
    writeFileSync(folder.file('r1.json'), JSON.stringify(recording))
    const { out, err } = await command(
      ...['tune', '--dry-run', other, '--recordings', folder.file('r1.json'), '--json'],
    )
    assert.equal(err, '')
    const told = JSON.parse(out) as { blocks: object; changes: { after: object }[] }
    assert.deepEqual(told.blocks, { before: 0, after: 1 })
    assert.deepEqual(told.changes[0]?.after, { blocks: true, rules: [942_999] })
  })

  it('that are not there are said to whoever asks, and by `yori config check`', async () => {
    const file = folder.file('none.yaml')
    const stateDir = folder.file('none')
    const waf = { enabled: true, rules: folder.file('nowhere') }
    writeFileSync(file, JSON.stringify({ state_dir: stateDir, waf }))
    await using cli = new Cli(['config', 'check', '--config', file], { cwd: folder.path })
    assert.equal(await cli.exited, 1)
    assert.match(cli.stderr, /waf\.rules: .*nowhere cannot be read: give a folder/)

    const loaded = loadConfig({ path: file, env: {}, cwd: folder.path })
    assert.ok(loaded.kind === 'ok')
    const machine = { platform: 'linux' }
    const patient = { config: loaded.config, machine, clock: systemClock }
    const findings = await wafCheck.look(patient as never)
    assert.match(JSON.stringify(findings), /nowhere cannot be read.*modsecurity-crs/)
  })

  it('say so in the handshake where the library is missing, and which package brings it', async function () {
    needs(this, 'Linux', 'root', 'unshare', 'mount namespaces')
    const library = libraryFile()
    const hide = `mount --bind /dev/null ${library} && exec "$0" "$@"`
    const under = ['unshare', '--mount', 'sh', '-c', hide]
    const file = folder.file('lacking.yaml')
    const stateDir = folder.file('lacking')
    const waf = { enabled: true, rules: folder.file('three') }
    const listen = '127.0.0.1:0'
    writeFileSync(file, JSON.stringify({ state_dir: stateDir, listen, waf }))
    const options = { cwd: folder.path, under }
    await using running = new Cli(['run', '--config', file], options)
    await running.printed(/YORI is running/)
    const said = await handshake(`${stateDir}/waf.sock`)
    assert.equal(said['success'], false)
    assert.match(String(said['error']), /libmodsecurity3/)
    await using doctor = new Cli(['doctor', '--config', file, '--json'], options)
    await doctor.exited
    assert.match(doctor.stdout, /apt-get install libmodsecurity3/)
    await using status = new Cli(['waf', 'status', '--config', file], options)
    assert.equal(await status.exited, 1)
    assert.match(status.stdout, /unable.*libmodsecurity3/)
  })

  it('have an engine, or a sentence', () => {
    assert.throws(() => Engine.open(['libnone.so.9']), EngineMissing)
    assert.throws(() => Engine.open(['libc.so.6']), /no libmodsecurity/)
  })

  it('are named as the engine names them, whatever a client says', () => {
    // The lines are those of libmodsecurity 3.0.9; its clients may say all but a quote in [data].
    const forged = '[file "x"] [line "1"] [id "1"] [rev "" '
    const line =
      "ModSecurity: Warning. Matched \"Operator `Rx' with parameter `a' against variable " +
      `\`ARGS:q' (Value: \`${forged}' ) [file "/r/a.conf"] [line "64"] [id "941110"] [rev ""] ` +
      '[msg "XSS"] [data "Matched Data: x found within ARGS:q: y"] [severity "2"]'
    const { hits } = readSaid({ lines: [line], stops: undefined })
    assert.deepEqual(hits, [{ rule: 941_110, where: 'ARGS:q' }])
  })

  it('take every exclusion that the configuration takes', () => {
    const engine = Engine.open()
    const until = '2999-01-01'
    const exclusions = [
      { rule: '942100', reason: 'a', until },
      { rule: 'attack-sqli', reason: 'a', until },
      { rule: '942100', argument: 'q', reason: 'a', until },
      { rule: '942100', argument: 'REQUEST_HEADERS:x-a', reason: 'a', until },
      { rule: 'attack-sqli', argument: 'ARGS:json.find.where', reason: 'a', until },
      { rule: '942100', route: '*.openai.com', reason: 'a', until },
      { rule: '942100', route: '/v1/', argument: 'ARGS:a[b]', reason: 'a', until },
      { rule: '942100', route: 'a.example/v1/x:y', reason: 'a', until },
    ]
    const rules = '/usr/share/modsecurity-crs'
    const settings = { ...settingsAnyway(config()), rules, exclusions }
    const judge = openJudge(engine, settings, systemClock.now())
    const head = (host: string) => ({
      ...{ method: 'GET', uri: `/v2/?id=${encodeURIComponent(INJECTION)}` },
      headers: { 'user-agent': ['x'], accept: ['*/*'] },
      metadata: { server_name: host },
    })
    assert.deepEqual(judge.judge(head('api.openai.com'), undefined).hits, [])
    const one = exclusions.slice(5)
    const narrow = openJudge(engine, { ...settings, exclusions: one }, systemClock.now())
    assert.equal(narrow.judge(head('api.openai.com'), undefined).blocks, false)
    assert.equal(narrow.judge(head('api.example.com'), undefined).blocks, true)
  })
})

function libraryFile(): string {
  const places = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib']
  const found = places.find((place) => existsSync(`${place}/libmodsecurity.so.3`))
  return `${found}/libmodsecurity.so.3`
}

/** Asks for the handshake of the agent protocol, version 2, by hand. */
function handshake(path: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', reject)
    const text = JSON.stringify({ supported_versions: [2], proxy_id: 't' })
    const head = Buffer.alloc(5)
    head.writeUInt32BE(text.length + 1)
    head[4] = 0x01
    socket.write(Buffer.concat([head, Buffer.from(text)]))
    let got = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk])
      if (got.length < 5 || got.length < 4 + got.readUInt32BE(0)) return
      socket.destroy()
      resolve(JSON.parse(got.toString('utf8', 5, 4 + got.readUInt32BE(0))) as never)
    })
  })
}
