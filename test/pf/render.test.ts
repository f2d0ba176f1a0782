import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { checkPfText } from '../../pf/check.js'
import { renderSteering } from '../../pf/render.js'
import type { Backend } from '../../pf/render.js'
import { elementsText } from '../../pf/render-nft.js'
import type { SteerSettings } from '../../pf/rules.js'
import { packageFile } from '../../src/core/package-root.js'
import { golden, goldenElements, goldenHosts } from './golden.js'
import { named, problemsOf, steering } from './support.js'
import { needs, recordedCases } from '../support/needs.js'

function rendered(backend: Backend, changed: Partial<SteerSettings>) {
  return renderSteering(backend, {
    steering: steering(changed),
    hosts: goldenHosts,
    elements: goldenElements,
  })
}

function textOf(backend: Backend, changed: Partial<SteerSettings>): string {
  const made = rendered(backend, changed)
  assert.ok(made.kind === 'ok', JSON.stringify(made))
  return made.text
}

function problemOf(backend: Backend, changed: Partial<SteerSettings>) {
  const made = rendered(backend, changed)
  assert.ok(made.kind === 'invalid')
  return made.problems[0]
}

/** Rules alone. */
const saying = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.trim().startsWith('#'))

const ANCHOR = `lan_if = "{ em1 vlan10 }"
rdr on $lan_if inet proto tcp from ! <yori_exempt> to <yori_llm> port 443 tag YORI -> 127.0.0.1 port 8443
rdr on $lan_if inet6 proto tcp from ! <yori_exempt> to <yori_llm> port 443 tag YORI -> fd79:6f72:6900::1 port 8443
block return in quick on $lan_if proto udp from ! <yori_exempt> to <yori_llm> port 443 label "yori-quic"
anchor in on ! lo0 {
  anchor in on ! em1 {
    anchor in on ! vlan10 {
      block return in quick inet proto tcp from any to (self) port 8443 label "yori-guard"
      block return in quick inet6 proto tcp from any to (self) port 8443 label "yori-guard"
    }
  }
}`

describe('generated texts', () => {
  for (const { name, backend, changed } of golden)
    it(`${backend}, ${name}: are as they were read and kept`, () => {
      const file = packageFile('test', 'fixtures', 'pf', `${backend}.${name}.txt`)
      const text = textOf(backend, changed)
      assert.equal(text, readFileSync(file, 'utf8'))
      assert.equal(text, textOf(backend, changed), 'the same again')
    })

  it('for Unbound give the page a name, at the addresses that the interfaces have', () => {
    const made = renderSteering('unbound', {
      steering: steering({}),
      hosts: [],
      page: [
        { interface: 'em1', from: 'a', addresses: ['192.168.1.1', 'fd00:1::1'] },
        { interface: 'em7', from: 'b', addresses: [] },
      ],
    })
    assert.ok(made.kind === 'ok')
    assert.deepEqual(saying(made.text).slice(1, -1), [
      'local-zone: "yori.home.arpa." static',
      'local-data: "yori.home.arpa. 300 IN A 192.168.1.1"',
      'local-data: "yori.home.arpa. 300 IN AAAA fd00:1::1"',
    ])
    assert.match(made.text, /em7 is not on this machine; its address belongs here/)
  })

  it('for pf pass the check without a remark', () => {
    for (const { name, backend, changed } of golden)
      if (['pf', 'pf-conf', 'route-to'].includes(backend))
        assert.deepEqual(checkPfText(textOf(backend, changed)), [], `${backend} ${name}`)
  })

  it('for nftables pass nft', function () {
    needs(this, 'Linux', 'root', 'nft')
    for (const { name, backend, changed } of golden) {
      if (!backend.startsWith('nft-')) continue
      const more = elementsText('inet', ['192.0.2.7', '203.0.113.7'], 300)
      const input = textOf(backend, changed) + more
      const { status, stderr } = spawnSync('nft', ['-c', '-f', '-'], {
        input,
        encoding: 'utf8',
      })
      assert.equal(status, 0, `${backend} ${name}: ${stderr}`)
    }
  })

  it('say as an anchor what the FreeBSD parser is known to take', () => {
    assert.deepEqual(saying(textOf('pf', {})), ANCHOR.split('\n'))
  })

  it('say what the recorded anchor says, but for `no rdr` and the place of its guard', function () {
    const file = recordedCases(this, 'pf', 'good', 'yori.anchor.conf')
    const recorded = readFileSync(file, 'utf8')
    const wanted = saying(recorded).filter((line) => !/^no rdr|yori-guard/.test(line))
    const before = saying(textOf('pf', {})).join('\n').split('\nanchor ')[0]
    assert.equal(before, wanted.join('\n'))
  })

  it('never hold what pf would do wrong', () => {
    for (const { backend, changed } of golden) {
      const text = textOf(backend, changed)
      assert.doesNotMatch(text, /rdr pass|-> ::1|0\.0\.0\.0\/0/)
      for (const line of saying(text))
        if (/^rdr (?!-)/.test(line)) assert.match(line, / on \$lan_if /)
    }
  })

  it('for nftables take new connections only, and look at the blocked first', () => {
    for (const backend of ['nft-tproxy', 'nft-redirect'] as const) {
      const lines = textOf(backend, {})
        .split('\n')
        .map((line) => line.trim())
      const steered = lines.filter((line) => /tproxy ip|redirect to/.test(line))
      assert.equal(steered.length, 2)
      for (const line of steered) assert.match(line, /tcp flags & \(syn \| ack\) == syn/)
      const start = lines.indexOf('chain prerouting {')
      assert.match(lines[start + 2] ?? '', /^iifname != @lan_if accept$/)
      const first = lines.indexOf(
        backend === 'nft-tproxy' ? 'chain llm {' : 'chain blocked {',
      )
      assert.match(lines[first + 1] ?? '', /^ip saddr @yori_blocked jump refuse$/)
      assert.deepEqual(lines.slice(lines.indexOf('table inet yori')).slice(0, 3), [
        'table inet yori',
        'delete table inet yori',
        'table inet yori {',
      ])
    }
  })
})

describe('generating refuses', () => {
  const none = { interfaces: [] }
  for (const backend of [
    'pf',
    'pf-conf',
    'opnsense',
    'nft-tproxy',
    'nft-redirect',
    'route-to',
  ] as const)
    it(`${backend} without an interface`, () => {
      assert.equal(problemOf(backend, none)?.key, 'steer.interfaces')
    })

  it('what a packet filter cannot say', () => {
    const mac = { exempt: named('steer.exempt', '02:00:5e:10:00:01') }
    assert.match(problemOf('pf', mac)?.wrong ?? '', /MAC/)
    const alias = { exempt: named('steer.exempt', 'Kids') }
    assert.match(problemOf('nft-tproxy', alias)?.wrong ?? '', /alias/)
    const mixed = { exempt: named('steer.exempt', 'Kids', '10.0.0.1') }
    assert.match(problemOf('pf', mixed)?.wrong ?? '', /alias/)
    const loopback = { listen: named('listen', '127.0.0.1:8443', '[::1]:8443') }
    assert.match(problemOf('pf', loopback)?.wrong ?? '', /::1/)
    assert.match(problemOf('nft-redirect', loopback)?.wrong ?? '', /REDIRECT/)
    for (const own of ['0.0.0.0:443', '[::]:443', '192.0.2.1:443']) {
      const same = { listen: named('listen', '0.0.0.0:8443', '[::]:8443', own) }
      assert.equal(problemOf('nft-tproxy', same)?.key, 'listen[2]')
      assert.match(problemOf('nft-tproxy', same)?.wrong ?? '', /port 443/)
      assert.equal(rendered('nft-redirect', same).kind, 'ok')
    }
    assert.match(problemOf('route-to', {})?.wrong ?? '', /appliance/)
    const many = { address6: { value: 'interface', from: 'steer.address6' } }
    assert.match(problemOf('pf', many)?.wrong ?? '', /more than one/)
  })

  it('a port for the page that cannot be', () => {
    const at = (port: number) => ({ page: { port, from: 'access.trust_page_port' } })
    assert.match(problemOf('opnsense', at(80))?.wrong ?? '', /OPNsense's own page/)
    assert.equal(rendered('opnsense', at(8080)).kind, 'ok')
    for (const [port, wrong] of [
      [8443, /a listener's own port/],
      [443, /the port of TLS/],
    ] as const) {
      const [problem] = problemsOf(at(port))
      assert.equal(problem?.key, 'access.trust_page_port')
      assert.match(problem.wrong, wrong)
    }
    const loopback = { listen: named('listen', '127.0.0.1:8443', '[::1]:8443') }
    assert.match(problemsOf({ ...at(80), ...loopback })[0]?.wrong ?? '', /could reach/)
  })

  it('hosts that are none', () => {
    for (const value of [
      'a.test"\nlocal-data: "x',
      'a.test/1.2.3.4',
      '',
      '*.',
      '10.0.0.1',
    ])
      for (const backend of ['unbound', 'dnsmasq', 'dnsmasq-pf'] as const) {
        const hosts = named('endpoints', value)
        const made = renderSteering(backend, { steering: steering({}), hosts })
        assert.equal(made.kind, 'invalid', JSON.stringify(value))
      }
  })
})
