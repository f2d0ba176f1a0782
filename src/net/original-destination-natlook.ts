/**
 * FreeBSD's `struct pfioc_natlook` as bytes: a question about a connection, and the answer in
 * the same 76 bytes. Pure. Offsets from the public declaration in `net/pfvar.h`.
 */
import { addressBytes, formatAddress, type SocketAddress } from '../core/address.js'
import type { Ends } from './original-destination-words.js'

/** _IOWR('D', 23, struct pfioc_natlook). */
export const DIOCNATLOOK = 0xc04c4417

export const NATLOOK_BYTES = 76

const at = {
  clientAddress: 0,
  localAddress: 16,
  originalAddress: 48,
  clientPort: 64,
  localPort: 66,
  originalPort: 70,
  family: 72,
  protocol: 73,
  direction: 74,
} as const

const AF_INET = 2
const AF_INET6 = 28
const IPPROTO_TCP = 6
const PF_OUT = 2

/**
 * The question, 76 bytes. Undefined when the ends are of two families, or no addresses.
 */
export function encodeNatlook(ends: Ends): Buffer | undefined {
  const client = addressBytes(ends.client.address)
  const local = addressBytes(ends.local.address)
  if (client === undefined || local?.length !== client.length) return undefined
  const bytes = Buffer.alloc(NATLOOK_BYTES)
  bytes.set(client, at.clientAddress)
  bytes.set(local, at.localAddress)
  bytes.writeUInt16BE(ends.client.port, at.clientPort)
  bytes.writeUInt16BE(ends.local.port, at.localPort)
  bytes[at.family] = client.length === 4 ? AF_INET : AF_INET6
  bytes[at.protocol] = IPPROTO_TCP
  bytes[at.direction] = PF_OUT
  return bytes
}

/** The original destination. Undefined when the bytes are no answer. */
export function decodeNatlook(bytes: Buffer): SocketAddress | undefined {
  if (bytes.length !== NATLOOK_BYTES) return undefined
  const family = bytes[at.family]
  if (family !== AF_INET && family !== AF_INET6) return undefined
  const length = family === AF_INET ? 4 : 16
  const address = bytes.subarray(at.originalAddress, at.originalAddress + length)
  const port = bytes.readUInt16BE(at.originalPort)
  return port === 0 ? undefined : { address: formatAddress(address), port }
}
