/**
 * Whom a client had dialled before a firewall led its connection here. Asks the kernel; the
 * Linux and the FreeBSD side are files beside this one. Without the means to ask (no koffi, no
 * rights) the answer is `unknown`, never an error: the connection is then routed by its name.
 */
import type { Server, Socket } from 'node:net'
import { canonicalAddress, type SocketAddress } from '../core/address.js'
import type { Log } from '../core/log.js'
import { loadKernel, type Kernel } from './original-destination-kernel.js'
import { linuxDestination } from './original-destination-linux.js'
import { pfDestination } from './original-destination-pf.js'
import type { AskKernel, Destination, Ends } from './original-destination-words.js'

export type { Destination } from './original-destination-words.js'

/** Whom clients had dialled, as this machine's kernel says. */
export interface OriginalDestination {
  /** At accept, before anything else is awaited: the kernel forgets. Never rejects. */
  of(socket: Socket): Destination | Promise<Destination>
  /**
   * Lets a listening socket take connections to addresses that are not ours (Linux TPROXY;
   * needs CAP_NET_RAW or CAP_NET_ADMIN at this moment). Undefined when done, else why not.
   */
  acceptForeign(server: Server): string | undefined
}

/** Is this one of our own addresses, also when an interface has just got it? */
export interface OwnAddressList {
  has(address: string): boolean
}

/** What answers are judged by, and who is asked. */
export interface OriginalDestinationOptions {
  readonly own: OwnAddressList
  readonly log: Log
  readonly platform?: NodeJS.Platform
  /** For tests; undefined: as where it cannot be asked. */
  readonly kernel?: Kernel | undefined
}

/** Warns once when the kernel cannot be asked. Never rejects. */
export async function openOriginalDestination(
  options: OriginalDestinationOptions,
): Promise<OriginalDestination> {
  const { own, log } = options
  const platform = options.platform ?? process.platform
  const kernel = 'kernel' in options ? options.kernel : await loadKernel(log)
  const ask = askerFor(platform, kernel, log)
  return {
    of: (socket) => destinationOf(socket, own, ask),
    acceptForeign: (server) => {
      if (platform !== 'linux') return `${platform} has no transparent sockets`
      if (kernel === undefined) return 'koffi is not there'
      return kernel.setTransparent(server)
    },
  }
}

function askerFor(
  platform: NodeJS.Platform,
  kernel: Kernel | undefined,
  log: Log,
): AskKernel {
  if (platform === 'linux' && kernel !== undefined) return linuxDestination(kernel)
  if (platform === 'freebsd') return pfDestination(kernel, log)
  return () => ({ kind: 'unknown' })
}

function destinationOf(
  socket: Socket,
  own: OwnAddressList,
  ask: AskKernel,
): Destination | Promise<Destination> {
  const ends = endsOf(socket)
  if (ends === undefined) return { kind: 'unknown' }
  const found = ask(socket, ends)
  return found instanceof Promise
    ? found.then((late) => judge(late, ends.local, own))
    : judge(found, ends.local, own)
}

function judge(
  found: Destination,
  local: SocketAddress,
  own: OwnAddressList,
): Destination {
  const replaced = found.kind === 'original' && !sameAddress(found.address, local)
  // Led here from another of our own addresses: it wanted us all the same.
  if (replaced) return own.has(found.address.address) ? { kind: 'own' } : found
  // Nothing was replaced. A foreign local address is then the destination itself: TPROXY, or a
  // route that leads here.
  if (!own.has(local.address)) return { kind: 'original', address: local }
  return found.kind === 'unknown' ? found : { kind: 'own' }
}

function sameAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.address === b.address && a.port === b.port
}

function endsOf(socket: Socket): Ends | undefined {
  const client = canonicalAddress(socket.remoteAddress ?? '')
  const local = canonicalAddress(socket.localAddress ?? '')
  const { remotePort, localPort } = socket
  if (client === undefined || local === undefined) return undefined
  if (remotePort === undefined || localPort === undefined) return undefined
  return {
    client: { address: client, port: remotePort },
    local: { address: local, port: localPort },
  }
}
