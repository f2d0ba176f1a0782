/**
 * A household: a client, a router on which `yori run` serves what the generated rules lead to
 * it, and a provider's address that serves another name, too. Judged by what the client sees,
 * what the far server sees, and what is recorded.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { renderNftOff, tproxyRouting } from '../../pf/render-nft.js'
import { steering } from '../pf/support.js'
import {
  answerOf,
  CLIENT,
  EXEMPT,
  FAMILIES,
  Household,
  LLM,
  ORIGIN_CA,
  OTHER,
  PROVIDER,
  YORI,
} from '../support/household.js'
import type { SteerBackend } from '../support/household.js'
import type { Program } from '../support/namespaces.js'
import { NAMESPACES, needs } from '../support/needs.js'

const OWN_CA = /YORI/
/** The router's addresses on the side of the internet. */
const WAN = { inet: '198.51.100.1', inet6: 'fd78::1' } as const

async function household(resolve: Record<string, string> = {}): Promise<Household> {
  // Nobody answers there, at once: the system's own look-up would keep the process for seconds.
  const home = await Household.open({ steer: { exempt: [], dns: ['127.0.0.1:53'] } })
  home.configure({
    upstream: { extra_ca: [home.folder.file('origin.pem')], resolve },
    intercept: { exempt_devices: Object.values(EXEMPT) },
  })
  return home
}

/** `yori run` on the router, without a supervisor; resolves when it listens. */
async function run(home: Household, by: readonly string[] = []): Promise<Program> {
  const words = [...by, process.execPath, YORI, 'run', '--config', home.config]
  const quiet = ['-c', 'exec "$@" 2>"$0"', home.folder.file('log'), ...words]
  const program = home.machines.spawn('router', 'sh', quiet)
  while (!(await program.line()).startsWith('Ctrl-C'));
  const root = execFileSync(process.execPath, [
    ...[YORI, 'ca', 'export', '--config', home.config],
  ])
  appendFileSync(home.folder.file('roots.pem'), root)
  return program
}

async function stop(yori: Program): Promise<void> {
  const ended = once(yori.child, 'exit')
  yori.child.kill('SIGTERM')
  await ended
}

/** The rules as the command prints them; `steer.ranges` has the provider's addresses. */
function steer(home: Household, backend: SteerBackend): void {
  const { status, stdout, stderr } = home.yori('pf', 'generate', '--backend', backend)
  assert.equal(status, 0, stderr)
  home.machines.run('router', 'nft -f -', stdout)
  if (backend !== 'nft-tproxy') return
  for (const words of tproxyRouting(steering({})).on)
    home.machines.run('router', `ip ${words.join(' ')}`)
}

interface Logged {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

function logOf(home: Household): Logged[] {
  const lines = readFileSync(home.folder.file('log'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Logged)
}

/** What was recorded, after YORI has stopped. */
function rowsOf(home: Household, sql: string): Record<string, unknown>[] {
  const db = new Sqlite(home.folder.file('state/audit.db'), { readonly: true })
  try {
    return db.prepare<[], Record<string, unknown>>(sql).all()
  } finally {
    db.close()
  }
}

/** As a dual-stack server sees an address of either family. */
const seen = (family: (typeof FAMILIES)[number], address: string): string =>
  family === 'inet' ? `::ffff:${address}` : address

for (const backend of ['nft-tproxy', 'nft-redirect'] as const)
  describe(`a router that steers by ${backend}, and yori run on it`, () => {
    before(function () {
      needs(this, ...NAMESPACES)
    })

    it('intercepts the provider, tunnels the rest, and leaves alone who is exempt', async () => {
      await using home = await household()
      const before = FAMILIES.map((family) =>
        home.asker([{ host: PROVIDER[family], name: LLM, stay: true }]),
      )
      for (const stream of before)
        assert.equal((await answerOf(stream)).issuer, ORIGIN_CA, 'direct before')

      const yori = await run(home)
      steer(home, backend)

      for (const stream of before) {
        stream.child.kill('SIGUSR1')
        const again = await answerOf(stream)
        assert.equal(again.issuer, ORIGIN_CA, 'an open stream goes on')
      }
      for (const family of FAMILIES) {
        const host = PROVIDER[family]
        const [llm, other, exempt] = await home.ask([
          { host, name: LLM },
          { host, name: OTHER },
          { host, name: LLM, from: EXEMPT[family] },
        ])
        assert.match(llm?.issuer ?? '', OWN_CA, `intercepted: ${JSON.stringify(llm)}`)
        // By a pooled connection maybe, which is of one family or the other.
        const routers = FAMILIES.map((either) => seen(either, WAN[either]))
        assert.ok(routers.includes(llm?.said?.from ?? ''), JSON.stringify(llm))
        assert.equal(llm?.said?.name, LLM)
        assert.equal(other?.issuer, ORIGIN_CA, `tunnelled: ${JSON.stringify(other)}`)
        assert.deepEqual(other?.said, { name: OTHER, from: seen(family, WAN[family]) })
        assert.equal(exempt?.issuer, ORIGIN_CA, `exempt: ${JSON.stringify(exempt)}`)
        assert.deepEqual(exempt?.said, { name: LLM, from: seen(family, EXEMPT[family]) })
      }
      home.machines.run('router', 'nft -f -', renderNftOff())
      for (const stream of before) {
        stream.child.kill('SIGUSR1')
        assert.equal((await answerOf(stream)).issuer, ORIGIN_CA, 'and when it is off')
      }

      await stop(yori)
      const common = { way: 'redirected', device_mac: home.macOf('client') }
      const expected = FAMILIES.flatMap((family) => {
        const port = 443
        const destination =
          family === 'inet' ? `${PROVIDER.inet}:${port}` : `[${PROVIDER.inet6}]:${port}`
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
        rowsOf(
          home,
          `SELECT way, device_mac, destination, device_ip, server_name, name_class,
             coverage, exchanges FROM connections ORDER BY id`,
        ),
        expected,
      )
      const status = JSON.parse(home.yori('status', '--json').stdout) as {
        sections: { coverage: { facts: { all: object } } }
      }
      assert.deepEqual(status.sections.coverage.facts.all, {
        total: 4,
        inspected: 2,
        tunnelled: 2,
        refused: 0,
        failed: 0,
      })
      assert.deepEqual(
        rowsOf(home, 'SELECT endpoint_domain, http_path, response_status FROM exchanges'),
        FAMILIES.map(() => ({
          endpoint_domain: LLM,
          http_path: '/v1/models',
          response_status: 200,
        })),
      )
    })
  })

describe('a router that steers by nft-tproxy, and yori run without the right to it', () => {
  before(function () {
    needs(this, ...NAMESPACES, 'setpriv')
  })

  it('says so, and the kernel sends clients straight on', async () => {
    await using home = await household()
    const yori = await run(home, ['setpriv', '--bounding-set', '-net_admin,-net_raw'])
    steer(home, 'nft-tproxy')
    const asks = FAMILIES.map((family) => ({ host: PROVIDER[family], name: LLM }))
    for (const { issuer } of await home.ask(asks)) assert.equal(issuer, ORIGIN_CA)
    await stop(yori)
    const warnings = logOf(home).filter(({ msg }) => /TPROXY/.test(msg))
    assert.deepEqual(
      warnings.map(({ level, listen, reason }) => [level, listen, reason]),
      ['0.0.0.0:8443', '[::]:8443'].map((listen) => [
        40,
        listen,
        'IP_TRANSPARENT was refused (errno 1); it needs CAP_NET_RAW or CAP_NET_ADMIN',
      ]),
    )
    assert.deepEqual(rowsOf(home, 'SELECT * FROM connections'), [])
  })
})

describe('a router that steers by nft-redirect, and nobody to ask for destinations', () => {
  before(function () {
    needs(this, ...NAMESPACES)
  })

  it('leads steered clients on by name', async () => {
    const address = `${PROVIDER.inet}:443`
    await using home = await household({ [LLM]: address, [OTHER]: address })
    const hook = home.folder.file('no-koffi.cjs')
    writeFileSync(
      hook,
      `const module_ = require('module'); const load = module_._load
       module_._load = (name, ...rest) => {
         if (name === 'koffi') throw new Error('not installed')
         return load(name, ...rest)
       }`,
    )
    const yori = await run(home, ['env', `NODE_OPTIONS=--require=${hook}`])
    steer(home, 'nft-redirect')
    for (const family of FAMILIES) {
      const host = PROVIDER[family]
      const [llm, other] = await home.ask([
        { host, name: LLM },
        { host, name: OTHER },
      ])
      assert.match(llm?.issuer ?? '', OWN_CA, JSON.stringify(llm))
      assert.equal(other?.issuer, ORIGIN_CA, JSON.stringify(other))
    }
    await stop(yori)
    assert.ok(logOf(home).some(({ msg }) => msg.startsWith('koffi cannot be loaded')))
    const expected = ['inspected', 'tunnel-not-endpoint']
    assert.deepEqual(
      rowsOf(home, 'SELECT coverage FROM connections ORDER BY id').map(
        (row) => row['coverage'],
      ),
      [...expected, ...expected],
    )
  })
})
