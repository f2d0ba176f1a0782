/**
 * How connections end, in the four words that everybody is told: each connection is exactly
 * one of them, so their counts add up to all connections. Pure.
 */
import { describeError, errorCodes } from './errors.js'
import type { Coverage } from './record.js'

export const COVERAGE_GROUPS = ['inspected', 'tunnelled', 'refused', 'failed'] as const
export type CoverageGroup = (typeof COVERAGE_GROUPS)[number]

/**
 * Names stand in classes, so that coverage can be counted without keeping what devices visit:
 * an endpoint by its `domain` in the configuration, everything else by one of these. The
 * brackets keep them apart from every host name.
 */
export const NAME_CLASSES = {
  /** A name that is no endpoint. */
  other: '(other)',
  /** Hidden on purpose (ECH): what the hello shows is a name that stands for many. */
  hidden: '(hidden)',
  /** The client named an IP address. */
  address: '(address)',
  /** No name at all. */
  none: '(none)',
  /** A name, or none, that hides an endpoint from a policy that blocks. */
  evading: '(evading)',
} as const

/** Why each kind is what it is, in words for people. */
const SAYS: Readonly<Record<Coverage, string>> = {
  inspected: 'read and decided by policy',
  'tunnel-not-endpoint': 'no endpoint',
  'tunnel-exempt': 'an exempt device',
  'tunnel-never': 'a name that is never intercepted',
  'tunnel-pinned': 'the app accepts only its own certificates',
  'tunnel-not-trusted': 'the program or its device does not trust our CA yet',
  'tunnel-clock': 'the clock of the device is wrong: our certificate is not valid by it',
  'tunnel-ech': 'no endpoint by the name shown; ECH may hide another',
  'tunnel-no-sni': 'no server name',
  'tunnel-ip-sni': 'an address instead of a server name',
  'tunnel-alpn': 'a protocol offered that is neither HTTP/1.1 nor HTTP/2',
  // Of rows from before HTTP/2 alone was served.
  'tunnel-h2-only': 'no HTTP/1.1 offered',
  'tunnel-not-tls': 'neither TLS nor HTTP',
  'tunnel-hello-timeout': 'no whole ClientHello in time',
  'tunnel-endpoint-off': 'the endpoint is off or set to tunnel',
  'tunnel-ca-unusable': 'our CA cannot sign the name now',
  'tunnel-client-certificate': 'the provider asks for a client certificate',
  'tunnel-media-elsewhere':
    'a conversation was opened whose sound and words take another way (WebRTC, SIP, ephemeral keys)',
  own: 'our own pages',
  refused: 'refused',
  failed: 'failed',
}

/** What ends it, where a person can: in words for people. */
const WAY_OUT: Readonly<Partial<Record<Coverage, string>>> = {
  'tunnel-not-trusted':
    'install the root and press Test on the trust page, or `yori ca trust-check`; ' +
    '`yori pinning clear` tries again at once',
  'tunnel-clock': 'set the clock of the device; `yori pinning clear` tries again at once',
  'tunnel-pinned':
    'nothing where the app pins; else trust the root in the app, then `yori pinning clear`',
}

export function wayOut(coverage: Coverage): string | undefined {
  return WAY_OUT[coverage]
}

/** Undefined for our own pages, which nobody else was to see: they are not counted. */
export function coverageGroup(coverage: Coverage): CoverageGroup | undefined {
  if (coverage === 'own') return undefined
  if (coverage === 'inspected' || coverage === 'refused' || coverage === 'failed')
    return coverage
  return 'tunnelled'
}

export function describeCoverage(coverage: Coverage): string {
  return SAYS[coverage]
}

/** Of a text from the store, which a later version may have written. */
export function isCoverage(text: string): text is Coverage {
  return Object.hasOwn(SAYS, text)
}

/** A kind of coverage or a code of an error; undefined: a later version has written it. */
export function describeReason(reason: string): string | undefined {
  if (isCoverage(reason)) return describeCoverage(reason)
  const code = errorCodes.find((known) => known === reason)
  return code === undefined ? undefined : describeError(code).says
}
