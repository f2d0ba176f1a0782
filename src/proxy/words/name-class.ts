/** What kind of name a connection was about, in the words in which coverage is counted. Pure. */
import { isIP } from 'node:net'
import { NAME_CLASSES } from '../../core/coverage.js'
import type { Endpoint } from '../../policy/endpoints.js'
import type { ClientHello } from '../../tls/client-hello.js'

/** The names that services show in the place of all that they hide (RFC 9849 §4.1). */
const SHOWN_BY_ECH: ReadonlySet<string> = new Set(['cloudflare-ech.com'])

/** `endpoint` is that of the name in the hello. */
export function classOfHello(hello: ClientHello, endpoint: Endpoint | undefined): string {
  const { serverName, ech, esni } = hello
  if (serverName === undefined) {
    if (hello.serverNameIsAddress) return NAME_CLASSES.address
    return esni ? NAME_CLASSES.hidden : NAME_CLASSES.none
  }
  // Surely hidden, not maybe: browsers offer ECH in true names as well.
  if (ech && SHOWN_BY_ECH.has(serverName)) return NAME_CLASSES.hidden
  return endpoint?.domain ?? NAME_CLASSES.other
}

/** Of a name or address that the client asked for in the clear. */
export function classOfHost(host: string, endpoint: Endpoint | undefined): string {
  if (isIP(host) !== 0) return NAME_CLASSES.address
  return endpoint?.domain ?? NAME_CLASSES.other
}
