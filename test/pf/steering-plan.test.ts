import assert from 'node:assert/strict'
import { probeName, steeringPlan } from '../../pf/steering-plan.js'
import type { PlanFacts } from '../../pf/steering-plan.js'
import { named, steering } from './support.js'

const facts: PlanFacts = {
  backend: 'nft-tproxy',
  steering: steering({}),
  elements: { inet: ['203.0.113.7'], inet6: [] },
  serverName: 'api.openai.com',
  root: '/var/db/yori/yori-root.pem',
}

function planned(changed: Partial<PlanFacts>) {
  const plan = steeringPlan({ ...facts, ...changed })
  assert.ok(plan.kind === 'ok', JSON.stringify(plan))
  return plan
}

describe('the plan of steering', () => {
  it('tells a shell where YORI answers, by what name, and what to do when not', () => {
    assert.equal(
      planned({}).text,
      'backend=nft-tproxy\ninet=127.0.0.1:8443\ninet6=[::1]:8443\n' +
        'sni=api.openai.com\nroot=/var/db/yori/yori-root.pem\n' +
        'probe_path=/.well-known/yori/alive\non_failure=open\ninterfaces=em1 vlan10\n',
    )
  })

  it('asks a listener of one address there', () => {
    const listen = named('listen', '192.168.1.1:9443')
    const { text, rules } = planned({ steering: steering({ listen }) })
    assert.match(text, /^inet=192\.168\.1\.1:9443$/m)
    assert.doesNotMatch(text, /^inet6=/m)
    assert.deepEqual([...rules.keys()], ['on.inet', 'off', 'probe'])
  })

  it('has rules for each family alone, and for neither where that is closed', () => {
    const states = (value: 'open' | 'closed_llm'): string[] => {
      const onFailure = { value, from: 'steer.on_failure' }
      return [...planned({ steering: steering({ onFailure }) }).rules.keys()]
    }
    assert.deepEqual(states('open'), ['on.inet', 'on.inet6', 'on.both', 'off', 'probe'])
    assert.deepEqual(states('closed_llm'), [
      ...['on.inet', 'on.inet6', 'on.both', 'closed', 'off', 'probe'],
    ])
  })

  it('has the way of clients asked, where and as often as it can be', () => {
    const probe = { every: 45, families: ['inet6', 'inet'] as const }
    const { text, rules } = planned({ probe })
    assert.match(text, /^probe_every=45$/m)
    assert.match(text, /^probe_inet=192\.0\.2\.9 192\.0\.2\.10 192\.0\.2\.11 29$/m)
    assert.match(text, /^probe_inet6=2001:db8:796f::9 .*::a .*::b 125$/m)
    // One that is led like everybody, and one for which everybody else is left alone.
    assert.match(
      rules.get('on.both') ?? '',
      /elements = \{ "em1", "vlan10", "yori-probe",/,
    )
    assert.match(rules.get('probe') ?? '', /table inet yori_probe \{\n.*\n.*set lan_if/)
    assert.match(rules.get('probe') ?? '', /elements = \{ "yori-probe" \}/)
    assert.doesNotMatch(
      rules.get('probe') ?? '',
      /em1|vlan10|203\.0\.113|chain input \{[^}]*dport/,
    )
    const lines = (changed: Partial<PlanFacts>) =>
      planned({ probe, ...changed }).text.match(/^probe_(?:every|inet6?)=/gm)
    assert.deepEqual(lines({ probe: { ...probe, every: 0 } }), null)
    assert.deepEqual(lines({ probe: { ...probe, families: ['inet'] } }), [
      'probe_every=',
      'probe_inet=',
    ])
    assert.deepEqual(lines({ serverName: undefined }), null)
    assert.deepEqual(lines({ backend: 'pf' }), null)
  })

  it('steers, of one family, nothing of the other', () => {
    const text = planned({}).rules.get('on.inet6') ?? ''
    assert.match(text, /meta nfproto ipv6 tcp .* tproxy ip6 to \[::1\]:8443/)
    assert.doesNotMatch(text, /tproxy ip to|nfproto ipv4 tcp (flags|sport)/)
  })

  it('names a certificate by a path that needs no quoting, or is refused', () => {
    const made = steeringPlan({ ...facts, root: '/var/db/$(id)/root.pem' })
    assert.ok(made.kind === 'invalid')
    assert.equal(made.problems[0]?.key, 'state_dir')
  })

  it('proves TLS with a name that is opened for everybody', () => {
    const endpoint = (domain: string, more = {}) => ({
      ...{ domain, enabled: true, route: 'intercept' as const },
      ...more,
    })
    const intercept = { never: ['*.example.com'], exempt_devices: [] }
    const endpoints = [
      endpoint('off.test', { enabled: false }),
      endpoint('tunnel.test', { route: 'tunnel' }),
      endpoint('*.openai.azure.com'),
      endpoint('api.example.com'),
      endpoint('API.llm.test'),
    ]
    assert.equal(probeName({ endpoints, intercept }), 'api.llm.test')
    assert.equal(probeName({ endpoints: endpoints.slice(0, 4), intercept }), undefined)
  })
})
