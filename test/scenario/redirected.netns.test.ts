/**
 * A household: a client, a router on which `yori run` serves what the generated rules lead to
 * it, and a provider's address that serves another name, too. Judged by what the client sees,
 * what the far server sees, and what is recorded.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { elementsText, renderNftOff, tproxyRouting } from '../../pf/render-nft.js'
import { packageFile } from '../../src/core/package-root.js'
import { steering } from '../pf/support.js'
import type { Answered, Ask } from '../support/ask-tls.js'
import { Namespaces, whyNoNamespaces } from '../support/namespaces.js'
import type { Program } from '../support/namespaces.js'
import { hasProgram } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { TestCa } from '../support/test-ca.js'

const YORI = packageFile('dist', 'src', 'cli', 'main.js')
const support = (name: string): string => packageFile('dist', 'test', 'support', name)

const LLM = 'api.openai.com'
const OTHER = 'www.example.org'
const ORIGIN_CA = 'Origin Test CA'
const OWN_CA = /YORI/
/** The provider's address, which serves `OTHER` as well. */
const ADDRESSES = { inet: '203.0.113.7', inet6: '2001:db8:9::42' } as const
const ROUTER = { inet: '198.51.100.1', inet6: 'fd78::1' } as const
const CLIENT = { inet: '10.77.0.2', inet6: 'fd77::2' } as const
const EXEMPT = { inet: '10.77.0.3', inet6: 'fd77::3' } as const
const FAMILIES = ['inet', 'inet6'] as const

type Backend = 'nft-tproxy' | 'nft-redirect'

class Household implements AsyncDisposable {
  readonly machines: Namespaces
  readonly folder: TempFolder

  private constructor(machines: Namespaces, folder: TempFolder) {
    this.machines = machines
    this.folder = folder
  }

  static async open(): Promise<Household> {
    const folder = await tempFolder()
    const home = new Household(new Namespaces(['client', 'router', 'internet']), folder)
    try {
      home.#wire()
      await home.#serve()
      return home
    } catch (error) {
      await home[Symbol.asyncDispose]()
      throw error
    }
  }

  #wire(): void {
    const { machines } = this
    machines.link({
      from: {
        machine: 'client',
        name: 'eth0',
        addresses: FAMILIES.flatMap((family) =>
          [CLIENT, EXEMPT].map((who) => `${who[family]}/${family === 'inet' ? 24 : 64}`),
        ),
      },
      to: { machine: 'router', name: 'lan0', addresses: ['10.77.0.1/24', 'fd77::1/64'] },
    })
    machines.link({
      from: {
        machine: 'router',
        name: 'wan0',
        addresses: ['198.51.100.1/24', 'fd78::1/64'],
      },
      to: {
        machine: 'internet',
        name: 'eth0',
        addresses: [
          '198.51.100.254/24',
          'fd78::fe/64',
          `${ADDRESSES.inet}/32`,
          `${ADDRESSES.inet6}/128`,
        ],
      },
    })
    const routes: readonly [string, string, string][] = [
      ['client', '10.77.0.1', 'fd77::1 src fd77::2'],
      ['router', '198.51.100.254', 'fd78::fe'],
      ['internet', '198.51.100.1', 'fd78::1'],
    ]
    for (const [machine, via4, via6] of routes) {
      machines.run(machine, `ip route add default via ${via4}`)
      machines.run(machine, `ip -6 route add default via ${via6}`)
    }
    const forward = 'net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1'
    machines.run('router', `sysctl -qw ${forward}`)
  }

  /** The provider, and the other site at its address; the client trusts both and YORI. */
  async #serve(): Promise<void> {
    const ca = new TestCa(ORIGIN_CA)
    const pairs: Record<string, { key: string; cert: string }> = {}
    for (const name of [LLM, OTHER]) {
      const { keyPem, certificatePem } = ca.issue({ names: [name] })
      pairs[name] = { key: keyPem, cert: certificatePem }
    }
    writeFileSync(this.folder.file('pairs.json'), JSON.stringify(pairs))
    writeFileSync(this.folder.file('origin.pem'), ca.certificatePem)
    writeFileSync(this.folder.file('roots.pem'), ca.certificatePem)
    const words = [support('named-server.js'), '443', this.folder.file('pairs.json')]
    const server = this.machines.spawn('internet', process.execPath, words)
    assert.equal(await server.line(), 'listening')
  }

  get #config(): string {
    return this.folder.file('yori.conf')
  }

  /** `yori run` on the router; resolves when it listens. */
  async yori(
    by: readonly string[] = [],
    resolve: Record<string, string> = {},
  ): Promise<Program> {
    writeFileSync(
      this.#config,
      JSON.stringify({
        state_dir: this.folder.file('state'),
        log: { level: 'warn' },
        endpoints: [{ domain: LLM }],
        upstream: { extra_ca: [this.folder.file('origin.pem')], resolve },
        steer: { interfaces: ['lan0'] },
        intercept: { exempt_devices: Object.values(EXEMPT) },
      }),
    )
    const words = [...by, process.execPath, YORI, 'run', '--config', this.#config]
    const quiet = ['-c', 'exec "$@" 2>"$0"', this.folder.file('log'), ...words]
    const program = this.machines.spawn('router', 'sh', quiet)
    while (!(await program.line()).startsWith('Ctrl-C'));
    const root = execFileSync(process.execPath, [
      YORI,
      ...['ca', 'export', '--config', this.#config],
    ])
    appendFileSync(this.folder.file('roots.pem'), root)
    return program
  }

  /** The rules as the command prints them, with the provider's addresses in their sets. */
  steer(backend: Backend): void {
    const text = execFileSync(
      process.execPath,
      [YORI, 'pf', 'generate', '--config', this.#config, '--backend', backend],
      { encoding: 'utf8' },
    )
    const known = FAMILIES.map((family) => elementsText(family, [ADDRESSES[family]], 300))
    this.machines.run('router', 'nft -f -', text + known.join(''))
    if (backend !== 'nft-tproxy') return
    for (const words of tproxyRouting(steering({})).on)
      this.machines.run('router', `ip ${words.join(' ')}`)
  }

  async ask(asks: readonly Ask[]): Promise<Answered[]> {
    const program = this.asker(asks)
    const answers: Answered[] = []
    for (let n = 0; n < asks.length; n++) answers.push(await answerOf(program))
    return answers
  }

  asker(asks: readonly Ask[]): Program {
    const words = [support('ask-tls.js'), this.folder.file('roots.pem')]
    words.push(JSON.stringify(asks))
    return this.machines.spawn('client', process.execPath, words)
  }

  /** What was recorded, after YORI has stopped. */
  rows(sql: string): Record<string, unknown>[] {
    const db = new Sqlite(this.folder.file('state/audit.db'), { readonly: true })
    try {
      return db.prepare<[], Record<string, unknown>>(sql).all()
    } finally {
      db.close()
    }
  }

  /** What YORI logged. */
  get log(): { level: number; msg: string; [field: string]: unknown }[] {
    const lines = readFileSync(this.folder.file('log'), 'utf8').trim().split('\n')
    return lines.map((line) => JSON.parse(line) as { level: number; msg: string })
  }

  async stop(yori: Program): Promise<void> {
    const ended = new Promise((resolve) => yori.child.once('exit', resolve))
    yori.child.kill('SIGTERM')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machines[Symbol.asyncDispose]()
    await this.folder[Symbol.asyncDispose]()
  }
}

async function answerOf(program: Program): Promise<Answered> {
  return JSON.parse(await program.line()) as Answered
}

/** As a dual-stack server sees an address of either family. */
const seen = (family: (typeof FAMILIES)[number], address: string): string =>
  family === 'inet' ? `::ffff:${address}` : address

for (const backend of ['nft-tproxy', 'nft-redirect'] as const)
  describe(`a router that steers by ${backend}, and yori run on it`, function () {
    this.timeout(60_000)

    before(function () {
      if (whyNoNamespaces() !== undefined) this.skip()
    })

    it('intercepts the provider, tunnels the rest, and leaves alone who is exempt', async () => {
      await using home = await Household.open()
      const before = FAMILIES.map((family) =>
        home.asker([{ host: ADDRESSES[family], name: LLM, stay: true }]),
      )
      for (const stream of before)
        assert.equal((await answerOf(stream)).issuer, ORIGIN_CA, 'direct before')

      const yori = await home.yori()
      home.steer(backend)

      for (const stream of before) {
        stream.child.kill('SIGUSR1')
        const again = await answerOf(stream)
        assert.equal(again.issuer, ORIGIN_CA, 'an open stream goes on')
      }
      for (const family of FAMILIES) {
        const host = ADDRESSES[family]
        const [llm, other, exempt] = await home.ask([
          { host, name: LLM },
          { host, name: OTHER },
          { host, name: LLM, from: EXEMPT[family] },
        ])
        assert.match(llm?.issuer ?? '', OWN_CA, `intercepted: ${JSON.stringify(llm)}`)
        // By a pooled connection maybe, which is of one family or the other.
        const routers = FAMILIES.map((either) => seen(either, ROUTER[either]))
        assert.ok(routers.includes(llm?.said?.from ?? ''), JSON.stringify(llm))
        assert.equal(llm?.said?.name, LLM)
        assert.equal(other?.issuer, ORIGIN_CA, `tunnelled: ${JSON.stringify(other)}`)
        assert.deepEqual(other?.said, { name: OTHER, from: seen(family, ROUTER[family]) })
        assert.equal(exempt?.issuer, ORIGIN_CA, `exempt: ${JSON.stringify(exempt)}`)
        assert.deepEqual(exempt?.said, { name: LLM, from: seen(family, EXEMPT[family]) })
      }
      home.machines.run('router', 'nft -f -', renderNftOff())
      for (const stream of before) {
        stream.child.kill('SIGUSR1')
        assert.equal((await answerOf(stream)).issuer, ORIGIN_CA, 'and when it is off')
      }

      const [link] = JSON.parse(home.machines.run('client', 'ip -j link show eth0')) as [
        { address: string },
      ]
      await home.stop(yori)
      const common = { way: 'redirected', device_mac: link.address }
      const expected = FAMILIES.flatMap((family) => {
        const port = 443
        const destination =
          family === 'inet' ? `${ADDRESSES.inet}:${port}` : `[${ADDRESSES.inet6}]:${port}`
        const who = { ...common, destination, device_ip: CLIENT[family] }
        return [
          {
            ...who,
            server_name: LLM,
            name_class: LLM,
            coverage: 'inspected',
            exchanges: 1,
          },
          {
            ...who,
            server_name: null,
            name_class: '(other)',
            coverage: 'tunnel-not-endpoint',
            exchanges: 0,
          },
        ]
      })
      assert.deepEqual(
        home.rows(
          `SELECT way, device_mac, destination, device_ip, server_name, name_class,
             coverage, exchanges FROM connections ORDER BY id`,
        ),
        expected,
      )
      assert.deepEqual(
        home.rows('SELECT endpoint_domain, http_path, response_status FROM exchanges'),
        FAMILIES.map(() => ({
          endpoint_domain: LLM,
          http_path: '/v1/models',
          response_status: 200,
        })),
      )
    })
  })

describe('a router that steers by nft-tproxy, and yori run without the right to it', function () {
  this.timeout(60_000)

  before(function () {
    if (whyNoNamespaces() !== undefined || !hasProgram('setpriv')) this.skip()
  })

  it('says so, and the kernel sends clients straight on', async () => {
    await using home = await Household.open()
    const yori = await home.yori(['setpriv', '--bounding-set', '-net_admin,-net_raw'])
    home.steer('nft-tproxy')
    const asks = FAMILIES.map((family) => ({ host: ADDRESSES[family], name: LLM }))
    for (const { issuer } of await home.ask(asks)) assert.equal(issuer, ORIGIN_CA)
    await home.stop(yori)
    const warnings = home.log.filter(({ msg }) => /TPROXY/.test(msg))
    assert.deepEqual(
      warnings.map(({ level, listen, reason }) => [level, listen, reason]),
      ['0.0.0.0:8443', '[::]:8443'].map((listen) => [
        40,
        listen,
        'IP_TRANSPARENT was refused (errno 1); it needs CAP_NET_RAW or CAP_NET_ADMIN',
      ]),
    )
    assert.deepEqual(home.rows('SELECT * FROM connections'), [])
  })
})

describe('a router that steers by nft-redirect, and nobody to ask for destinations', function () {
  this.timeout(60_000)

  before(function () {
    if (whyNoNamespaces() !== undefined) this.skip()
  })

  it('leads steered clients on by name', async () => {
    await using home = await Household.open()
    const hook = home.folder.file('no-koffi.cjs')
    writeFileSync(
      hook,
      `const module_ = require('module'); const load = module_._load
       module_._load = (name, ...rest) => {
         if (name === 'koffi') throw new Error('not installed')
         return load(name, ...rest)
       }`,
    )
    const address = `${ADDRESSES.inet}:443`
    const yori = await home.yori(['env', `NODE_OPTIONS=--require=${hook}`], {
      [LLM]: address,
      [OTHER]: address,
    })
    home.steer('nft-redirect')
    for (const family of FAMILIES) {
      const host = ADDRESSES[family]
      const [llm, other] = await home.ask([
        { host, name: LLM },
        { host, name: OTHER },
      ])
      assert.match(llm?.issuer ?? '', OWN_CA, JSON.stringify(llm))
      assert.equal(other?.issuer, ORIGIN_CA, JSON.stringify(other))
    }
    await home.stop(yori)
    assert.ok(home.log.some(({ msg }) => msg.startsWith('koffi cannot be loaded')))
    const expected = ['inspected', 'tunnel-not-endpoint']
    assert.deepEqual(
      home
        .rows('SELECT coverage FROM connections ORDER BY id')
        .map((row) => row['coverage']),
      [...expected, ...expected],
    )
  })
})
