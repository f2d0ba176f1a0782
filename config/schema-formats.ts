/**
 * The forms of text that configuration values take: each with what it is called, and a check.
 * Pure; names are not resolved and files not opened.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { canonicalHostname } from '../src/core/hostname.js'

export type Format =
  | 'listen'
  | 'listen-or-off'
  | 'http-url'
  | 'header-name'
  | 'header-value'
  | 'ip-port'
  | 'ip-maybe-port'
  | 'ip'
  | 'mac'
  | 'cidr-or-interface'
  | 'ip-or-cidr'
  | 'device'
  | 'device-or-alias'
  | 'interface'
  | 'ip6-or-interface'
  | 'table'
  | 'hostname'
  | 'hostname-pattern'
  | 'path'
  | 'file-name'
  | 'door-name'
  | 'agent-id'
  | 'label'
  | 'time-of-day'
  | 'moment'
  | 'timezone'
  | 'password-hash'
  | 'passphrase'
  | 'sink-url'
  | 'webhook-secret'
  | 'topic'
  | 'host'
  | 'mailbox'
  | 'time-span'
  | 'ship-url'
  | 'redis-url'
  | 'date'
  | 'waf-route'
  | 'waf-rule'
  | 'waf-argument'

interface FormatRule {
  /** What would be right, to follow "expected". */
  readonly right: string
  /** Undefined when the text has the form; else what is wrong with it. */
  readonly check: (text: string) => string | undefined
}

/** SHA-256 of the word "password", which a published sample configuration carries. */
const SAMPLE_HASH = '5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8'

const says =
  (test: (text: string) => boolean, wrong: string) =>
  (text: string): string | undefined =>
    test(text) ? undefined : wrong

export const formats: Readonly<Record<Format, FormatRule>> = {
  listen: {
    right: 'host:port with a port from 0 to 65535, such as 0.0.0.0:8443 or [::]:8443',
    check: listenProblem,
  },
  'listen-or-off': {
    right: 'host:port such as 127.0.0.1:8088, or off',
    check: (text) => (text === 'off' ? undefined : listenProblem(text)),
  },
  'http-url': {
    right: 'a URL of http or https, such as http://127.0.0.1:4318',
    check: says(isHttpUrl, 'is no URL of http or https'),
  },
  'header-name': {
    right: 'the name of a field of HTTP, such as authorization',
    check: says(
      (text) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(text),
      'is not the name of a field',
    ),
  },
  'header-value': {
    right: 'text without line ends',
    check: says(
      (text) => /^[\t\x20-\x7e]{1,4096}$/.test(text),
      'cannot be sent in a field',
    ),
  },
  'ip-port': {
    right: 'ip:port, such as 192.0.2.1:443 or [2001:db8::1]:443',
    check: says((text) => {
      const parsed = parseHostPort(text)
      return parsed !== undefined && isIP(parsed.host) !== 0 && parsed.port > 0
    }, 'is not an address with a port'),
  },
  'ip-maybe-port': {
    right: 'an IP address, or ip:port such as 192.0.2.1:53 or [2001:db8::1]:53',
    check: says((text) => {
      if (isIP(text) !== 0) return true
      const parsed = parseHostPort(text)
      return parsed !== undefined && isIP(parsed.host) !== 0 && parsed.port > 0
    }, 'is not an address'),
  },
  ip: {
    right: 'an IP address, such as 192.168.1.20 or 2001:db8::20',
    check: says((text) => isIP(text) !== 0, 'is not an IP address'),
  },
  mac: {
    right: 'a MAC address, such as 02:00:5e:10:00:01',
    check: says(isMac, 'is not a MAC address'),
  },
  'ip-or-cidr': {
    right: 'an IP address or a prefix, such as 192.168.1.20 or 192.168.1.0/24',
    check: says(isIpOrCidr, 'is not an address or prefix'),
  },
  'cidr-or-interface': {
    right: 'an address, a prefix or an interface, such as 192.168.1.0/24 or em1',
    check: says(
      (text) => isIpOrCidr(text) || isInterfaceName(text),
      'is neither an address, a prefix nor an interface name',
    ),
  },
  device: {
    right: 'an IP address, a prefix or a MAC address',
    check: says(
      (text) => isIpOrCidr(text) || isMac(text),
      'is neither an address, a prefix nor a MAC address',
    ),
  },
  'device-or-alias': {
    right: 'an IP address, a prefix, a MAC address or the name of an alias',
    check: says(
      (text) => isIpOrCidr(text) || isMac(text) || isTableName(text),
      'is neither an address, a prefix, a MAC address nor the name of an alias',
    ),
  },
  interface: {
    right: 'the name of an interface, such as em1',
    check: says(isInterfaceName, 'is not the name of an interface'),
  },
  'ip6-or-interface': {
    right: 'an IPv6 address other than ::1, or the word interface',
    check: says(
      (text) => text === 'interface' || (isIPv6(text) && !/^[0:]*1?$/.test(text)),
      'is not an IPv6 address that other interfaces reach',
    ),
  },
  table: {
    right: 'up to 31 letters, digits and _, the first a letter',
    check: says(isTableName, 'is not the name of a table'),
  },
  hostname: {
    right: 'a host name, such as yori.home.arpa',
    check: hostnameProblem,
  },
  'hostname-pattern': {
    right: 'a host name or *.name, such as api.example.com or *.example.com',
    check: patternProblem,
  },
  path: {
    right: 'a path; a relative one starts from the folder of this file',
    check: (text) => {
      if (text === '') return 'is empty'
      if (text.includes('\0')) return 'holds a NUL character'
      return text.startsWith('~') ? 'starts with ~, which is not expanded' : undefined
    },
  },
  'file-name': {
    right: 'a file name without a folder, such as home_default.rego',
    check: says(
      (text) => text !== '' && !/[/\\\0]/.test(text) && !text.startsWith('.'),
      'is not a plain file name',
    ),
  },
  'door-name': {
    right: 'a name of small letters, digits and `.`, `_`, `-`, such as openai',
    check: says(
      (text) => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(text),
      'cannot stand in a path',
    ),
  },
  'agent-id': {
    right: 'an id of letters, digits and `-`, `.`, `_`, `~`, `+`, `/`',
    // RFC 6750 §2.1: what a bearer token is written in.
    check: says(
      (text) => /^[A-Za-z0-9._~+/-]{1,256}$/.test(text),
      'cannot stand in a token',
    ),
  },
  label: {
    right: 'a name of 1 to 128 characters without control characters',
    check: says(isLabel, 'is not a usable name'),
  },
  'time-of-day': {
    right: "a time of day 'HH:MM' from 00:00 to 23:59",
    check: says(
      (text) => /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(text),
      'is not a time of day',
    ),
  },
  moment: {
    right: 'a date and time with its zone (RFC 3339), such as 2030-12-31T21:00:00Z',
    check: says(isMoment, 'is not a date and time with its zone'),
  },
  timezone: {
    right: 'an IANA time zone, such as Europe/Berlin or UTC',
    check: says(isTimezone, 'is not a time zone that this system knows'),
  },
  'password-hash': {
    right: 'a hash that starts with `scrypt` (or `sha256:` and 64 hex digits), or ${VAR}',
    check: hashProblem,
  },
  passphrase: {
    right: 'a passphrase, or ${VAR}',
    check: says((text) => text !== '', 'is empty'),
  },
  'ship-url': {
    right:
      'a URL such as postgres://yori@db.example:5432/yori or https://db.example:8443',
    check: says(
      (text) => isUrlOf(text, /^(?:postgres(?:ql)?|https?):$/),
      'is no URL of a server that takes the record',
    ),
  },
  'redis-url': {
    right: 'a URL such as redis://127.0.0.1:6379/0 or rediss://user@host:6379',
    check: says((text) => isUrlOf(text, /^rediss?:$/), 'is no URL of Redis'),
  },
  'sink-url': {
    right: 'a URL of http or https without a name and password in it',
    check: says(isSinkUrl, 'is no URL of http or https that messages could go to'),
  },
  'webhook-secret': {
    right: 'whsec_ and 16 to 256 bytes in Base64',
    check: says(
      (text) =>
        /^whsec_[A-Za-z0-9+/]{22,344}={0,2}$/.test(text) &&
        Buffer.from(text.slice(6), 'base64').length >= 16,
      'is not a secret of that form',
    ),
  },
  topic: {
    right: 'up to 64 letters, digits, - and _',
    check: says((text) => /^[\w-]{1,64}$/.test(text), 'is not the name of a topic'),
  },
  host: {
    right: 'a host name or an IP address',
    check: (text) => (isIP(text) !== 0 ? undefined : hostnameProblem(text)),
  },
  mailbox: {
    right: 'an address such as yori@example.org, or YORI <yori@example.org>',
    check: says(isMailbox, 'is not an address of mail'),
  },
  'time-span': {
    right: "two times of day 'HH:MM-HH:MM', such as 22:00-07:00",
    check: says(
      (text) =>
        /^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/.test(text),
      'is not a span of the day',
    ),
  },
  date: {
    right: 'a day, such as 2030-12-31',
    check: says(
      (text) => /^\d{4}-\d\d-\d\d$/.test(text) && isMoment(`${text}T00:00:00Z`),
      'is not a day',
    ),
  },
  // What these may hold could not end a directive of the firewall's engine.
  'waf-route': {
    right: 'a host, a path from /, or both, such as api.openai.com/v1/files',
    check: says(
      (text) =>
        /^(?:\*\.)?[a-zA-Z0-9.-]{0,253}(?:\/[\w./~:-]{0,1024})?$/.test(text) &&
        text !== '',
      'is neither a host nor a path',
    ),
  },
  'waf-rule': {
    right: 'the number of a rule or a tag, such as 942100 or attack-sqli',
    check: says(
      (text) => /^(?:[1-9]\d{0,8}|[A-Za-z][\w./-]{0,63})$/.test(text),
      'is neither the number of a rule nor a tag',
    ),
  },
  'waf-argument': {
    right: 'a place as a row names it, such as ARGS:q or REQUEST_HEADERS:referer',
    check: says((text) => /^[\w.:/[\]-]{1,200}$/.test(text), 'is no place of a request'),
  },
}

/** Reads `host:port` and `[v6]:port`; undefined when the text is neither. Port 0 to 65535. */
export function parseHostPort(text: string): { host: string; port: number } | undefined {
  const colon = text.lastIndexOf(':')
  const digits = text.slice(colon + 1)
  if (colon < 1 || !/^\d{1,5}$/.test(digits) || Number(digits) > 65_535) return undefined
  const port = Number(digits)
  const name = text.slice(0, colon)
  if (name.startsWith('[') && name.endsWith(']')) {
    const host = name.slice(1, -1)
    return isIPv6(host) ? { host, port } : undefined
  }
  if (isIPv4(name)) return { host: name, port }
  const host = canonicalHostname(name)
  return host === undefined || /^[\d.]+$/.test(host) ? undefined : { host, port }
}

/** Whole bytes of `65536`, `64KiB`, `10 MB`; undefined when the text is no size. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d{1,16}(?:\.\d{1,6})?) ?([a-z]{0,3})$/i.exec(text)
  if (found === null) return undefined
  const factor = SIZE_FACTORS.get((found[2] ?? '').toLowerCase())
  if (factor === undefined) return undefined
  const bytes = Number(found[1]) * factor
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

const SIZE_FACTORS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
  ['tb', 1e12],
  ['tib', 2 ** 40],
])

/** Bytes as people write them: 65536 is `64KiB`; what does not divide stays a number. */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of [
    ['TiB', 2 ** 40],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`
  }
  return String(bytes)
}

function listenProblem(text: string): string | undefined {
  if (parseHostPort(text) !== undefined) return undefined
  if (/^\d+$/.test(text)) return 'is a port without an address'
  if (isIP(text) !== 0) return 'has no port, or an IPv6 address without brackets'
  if (text.startsWith(':') || text.startsWith('*:')) {
    return 'has no address (0.0.0.0 is every IPv4 address, [::] every IPv6 address)'
  }
  return 'is not host:port'
}

/** Without a name and password, which would stand in logs, and nothing behind the path. */
function isHttpUrl(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false
  const { username, password, search, hash } = new URL(text)
  return `${username}${password}${search}${hash}` === ''
}

/** Some services tell who sends by the query. */
function isSinkUrl(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false
  const { username, password, hash } = new URL(text)
  return `${username}${password}${hash}` === ''
}

/** As far as a list of recipients could be led astray by it. RFC 5321 §4.1.2. */
function isMailbox(text: string): boolean {
  const found =
    /^(?:[^<>@,;"\x00-\x1f\x7f]{0,100}<)?([^\s<>@,;"]{1,64}@[^\s<>@,;"]{1,255})(>?)$/.exec(
      text,
    )
  return found !== null && text.includes('<') === (found[2] === '>')
}

function hostnameProblem(text: string): string | undefined {
  if (text.includes('://')) return 'is a URL, not a host name'
  if (isIP(text) !== 0) return 'is an IP address, not a host name'
  if (canonicalHostname(text) !== undefined) return undefined
  if (/:\d+$/.test(text)) return 'has a port'
  const ascii = domainToASCII(text)
  if (ascii !== '' && ascii !== text.toLowerCase()) return `is written ${ascii} in DNS`
  return 'is not a host name'
}

/** Single labels that no public registry hands out (RFC 6761, RFC 9476 and habit). */
const PRIVATE_TOPS = new Set(['test', 'example', 'invalid', 'localhost', 'internal'])

function patternProblem(text: string): string | undefined {
  if (!text.startsWith('*.')) {
    return text.includes('*') ? 'has a * elsewhere than in front' : hostnameProblem(text)
  }
  const base = canonicalHostname(text.slice(2))
  if (base === undefined) return hostnameProblem(text.slice(2))
  if (!base.includes('.') && !PRIVATE_TOPS.has(base)) return 'covers a whole top level'
  return undefined
}

function isIpOrCidr(text: string): boolean {
  const slash = text.indexOf('/')
  if (slash < 0) return isIP(text) !== 0
  const family = isIP(text.slice(0, slash))
  const bits = text.slice(slash + 1)
  return (
    family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  )
}

/** As the kernel takes it: 1 to 15 characters, no slash, no white space, no colon. */
function isInterfaceName(text: string): boolean {
  return /^[A-Za-z][\w.-]{0,14}$/.test(text)
}

/** As pf takes it, and OPNsense for an alias. */
function isTableName(text: string): boolean {
  return /^[A-Za-z_]\w{0,30}$/.test(text)
}

export function isMac(text: string): boolean {
  return (
    /^[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}$/i.test(text) ||
    /^(?:[\da-f]{4}\.){2}[\da-f]{4}$/i.test(text)
  )
}

function isLabel(text: string): boolean {
  return text.length > 0 && text.length <= 128 && !/[\x00-\x1f\x7f]/.test(text)
}

function isMoment(text: string): boolean {
  const form =
    /^(\d{4}-\d\d-\d\d)[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)$/
  const found = form.exec(text)
  if (found === null || Number.isNaN(Date.parse(text))) return false
  // Date.parse turns 30 February into 1 March.
  return new Date(`${found[1]}T00:00:00Z`).toISOString().startsWith(found[1] ?? '-')
}

function isTimezone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}

function hashProblem(text: string): string | undefined {
  if (/^\$?scrypt[:$]\S{20,1024}$/.test(text)) return undefined
  if (!/^sha256:[\da-f]{64}$/i.test(text)) return 'is not a hash'
  return text.toLowerCase().endsWith(SAMPLE_HASH)
    ? 'is the published sample: the hash of the word "password"'
    : undefined
}

function isUrlOf(text: string, scheme: RegExp): boolean {
  return URL.canParse(text) && scheme.test(new URL(text).protocol)
}
