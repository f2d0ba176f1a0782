/**
 * Linux: netfilter remembers what REDIRECT replaced (SO_ORIGINAL_DST, both families). TPROXY
 * replaces nothing and needs no question.
 */
import { formatAddress, type SocketAddress } from '../core/address.js'
import type { Kernel } from './original-destination-kernel.js'
import type { AskKernel } from './original-destination-words.js'

const SOL_IP = 0
const SOL_IPV6 = 41
/** SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST. */
const ORIGINAL_DESTINATION = 80
/** sizeof(struct sockaddr_in6), the larger of the two. */
const SOCKADDR_BYTES = 28
const AF_INET = 2
const AF_INET6 = 10
/** Nothing was translated; the module that would know is not loaded. */
const ENOENT = 2
const ENOPROTOOPT = 92

/**
 * Asks by getsockopt(2), at once. `own` where netfilter translated nothing or is not
 * there, `unknown` for any other error. linux/netfilter_ipv4.h,
 * netfilter_ipv6/ip6_tables.h.
 */
export function linuxDestination(kernel: Kernel): AskKernel {
  return (socket, { client }) => {
    // A v4-mapped peer is IPv4 to netfilter, whatever the listener's family.
    const level = client.address.includes(':') ? SOL_IPV6 : SOL_IP
    const option = { level, name: ORIGINAL_DESTINATION, length: SOCKADDR_BYTES }
    const answer = kernel.getOption(socket, option)
    if (answer.kind === 'error')
      return answer.errno === ENOENT || answer.errno === ENOPROTOOPT
        ? { kind: 'own' }
        : { kind: 'unknown' }
    const address = readSockaddr(answer.bytes)
    return address === undefined ? { kind: 'unknown' } : { kind: 'original', address }
  }
}

/**
 * struct sockaddr_in and sockaddr_in6: the family in host order, the port in network
 * order. Undefined for another family, or too few bytes. ip(7), ipv6(7).
 */
export function readSockaddr(bytes: Buffer): SocketAddress | undefined {
  if (bytes.length < 8) return undefined
  const family = new Uint16Array(Uint8Array.from(bytes.subarray(0, 2)).buffer)[0]
  const port = bytes.readUInt16BE(2)
  if (family === AF_INET) return { address: formatAddress(bytes.subarray(4, 8)), port }
  if (family === AF_INET6 && bytes.length >= 24)
    return { address: formatAddress(bytes.subarray(8, 24)), port }
  return undefined
}
