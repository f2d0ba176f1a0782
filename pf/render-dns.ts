/**
 * Lines for the resolver that clients use: its answers go into the LLM table as they are given
 * (dnsmasq), and endpoints get no hint of HTTP/3 or Encrypted ClientHello (HTTPS records,
 * RFC 9460), so that browsers come by TLS over TCP with a readable name. Pure.
 */
import { canonicalHostname } from '../src/core/hostname.js'
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
export function renderUnbound(hosts: readonly Entry[]): Rendered {
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
      comment('browsers keep to this resolver'),
      'local-zone: "use-application-dns.net." always_nxdomain',
    ]),
  }
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
