/**
 * The supervisor's probe on the way of clients: what becomes of a steered household when an
 * ordinary event of its router closes that way after `apply`; what clients see meanwhile, what is
 * written down, what each command says, and that nothing of the probe is left.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { packageFile } from '../../src/core/package-root.js'
import { readOptional } from '../../pf/apply.js'
import { parseOffPeriods } from '../../pf/off-periods.js'
import {
  FAMILIES,
  Household,
  LLM,
  ORIGIN_CA,
  PROVIDER,
  SOONER,
} from '../support/household.js'
import type { SteerBackend } from '../support/household.js'
import { NAMESPACES, needs } from '../support/needs.js'

/** Asked more often than on a router. */
const OFTEN = { ...SOONER, YORI_WAY_EVERY: '1', YORI_WAY_SECONDS: '3' }

const INPUT = `table inet fw {
  chain input { type filter hook input priority 0; policy accept; }
}`

const asks = FAMILIES.map((family) => ({ host: PROVIDER[family], name: LLM }))

async function issuers(home: Household): Promise<(string | undefined)[]> {
  const answers = await home.ask(asks)
  return answers.map(({ issuer }) => (issuer?.startsWith('YORI') ? 'YORI' : issuer))
}

/** Of the record's connections, all that no machine of the household made. */
function strangers(home: Household): unknown[] {
  const db = new Sqlite(home.folder.file('state/audit.db'), { readonly: true })
  try {
    return db.prepare('SELECT * FROM connections').all()
  } finally {
    db.close()
  }
}

const periods = (home: Household, cause: string) =>
  parseOffPeriods(readOptional(home.files.offPeriods) ?? '').filter(
    (period) => period.cause === cause,
  )

describe("clients' way, asked as clients go", function () {
  this.timeout(300_000)

  before(function () {
    needs(this, ...NAMESPACES, 'curl', 'openssl')
  })

  const drops: readonly (readonly [SteerBackend, string])[] = [
    ['nft-tproxy', 'meta mark 0x796f drop'],
    ['nft-redirect', 'tcp dport 8443 ct status dnat drop'],
  ]
  for (const [backend, rule] of drops)
    it(`goes direct when an input rule drops what is led here: ${backend}`, async () => {
      await using home = await Household.open()
      home.machines.run('router', 'nft -f -', INPUT)
      await home.supervise(OFTEN)
      home.apply(backend)
      await home.until(
        'the probe came to YORI',
        () => home.says('probe_inet6') === 'good',
      )
      assert.deepEqual(await issuers(home), ['YORI', 'YORI'])

      home.machines.run('router', `nft insert rule inet fw input ${rule}`)
      await home.until('it goes direct', () => home.holds === 'off')
      assert.deepEqual(await issuers(home), [ORIGIN_CA, ORIGIN_CA])
      assert.equal(home.says('why'), 'not-let-in')
      const check = home.yori('pf', 'check')
      assert.equal(check.status, 1)
      assert.match(check.stderr, /the probe had no answer/)
      for (const words of [['pf', 'status'], ['status'], ['doctor']]) {
        const { stdout } = home.yori(...words)
        assert.match(stdout, /the probe had no answer/, words.join(' '))
        assert.match(stdout, /yori pf check prints the rule/, words.join(' '))
      }

      home.machines.run('router', 'nft flush chain inet fw input')
      await home.until('it is steered again', () => home.holds === 'both')
      assert.deepEqual(await issuers(home), ['YORI', 'YORI'])
      const [lost, , off, ended] = periods(home, 'not-let-in')
      assert.equal(lost?.state, 'lost')
      assert.equal(off?.state, 'open')
      assert.equal(ended?.fromMs, off?.fromMs)
      assert.ok(ended?.toMs !== undefined)
    })

  it('leads to the page with the certificate, at a port of its own, and says when it does not', async () => {
    await using home = await Household.open({
      config: { access: { trust_page_port: 80 } },
    })
    home.machines.run('router', 'nft -f -', INPUT)
    await home.supervise(OFTEN)
    const get = (machine: string, url: string): string => {
      const words = ['curl', '-sgm', '20', '-o', '/dev/null', '-w', '%{http_code}', url]
      const inside = home.machines.words(machine, ...words)
      return spawnSync('ip', inside, { encoding: 'utf8' }).stdout
    }
    const squatter = home.machines.spawn('router', process.execPath, [
      ...['-e', "require('node:net').createServer().listen(80, () => console.log('on'))"],
    ])
    await squatter.line()
    const refused = home.yori('pf', 'apply', '--backend', 'nft-tproxy')
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /another program of this machine listens at port 80/)
    squatter.child.kill('SIGKILL')
    await once(squatter.child, 'exit')

    for (const backend of ['nft-tproxy', 'nft-redirect'] as const) {
      home.apply(backend)
      for (const url of [
        'http://10.77.0.1/',
        'http://[fd77::1]/',
        'http://10.77.0.1:8443/',
      ])
        assert.equal(get('client', url), '200', `${backend} ${url}`)
      assert.equal(get('tablet', 'http://10.77.1.1/yori-root.pem'), '200')
      assert.equal(get('internet', 'http://198.51.100.1/'), '000', 'not from outside')
      assert.deepEqual(await issuers(home), ['YORI', 'YORI'])
      await home.until('the page was asked for', () => home.says('page') === 'good')
    }
    assert.doesNotMatch(JSON.stringify(strangers(home)), /192\.0\.2\.10|2001:db8:796f::a/)
    assert.match(home.yori('pf', 'status').stdout, /page with the certificate is there/)
    const unbound = home.yori('pf', 'generate', '--backend', 'unbound')
    assert.match(unbound.stdout, /"yori\.home\.arpa\. 300 IN A 10\.77\.0\.1"/)

    home.machines.run(
      'router',
      'nft add rule inet fw input iifname != lo tcp dport 8443 ct state new drop',
    )
    home.apply('nft-tproxy')
    await home.until('the page is missed', () => home.says('page') === 'silent')
    assert.equal(home.holds, 'both', 'and chats are led on')
    for (const words of [['pf', 'status'], ['status'], ['doctor']])
      assert.match(home.yori(...words).stdout, /page with the certificate has no answer/)
    home.machines.run('router', 'nft flush chain inet fw input')
    await home.until('it is there again', () => home.says('page') === 'good')
  })

  const others: Readonly<Record<string, (home: Household) => readonly string[]>> = {
    'another proxy with a certificate of its own': (home) => [
      packageFile('dist', 'test', 'support', 'named-server.js'),
      ...['9443', home.folder.file('pairs.json')],
    ],
    'a server without TLS': () => [
      '-e',
      `require('node:net')
         .createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\\r\\n\\r\\n'))
         .listen(9443, () => console.log('listening'))`,
    ],
  }
  for (const [what, words] of Object.entries(others))
    it(`is told to be another's when its rules stand before ours: ${what}`, async () => {
      await using home = await Household.open()
      const server = home.machines.spawn('router', process.execPath, words(home))
      assert.equal(await server.line(), 'listening')
      await home.supervise(OFTEN)
      home.apply('nft-redirect')
      await home.until(
        'the probe came to YORI',
        () => home.says('probe_inet6') === 'good',
      )
      home.machines.run(
        'router',
        'nft -f -',
        `table inet other {
           chain prerouting {
             type nat hook prerouting priority -150;
             tcp dport 443 redirect to :9443
           }
         }`,
      )
      await home.until('it is given up', () => home.holds === 'off')
      assert.equal(home.says('why'), 'not-ours')
      for (const told of [['pf', 'status'], ['status'], ['doctor']])
        assert.match(
          home.yori(...told).stdout,
          /a dnat, redirect or tproxy of port 443 before ours/,
          told.join(' '),
        )
      home.machines.run('router', 'nft delete table inet other')
      await home.until('it is steered again', () => home.holds === 'both')
      assert.deepEqual(await issuers(home), ['YORI', 'YORI'])
      assert.ok(periods(home, 'not-ours').some(({ toMs }) => toMs !== undefined))
    })

  it('is asked of YORI alone, is in no record, and leaves nothing', async () => {
    await using home = await Household.open({ user: 'nobody' })
    const { machines } = home
    // What leaves for the internet beyond look-ups of names.
    machines.run(
      'router',
      'nft -f -',
      `table inet seen {
        counter out { }
        chain postrouting {
          type filter hook postrouting priority 300;
          oifname "wan0" meta l4proto tcp counter name out
          ip daddr 192.0.2.0/24 oifname != "yori-probe" counter name out
          ip6 daddr 2001:db8:796f::/48 oifname != "yori-probe" counter name out
        }
      }`,
    )
    const links = (): string => machines.run('router', 'ip -o link show')
    const isGone = (): boolean => !links().includes('yori-probe')
    const isWell = (): boolean =>
      home.says('probe_inet') === 'good' && home.says('probe_inet6') === 'good'
    await home.supervise(OFTEN)
    home.apply('nft-tproxy')
    await home.until('the probe came to YORI', isWell)
    assert.ok(!isGone())
    // Through the rules that clients meet: not counted as one of them.
    await home.until('it is asked by those rules', () =>
      /packets [1-9]/.test(
        machines.run('router', 'nft list counter inet yori asked4.yori-probe'),
      ),
    )
    assert.match(machines.run('router', 'nft list counter inet seen out'), /packets 0 /)
    assert.equal(machines.run('router', 'nft list tables').includes('yori_probe'), false)

    await home.killSupervisor()
    await home.until('the kernel took it away', isGone)
    await home.supervise(OFTEN)
    await home.until('it is asked again', () => !isGone() && isWell())
    assert.deepEqual(strangers(home), [], 'no device of the record')

    home.remove()
    await home.until('it is not needed', isGone)
    home.apply('nft-redirect')
    await home.until('it is asked again', () => !isGone() && isWell())
    await home.stopSupervisor()
    await home.until('it is gone with the supervisor', isGone)
    assert.doesNotMatch(machines.run('router', 'nft list tables'), /yori/)
  })

  it('is not taken for closed where the probe alone is', async () => {
    await using home = await Household.open()
    const { machines } = home
    const fail = home.folder.file('no-namespace')
    writeFileSync(
      home.folder.file('unshare'),
      `#!/bin/sh
       [ ! -e "${fail}" ] || exit 1
       exec /usr/bin/unshare "$@"`,
      { mode: 0o755 },
    )
    writeFileSync(fail, '')
    const path = `${home.folder.path}:${process.env['PATH']}`
    await home.supervise({ ...OFTEN, PATH: path })
    home.apply('nft-redirect')
    assert.equal(home.says('probe_inet'), 'unable')
    assert.match(home.yori('pf', 'status').stdout, /IPv4: the probe could not be made/)
    assert.deepEqual(await issuers(home), ['YORI', 'YORI'])
    rmSync(fail)
    await home.until('it is made', () => home.says('probe_inet6') === 'good')

    machines.run('router', 'nft -f -', INPUT)
    const asking = machines.spawn('client', process.execPath, [
      packageFile('dist', 'test', 'support', 'keep-asking.js'),
      ...[home.folder.file('roots.pem'), PROVIDER.inet, LLM],
    ])
    await asking.line()
    machines.run(
      'router',
      'nft insert rule inet fw input iifname yori-probe ip version 4 drop',
    )
    await home.until('it is not sure', () => home.says('probe_inet') === 'unsure')
    assert.equal(home.holds, 'both')
    // On a busy machine it may be asked once more before status is.
    const unsure = /the probe has no answer and clients have/
    await home.until('status says so', () => unsure.test(home.yori('status').stdout))
    asking.child.kill('SIGKILL')
    assert.deepEqual(periods(home, 'not-let-in'), [])

    machines.run('router', 'nft flush chain inet fw input')
    machines.run(
      'router',
      'nft -f -',
      `add chain inet fw input { policy drop; }
       add rule inet fw input ct state established,related accept
       add rule inet fw input iifname { "lo", "lan0", "lan1" } accept
       add rule inet fw input icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept`,
    )
    const { stderr, status } = home.yori('pf', 'apply', '--backend', 'nft-tproxy')
    assert.equal(status, 0, stderr)
    assert.match(stderr, /lets your interfaces in by name/)
    // What was missed between the rules and the apply is forgotten at the next look.
    await home.until('nothing is asked', () => home.says('probe_inet') === '')
    assert.deepEqual(await issuers(home), ['YORI', 'YORI'])
  })

  it('ends where an interface is renamed or becomes a port', async () => {
    await using home = await Household.open()
    const { machines } = home
    await home.supervise(OFTEN)
    home.apply('nft-redirect')
    const link = (...words: string[]): void => {
      for (const one of words) machines.run('router', `ip link ${one}`)
    }
    link('set lan1 down')
    await home.until('it is looked at', () => home.says('probe_inet') === 'good')
    assert.equal(home.says('link'), '', 'nobody is behind it')
    link('set lan1 name lan9', 'set lan9 up')
    await home.until('it is renamed', () => home.says('link') === 'renamed')
    assert.match(home.yori('pf', 'status').stdout, /has another name now/)
    assert.match(home.yori('doctor').stdout, /has another name now/)
    link('set lan9 down', 'set lan9 name lan1', 'set lan1 up')
    await home.until('it is back', () => home.says('link') === '')
    link('add br0 type bridge', 'set lan1 master br0', 'set br0 up')
    await home.until('it is a port', () => home.says('link') === 'enslaved')
    assert.match(home.yori('status').stdout, /port of a bridge or bond/)
    link('set lan1 nomaster')
    await home.until('it is back', () => home.says('link') === '')
    for (const cause of ['renamed', 'enslaved'])
      assert.ok(
        periods(home, cause).some(({ toMs }) => toMs !== undefined),
        cause,
      )
  })

  it('of one family leaves the other led', async () => {
    await using home = await Household.open()
    home.machines.run('router', 'nft -f -', INPUT)
    await home.supervise(OFTEN)
    home.apply('nft-tproxy')
    home.machines.run(
      'router',
      'nft insert rule inet fw input meta nfproto ipv6 meta mark 0x796f drop',
    )
    await home.until('IPv6 goes direct', () => home.holds === 'inet')
    assert.deepEqual(await issuers(home), ['YORI', ORIGIN_CA])
    // A check of sources does not close it, whatever its strictness.
    home.machines.run('router', 'sysctl -qw net.ipv4.conf.all.rp_filter=1')
    home.machines.run('router', 'nft flush chain inet fw input')
    await home.until('it is steered again', () => home.holds === 'both')
    assert.deepEqual(await issuers(home), ['YORI', 'YORI'])
    assert.equal(home.says('probe_inet'), 'good')
  })
})
