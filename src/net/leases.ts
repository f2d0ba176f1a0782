/**
 * What a DHCP server's lease file says about its clients: address, MAC, host name. Knows the
 * files of dnsmasq, Kea (CSV) and ISC dhcpd. Pure: lines in, leases out, the last word on an
 * address wins, as these files are journals. Host names are the clients' own claims.
 */
import { canonicalAddress } from '../core/address.js'
import { canonicalMac } from './neighbours.js'

/** What a server says of one address; whether it still holds is for the reader to see. */
export interface Lease {
  /** Canonical. */
  readonly address: string
  /** As `canonicalMac` gives it. */
  readonly mac: string | undefined
  /**
   * Printable, at most 253 characters, without a trailing dot: the client's own claim.
   */
  readonly hostname: string | undefined
  /** Milliseconds since the Unix epoch; undefined: never. */
  readonly expiresAt: number | undefined
}

export type LeaseFormat = 'dnsmasq' | 'kea' | 'isc'

/**
 * One file, line by line. Lines over 4,096 characters and those that say nothing of a
 * lease are passed over.
 */
export interface LeaseParser {
  push(line: string): void
  /**
   * By address, the one told of last at the end: the last 8,192 (`MAX_LEASES`). Released
   * ones are gone.
   */
  readonly leases: ReadonlyMap<string, Lease>
}

/** Addresses that are kept; the oldest go first. */
const MAX_LEASES = 8_192
/** Longer lines are no leases. */
const MAX_LINE_LENGTH = 4_096
const MAX_HOSTNAME_LENGTH = 253

/**
 * A new parser, for one file. dnsmasq(8) `--dhcp-leasefile`; Kea's memfile backend;
 * dhcpd.leases(5).
 */
export function leaseParser(format: LeaseFormat): LeaseParser {
  switch (format) {
    case 'dnsmasq':
      return new LineParser(dnsmasqLine)
    case 'kea':
      return new KeaParser()
    case 'isc':
      return new IscParser()
  }
}

interface Raw {
  readonly address: string | undefined
  readonly mac?: string | undefined
  readonly hostname?: string | undefined
  readonly expiresAt?: number | undefined
}

class Leases {
  readonly leases = new Map<string, Lease>()

  keep(raw: Raw): void {
    const address = canonicalAddress(raw.address ?? '')
    if (address === undefined) return
    this.leases.delete(address)
    this.leases.set(address, {
      address,
      mac: raw.mac === undefined ? undefined : canonicalMac(raw.mac),
      hostname: raw.hostname === undefined ? undefined : plainHostname(raw.hostname),
      expiresAt: raw.expiresAt,
    })
    if (this.leases.size > MAX_LEASES) {
      const [oldest] = this.leases.keys()
      if (oldest !== undefined) this.leases.delete(oldest)
    }
  }

  drop(address: string | undefined): void {
    const canonical = canonicalAddress(address ?? '')
    if (canonical !== undefined) this.leases.delete(canonical)
  }
}

/** Printable text without a trailing dot; undefined when nothing is left. */
function plainHostname(text: string): string | undefined {
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  if (name === '' || name.length > MAX_HOSTNAME_LENGTH) return undefined
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name) ? undefined : name
}

class LineParser implements LeaseParser {
  readonly #kept = new Leases()
  readonly #read: (line: string) => Raw | undefined

  constructor(read: (line: string) => Raw | undefined) {
    this.#read = read
  }

  get leases(): ReadonlyMap<string, Lease> {
    return this.#kept.leases
  }

  push(line: string): void {
    const raw = line.length > MAX_LINE_LENGTH ? undefined : this.#read(line)
    if (raw !== undefined) this.#kept.keep(raw)
  }
}

/**
 * `EXPIRY MAC ADDRESS NAME CLIENT-ID`; for IPv6 the second word is a number and there is no
 * MAC. Expiry 0 is never, `*` no name.
 */
function dnsmasqLine(line: string): Raw | undefined {
  const [expiry, mac, address, hostname] = line.trim().split(/\s+/, 5)
  if (expiry === undefined || !/^[0-9]{1,12}$/.test(expiry)) return undefined
  return {
    address,
    mac,
    hostname: hostname === '*' ? undefined : hostname,
    expiresAt: expiry === '0' ? undefined : Number(expiry) * 1000,
  }
}

/** A heading that names the columns, then one row a change. State 0 is a lease in use. */
class KeaParser implements LeaseParser {
  readonly #kept = new Leases()
  #columns: ReadonlyMap<string, number> | undefined

  get leases(): ReadonlyMap<string, Lease> {
    return this.#kept.leases
  }

  push(line: string): void {
    if (line === '' || line.length > MAX_LINE_LENGTH) return
    const cells = line.split(',')
    if (cells[0] === 'address') {
      this.#columns = new Map(cells.map((name, index) => [name.trim(), index]))
      return
    }
    const columns = this.#columns
    if (columns === undefined) return
    const cell = (name: string): string => cells[columns.get(name) ?? -1]?.trim() ?? ''
    if (cell('lease_type') === '2') return // a delegated prefix is no device
    const expire = Number(cell('expire'))
    const unused = cell('state') !== '' && cell('state') !== '0'
    if (unused || cell('valid_lifetime') === '0') return this.#kept.drop(cell('address'))
    const forever = cell('valid_lifetime') === '4294967295'
    this.#kept.keep({
      address: cell('address'),
      mac: cell('hwaddr'),
      hostname: cell('hostname').replaceAll('&#x2c', ','),
      expiresAt: forever || !Number.isFinite(expire) ? undefined : expire * 1000,
    })
  }
}

/** Blocks `lease ADDRESS { ... }`, one statement a line, each ended by a semicolon. */
class IscParser implements LeaseParser {
  readonly #kept = new Leases()
  #open: { address: string; statements: Map<string, string> } | undefined

  get leases(): ReadonlyMap<string, Lease> {
    return this.#kept.leases
  }

  push(line: string): void {
    if (line.length > MAX_LINE_LENGTH) return
    const text = line.trim()
    const words = text.split(/\s+/, 3)
    if (words[0] === 'lease' && words[2] === '{') {
      this.#open = { address: words[1] ?? '', statements: new Map() }
    } else if (text === '}') {
      if (this.#open !== undefined) this.#close(this.#open)
      this.#open = undefined
    } else if (this.#open !== undefined && this.#open.statements.size < 64) {
      for (const name of ISC_STATEMENTS)
        if (text.startsWith(`${name} `))
          this.#open.statements.set(name, text.slice(name.length + 1).replace(/;.*$/, ''))
    }
  }

  #close(block: { address: string; statements: ReadonlyMap<string, string> }): void {
    const { address, statements } = block
    const state = statements.get('binding state')
    if (state !== undefined && state !== 'active') return this.#kept.drop(address)
    this.#kept.keep({
      address,
      mac: statements.get('hardware ethernet'),
      hostname: unquoted(statements.get('client-hostname')),
      expiresAt: iscTime(statements.get('ends')),
    })
  }
}

const ISC_STATEMENTS = ['binding state', 'hardware ethernet', 'client-hostname', 'ends']

function unquoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : /^"([^"\\]*)"$/.exec(text)?.[1]
}

/** `4 2026/11/20 10:00:00` in UTC, `epoch 1795168800`, or `never`. */
function iscTime(text: string | undefined): number | undefined {
  const epoch = /^epoch (\d{1,12})/.exec(text ?? '')
  if (epoch !== null) return Number(epoch[1]) * 1000
  const parts = /^\d (\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d)/.exec(text ?? '')
  if (parts === null) return undefined
  const [, year, month, day, time] = parts
  const at = Date.parse(`${year}-${month}-${day}T${time}Z`)
  return Number.isNaN(at) ? undefined : at
}
