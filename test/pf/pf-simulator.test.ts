/**
 * What the texts for pf do, by the simulator, is what the configuration asks: random
 * configurations, each in every state of its listeners and behind different rules of the
 * operator's own, and every kind of packet. The expectation is written from the settings alone.
 */
import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { checkPfText } from '../../pf/check.js'
import { renderSteering } from '../../pf/render.js'
import { steeringIn } from '../../pf/rules.js'
import type { SteerState } from '../../pf/rules.js'
import { holds } from '../support/property.js'
import { PfSimulator } from './pf-simulator.js'
import type { PfInterface, PfOutcome, PfPacket } from './pf-simulator.js'
import { named, steering } from './support.js'

const net = (n: number): PfInterface => ({
  addresses: [`192.168.${n}.1`, `fd00:${n}::1`],
  networks: [`192.168.${n}.0/24`, `fd00:${n}::/64`],
})
const INTERFACES = new Map<string, PfInterface>([
  ['lo0', { addresses: ['127.0.0.1', '::1', 'fd79:6f72:6900::1'], networks: [] }],
  ['em1', net(1)],
  ['vlan10', net(10)],
  ['igb2.30', net(30)],
  ['wg0', net(50)],
  [
    'em0',
    {
      addresses: ['198.51.100.1', '2001:db8:78::1'],
      networks: ['198.51.100.0/24', '2001:db8:78::/64'],
    },
  ],
])
const INSIDE = ['em1', 'vlan10', 'igb2.30', 'wg0'] as const
const LLM = { 4: '203.0.113.7', 6: '2001:db8:9::42' } as const
const OTHER = { 4: '203.0.113.8', 6: '2001:db8:9::43' } as const
/** Hosts of each inner network that the settings give a part; 9 has none. */
const PARTS = { exempt: 5, blocked: 6, caller: 7, forbidden: 8, plain: 9 } as const
/** `foreign`: of a network behind another router there. */
type Part = keyof typeof PARTS | 'foreign'
const FOREIGN = { 4: '172.16.9.9', 6: 'fd99::9' } as const

const hostOn = (name: string, part: Part, family: 4 | 6): string => {
  if (part === 'foreign') return FOREIGN[family]
  const [v4 = '', v6 = ''] = INTERFACES.get(name)?.addresses ?? []
  return (family === 4 ? v4 : v6).replace(/1$/, String(PARTS[part]))
}
const allHosts = (part: Part): string[] =>
  INSIDE.flatMap((name) => ([4, 6] as const).map((family) => hostOn(name, part, family)))

/** Rules of the operator's own. */
const OWN = {
  none: '',
  'default deny': 'block in all',
  'default deny, and em1 is let in':
    'block in all\npass in on em1 from (em1:network) to any',
  'a device is forbidden': `table <forbidden> persist { ${allHosts('forbidden').join(' ')} }
block in quick from <forbidden> to any`,
} as const

interface Drawn {
  readonly steered: readonly string[]
  readonly guests: readonly string[]
  readonly listen: readonly string[]
  readonly families: 'both' | 'ipv4' | 'ipv6'
  readonly exempt: boolean
  readonly alias: boolean
  readonly blocked: boolean
  readonly callers: boolean
  readonly callersOn: readonly string[]
  readonly onFailure: 'open' | 'closed_llm'
  readonly toInterface: boolean
  readonly own: keyof typeof OWN
}

const LISTEN: readonly (readonly string[])[] = [
  ['0.0.0.0:8443', '[::]:8443'],
  ['[::]:9444', '0.0.0.0:9443', '127.0.0.1:9999'],
  ['0.0.0.0:8443'],
  ['192.168.1.1:9443', '[fd00:1::1]:9444'],
  ['192.168.1.1:8443', '[::]:8443', '192.168.10.1:8443'],
]

const drawn: fc.Arbitrary<Drawn> = fc.record({
  steered: fc.subarray(['em1', 'vlan10', 'igb2.30'], { minLength: 1 }),
  guests: fc.subarray(['wg0']),
  listen: fc.constantFrom(...LISTEN),
  families: fc.constantFrom('both', 'ipv4', 'ipv6'),
  exempt: fc.boolean(),
  alias: fc.boolean(),
  blocked: fc.boolean(),
  callers: fc.boolean(),
  callersOn: fc.subarray(['wg0', 'igb2.30', 'em0'], { maxLength: 1 }),
  onFailure: fc.constantFrom('open', 'closed_llm'),
  toInterface: fc.boolean(),
  own: fc.constantFrom(...(Object.keys(OWN) as (keyof typeof OWN)[])),
})

/** The listener that a family is led to: its first, where the family is to be steered. */
function listenerOf({ listen, families }: Drawn, family: 4 | 6): Listener | undefined {
  if (families !== 'both' && families !== `ipv${family}`) return undefined
  return listeners(listen).find((one) => one.family === family)
}

interface Listener {
  readonly family: 4 | 6
  readonly address: string
  readonly port: number
}

function listeners(listen: readonly string[]): Listener[] {
  return listen.map((text) => {
    const at = text.lastIndexOf(':')
    const address = text.slice(0, at).replace(/[[\]]/g, '')
    return { family: isIPv6(address) ? 6 : 4, address, port: Number(text.slice(at + 1)) }
  })
}

const isAny = (address: string): boolean => address === '0.0.0.0' || address === '::'

type Wanted = 'yori' | 'passes' | 'refused'

/** What the settings ask of a packet. `answers`: the families whose listener answers. */
function wanted(
  set: Drawn,
  { packet, part, family, answers }: Asked & { answers: readonly (4 | 6)[] },
): Wanted {
  const isSteered = [...set.steered, ...set.guests].includes(packet.on)
  const isInside = INSIDE.some((name) => name === packet.on)
  const ofNetwork = isInside && part !== 'foreign'
  const toLlm = packet.to === LLM[family] && packet.port === 443
  const isExempt = part === 'exempt' && (set.exempt || set.alias)
  const isLed = listenerOf(set, family) !== undefined
  const answered = isLed && answers.includes(family)
  if (isSteered && toLlm && isLed && part === 'blocked' && set.blocked) return 'refused'
  if (isSteered && toLlm && isLed && !isExempt) {
    if (!answered) {
      if (set.onFailure === 'closed_llm') return 'refused'
    } else if (packet.proto === 'udp') return 'refused'
    else if (set.own === 'a device is forbidden' && part === 'forbidden') return 'refused'
    else if (set.own.startsWith('default deny') && !ofNetwork) return 'refused'
    else return 'yori'
  }
  const isOurs =
    packet.proto === 'tcp' &&
    [...INTERFACES.values()].some(({ addresses }) => addresses.includes(packet.to)) &&
    listeners(set.listen).some(
      (one) =>
        one.family === family &&
        one.port === packet.port &&
        (isAny(one.address) || one.address === packet.to),
    )
  const mayCall = isSteered || set.callersOn.includes(packet.on)
  if (isOurs && !mayCall && !(set.callers && part === 'caller')) return 'refused'
  switch (set.own) {
    case 'none':
      return 'passes'
    case 'a device is forbidden':
      return part === 'forbidden' && isInside ? 'refused' : 'passes'
    case 'default deny':
      return isOurs && isSteered && ofNetwork ? 'passes' : 'refused'
    case 'default deny, and em1 is let in':
      if (packet.on === 'em1' && ofNetwork) return 'passes'
      return isOurs && isSteered && ofNetwork ? 'passes' : 'refused'
  }
}

interface Asked {
  readonly packet: PfPacket
  readonly part: Part
  readonly family: 4 | 6
}

function packets(set: Drawn): Asked[] {
  const ports = [...new Set(listeners(set.listen).map(({ port }) => port))]
  const found: Asked[] = []
  for (const on of [...INSIDE, 'em0'])
    for (const part of [...Object.keys(PARTS), 'foreign'] as Part[])
      for (const family of [4, 6] as const) {
        const from = hostOn(on, part, family)
        const own = ['em1', 'vlan10', on].map(
          (name) => INTERFACES.get(name)?.addresses[family === 4 ? 0 : 1] ?? '',
        )
        const targets: [PfPacket['proto'], string, number][] = [
          ['tcp', LLM[family], 443],
          ['udp', LLM[family], 443],
          ['tcp', LLM[family], 80],
          ['tcp', OTHER[family], 443],
          ['udp', OTHER[family], 443],
          ...ports.flatMap((port) => [
            ['tcp', LLM[family], port] as [PfPacket['proto'], string, number],
            ...own.map((to): [PfPacket['proto'], string, number] => ['tcp', to, port]),
          ]),
          ['tcp', own[0] ?? '', 22],
        ]
        for (const [proto, to, port] of targets)
          found.push({ packet: { on, proto, from, to, port }, part, family })
      }
  return found
}

function became(set: Drawn, { packet, family }: Asked, outcome: PfOutcome): string {
  if (!outcome.passes) return 'refused'
  if (outcome.to === packet.to && outcome.port === packet.port) return 'passes'
  const listener = listenerOf(set, family)
  const wantedTo = !isAny(listener?.address ?? '')
    ? listener?.address
    : family === 4
      ? '127.0.0.1'
      : set.toInterface && set.steered.length + set.guests.length === 1
        ? INTERFACES.get(set.steered[0] ?? '')?.addresses[1]
        : 'fd79:6f72:6900::1'
  const right = outcome.to === wantedTo && outcome.port === listener?.port
  return right ? 'yori' : `led to ${outcome.to} port ${outcome.port}`
}

const STATES: readonly (readonly [SteerState, readonly (4 | 6)[]])[] = [
  ['both', [4, 6]],
  ['inet', [4]],
  ['inet6', [6]],
  ['closed', []],
]

describe('what texts for pf do', () => {
  const fitting = drawn.filter(
    (set) =>
      listenerOf(set, 4) !== undefined ||
      (listenerOf(set, 6) !== undefined && set.families !== 'ipv4'),
  )
  holds(
    'is what the configuration asks, and the check takes them',
    fc.property(fitting, (set) => {
      const only = set.steered.length + set.guests.length === 1
      const read = steering({
        interfaces: named('steer.interfaces', ...set.steered),
        guests: named('steer.guests', ...set.guests),
        listen: named('listen', ...set.listen),
        families: { value: set.families, from: 'steer.families' },
        onFailure: { value: set.onFailure, from: 'steer.on_failure' },
        exempt: named(
          'steer.exempt',
          ...(set.alias ? ['Kids'] : set.exempt ? allHosts('exempt') : []),
        ),
        blocked: named('steer.blocked', ...(set.blocked ? allHosts('blocked') : [])),
        direct: named('access.clients', ...(set.callers ? allCallers() : [])),
        directInterfaces: named('access.clients', ...set.callersOn),
        ...(set.toInterface && only
          ? { address6: { value: 'interface', from: 'steer.address6' } }
          : {}),
      })
      const main = textOf('pf-conf', read)
      // Translation rules before filter rules, YORI's anchor first, its late rules last.
      const [before = '', after = ''] = main.split('\nanchor "yori"\n')
      const tables = OWN[set.own].split('\n').filter((line) => line.startsWith('table'))
      const own = OWN[set.own].split('\n').filter((line) => !line.startsWith('table'))
      const whole = [...tables, before, 'anchor "yori"', ...own, after].join('\n')
      assert.deepEqual(faults(whole), [])
      for (const [state, answers] of STATES) {
        if (state === 'closed' && set.onFailure === 'open') continue
        if (answers.some((family) => listenerOf(set, family) === undefined)) continue
        const anchor = textOf('pf', steeringIn(read, state))
        assert.deepEqual(faults(anchor), [])
        const pf = new PfSimulator({
          interfaces: INTERFACES,
          tables: new Map([
            ['yori_llm', Object.values(LLM)],
            ...(set.alias ? [['Kids', allHosts('exempt')] as const] : []),
          ]),
          main: whole,
          anchors: new Map([['yori', anchor]]),
        })
        for (const asked of packets(set)) {
          const outcome = pf.arrives(asked.packet)
          const says = JSON.stringify({ state, asked, outcome, set })
          assert.equal(
            became(set, asked, outcome),
            wanted(set, { ...asked, answers }),
            says,
          )
          assert.equal(pf.answerPasses(asked.packet), outcome.passes, says)
        }
      }
    }),
  )
})

describe('a further port of the page, in texts for pf', () => {
  const read = steering({
    interfaces: named('steer.interfaces', 'em1'),
    page: { port: 80, from: 'access.trust_page_port' },
    blocked: named('steer.blocked', ...allHosts('blocked')),
  })
  const own = OWN['default deny']
  const pf = new PfSimulator({
    interfaces: INTERFACES,
    tables: new Map([['yori_llm', Object.values(LLM)]]),
    main: textOf('pf-conf', read).replace(
      'anchor "yori"\n',
      (first, at: number, all: string) =>
        all[at - 1] === '-' ? first : `${first}${own}\n`,
    ),
    anchors: new Map([['yori', textOf('pf', read)]]),
  })
  const ask = (on: string, from: string, to: string) =>
    pf.arrives({ on, proto: 'tcp', from, to, port: 80 })

  it('leads the steered networks to the listener, whoever asks there', () => {
    for (const part of ['plain', 'blocked'] as const) {
      const four = ask('em1', hostOn('em1', part, 4), '192.168.1.1')
      assert.deepEqual([four.passes, four.to, four.port], [true, '127.0.0.1', 8443])
      const six = ask('em1', hostOn('em1', part, 6), 'fd00:1::1')
      assert.deepEqual([six.passes, six.to, six.port], [true, 'fd79:6f72:6900::1', 8443])
    }
  })

  it('leads nobody else there, and no other host', () => {
    for (const [on, from, to] of [
      ['vlan10', hostOn('vlan10', 'plain', 4), '192.168.10.1'],
      ['em0', '198.51.100.9', '198.51.100.1'],
      ['em1', hostOn('em1', 'plain', 4), OTHER[4]],
      ['em1', hostOn('em1', 'plain', 4), LLM[4]],
    ] as const) {
      const { to: came, port } = ask(on, from, to)
      assert.deepEqual([came, port], [to, 80], `${on} ${from} ${to}`)
    }
  })
})

/** Also those on the outer side. */
function allCallers(): string[] {
  const outer = ([4, 6] as const).map((family) => hostOn('em0', 'caller', family))
  return [...allHosts('caller'), ...outer]
}

function textOf(backend: 'pf' | 'pf-conf', of: ReturnType<typeof steering>): string {
  const made = renderSteering(backend, { steering: of, hosts: [] })
  assert.ok(made.kind === 'ok', JSON.stringify(made))
  return made.text
}

const faults = (text: string) =>
  checkPfText(text).filter(({ kind }) => kind !== 'warning')
