import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { checkPfText } from '../../pf/check.js'
import type { PfProblem } from '../../pf/check.js'
import { holds } from '../support/property.js'
import { recordedCases } from '../support/needs.js'

const errors = (text: string): PfProblem[] =>
  checkPfText(`${text}\n`).filter(({ kind }) => kind === 'error')

/** Written after pf.conf(5): its grammar at the end of the page, and its examples. */
const GOOD: readonly string[] = [
  '',
  '# nothing but a comment',
  'rdr on em1 inet proto tcp from any to <llm> port 443 tag T -> 127.0.0.1 port 8443',
  'rdr pass on em1 proto { tcp, udp } from any to any port 53 -> 192.0.2.1 port domain',
  'no rdr on em1 proto tcp from <exempt> to any',
  'nat on em0 inet from (em1:network) to any -> (em0:0)',
  'nat on em0 from 10/8 to any -> 192.0.2.1 port 1024:65535 static-port',
  'if = "em1"\nrdr on $if inet6 proto tcp from any to any port 1:99 -> ($if:0) port 8443:*',
  'a = em1\nb = "{" $a lo0 "}"\npass in on $b all',
  'pass in on { em1 \\\n em2 } all',
  'table <t> const counters { 10.0.0.0/8, !10.1.0.0/16\n fd00::/8 }',
  'pass in quick log (all, to pflog0) on ! em1 inet6 proto tcp from any to fd00::1 port { 80 443 } flags S/SA keep state (max 10, source-track rule, overload <t> flush global) label "x"',
  'block return-rst in proto tcp all\nblock return-icmp(host-unk) in proto udp all',
  'pass out proto udp to any port != 53 user { root, 1000 >< 2000 }',
  'pass in inet proto icmp all icmp-type { echoreq code 0 unreach }',
  'anchor "inner" in on em1 {\n  pass in all\n}',
  'set skip on lo0\nset limit { states 10000, frags 100 }\nset timeout tcp.established 600\nset block-policy drop',
  'scrub in on em0 all fragment reassemble no-df\nantispoof quick for { em0 lo0 } inet',
  'pass in on em1 route-to { (em2 192.0.2.2), (em3 192.0.2.3) } round-robin from any to any',
  'table <t> persist { }',
  'lan-if = em1',
  't = "<t>"\npass in quick on em1 inet proto tcp from {any} to $t port {8443} keep state tagged T label "x" # why',
  'block in log quick inet from {!(em0:network), 10.0.0.1} to {any}',
  'pass in from 10.0.0.1 - 10.0.0.9 to ! (self) probability 50%',
  'pass in all set prio 5\npass in all set (prio (5, 6), tos lowdelay)\npass in all prio 3',
  'antispoof for lo0\nantispoof log quick for { em0 lo0 } inet6 label "spoof"',
  'set require-order no\npass in all\nnat on em0 from 10/8 to any -> 192.0.2.1',
  'pass in proto tcp all keep state (sloppy, allow-related)',
  'pass in all label a label b label c label d label e',
  'antispoof for (em0)\nantispoof quick for { lo0 (em0) }',
  'scrub fragment no reassemble',
  'scrub in all rtable 1\nscrub in on em0 all ! tagged X max-mss 1400\nscrub all tagged Y',
  'pass in proto { TCP, UDP } from any to any port 53\npass in proto { l2tp, eigrp, IPV6-ICMP } all',
  'set reassemble yes no-df\nset state-defaults no-sync, sloppy\nset syncookies adaptive (start 25%, end 12%)',
  'anchor in on ! lo0 {\n  anchor on em1 proto tcp {\n    block return quick proto tcp to (self) port 8443\n  }\n}',
  'pass from { 192.0.2.1 2001:db8::1 } to (pppoe0)',
  'nat on em0 inet from 10/8 to any -> { 192.0.2.1 (em0) }',
  'lan = "{ 10.0.0.1, 10.0.0.2 }"\npass in from $lan to { 192.0.2.9, $lan, { 10.9.0.1 { 10.9.0.2 } } }',
  'lan = "{ 10.0.0.1 }"\ntable <t> { $lan, 10.0.0.9 }',
  // Of the constructs of pf.conf(5)'s grammar, one or more a line.
  'set skip on { lo0 em9 }\nset optimization satellite\nset ruleset-optimization profile\nset debug loud\nset hostid 0x1234\nset fingerprints "/etc/pf.os"\nset loginterface em0\nset state-policy if-bound\nset fail-policy drop\nset keepcounters',
  'set timeout { tcp.first 120, adaptive.start 6000, adaptive.end 12000 }\nset timeout interval 10\nset timeout frag 5\nset timeout tcp.tsdiff 30\nset limit { src-nodes 2000, table-entries 200000 }\nset limit states 10',
  'scrub in on em0 all fragment reassemble no-df random-id min-ttl 15 max-mss 1440 reassemble tcp\nno scrub in on em2\nscrub out on em0 proto tcp from any to any set-tos lowdelay',
  'binat on em0 inet proto tcp from 10.0.0.1 to any -> 192.0.2.1\nno binat on em0 from 10.0.0.1 to any\nbinat pass on em0 from 192.0.2.20 to any -> 198.51.100.20',
  'binat-anchor "b/*"\nnat-anchor "n" on em0 inet proto tcp from any to any port 80\nrdr-anchor "r/*"\nanchor "f/*" out on em0 proto { tcp udp } from 10/8 to any port < 1024',
  'nat on em0 from ! (em0) to any -> (em0) source-hash 0x0123456789abcdef0123456789abcdef sticky-address\nnat on em0 inet from 10/8 to any -> 203.0.113.0/28 random\nnat on em0 proto tcp from 192.0.2.1 to 192.0.2.2 -> (vtnet1) bitmask\nnat on em0 from 10/8 to any -> <targets>',
  'nat on em0 from 10/8 to any tag OUT tagged IN -> (em0:0)\nnat pass on em0 from 192.0.2.0/24 to any -> 198.51.100.1\nrdr pass log on em0 proto tcp from any to 198.51.100.1 port 443 -> 192.0.2.10',
  'pass in on em1 route-to { (em2 192.0.2.2), (em3 192.0.2.3) } random sticky-address inet from any to any\npass in on em0 reply-to (em0 192.0.2.1) inet proto tcp from any to any port 22\npass in on em0 dup-to (em4 192.0.2.9) inet from any to any',
  'pass in proto { tcp, udp } from { 10.0.0.0/8, ! 10.1.0.0/16 } port { 1 >< 10, 20 <> 30, = 40, != 50, <= 60, >= 70 } to { any } port domain\npass in proto tcp from any port 500:100 to any',
  'pass in proto tcp from any to any port 22 flags any keep state (max-src-conn 10, max-src-conn-rate 5/3, max-src-nodes 10, max-src-states 3, source-track global, overload <bad> flush)\npass in proto tcp flags S/SA modulate state (tcp.first 60, if-bound, no-sync)\npass in proto tcp all flags S/SAFR synproxy state\npass all no state',
  'pass out proto tcp user { >= 1000, != root } group wheel',
  'pass in inet proto icmp icmp-type { echoreq, 3 code 4, timex } keep state\npass in inet6 proto icmp6 icmp6-type { echorep neighbrsol }\npass in inet6 proto ipv6-icmp icmp6-type 133 code 0',
  'pass in fragment\nblock in quick on em0 from no-route to any\nblock in from urpf-failed to any\nblock in from any to any allow-opts\npass in tos 0x10\npass in rtable 1\npass in proto tcp from any os { "Linux", "FreeBSD" } to any port 25\npass in all probability 20%',
  'pass in log (all, user, matches, to pflog1) quick\nblock drop in\nblock return-icmp6 (admin-unr) in inet6\nblock return-icmp (port-unr, port-unr6) in\nblock return-rst (ttl 64) in proto tcp',
  'pass in on ! em0 from ! <t> to ! (em0)/24\npass in from (em0:peer) to (em0:broadcast)\npass in from route "office" to any\npass in from fe80::1%em0 to any',
  'pass set prio (3,4) tag A ! tagged B\npass quick inet6\npass in proto { 1, 6, gre, esp, ah, carp, pfsync }\npass in on em0 from any to 224.0.0.0/4 allow-opts label "$if:$srcaddr:$nr"',
  'table <a> { 10.0.0.1 ! 10.0.0.2 self }\ntable <b> persist { 10.0.0.1/32, fd00::/8, !fd00::1 }\npass in from { <b>, 10.0.0.9 }',
]

/** What is wrong, and the part of the text that says so. */
const BAD: readonly (readonly [text: string, says: RegExp])[] = [
  ['rdr on em1 inet proto tcp to any port 443 -> fd00::1 port 1', /after '->' is inet/],
  ['rdr on em1 proto tcp from 10.0.0.1 to any -> fd00::1', /inet6/],
  ['rdr on em1 inet from any to any port 443 -> 127.0.0.1 port 1', /proto/],
  ['rdr on em1 inet proto tcp to any port > 443 -> 127.0.0.1', /comparison/],
  ['rdr on em1 inet proto tcp from any to any port 443', /->/],
  ['rdr on em1 inet proto tcp from any to any -> any', /must be an address/],
  ['rdr em1 inet proto tcp from any to any -> 127.0.0.1', /syntax/],
  ['rdr on em1 inet proto tcp from any to any port 65536 -> 127.0.0.1', /65536/],
  ['pass in on em1 from 10.0.0.0/33 to any', /33/],
  ['pass in on em1 from 10.0.0.256 to any', /no address/],
  ['pass in on em1 inet from any to <a b>', /table name/],
  ['pass in on em1 inet from any to <a', />/],
  ['pass in on em1 from any to (em1:net)', /:net/],
  ['pass in on averylonginterfacename0 all', /interface/],
  ['pass on em1 route-to (em2 192.0.2.2) from any to any', /in or out/],
  ['block in all keep state', /keep state/],
  ['pass in all label a label b label c label d label e label f', /5 labels/],
  ['anchor in on em1 all', /name of an anchor/],
  ['anchor "a/b" {\n pass in all\n}', /path/],
  ['set syncookies adaptive (start 25, end 12)', /percentage/],
  ['scrub fragment no', /reassemble/],
  [`pass in all label "${'x'.repeat(64)}"`, /64/],
  ['pass in proto nosuchproto all', /protocol/],
  ['pass in all flags X/Y', /flags/],
  ['pass in proto icmp all icmp-type echoreq', /inet or inet6/],
  ['pass in inet6 proto icmp all', /inet6/],
  ['pass in from 10.0.0.1 to fd00::1', /different/],
  ['pass in all extra', /extra/],
  ['pass in quick quick all', /quick/],
  ['pas in all', /rule/],
  ['a = "x\npass in all', /quote/],
  ['pass in on $a all', /macro 'a'/],
  ['a = "em1"\nb = "$a"\npass in on $b all', /inside quotes/],
  ['table <t> { <u> }', /table/],
  ['table <t> { (em1) }', /interface/],
  ['table <t> { any }', /any/],
  ['table t persist', /</],
  ['table <t> maybe', /persist/],
  ['anchor "_x"', /reserved/],
  ['rdr-anchor', /anchor/],
  ['anchor "a" {\npass in all', /not closed/],
  ['pass in all\nset block-policy drop', /order/],
  ['pass in all\nrdr-anchor "x"', /order/],
  ['pass in all\nscrub in all', /order/],
  ['set block-policy maybe', /drop/],
  ['set limit { sheep 10 }', /limit/],
  ['pass in on em1 proto tcp to any port {80, 443', /syntax/],
  ['pass in all\r', /meaning/],
  ['pass in proto tcp to port { }', /port/],
  ['pass in proto tcp to port { 80, }', /port/],
  ['pass in on em1 route-to (em2 192.0.2.2) inet6 from any to any', /inet6/],
  ['pass in on em1 route-to em2 192.0.2.2 from any to any', /syntax/],
  ['include "/nonexistent"', /read/],
  [`rdr on em1 inet all tag ${'x'.repeat(64)} -> 127.0.0.1`, /64/],
  ['rdr in on em1 inet all -> 127.0.0.1', /syntax/],
  ['rdr on em1 inet proto tcp to any port 443-444 -> 127.0.0.1', /port/],
  ['rdr on em1 inet4 proto tcp to any port 443 -> 127.0.0.1', /syntax/],
  ['rdr on em1 inet6 proto tcp to any port 443 -> [fd00::1] port 1', /meaning/],
  ['table <123> persist', /table/],
  ['table <pass> persist', /table/],
  ['no rdr pass on em1 all', /pass/],
  ['lan = { em1 em2 }', /quotes/],
  ['pass in; pass out', /in;/],
  ['rdr on em0 proto tcp from any to any -> 192.0.2.3 static-port', /nat only/],
  ['nat on em0 from any to any -> { 192.0.2.3 { 192.0.2.4 } }', /syntax/],
  ['pass in on { em1 { em2 } } all', /syntax/],
  ['pass in from 10.0.0.1/255.255.255.0 to any', /syntax/],
  ['pass in proto gre to any port 9', /tcp and udp/],
]

/**
 * What pfctl takes, or takes where the machine has it (pf.conf(5) of FreeBSD 14 and 15): not
 * known to this check, and said to be so.
 */
const UNKNOWN: readonly (readonly [text: string, says: RegExp])[] = [
  ['pass in on em1 from em1:network to any', /em1:network/],
  ['pass in from ! em0:network to vtnet0:0', /em0:network/],
  ['pass out on em0 to em1', /em1/],
  ['block in from vlan0.3/24 to any', /vlan0\.3/],
  ['table <lan> { em1:network, !em1:0 }', /em1:network/],
  [
    'rdr on em1 inet proto tcp from any to any port nosuchport -> 127.0.0.1',
    /nosuchport/,
  ],
  ['pass in proto tcp to port { www, https }', /www/],
  ['pass in on em1 to example.com', /example\.com/],
  ['pass in on lo0 route-to (lo0 localhost) all', /localhost/],
  ['rdr on em1 proto tcp to port 80 -> web port 8080', /web/],
  ['pass in on any all', /any/],
  ['altq on em0 fairq bandwidth 1Gb queue { q }', /altq/],
  ['match in all scrub (no-df)', /match/],
  // Of FreeBSD 14 and 15.
  ['set limit { states 10, anchors 100 }', /anchors/],
  ['set timeout { tcp.first 9, sctp.first 120 }', /sctp\.first/],
  ['pass in proto tcp keep state (sctp.closed 5)', /sctp\.closed/],
  ['ether block out on em0', /ether/],
  ['pass in on em1 inet proto tcp all divert-to 127.0.0.1 port 8443', /divert-to/],
  ['pass out on em1 inet all divert-reply', /divert-reply/],
  ['pass in proto icmp max-pkt-size 128', /max-pkt-size/],
  ['pass out on em0 from any to any nat-to 192.0.2.1', /nat-to/],
  ['pass in on em1 af-to inet from 192.0.2.1', /af-to/],
  ['pass in all label a ridentifier 7', /ridentifier/],
  ['pass in on em1 all received-on em1', /received-on/],
  ['pass in proto tcp all once', /once/],
  ['pass in all dnpipe (1, 2)', /dnpipe/],
  ['antispoof for em0 label "x" ridentifier 7', /ridentifier/],
  ['pass in proto sctp from any to any port 2', /sctp/],
  ['pass in all scrub (no-df, max-mss 1440)', /scrub/],
  ['pass in on tun+ all', /tun\+/],
  ['pass in on em1 set queue q1', /queue/],
  ['queue std bandwidth 10% cbq(default)', /queue/],
  ['altq on em0 codel(target 5 interval 100) bandwidth 1Gb', /altq/],
  ['state limiter "dns" id 1 limit 1000 rate 1/10', /state/],
  ['pass in on em0 route-to (em1 2001:db8::1) prefer-ipv6-nexthop inet', /prefer/],
  ['pass in proto icmp max-pkt-rate 100/10', /max-pkt-rate/],
  ['nat on em0 from any to any -> 192.0.2.3 map-e-portset 6/8/0x34', /map-e/],
  ['nat on em0 from any to any -> { 192.0.2.3 vlan9:0 }', /vlan9/],
  [`pass in from ${'{'.repeat(200)} 10.0.0.1 ${'}'.repeat(200)} to any`, /'{'/],
]

describe('the check of pf texts', () => {
  for (const [text, says] of UNKNOWN)
    it(`says that it does not know ${JSON.stringify(text)}`, () => {
      const [first, ...more] = checkPfText(`${text}\n`)
      assert.equal(first?.kind, 'unknown')
      assert.match(first.wrong, says)
      assert.match(first.wrong, /not known to this check/)
      assert.deepEqual(more, [])
    })

  it('finds what is wrong beside what it does not know', () => {
    const text = 'pass in from em1:network to any port 99999\nmatch in all\npas in all\n'
    assert.deepEqual(
      checkPfText(text).map(({ kind, line }) => [kind, line]),
      [
        ['error', 1],
        ['unknown', 2],
        ['error', 3],
      ],
    )
  })

  for (const text of GOOD)
    it(`accepts ${JSON.stringify(text)}`, () => {
      assert.deepEqual(errors(text), [])
    })

  for (const [text, says] of BAD)
    it(`refuses ${JSON.stringify(text)}`, () => {
      const [first] = errors(text)
      assert.match(first?.wrong ?? 'accepted', says)
    })

  it('names the line of what is wrong', () => {
    const text = '# one\npass in all\n\npass in \\\n on em1 port 99999\nrubbish here\n'
    assert.deepEqual(
      errors(text).map(({ line }) => line),
      [5, 6],
    )
  })

  it('warns of what pf takes and steering must not have', () => {
    const warned = (text: string): string =>
      checkPfText(`${text}\n`)
        .map(({ kind, wrong }) => `${kind}: ${wrong}`)
        .join()
    assert.match(
      warned('rdr pass on em1 inet proto tcp to <t> -> 127.0.0.1'),
      /^warning.*skips/,
    )
    assert.match(warned('rdr on em1 inet6 proto tcp to <t> -> ::1'), /^warning: ::1/)
    assert.match(warned('rdr inet proto tcp to <t> -> 127.0.0.1'), /^warning.*without on/)
    assert.match(checkPfText('pass in all')[0]?.wrong ?? '', /last line/)
    assert.match(warned('table <t> { 0.0.0.0/0 }'), /^warning.*every address/)
    for (const from of ['all', 'from any to any port 8443', 'to any port 8443'])
      assert.match(
        warned(`pass in quick on em1 proto tcp ${from} tagged YORI`),
        /^warning.*default deny/,
      )
    for (const text of ['from (em1:network) to any tagged YORI', 'all tagged OTHER'])
      assert.equal(warned(`pass in quick on em1 proto tcp ${text}`), '')
    assert.equal(warned('block in on em1 proto tcp all ! tagged YORI'), '')
  })

  it('reads files that a table names through its caller alone', () => {
    const text = 'table <t> persist file "/etc/llm"'
    assert.equal(errors(text).length, 1)
    assert.deepEqual(checkPfText(`${text}\n`, { readFile: () => '192.0.2.1\n' }), [])
  })

  const words = [
    'rdr',
    'on',
    '{',
    '}',
    '<t>',
    '$a',
    '"',
    '(',
    '->',
    'port',
    '1',
    '\n',
    'a=',
    '!',
  ]
  holds(
    'answers for any text',
    fc.property(fc.array(fc.oneof(fc.constantFrom(...words), fc.string())), (parts) => {
      checkPfText(parts.join(' '))
    }),
    { runs: 300 },
  )

  it('answers for a text of one long line', () => {
    assert.equal(errors('x'.repeat(300_000)).length, 1)
    assert.equal(errors(`a = "${'x '.repeat(5000)}"\n`).length, 1)
  })

  for (const verdict of ['good', 'bad'])
    it(`agrees with pf's own parser on every recorded ${verdict} text`, function () {
      const folder = join(recordedCases(this, 'pf'), verdict)
      for (const file of readdirSync(folder)) {
        const found = errors(readFileSync(join(folder, file), 'utf8'))
        assert.equal(
          found.length === 0,
          verdict === 'good',
          `${file} ${JSON.stringify(found)}`,
        )
      }
    })
})
