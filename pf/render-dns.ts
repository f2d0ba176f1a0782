/**
 * Lines for the resolver that clients use: its answers go into the LLM table as they are given
 * (dnsmasq), and endpoints get no hint of HTTP/3 or Encrypted ClientHello (HTTPS records,
 * RFC 9460), so that browsers come by TLS over TCP with a readable name. Pure.
 */
import { canonicalHostname } from '../src/core/hostname.js'
import { HOME_NAME } from '../src/core/own-paths.js'
import { comment, page } from './render-words.js'
import type { Rendered } from './render-words.js'
import type { Entry, SteerProblem, Steering } from './rules.js'

interface Host {
  /** Canonical, without `*.`. */
  readonly name: string
  /** Written as `*.name`: every name below, not the name itself. */
  readonly below: boolean
  readonly from: string
}

/** Unbound: endpoints' HTTPS records say h2 only; other types are asked as ever. */
export function renderUnbound(
  hosts: readonly Entry[],
  pages: readonly PageAt[],
): Rendered {
  const { read, problems } = readHosts(hosts)
  if (problems.length > 0) return { kind: 'invalid', problems }
  const lines = read.flatMap(({ name, below, from }) =>
    below
      ? // A zone of Unbound answers for single names: what is below cannot be listed.
        [comment(`${from}: *.${name} has no single name to answer for`)]
      : [
          comment(from),
          `local-zone: "${name}." typetransparent`,
          `local-data: "${name}. 300 IN HTTPS 1 . alpn=h2"`,
        ],
  )
  return {
    kind: 'ok',
    text: page([
      'server:',
      ...lines,
      ...unboundPage(pages),
      comment('browsers keep to this resolver'),
      'local-zone: "use-application-dns.net." always_nxdomain',
    ]),
  }
}

/** Where the page with the certificate is: an interface's own addresses, as far as known. */
export interface PageAt {
  readonly interface: string
  readonly from: string
  /** IPv4 first; empty: not of this machine. */
  readonly addresses: readonly string[]
}

/** A zone of its own: `home.arpa` is one of Unbound's, in which it answers that nothing is there. */
function unboundPage(pages: readonly PageAt[]): string[] {
  if (pages.length === 0) return []
  return [
    comment('the page with the certificate, by name'),
    `local-zone: "${HOME_NAME}." static`,
    ...pages.flatMap(({ interface: name, from, addresses }) =>
      addresses.length === 0
        ? [
            comment(`${from}: ${name} is not on this machine; its address belongs here:`),
            comment(`local-data: "${HOME_NAME}. 300 IN A ADDRESS"`),
          ]
        : [
            comment(from),
            ...addresses.map(
              (address) =>
                `local-data: "${HOME_NAME}. 300 IN ${address.includes(':') ? 'AAAA' : 'A'} ${address}"`,
            ),
          ],
    ),
  ]
}

/** dnsmasq 2.90 and later: a domain stands for all names below it, too. */
export function renderDnsmasq(
  steering: Steering,
  hosts: readonly Entry[],
  filter: 'nft' | 'pf',
): Rendered {
  const { read, problems } = readHosts(hosts)
  if (problems.length > 0) return { kind: 'invalid', problems }
  const into =
    filter === 'nft'
      ? 'nftset=/DOMAIN/4#inet#yori#names4,6#inet#yori#names6'
      : `ipset=/DOMAIN/${steering.tables.llm}`
  return {
    kind: 'ok',
    text: page([
      comment('answers for LLM hosts go into the table as they are given'),
      ...read.flatMap(({ name, from }) => [
        comment(from),
        into.replace('DOMAIN', () => name),
      ]),
      comment('no hints of h3 or ECH; this is for every name'),
      'filter-rr=HTTPS',
      ...(steering.interfaces.length === 0
        ? []
        : [comment('the page with the certificate, by name')]),
      ...steering.interfaces.flatMap(({ name, from }) => [
        comment(from),
        // Its addresses as they are when somebody asks.
        `interface-name=${HOME_NAME},${name}`,
      ]),
      comment('browsers keep to this resolver'),
      'address=/use-application-dns.net/',
    ]),
  }
}

function readHosts(hosts: readonly Entry[]): {
  read: Host[]
  problems: SteerProblem[]
} {
  const problems: SteerProblem[] = []
  const read = new Map<string, Host>()
  for (const { value, from } of hosts) {
    const below = value.startsWith('*.')
    const name = canonicalHostname(below ? value.slice(2) : value)
    const key = below ? `*.${name}` : name
    if (name === undefined || key === undefined)
      problems.push({
        key: from,
        wrong: `${JSON.stringify(value.slice(0, 64))} is not a host name`,
        right: 'expected a name such as api.example.com',
      })
    else if (!read.has(key)) read.set(key, { name, below, from })
  }
  return { read: [...read.values()], problems }
}
