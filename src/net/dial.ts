/**
 * Dials a name or an address: an override of the configuration, else the address the client
 * itself had dialled, else what the resolver says. The guard is applied to every address that
 * came by resolving, and the very address that passed is dialled.
 */
import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { canonicalAddress, refusedRange } from '../core/address.js'
import type { Prefixes, SocketAddress } from '../core/address.js'
import { YoriError } from '../core/errors.js'
import { matchesHostname } from '../core/hostname.js'
import { race } from './race.js'
import { errorCodeOf, upstreamFailure } from './tls-failure.js'

/** More addresses than this are not tried for one connection. */
const MAX_ATTEMPTS = 6

/** Whom to reach. What is spoken there is TLS unless `plain`. */
export interface Target {
  /** A canonical host name or an IP address. */
  readonly host: string
  readonly port: number
  /** HTTP in the clear, as the client asked for it. */
  readonly plain?: boolean
  /** The configuration names this very address, or `localhost`: it may be a private one. */
  readonly isWritten?: boolean
  /** By its id: the certificate of ours that is shown there; unset, none is. */
  readonly identity?: string
}

/** RFC 6761 §6.3: no server is asked. */
const LOCALHOST = ['127.0.0.1', '::1'] as const

/** What a dialer goes by: the configuration, and who knows addresses. */
export interface DialerOptions {
  /** `upstream.resolve`: a name or `*.suffix` to the address that is dialled for it. */
  readonly overrides: ReadonlyMap<string, SocketAddress>
  /** Addresses of a canonical name; what it rejects with is passed on. */
  readonly lookup: (name: string) => Promise<readonly string[]>
  /** Ends the look-ups that are under way; they reject. */
  readonly endLookups?: () => void
  /** Is this an address of one of our own interfaces? */
  readonly isOwnAddress: (address: string) => boolean
  /** The ports on which we listen: there our own addresses are never dialled. */
  readonly ownPorts?: () => readonly number[]
  /** `access.allow_destinations`: refused ranges that the operator opened. */
  readonly allowed: Prefixes
  /** For one target, all its addresses together. */
  readonly connectTimeoutMs: number
  /** A connection could not be opened. */
  readonly onFailed?: (error: unknown) => void
  /** Silence after which TCP asks whether the other side is still there. */
  readonly keepAliveMs: number
}

/**
 * One for a configuration. It keeps nothing of what it dials: names are the resolver's to
 * remember, connections the caller's to end.
 */
export class Dialer {
  readonly #options: DialerOptions

  constructor(options: DialerOptions) {
    this.#options = options
  }

  /** No look-up is waited for any more. */
  close(): void {
    this.#options.endLookups?.()
  }

  /** The override for a host, if the configuration has one. */
  override(host: string): SocketAddress | undefined {
    const exact = this.#options.overrides.get(host)
    if (exact !== undefined) return exact
    for (const [pattern, address] of this.#options.overrides) {
      if (pattern.startsWith('*.') && matchesHostname(pattern, host)) return address
    }
    return undefined
  }

  /**
   * The addresses that may be dialled for a target, in order: of what the resolver gives
   * the first six (`MAX_ATTEMPTS`), without those that are refused. An override is taken
   * as it stands, unless it leads back to us.
   * @throws YORI_UPSTREAM_UNRESOLVED, YORI_DESTINATION_REFUSED, YORI_UPSTREAM_LOOP
   */
  async candidates(target: Target): Promise<readonly SocketAddress[]> {
    const override = this.override(target.host)
    if (override !== undefined) {
      if (this.#isOurselves(override)) throw loop(target.host, override.address)
      return [override]
    }
    if (target.isWritten === true) return this.#written(target)
    const found =
      isIP(target.host) !== 0 ? [target.host] : await this.#options.lookup(target.host)
    const addresses: SocketAddress[] = []
    let refusal: YoriError | undefined
    for (const text of found.slice(0, MAX_ATTEMPTS)) {
      const address = canonicalAddress(text) ?? text
      const problem = this.#refusal(target.host, { address, port: target.port })
      if (problem === undefined) addresses.push({ address, port: target.port })
      else refusal ??= problem
    }
    if (addresses.length > 0) return addresses
    throw (
      refusal ?? new YoriError('YORI_UPSTREAM_UNRESOLVED', `${target.host}: no address`)
    )
  }

  /** It is named by whoever may name it: a circle alone is refused. */
  #written({ host, port }: Target): readonly SocketAddress[] {
    const named = host === 'localhost' ? LOCALHOST : [host]
    const addresses = named.map((address) => ({ address, port }))
    const others = addresses.filter((address) => !this.#isOurselves(address))
    if (others.length === 0) throw loop(host, named[0] ?? host)
    return others
  }

  #refusal(host: string, found: SocketAddress): YoriError | undefined {
    const { address } = found
    if (this.#isOurselves(found)) return loop(host, address)
    if (this.#options.allowed.has(address)) return undefined
    if (this.#options.isOwnAddress(address)) return loop(host, address)
    const range = refusedRange(address)
    if (range === undefined) return undefined
    return new YoriError(
      'YORI_DESTINATION_REFUSED',
      `${host} is ${address}, in ${range}: not dialled unless access.allow_destinations names it`,
      toldOnly(host, 'it leads to a range that is not dialled'),
    )
  }

  /** Whatever the configuration allows, a circle would end at the limits only. */
  #isOurselves({ address, port }: SocketAddress): boolean {
    const { ownPorts, isOwnAddress } = this.#options
    return ownPorts?.().includes(port) === true && isOwnAddress(address)
  }

  /**
   * Opens TCP to a target: to the address that the client had dialled, and when that does
   * not answer at once, beside it to those that the resolver gives. The socket is
   * connected, allows half-closes, and is the caller's, who listens for its errors.
   * @throws what `candidates` throws, YORI_UPSTREAM_UNREACHABLE,
   *   YORI_UPSTREAM_CONNECT_TIMEOUT
   */
  async dial(target: Target, options: DialOptions = {}): Promise<Socket> {
    const { known, knownOnly } = options
    const start = {
      open: this.#opener(options),
      timeoutMs: this.#options.connectTimeoutMs,
    }
    const isKnown = known !== undefined && this.override(target.host) === undefined
    const found = async (): Promise<readonly SocketAddress[]> =>
      options.addresses ?? this.candidates(target)
    if (!isKnown) {
      const addresses = await found()
      const socket = await race({ ...start, addresses }).catch(untold(target.host))
      return this.#notOurselves(target, socket, addresses)
    }
    const addresses = [known]
    if (knownOnly === true || isIP(target.host) !== 0)
      return this.#notOurselves(target, await race({ ...start, addresses }), addresses)
    let own: unknown
    const more = (): Promise<readonly SocketAddress[]> =>
      found().catch((error: unknown) => {
        own = error
        throw error
      })
    const socket = await race({ ...start, addresses, more }).catch((error: unknown) => {
      if (error === own) throw error
      return untold(target.host)(error)
    })
    return this.#notOurselves(target, socket, addresses)
  }

  /**
   * None of our addresses as far as was known; the kernel knows better: it connects a machine to
   * itself from the very address that is dialled. (`remoteAddress` is not to be read: Node keeps
   * it, and by its absence a reset is told from an end.)
   */
  #notOurselves(
    { host }: Target,
    socket: Socket,
    dialled: readonly SocketAddress[],
  ): Socket {
    const ports = this.#options.ownPorts?.()
    if (ports === undefined) return socket
    const { localAddress = '' } = socket
    const from = canonicalAddress(localAddress)
    const isSelf = dialled.some(
      ({ address, port }) => ports.includes(port) && canonicalAddress(address) === from,
    )
    if (!isSelf) return socket
    socket.destroy()
    throw loop(host, localAddress)
  }

  #opener(options: DialOptions): (address: SocketAddress) => Socket {
    const { keepAliveMs } = this.#options
    return ({ address, port }) => {
      const socket =
        options.open?.({ address, port }) ??
        connect({
          host: address,
          port,
          allowHalfOpen: true,
          ...(options.onread === undefined ? {} : { onread: options.onread }),
        })
      const { onFailed } = this.#options
      if (onFailed !== undefined) socket.once('error', onFailed)
      socket.setNoDelay(true)
      socket.setKeepAlive(true, keepAliveMs)
      return socket
    }
  }
}

function loop(host: string, address: string): YoriError {
  return new YoriError(
    'YORI_UPSTREAM_LOOP',
    `${host} is ${address}, an address of our own`,
    toldOnly(host, 'it leads back to YORI'),
  )
}

/** A failure of addresses that the client does not know. */
function untold(host: string): (error: unknown) => never {
  return (error) => {
    const { code, message, cause } = upstreamFailure(error, host)
    const told = toldOnly(host, 'no address of it could be reached')
    throw new YoriError(code, message, { cause, ...told })
  }
}

/** What our resolver knows is no business of clients; an address that they named they know. */
function toldOnly(host: string, says: string): { told?: string } {
  return isIP(host) === 0 ? { told: `${host}: ${says}` } : {}
}

/** Of one dialling. */
export interface DialOptions {
  /** The original destination of a redirected connection: dialled first. */
  readonly known?: SocketAddress
  /** A tunnel: nothing but `known` is dialled. */
  readonly knownOnly?: boolean
  /** What `candidates` gave for this target before: it is not resolved again. */
  readonly addresses?: readonly SocketAddress[]
  /** Makes the socket of an attempt, connecting; TCP unless said. */
  readonly open?: (address: SocketAddress) => Socket
  /** Read into one reused buffer instead of a stream: `net.connect`'s `onread`. */
  readonly onread?: { buffer: Uint8Array | (() => Uint8Array); callback: OnRead }
}

export type OnRead = (bytes: number, buffer: Uint8Array) => boolean

/** Did the peer merely go away, which needs no line in the log? */
export function isOrdinaryEnd(error: unknown): boolean {
  const code = errorCodeOf(error)
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECANCELED'
}
