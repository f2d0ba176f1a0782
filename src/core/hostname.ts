/**
 * Host names as DNS and TLS compare them: ASCII case and one trailing dot do not count
 * (RFC 4343, RFC 6066 §3). Pure; no resolving here.
 */
import { isIP } from 'node:net'
import { refusedRange } from './address.js'

const MAX_NAME_LENGTH = 253
const MAX_LABEL_LENGTH = 63

/**
 * The canonical form of a host name: lower case, no trailing dot. Undefined when it is no
 * host name: empty or over-long labels, characters other than letters, digits, `-` and `_`,
 * or an IP address.
 */
export function canonicalHostname(text: string): string | undefined {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase()
  if (name.length === 0 || name.length > MAX_NAME_LENGTH || isIP(name) !== 0)
    return undefined
  for (const label of name.split('.')) {
    if (label.length === 0 || label.length > MAX_LABEL_LENGTH) return undefined
    if (label.startsWith('-') || label.endsWith('-')) return undefined
    for (let i = 0; i < label.length; i++) {
      if (!isNameCharacter(label.charCodeAt(i))) return undefined
    }
  }
  return name
}

function isNameCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x5f
  )
}

/**
 * Does a canonical name match a pattern? A pattern is a name, or `*.x`, which stands for any
 * number of labels below `x` and not for `x` itself.
 */
export function matchesHostname(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name
  return name.length > pattern.length - 1 && name.endsWith(pattern.slice(1))
}

/** RFC 6761, 6762 and 8375, ICANN's `internal`, and what home routers give. */
const LOCAL_ENDS = ['localhost', 'local', 'home.arpa', 'internal', 'lan', 'home']

/** Does a canonical name or an address stand for a machine of this network? By itself alone. */
export function isLocalName(host: string): boolean {
  if (isIP(host) !== 0) return refusedRange(host) !== undefined
  return !host.includes('.') || LOCAL_ENDS.some((end) => host.endsWith(`.${end}`))
}
