/**
 * Routers whose own input or output rules would drop what is led to YORI: nothing is loaded, the
 * line that lets it in is printed, and with that line, run as it is printed, clients are steered.
 */
import assert from 'node:assert/strict'
import { FAMILIES, Household, LLM, ORIGIN_CA, PROVIDER } from '../support/household.js'
import type { SteerBackend } from '../support/household.js'
import { NAMESPACES, needs } from '../support/needs.js'

/** Neighbours must be found, whatever the policy. */
const NEIGHBOURS = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept'

const INPUT = `table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iifname "lo" accept
    ${NEIGHBOURS}
  }
}`
const OUTPUT = `table inet out {
  chain output {
    type filter hook output priority 0; policy drop;
    oifname { "lo", "wan0" } accept
    ${NEIGHBOURS}
  }
}`

describe('a router that lets nothing in by itself', function () {
  this.timeout(300_000)

  before(function () {
    needs(this, ...NAMESPACES, 'curl', 'openssl')
  })

  const asks = FAMILIES.map((family) => ({ host: PROVIDER[family], name: LLM }))
  const rows: readonly (readonly [SteerBackend, string, string])[] = [
    ['nft-tproxy', 'input', INPUT],
    ['nft-redirect', 'input', INPUT],
    ['nft-tproxy', 'output', OUTPUT],
  ]
  for (const [backend, hook, rules] of rows)
    it(`is steered by ${backend} once the printed line is there: ${hook}`, async () => {
      await using home = await Household.open()
      home.machines.run('router', 'nft -f -', rules)
      await home.supervise()
      const apply = ['pf', 'apply', '--backend', backend]
      const refused = home.yori(...apply)
      assert.equal(refused.status, 1, refused.stdout)
      assert.match(refused.stderr, /nothing was changed/)
      for (const { issuer } of await home.ask(asks))
        assert.equal(issuer, ORIGIN_CA, 'nobody is led into a hole')
      const lines = [...refused.stderr.matchAll(/to let it in, as root: (.+)/g)]
      assert.ok(lines.length > 0, refused.stderr)
      for (const line of new Set(lines.map(([, text = '']) => text)))
        home.machines.run('router', line)
      const { status, stderr } = home.yori(...apply)
      assert.equal(status, 0, stderr)
      assert.doesNotMatch(stderr, /not let in/)
      for (const { issuer } of await home.ask(asks)) assert.match(issuer ?? '', /^YORI/)
    })
})
