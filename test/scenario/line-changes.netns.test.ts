/**
 * The line of a steered household: it goes down, and comes back with another address and another
 * prefix. Nobody is led past YORI for it, the probe knows nothing of it, and YORI's kept connections
 * from the former address are asked no more.
 */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { readOptional } from '../../pf/apply.js'
import { parseOffPeriods } from '../../pf/off-periods.js'
import { interfered, lineChanged } from '../support/faults.js'
import {
  FAMILIES,
  Household,
  LLM,
  PROVIDER,
  SOONER,
  YORI_PORT,
} from '../support/household.js'
import { NAMESPACES, needs } from '../support/needs.js'

const asks = FAMILIES.map((family) => ({ host: PROVIDER[family], name: LLM }))
/** What the provider sees YORI come from: a kept connection serves clients of either family. */
const BEFORE = ['198.51.100.1', 'fd78::1']
const AFTER = ['198.18.9.1', 'fd79::1']

const from = (answer: {
  readonly said?: { readonly from: string }
}): string | undefined => answer.said?.from?.replace(/^::ffff:/, '')

/** A question of the probe that was asked after now was answered by YORI. */
async function probedAnew(home: Household): Promise<void> {
  const since = Date.now()
  await home.until('the probe was asked again', () => {
    try {
      return statSync(home.folder.file('probe.done')).mtimeMs > since
    } catch {
      return false
    }
  })
  assert.deepEqual([home.says('probe_inet'), home.says('probe_inet6')], ['good', 'good'])
}

describe('a steered household whose line changes', function () {
  this.timeout(300_000)

  before(function () {
    needs(this, ...NAMESPACES, 'curl', 'openssl')
  })

  it('is led to YORI all the time, and by its new addresses to the provider', async () => {
    await using home = await Household.open()
    await home.supervise({
      ...SOONER,
      ...{ YORI_WAY_EVERY: '1', YORI_WAY_SECONDS: '20', YORI_WORK: home.folder.path },
    })
    home.apply('nft-tproxy')
    await home.until('the probe came here', () => home.says('probe_inet6') === 'good')

    home.machines.run('router', 'ip link set wan0 down')
    for (const answer of await home.ask(asks)) {
      assert.match(answer.issuer ?? '', /^YORI/, JSON.stringify(answer))
      assert.equal(from(answer), undefined, 'an error of ours, in place of silence')
    }
    await probedAnew(home)
    assert.equal(home.yori('pf', 'status').status, 0)
    for (const command of [
      'ip link set wan0 up',
      'ip route add default via 198.51.100.254',
      'ip -6 address add fd78::1/64 dev wan0 nodad',
      'ip -6 route add default via fd78::fe',
    ])
      home.machines.run('router', command)
    for (const answer of await home.ask(asks))
      assert.ok(BEFORE.includes(from(answer) ?? ''), JSON.stringify(answer))

    for (const family of FAMILIES) {
      const { directMs } = await interfered(home, family, lineChanged(family))
      assert.equal(directMs, undefined, 'nobody went past')
    }
    for (const answer of await home.ask(asks))
      assert.ok(AFTER.includes(from(answer) ?? ''), JSON.stringify(answer))
    await probedAnew(home)
    assert.deepEqual(parseOffPeriods(readOptional(home.files.offPeriods) ?? ''), [])

    // The network inside has the new prefix, too.
    home.machines.run('client', 'ip -6 address flush dev eth0 scope global')
    home.machines.run('router', 'ip -6 address flush dev lan0 scope global')
    home.machines.run('router', 'ip -6 address add 2001:db8:77::1/64 dev lan0 nodad')
    home.machines.run('client', 'ip -6 address add 2001:db8:77::2/64 dev eth0 nodad')
    home.machines.run('client', 'ip -6 route replace default via 2001:db8:77::1')
    const [, six] = await home.ask(asks)
    assert.match(six?.issuer ?? '', /^YORI/, JSON.stringify(six))
    const page = `http://[2001:db8:77::1]:${YORI_PORT}/`
    await home.until('the page is there for the new prefix', () => {
      const words = ['curl', '-sgm', '5', '-o', '/dev/null', '-w', '%{http_code}', page]
      return home.machines.run('client', words.join(' ')) === '200'
    })
    assert.equal(home.holds, 'both')
  })
})
