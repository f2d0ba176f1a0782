/** What kind of name a connection was about, in the words in which coverage is counted. Pure. */
import { isIP } from 'node:net'
import { NAME_CLASSES } from '../../core/coverage.js'
import { matchesHostname } from '../../core/hostname.js'
import type { Endpoint } from '../../policy/endpoints.js'
import type { CatalogueEntry } from '../../providers/catalogue.js'
import type { ClientHello } from '../../tls/client-hello.js'

/** The names that services show in the place of all that they hide (RFC 9849 §4.1). */
const SHOWN_BY_ECH: ReadonlySet<string> = new Set(['cloudflare-ech.com'])

/** `subject`: what of LLMs the name in the hello is, an endpoint before what is merely known. */
export function classOfHello(hello: ClientHello, subject: string | undefined): string {
  const { serverName, ech, esni } = hello
  if (serverName === undefined) {
    if (hello.serverNameIsAddress) return NAME_CLASSES.address
    return esni ? NAME_CLASSES.hidden : NAME_CLASSES.none
  }
  // Surely hidden, not maybe: browsers offer ECH in true names as well.
  if (ech && SHOWN_BY_ECH.has(serverName)) return NAME_CLASSES.hidden
  return subject ?? NAME_CLASSES.other
}

/**
 * The name or pattern of an LLM that this name is: of an endpoint of the configuration, else of
 * the catalogue, by which it is counted whether anybody reads it or not. Undefined: it is none.
 */
export function subjectOf(
  name: string,
  endpoint: Pick<Endpoint, 'domain'> | undefined,
  entry: Pick<CatalogueEntry, 'hosts'> | undefined,
): string | undefined {
  if (endpoint !== undefined) return endpoint.domain
  if (entry === undefined || entry.hosts.includes(name)) return entry && name
  return entry.hosts.find((pattern) => matchesHostname(pattern, name))
}

/** Of a name or address that the client asked for in the clear. */
export function classOfHost(host: string, subject: string | undefined): string {
  if (isIP(host) !== 0) return NAME_CLASSES.address
  return subject ?? NAME_CLASSES.other
}
