/** What the lab asks: who dials what, over which family, and while what is so. Pure. */
import type { Ask } from './ask.js'
import {
  HAIRPIN_PORT,
  LLM,
  LLM_NAME,
  OTHER,
  OTHER_NAME,
  PORT,
  WAN,
  hostIn,
  routerIn,
  ulaIn,
} from './places.js'
import type { Net } from './places.js'

/** `usual`; `narrow`: ICMP is lost and the router adapts MSS; `full`: no new connection fits. */
export type While = 'usual' | 'narrow' | 'full'

export interface Row {
  readonly from: string
  readonly to: string
  readonly family: 4 | 6
  readonly machine: string
  readonly during: While
  readonly ask: Ask
  /** Steering may change what comes of it: LLM traffic of steered devices, and our own port. */
  readonly mayDiffer: boolean
}

interface Caller {
  readonly label: string
  readonly machine: string
  readonly net: Net
  readonly host: number
  readonly steered: boolean
  readonly families?: readonly (4 | 6)[]
}

type Asked = Omit<Row, 'from' | 'family' | 'machine' | 'during'>

const FAMILIES = [4, 6] as const
const LARGE = 300_000
/** Long enough for a first packet that is sent again: RFC 6298. */
const SILENCE_MS = 1_500

const CALLERS: readonly Caller[] = [
  { label: 'laptop', machine: 'laptop', net: 'lan', host: 2, steered: true },
  { label: 'exempt by address', machine: 'laptop', net: 'lan', host: 3, steered: false },
  { label: 'blocked', machine: 'laptop', net: 'lan', host: 4, steered: true },
  { label: 'tv, exempt by MAC', machine: 'tv', net: 'lan', host: 7, steered: false },
  {
    ...{ label: 'has IPv6 only', machine: 'six', net: 'lan', host: 6, steered: true },
    families: [6],
  },
  {
    label: 'tablet, second LAN',
    machine: 'tablet',
    net: 'second',
    host: 2,
    steered: true,
  },
  { label: 'camera, VLAN', machine: 'camera', net: 'vlan', host: 2, steered: true },
  {
    label: 'guest, not steered',
    machine: 'guest',
    net: 'guests',
    host: 2,
    steered: false,
  },
]

const llm = (family: 4 | 6, differs: boolean): Asked[] => [
  {
    to: 'LLM, TCP 443',
    ask: tls(LLM[family], LLM_NAME),
    mayDiffer: differs,
  },
  { to: 'LLM, UDP 443', ask: udp(LLM[family]), mayDiffer: differs },
  {
    to: "another site at the LLM's address, TCP 443",
    ask: tls(LLM[family], OTHER_NAME),
    mayDiffer: differs,
  },
  { to: 'LLM, TCP 80', ask: tcp(LLM[family], 80), mayDiffer: false },
  { to: `LLM, TCP ${PORT}`, ask: tcp(LLM[family], PORT), mayDiffer: false },
]

const others = (family: 4 | 6): Asked[] => [
  {
    to: 'another site, TCP 443',
    ask: tls(OTHER[family], OTHER_NAME),
    mayDiffer: false,
  },
  { to: 'another site, UDP 443', ask: udp(OTHER[family]), mayDiffer: false },
  { to: `another site, TCP ${PORT}`, ask: tcp(OTHER[family], PORT), mayDiffer: false },
]

const inside = (net: Net, family: 4 | 6): Asked[] => [
  { to: 'tv, TCP 443', ask: tcp(hostIn('lan', 7, family), 443), mayDiffer: false },
  { to: `tv, TCP ${PORT}`, ask: tcp(hostIn('lan', 7, family), PORT), mayDiffer: false },
  { to: 'router, TCP 22', ask: tcp(routerIn(net, family), 22), mayDiffer: false },
]

const pages = (host: string): Asked[] =>
  [`/`, '/health'].map((path) => ({
    to: `router, TCP ${PORT}, ${path}`,
    ask: { by: 'page', host, port: PORT, path },
    mayDiffer: true,
  }))

const hairpin: Asked = {
  to: `router's outer address, TCP ${HAIRPIN_PORT}, led to tv`,
  ask: tcp(WAN[4], HAIRPIN_PORT),
  mayDiffer: false,
}

function tls(host: string, name: string, bytes = 10): Ask {
  return { by: 'tls', host, port: 443, name, bytes }
}

function tcp(host: string, port: number): Ask {
  return { by: 'tcp', host, port }
}

function udp(host: string): Ask {
  return { by: 'udp', host, port: 443 }
}

/** Every row, in the order of the table. */
export function rows(): Row[] {
  return [
    ...CALLERS.flatMap(usual),
    ...fromUla(),
    ...fromElsewhere(),
    ...large('usual'),
    ...large('narrow'),
    ...whenFull(),
  ]
}

function usual(caller: Caller): Row[] {
  const { net, steered } = caller
  return of(caller, (family) => [
    ...llm(family, steered),
    ...others(family),
    ...inside(net, family),
    ...pages(routerIn(net, family)),
    ...(family === 4 && caller.machine !== 'tv' ? [hairpin] : []),
  ])
}

function of(
  { label, machine, net, host, families = FAMILIES }: Caller,
  asked: (family: 4 | 6) => readonly Asked[],
  during: While = 'usual',
): Row[] {
  return families.flatMap((family) =>
    asked(family).map((one) => ({
      ...one,
      ...{ from: label, machine, family, during },
      ask: { ...one.ask, from: hostIn(net, host, family) },
    })),
  )
}

/** Its unique local address, which nobody beyond the line can answer. */
function fromUla(): Row[] {
  return [...llm(6, true), ...others(6)].map((one) => ({
    ...one,
    ...{ from: 'laptop, by its ULA', machine: 'laptop', family: 6, during: 'usual' },
    ask: { ...one.ask, from: ulaIn('lan', 2) },
  }))
}

function fromElsewhere(): Row[] {
  const usually = { during: 'usual' } as const
  return [
    ...FAMILIES.flatMap((family) =>
      pages(routerIn('lan', family)).map((one) => ({
        ...{ ...one, ...usually, family },
        ...{ from: 'guest, by the address in the LAN', machine: 'guest' },
      })),
    ),
    ...FAMILIES.flatMap((family) =>
      [
        ...pages(WAN[family]),
        { to: 'router, TCP 22', ask: tcp(WAN[family], 22), mayDiffer: false },
        ...(family === 4 ? [hairpin] : []),
      ].map((one) => ({
        ...{ ...one, ...usually, family },
        ...{ from: 'internet', machine: 'internet' },
      })),
    ),
    ...FAMILIES.flatMap((family) =>
      [...llm(family, false), ...others(family), ...pages(loopback(family))].map(
        (one) => ({
          ...{ ...one, ...usually, family },
          ...{ from: 'the router itself', machine: 'router', mayDiffer: false },
        }),
      ),
    ),
  ]
}

const loopback = (family: 4 | 6): string => (family === 4 ? '127.0.0.1' : '::1')

/** Bodies of many packets, over lines that get narrower. */
function large(during: 'usual' | 'narrow'): Row[] {
  const how = during === 'usual' ? '' : '; ICMP is lost, the router adapts MSS'
  const asked = (family: 4 | 6, steered: boolean): Asked[] => [
    {
      to: `LLM, TCP 443, ${LARGE / 1000} kB up and down${how}`,
      ask: tls(LLM[family], LLM_NAME, LARGE),
      mayDiffer: steered,
    },
    {
      to: `another site, TCP 443, ${LARGE / 1000} kB up and down${how}`,
      ask: tls(OTHER[family], OTHER_NAME, LARGE),
      mayDiffer: false,
    },
  ]
  return CALLERS.filter(({ machine, host }) => machine !== 'laptop' || host !== 4)
    .filter(({ net }) => during === 'usual' || net !== 'guests')
    .filter(({ machine }) => ['laptop', 'camera', 'guest'].includes(machine))
    .flatMap((caller) => of(caller, (family) => asked(family, caller.steered), during))
}

/** Nothing new fits into the router's table of connections. */
function whenFull(): Row[] {
  const [laptop] = CALLERS as [Caller]
  const asked = (family: 4 | 6): Asked[] =>
    [llm(family, true), others(family), pages(routerIn('lan', family))].flatMap(
      ([first]) => (first === undefined ? [] : [first]),
    )
  return of(laptop, asked, 'full').map((row) => ({
    ...row,
    to: `${row.to}; the table of connections is full`,
    ask: { ...row.ask, patienceMs: SILENCE_MS },
  }))
}
