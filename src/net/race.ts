/**
 * Opens TCP to the first of several addresses that answers, RFC 8305: families in turn, the
 * next one a quarter of a second after the one before, or as soon as that has failed. Whoever
 * connects first is kept, the others are given up. Which addresses may be dialled is `dial.ts`'s.
 */
import { isIPv6 } from 'node:net'
import type { Socket } from 'node:net'
import { formatSocketAddress } from '../core/address.js'
import type { SocketAddress } from '../core/address.js'
import { YoriError } from '../core/errors.js'
import { upstreamFailure } from './tls-failure.js'

/** RFC 8305 §5, "Connection Attempt Delay". */
export const ATTEMPT_DELAY_MS = 250

/** Who runs, and for how long. */
export interface RaceOptions {
  /** Dialled in this order, families in turn. */
  readonly addresses: readonly SocketAddress[]
  /** Asked once, when `addresses` alone have not connected after their turns. */
  readonly more?: () => Promise<readonly SocketAddress[]>
  /** Starts one attempt: a socket that is connecting. */
  readonly open: (address: SocketAddress) => Socket
  /** For all attempts together. */
  readonly timeoutMs: number
}

/**
 * The first socket that has connected, with no listener of its own left; the others are
 * destroyed. Without any address it fails as when none answers.
 * @throws YORI_UPSTREAM_CONNECT_TIMEOUT, YORI_UPSTREAM_UNREACHABLE and whatever else the
 *   last attempt failed of; what `more` throws
 */
export function race(options: RaceOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    new Race(options, resolve, reject).begin()
  })
}

/** Families in turn, the first address's first, else in order. RFC 8305 §4. */
export function interleaved(addresses: readonly SocketAddress[]): SocketAddress[] {
  const isFirstKind = isIPv6(addresses[0]?.address ?? '')
  const kinds: SocketAddress[][] = [[], []]
  for (const each of addresses)
    kinds[isIPv6(each.address) === isFirstKind ? 0 : 1]?.push(each)
  const [ones = [], others = []] = kinds
  const longest = Math.max(ones.length, others.length)
  return Array.from({ length: longest }, (_, i) => [ones[i], others[i]])
    .flat()
    .filter((each) => each !== undefined)
}

class Race {
  readonly #options: RaceOptions
  readonly #resolve: (socket: Socket) => void
  readonly #reject: (error: unknown) => void
  readonly #waiting: SocketAddress[]
  readonly #dialled: SocketAddress[] = []
  readonly #pending = new Set<Socket>()
  /** Of the last attempt that failed. */
  #failure: unknown
  /** Why there are no more addresses; it says more than a failed attempt. */
  #noMore: unknown
  #asks: 'not yet' | 'asking' | 'asked'
  #next: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined
  #over = false

  constructor(
    options: RaceOptions,
    resolve: (socket: Socket) => void,
    reject: (error: unknown) => void,
  ) {
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
    this.#waiting = interleaved(options.addresses)
    this.#asks = options.more === undefined ? 'asked' : 'not yet'
  }

  begin(): void {
    this.#deadline = setTimeout(() => this.#timedOut(), this.#options.timeoutMs)
    this.#goOn()
  }

  /** The next attempt, where there is one; or the end, where nothing is pending. */
  #goOn(): void {
    if (this.#over) return
    clearTimeout(this.#next)
    const address = this.#waiting.shift()
    if (address !== undefined) {
      this.#attempt(address)
      const isLast = this.#waiting.length === 0 && this.#asks !== 'not yet'
      if (!isLast && !this.#over)
        this.#next = setTimeout(() => this.#goOn(), ATTEMPT_DELAY_MS)
    } else if (this.#asks === 'not yet') this.#ask()
    else if (this.#pending.size === 0 && this.#asks === 'asked')
      this.#end(() => this.#reject(this.#noMore ?? this.#failure ?? nowhere()))
  }

  #attempt(address: SocketAddress): void {
    this.#dialled.push(address)
    const socket = this.#options.open(address)
    this.#pending.add(socket)
    const failed = (error: Error): void => {
      if (!this.#pending.delete(socket)) return
      socket.destroy()
      this.#failure = upstreamFailure(error, formatSocketAddress(address))
      this.#goOn()
    }
    socket.on('error', failed)
    socket.once('connect', () => {
      if (!this.#pending.delete(socket)) return
      socket.off('error', failed)
      this.#end(() => this.#resolve(socket))
    })
  }

  #ask(): void {
    this.#asks = 'asking'
    const found = (addresses: readonly SocketAddress[]): void => {
      this.#asks = 'asked'
      this.#waiting.push(...interleaved(addresses.filter((each) => !this.#was(each))))
      this.#goOn()
    }
    this.#options.more?.().then(found, (error: unknown) => {
      this.#asks = 'asked'
      this.#noMore = error
      this.#goOn()
    })
  }

  #was({ address, port }: SocketAddress): boolean {
    return this.#dialled.some((each) => each.address === address && each.port === port)
  }

  #timedOut(): void {
    const { timeoutMs } = this.#options
    const all = this.#dialled.map(formatSocketAddress).join(', ')
    const text = `no connection to ${all} in ${Math.round(timeoutMs)} ms`
    const error = new YoriError('YORI_UPSTREAM_CONNECT_TIMEOUT', text)
    this.#end(() => this.#reject(error))
  }

  #end(settle: () => void): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#next)
    clearTimeout(this.#deadline)
    for (const socket of this.#pending) socket.destroy()
    this.#pending.clear()
    settle()
  }
}

function nowhere(): YoriError {
  return new YoriError('YORI_UPSTREAM_CONNECT_TIMEOUT', 'there is no address to dial')
}
