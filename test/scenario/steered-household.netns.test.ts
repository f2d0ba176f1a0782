/**
 * A household whose router runs the supervisor: rules are made, loaded and taken away by the
 * command line alone, and judged by what clients and servers see.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  BLOCKED,
  EXEMPT,
  FAMILIES,
  Household,
  LLM,
  ORIGIN_CA,
  OTHER,
  PROVIDER,
  ROUTER,
  YORI_PORT,
  answerOf,
} from '../support/household.js'
import type { Family } from '../support/household.js'
import { NAMESPACES, needs } from '../support/needs.js'

const OWN_CA = /^YORI/

function allIsThere(this: Mocha.Context): void {
  needs(this, ...NAMESPACES, 'curl', 'openssl', 'setpriv')
}

function hasOneRight(pid: number): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const CAP_NET_RAW = 1n << 13n
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
    const bits = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1]
    assert.equal(BigInt(`0x${bits}`), CAP_NET_RAW, set)
  }
  assert.doesNotMatch(status, /^Uid:\s+0/m)
}

for (const backend of ['nft-tproxy', 'nft-redirect'] as const)
  describe(`a household steered by yori pf apply, ${backend}`, () => {
    before(allIsThere)

    it('has LLM traffic opened, and nothing else changed', async () => {
      // TPROXY needs a right of root's, and the supervisor leaves YORI that one.
      const user = backend === 'nft-tproxy' ? { user: 'nobody' } : {}
      await using home = await Household.open(user)
      const streams = FAMILIES.map((family) =>
        home.asker([{ host: PROVIDER[family], name: LLM, stay: true }]),
      )
      for (const stream of streams)
        assert.equal((await answerOf(stream)).issuer, ORIGIN_CA, 'before anything')
      const alive = async (when: string): Promise<void> => {
        for (const stream of streams) {
          stream.child.kill('SIGUSR1')
          assert.equal((await answerOf(stream)).issuer, ORIGIN_CA, when)
        }
      }
      await home.supervise()
      home.apply(backend, '--exempt', home.macOf('tablet'))
      await alive('on')
      if (user.user !== undefined) hasOneRight(home.node)

      const clients = await home.ask(
        FAMILIES.flatMap((family) => [
          { host: PROVIDER[family], name: LLM },
          { host: PROVIDER[family], name: OTHER },
          { host: PROVIDER[family], name: LLM, from: EXEMPT[family] },
        ]),
      )
      const plain = FAMILIES.map((family) => ({ host: PROVIDER[family], name: LLM }))
      const tablets = await home.ask(plain, 'tablet')
      const routers = await home.ask(plain, 'router')
      FAMILIES.forEach((family, at) => {
        const [llm, other, exempt] = clients.slice(3 * at)
        assert.match(llm?.issuer ?? '', OWN_CA, 'opened')
        assert.equal(other?.issuer, ORIGIN_CA, 'another name of the same address')
        assert.equal(exempt?.issuer, ORIGIN_CA, 'exempt by address')
        assert.match(exempt?.said?.from ?? '', new RegExp(`${EXEMPT[family]}$`))
        assert.equal(tablets[at]?.issuer, ORIGIN_CA, 'exempt by MAC address')
        assert.equal(routers[at]?.issuer, ORIGIN_CA, "the router's own traffic")
      })
      const answers = await home.dial(
        FAMILIES.flatMap((family) => {
          const host = PROVIDER[family]
          return [
            { host, port: 443, from: BLOCKED[family] },
            { host, port: 443, udp: true, from: BLOCKED[family] },
            { host, port: 443, udp: true },
            { host, port: 443, udp: true, from: EXEMPT[family] },
          ]
        }),
      )
      const expected = [
        'ECONNREFUSED', // blocked
        'ECONNREFUSED',
        'ECONNREFUSED', // QUIC
        'direct', // QUIC of who is exempt
      ]
      assert.deepEqual(answers, [...expected, ...expected])
      const pages = FAMILIES.map((family) => pageOf(home, family))
      assert.deepEqual(pages, ['200', '200'], 'how to trust the certificate')

      home.apply(backend)
      assert.equal(home.holds, 'both', 'the same again changes nothing')
      home.remove()
      await alive('off')
      for (const { issuer } of await home.ask(plain))
        assert.equal(issuer, ORIGIN_CA, 'off')
      assert.equal(home.machines.run('router', 'nft list tables').trim(), '')
      assert.doesNotMatch(home.machines.run('router', 'ip rule'), /0x796f/)
      home.remove()
      home.apply(backend)
      await alive('on again')
      const [again] = await home.ask([{ host: PROVIDER.inet, name: LLM }])
      assert.match(again?.issuer ?? '', OWN_CA, 'on again')
      await home.stopSupervisor()
      assert.equal(home.machines.run('router', 'nft list tables').trim(), '', 'stopped')
    })
  })

describe('yori pf apply', () => {
  before(allIsThere)

  it('steers each family alone, when its listener answers', async () => {
    await using home = await Household.open()
    home.configure({ listen: ['0.0.0.0:8443', '[fd77::99]:8443'] })
    await home.supervise()
    home.apply('nft-redirect')
    assert.equal(home.holds, 'inet')
    const [four] = await home.ask([{ host: PROVIDER.inet, name: LLM }])
    const [six] = await home.ask([{ host: PROVIDER.inet6, name: LLM }])
    assert.match(four?.issuer ?? '', OWN_CA)
    assert.equal(six?.issuer, ORIGIN_CA)
  })

  it('lists what it goes around, refuses policy routes, and loads nothing while nobody answers', async () => {
    await using home = await Household.open()
    const { machines } = home
    machines.run(
      'router',
      'nft -f -',
      `table inet filter {
         chain forward {
           type filter hook forward priority 0; policy accept;
           iifname "lan0" ip daddr 203.0.113.7 drop
         }
       }`,
    )
    machines.run('router', 'ip rule add iif lan1 lookup 100')
    machines.run('router', 'ip rule add from 10.77.0.3 lookup 100')
    const refused = home.yori('pf', 'apply')
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /inet filter forward: .*203\.0\.113\.7 drop/)
    assert.match(refused.stderr, /nothing was changed: lan1 has a policy route/)
    assert.doesNotMatch(refused.stderr, /10\.77\.0\.3 has/, 'an exempt device may')
    assert.throws(() => readFileSync(home.files.plan), /ENOENT/)
    const checked = home.yori('pf', 'check')
    assert.equal(checked.status, 1)
    assert.match(checked.stderr, /203\.0\.113\.7 drop/)
    const other = home.yori('pf', 'apply', '--lan', 'lan0')
    assert.match(other.stderr, /does not answer yet/, 'an interface without one')
    const forced = home.yori('pf', 'apply', '--force')
    assert.match(forced.stderr, /does not answer yet/)
    assert.equal(forced.status, 1)
    assert.equal(machines.run('router', 'nft list tables').trim(), 'table inet filter')
  })
})

/** The status of the page that every device may read, as a client sees it. */
function pageOf(home: Household, family: Family): string {
  const host = family === 'inet' ? ROUTER.inet : `[${ROUTER.inet6}]`
  const ask = 'curl -sg -o /dev/null -w %{http_code}'
  return home.machines.run('client', `${ask} http://${host}:${YORI_PORT}/`)
}
