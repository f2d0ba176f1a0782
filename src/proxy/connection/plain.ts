/**
 * Plain requests that a firewall led here, to whatever port: nobody reads them, and where a
 * policy may block its device none of them reaches an endpoint. By the host that the head
 * names, or by the address where it serves an endpoint alone; any other site is had as ever.
 */
import type { SocketAddress } from '../../core/address.js'
import { NAME_CLASSES } from '../../core/coverage.js'
import { canonicalHostname } from '../../core/hostname.js'
import { splitAuthority } from '../../http/head.js'
import { endSoon } from '../../net/end-soon.js'
import { peekHead } from '../../net/peek-head.js'
import { mayBlock } from './before-tls.js'
import type { Served } from './served.js'

/** Of a head that is looked at; a longer one is refused by most servers. */
const MAX_HEAD_BYTES = 64 * 1024
const CODE = 'YORI_EVADES_INSPECTION'

/** True: it was turned away, and told so. */
export async function turnedAwayPlain(
  served: Served,
  first: 'http' | 'other',
  known: SocketAddress,
): Promise<boolean> {
  if (!mayBlock(served)) return false
  const { client, state, services } = served
  const hosts = first === 'http' ? await hostsAsked(served) : []
  const asksEndpoint =
    hosts === undefined || hosts.some((host) => isGoverned(host, served))
  const isNameless = hosts?.length === 0 && (await services.unshared.has(known.address))
  if (!asksEndpoint && !isNameless) return false
  if (client.destroyed) return false
  state.log.ofClass(NAME_CLASSES.evading)
  state.log.refused(CODE)
  endSoon(client, first === 'http' ? REFUSAL : undefined)
  return true
}

/** Undefined: its head did not come to its end, and nobody knows whom it asks. */
async function hostsAsked({
  client,
  services,
}: Served): Promise<readonly string[] | undefined> {
  const head = await peekHead(client, {
    maxBytes: MAX_HEAD_BYTES,
    timeoutMs: services.policy.timeouts.clientHelloMs,
  })
  return head === undefined ? undefined : hostsIn(head)
}

function isGoverned(host: string, { state, services }: Served): boolean {
  const { policy, decider } = services
  const { device } = state.record
  return (
    policy.routes.endpoints.find(host) !== undefined && decider.mustInspect(device, host)
  )
}

const TARGET = /^\S{1,32} [a-z][a-z0-9+.-]{0,15}:\/\/([^/?#\s]{1,512})/i
const HOST = /^host[ \t]{0,16}:[ \t]{0,16}(\S{1,512})/gim

function hostsIn(head: string): readonly string[] {
  const target = TARGET.exec(head)?.[1]
  const named = [...head.matchAll(HOST)].map(([, host]) => host)
  return [target, ...named].flatMap((text) => {
    const host = splitAuthority(text ?? '')?.host
    return host === undefined ? [] : [canonicalHostname(host) ?? host]
  })
}

const SENTENCE =
  'YORI: a plain request to this endpoint is not inspected, and a policy that blocks is in force.\n'
const REFUSAL = [
  'HTTP/1.1 403 Forbidden',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${SENTENCE.length}`,
  'Connection: close',
  '',
  SENTENCE,
].join('\r\n')
