/**
 * Ordinary events of a router that used to end steering while its status said "on": another
 * program empties the packet filter, or removes rules of routing that are not its own. What
 * clients see, what is written down, and what each command says.
 */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { readOptional } from '../../pf/apply.js'
import { parseOffPeriods } from '../../pf/off-periods.js'
import {
  BLOCKED,
  FAMILIES,
  Household,
  LLM,
  ORIGIN_CA,
  PROVIDER,
  SOONER,
} from '../support/household.js'
import { NAMESPACES, needs } from '../support/needs.js'

const OWN_CA = /^YORI/

async function steered(home: Household, when: string): Promise<void> {
  const asks = FAMILIES.map((family) => ({ host: PROVIDER[family], name: LLM }))
  for (const answer of await home.ask(asks)) {
    const state = `${when}: ${JSON.stringify(answer)} ${home.holds} ${home.says('why')}`
    assert.match(answer.issuer ?? '', OWN_CA, `${state}\n${home.log}`)
  }
}

const ended = (home: Household, cause: string) =>
  parseOffPeriods(readOptional(home.files.offPeriods) ?? '').filter(
    (period) => period.cause === cause && period.toMs !== undefined,
  )

/** Every command that tells how steering is names the cause and its remedy. */
function told(home: Household, cause: RegExp, remedy: RegExp): void {
  for (const words of [['pf', 'status'], ['status'], ['doctor']]) {
    const { stdout } = home.yori(...words)
    assert.match(stdout, remedy, `${words.join(' ')}: ${stdout}`)
    if (words[0] !== 'doctor')
      assert.match(stdout, cause, `${words.join(' ')}: ${stdout}`)
  }
}

describe('a household on whose router other programs interfere', function () {
  this.timeout(300_000)

  before(function () {
    needs(this, ...NAMESPACES, 'curl', 'openssl')
  })

  for (const [onFailure, backend] of [
    ['open', 'nft-redirect'],
    ['closed_llm', 'nft-tproxy'],
  ] as const)
    it(`is steered again after nft flush ruleset: ${backend}, ${onFailure}`, async () => {
      await using home = await Household.open({ steer: { on_failure: onFailure } })
      await home.supervise()
      home.apply(backend)
      await steered(home, 'before')
      home.machines.run('router', 'nft flush ruleset')
      await home.until('that is over', () => ended(home, 'flushed').length > 0)
      await steered(home, 'after')
      const blocked = FAMILIES.map((family) => ({
        host: PROVIDER[family],
        port: 443,
        from: BLOCKED[family],
      }))
      assert.deepEqual(await home.dial(blocked), ['ECONNREFUSED', 'ECONNREFUSED'])
      const [period] = ended(home, 'flushed')
      assert.equal(period?.state, 'open', 'whatever was to be, it went direct')
      assert.equal(home.holds, 'both')

      home.machines.run('router', 'nft flush chain inet yori llm')
      await home.until('that is over', () => ended(home, 'changed').length > 0)
      await steered(home, 'after a change')
      told(home, /flushed/, /in place of `flush ruleset`/)
    })

  it('is steered again after its rules of routing were removed', async () => {
    await using home = await Household.open()
    await home.supervise()
    home.apply('nft-tproxy')
    await steered(home, 'before')
    const events = [
      'ip -4 rule del fwmark 0x796f',
      'ip -6 rule del fwmark 0x796f',
      'ip -4 route flush table 796',
      'ip -6 route flush table 796',
      // Before ours: marked packets would go out again.
      'ip -4 rule add pref 1 fwmark 0x796f/0xffff unreachable',
    ]
    for (const [index, event] of events.entries()) {
      home.machines.run('router', event)
      await home.until(`it is over: ${event}`, () => {
        return ended(home, 'no-route').length > index
      })
      await steered(home, event)
    }
    assert.deepEqual(
      new Set(ended(home, 'no-route').map(({ state }) => state)),
      new Set(['lost']),
    )
    told(home, /no-route/, /ManageForeignRoutingPolicyRules=no/)
  })

  it('goes direct while the packets of its bridge are shown to the rules', async () => {
    await using home = await Household.open()
    const { machines } = home
    const shown = (families: string, value: 0 | 1): void => {
      for (const family of families.split(' '))
        machines.run('router', `sysctl -qw net.bridge.bridge-nf-call-${family}=${value}`)
    }
    machines.run('router', 'ip link set lan0 down')
    machines.run('router', 'ip link set lan0 name port0')
    machines.run('router', 'ip address flush dev port0')
    machines.run('router', 'ip link add lan0 type bridge')
    for (const end of ['port0 master lan0', 'port0 up', 'lan0 up'])
      machines.run('router', `ip link set ${end}`)
    machines.run('router', 'ip address add 10.77.0.1/24 dev lan0')
    machines.run('router', 'ip address add fd77::1/64 dev lan0 nodad')
    shown('iptables ip6tables', 1)
    // However long the probe's answer takes here, it is no cause.
    await home.supervise({ ...SOONER, YORI_WAY_SECONDS: '20' })
    const refused = home.yori('pf', 'apply', '--backend', 'nft-tproxy')
    assert.equal(refused.status, 1, refused.stdout)
    assert.match(refused.stderr, /br_netfilter drops what is led here on lan0, IPv4/)
    assert.match(home.yori('doctor').stdout, /br_netfilter drops steered connections/)
    for (const [, line = ''] of refused.stderr.matchAll(/as root: (.+)/g))
      machines.run('router', line)
    home.apply('nft-tproxy')
    await steered(home, 'before')

    shown('iptables', 1)
    await home.until('IPv4 is given up', () => home.holds === 'inet6')
    assert.equal(home.says('why'), 'bridged')
    const [four] = await home.ask([{ host: PROVIDER.inet, name: LLM }])
    assert.equal(four?.issuer, ORIGIN_CA)
    shown('iptables', 0)
    await home.until('it is steered again', () => home.holds === 'both')
    await steered(home, 'mended')
    told(home, /bridged/, /bridge-nf-call-iptables=0/)
    shown('iptables ip6tables', 1)
    home.apply('nft-redirect')
    await steered(home, 'by the other way')
  })

  it('goes direct in the family whose route cannot be put back, until it can', async () => {
    await using home = await Household.open()
    const refuses = home.folder.file('refuses')
    writeFileSync(
      home.folder.file('ip'),
      `#!/bin/sh
       case "$*" in "-4 rule add"*) [ ! -e "${refuses}" ] || exit 2 ;; esac
       exec /usr/sbin/ip "$@"`,
      { mode: 0o755 },
    )
    await home.supervise({
      ...SOONER,
      PATH: `${home.folder.path}:${process.env['PATH']}`,
      YORI_REFRESH_EVERY: '1',
    })
    home.apply('nft-tproxy')
    writeFileSync(refuses, '')
    home.machines.run('router', 'ip -4 rule del fwmark 0x796f')
    await home.until('IPv4 is given up', () => home.holds === 'inet6')
    assert.equal(home.says('why'), 'no-route')
    const [four] = await home.ask([{ host: PROVIDER.inet, name: LLM }])
    assert.equal(four?.issuer, ORIGIN_CA)
    const [six] = await home.ask([{ host: PROVIDER.inet6, name: LLM }])
    assert.match(six?.issuer ?? '', OWN_CA)
    rmSync(refuses)
    await home.until('it is steered again', () => home.holds === 'both')
    await steered(home, 'mended')
    assert.equal(ended(home, 'no-route').at(-1)?.state, 'open')
  })
})
