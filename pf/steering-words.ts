/**
 * What the supervisor's status means beyond on and off: what its probe met on the way of clients,
 * and whether an interface still carries its network. One text for every command. Pure.
 */
import { PROBE_INTERFACE } from '../src/core/own-probe.js'
import type { SteeringStatus } from './steering-status.js'
import { OFF_CAUSES } from './off-periods.js'
import type { Family } from './rules.js'

export interface WayTold {
  readonly level: 'good' | 'notice' | 'bad'
  readonly what: string
  readonly mend?: string
}

const NAMES = { inet: 'IPv4', inet6: 'IPv6' } as const satisfies Record<Family, string>

type Met = Omit<WayTold, 'what'> & { readonly of: (family: string) => string }

const MET: Readonly<Record<string, Met>> = {
  good: { level: 'good', of: (family) => `${family}: the probe came to YORI` },
  missed: {
    level: 'notice',
    of: (family) => `${family}: the probe had no answer just now, and is asked again`,
  },
  silent: {
    level: 'bad',
    of: (family) => `${family}: the probe had no answer: what is led to YORI is dropped`,
    mend: 'yori pf check prints the rule and the line that lets it in',
  },
  other: {
    level: 'bad',
    of: (family) => `${family}: somebody else answered the probe`,
    mend: 'nft list ruleset: a dnat, redirect or tproxy of port 443 before ours',
  },
  unsure: {
    level: 'notice',
    of: (family) =>
      `${family}: the probe has no answer and clients have: rules here decide by interface`,
    mend: `let ${PROBE_INTERFACE} in by the rules that let your network in`,
  },
  unable: {
    level: 'notice',
    of: (family) =>
      `${family}: the probe could not be made, so nobody asks as clients do`,
    mend: 'unshare, nsenter and network namespaces (CAP_SYS_ADMIN) for the supervisor',
  },
}

const PAGE: Readonly<Record<string, WayTold>> = {
  good: { level: 'good', what: 'the page with the certificate is there for devices' },
  silent: {
    level: 'bad',
    what: 'the page with the certificate has no answer for devices: they cannot get it',
    mend: 'let the steered networks in at the port of `listen`, beside what is led here',
  },
  other: {
    level: 'bad',
    what: 'somebody else answers where devices ask for the page with the certificate',
    mend: 'set access.trust_page_port to another port, then yori pf apply',
  },
}

/** In the order of families; nothing where nothing is asked. */
export function wayTold({
  probes,
  page,
  link,
}: Pick<SteeringStatus, 'probes' | 'page' | 'link'>): WayTold[] {
  const met = (['inet', 'inet6'] as const).flatMap((family): WayTold[] => {
    const found = MET[probes[family]]
    if (found === undefined) return []
    const { of, ...rest } = found
    return [{ ...rest, what: of(NAMES[family]) }]
  })
  const shown = PAGE[page]
  if (shown !== undefined) met.push(shown)
  const moved = OFF_CAUSES[link]
  if (link === '' || moved === undefined) return met
  const { what, mend } = moved
  return [...met, { level: 'bad', what, ...(mend === undefined ? {} : { mend }) }]
}
