/** What the schema cannot say of `audit.ship` and `fleet`: what belongs together. Pure. */
import type { Judgement } from './judgement.js'
import type { Config } from './schema.js'

export const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const

const KNOWN: ReadonlySet<string> = new Set(['sslmode', 'sslrootcert', 'host'])

/** What is wrong with a URL of PostgreSQL, in words that do not repeat it; undefined: nothing. */
export function postgresProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is no URL'
  const url = new URL(text)
  if (!/^postgres(?:ql)?:$/.test(url.protocol)) return 'is no URL of PostgreSQL'
  for (const key of url.searchParams.keys())
    if (!KNOWN.has(key)) return 'has a parameter that is not known here'
  const mode = url.searchParams.get('sslmode')
  if (mode !== null && !SSL_MODES.some((known) => known === mode))
    return `has another sslmode than ${SSL_MODES.join(', ')}`
  if (url.hostname === '' && url.searchParams.get('host') === null) return 'names no host'
  if (url.pathname.length < 2) return 'names no database'
  return undefined
}

/** Likewise of ClickHouse. */
export function clickhouseProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is no URL'
  const { protocol, search, pathname } = new URL(text)
  if (!/^https?:$/.test(protocol)) return 'is no URL of http or https'
  if (search !== '') return 'has parameters, which are ours to set'
  if (!/^\/(?:[A-Za-z_][A-Za-z0-9_]{0,63})?$/.test(pathname))
    return 'names a database that has to be quoted'
  return undefined
}

/** Likewise of Redis. */
export function redisProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is no URL'
  const { protocol, search, pathname, hostname } = new URL(text)
  if (!/^rediss?:$/.test(protocol)) return 'is no URL of Redis'
  if (hostname === '') return 'names no host'
  if (search !== '') return 'has parameters, of which none is known here'
  if (!/^\/?\d{0,4}$/.test(pathname)) return 'names a database that is no number'
  return undefined
}

export function checkFleet({ audit, fleet }: Config, judgement: Judgement): void {
  const { given, inPlain, report, warn } = judgement
  const { to, url, gateway } = audit.ship
  const ship = ['audit', 'ship']
  if (url !== undefined) {
    const text = String(url)
    const problem = to === 'postgres' ? postgresProblem(text) : clickhouseProblem(text)
    if (problem !== undefined)
      report([...ship, 'url'], problem, `expected the URL of a ${to} server`)
    if (gateway === undefined)
      report(ship, 'needs a name for this gateway', 'add gateway: NAME')
  } else if (given(ship) && Object.keys(audit.ship).some((key) => given([...ship, key])))
    warn(ship, 'ships nothing without url', 'add url, or leave it out')
  const counters = ['fleet', 'counters', 'url']
  if (fleet.counters.url !== undefined) {
    const problem = redisProblem(String(fleet.counters.url))
    if (problem !== undefined)
      report(counters, problem, 'expected such as redis://host:6379/0')
  }
  for (const [path, value] of [
    [[...ship, 'url'], url],
    [counters, fleet.counters.url],
  ] as const)
    if (value !== undefined && inPlain([...path]) && hasPassword(String(value)))
      warn(
        [...path],
        'the password stands in plain text in this file',
        'write ${VAR} and set VAR, or name a file of mode 0600 by password_file',
      )
}

/** Of `policies.bundle`. */
export function checkBundle({ policies }: Config, judgement: Judgement): void {
  const { given, inPlain, report, warn } = judgement
  const at = ['policies', 'bundle']
  const { url, token, token_file: file } = policies.bundle
  if (url === undefined) {
    const others = ['key', 'token', 'token_file', 'poll_seconds', 'long_poll_seconds']
    if (others.some((key) => given([...at, key])))
      warn(at, 'brings nothing without url', 'add url, or leave it out')
    return
  }
  if (token !== undefined && file !== undefined)
    report([...at, 'token'], 'is given beside token_file', 'give one of them')
  const { protocol, hostname, username } = new URL(url)
  if (username !== '')
    report([...at, 'url'], 'holds a user name', 'use token or token_file')
  const isLocal = /^(?:localhost|127\..*|\[::1\])$/.test(hostname)
  if (protocol === 'http:' && !isLocal && policies.bundle.key === undefined)
    warn(
      [...at, 'url'],
      'comes over plain HTTP and without a signature: whoever is on the way can change it',
      'use https, or set key',
    )
  if (token !== undefined && inPlain([...at, 'token']))
    warn(
      [...at, 'token'],
      'stands in plain text in this file',
      'write ${VAR} and set VAR, or name a file of mode 0600 by token_file',
    )
}

function hasPassword(text: string): boolean {
  return URL.canParse(text) && new URL(text).password !== ''
}
