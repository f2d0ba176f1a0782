/**
 * The output of `pfctl -s state`, for systems where the kernel cannot be asked directly. Pure.
 * A redirected connection is a line such as
 *   `all tcp 127.0.0.1:8443 (203.0.113.7:443) <- 192.168.1.50:51234  ESTABLISHED:ESTABLISHED`
 * with IPv6 ports in brackets: `2001:db8::42[443]`.
 */
import { canonicalAddress, type SocketAddress } from '../core/address.js'
import type { Destination, Ends } from './original-destination-words.js'

/**
 * `own` when the connection is there but nothing replaced its destination; `unknown` when
 * it is not there. Only lines that name the client are read: the text may be megabytes.
 */
export function findInStates(text: string, ends: Ends): Destination {
  const needle = `<- ${formatHost(ends.client)}`
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    const start = text.lastIndexOf('\n', at) + 1
    const newline = text.indexOf('\n', at)
    const found = readState(text.slice(start, newline < 0 ? text.length : newline), ends)
    if (found !== undefined) return found
  }
  return { kind: 'unknown' }
}

/** As pfctl prints it. */
function formatHost({ address, port }: SocketAddress): string {
  return address.includes(':') ? `${address}[${port}]` : `${address}:${port}`
}

function readState(line: string, ends: Ends): Destination | undefined {
  const words = line.trim().split(/\s+/, 8)
  const [, protocol, local, second, third, fourth] = words
  if (protocol !== 'tcp' || local === undefined || second === undefined) return undefined
  if (!same(readHost(local), ends.local)) return undefined
  const replaced = second.startsWith('(') && second.endsWith(')')
  const [arrow, client] = replaced ? [third, fourth] : [second, third]
  if (arrow !== '<-' || client === undefined) return undefined
  if (!same(readHost(client), ends.client)) return undefined
  if (!replaced) return { kind: 'own' }
  const address = readHost(second.slice(1, -1))
  return address === undefined ? { kind: 'unknown' } : { kind: 'original', address }
}

function same(read: SocketAddress | undefined, wanted: SocketAddress): boolean {
  return read?.port === wanted.port && read.address === wanted.address
}

/** `192.0.2.1:443` or `2001:db8::1[443]`. */
function readHost(text: string): SocketAddress | undefined {
  const bracket = text.indexOf('[')
  const cut = bracket < 0 ? text.lastIndexOf(':') : bracket
  if (cut < 0 || (bracket >= 0 && !text.endsWith(']'))) return undefined
  const port = bracket < 0 ? text.slice(cut + 1) : text.slice(cut + 1, -1)
  const address = canonicalAddress(text.slice(0, cut))
  if (address === undefined || !/^[0-9]{1,5}$/.test(port)) return undefined
  return { address, port: Number(port) }
}
