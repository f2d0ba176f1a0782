/**
 * Which names the certificate of an address holds for, when it is asked by a name: one
 * handshake of our own, without a request, whose answer is kept. Who issued the certificate
 * is not looked at: a site of its own is no less a site. What the answer means for a
 * connection is the caller's.
 */
import { isIP } from 'node:net'
import { checkServerIdentity, connect as connectTls } from 'node:tls'
import type { PeerCertificate } from 'node:tls'
import { LRUCache } from 'lru-cache'
import { formatSocketAddress } from '../core/address.js'
import type { SocketAddress } from '../core/address.js'
import type { Dialer } from './dial.js'

/** Who dials, and the bounds: `CERTIFICATE_QUESTIONS` unless given. */
export interface ShownCertificatesOptions {
  readonly dialer: Pick<Dialer, 'dial'>
  /** Connecting and the handshake together. */
  readonly timeoutMs?: number
  /** Answers kept, those least recently used go first. */
  readonly maxKept?: number
  /** Questions under way, in all; more wait. */
  readonly maxAsked?: number
  /** Questions of one client, under way or waiting. */
  readonly maxPerClient?: number
}

/** Which certificate, and what is asked of it. */
export interface CertificateQuestion {
  readonly address: SocketAddress
  /** Sent as SNI; undefined: none is sent. */
  readonly serverName: string | undefined
  /** Does it hold for one of these? RFC 6125 §6.4. */
  readonly names: readonly string[]
  /** By whom the question counts. */
  readonly client: string
}

/** `unknown`: it shows no certificate, or not in time. `crowded`: over `maxPerClient`. */
export type Holds = 'yes' | 'no' | 'unknown' | 'crowded'

export const CERTIFICATE_QUESTIONS = {
  timeoutMs: 5_000,
  maxKept: 4_096,
  maxAsked: 128,
  maxPerClient: 32,
} as const

/** How long an answer is believed. */
const KEPT_MS: Readonly<Record<Exclude<Holds, 'crowded'>, number>> = {
  yes: 3_600_000,
  no: 600_000,
  unknown: 60_000,
}

/**
 * Answers are kept: `yes` for an hour, `no` for ten minutes, `unknown` for one. Over
 * `maxAsked` questions wait for their turn, over `maxPerClient` they are `crowded` at
 * once.
 */
export class ShownCertificates {
  readonly #options: Required<ShownCertificatesOptions>
  readonly #kept: LRUCache<string, Exclude<Holds, 'crowded'>>
  readonly #asked = new Map<string, Promise<Holds>>()
  readonly #perClient = new Map<string, number>()
  readonly #line: (() => void)[] = []
  #underWay = 0

  constructor(options: ShownCertificatesOptions) {
    this.#options = { ...CERTIFICATE_QUESTIONS, ...options }
    this.#kept = new LRUCache({ max: this.#options.maxKept })
  }

  /** Never rejects. Asks the address once for each name, however many wait for the answer. */
  async holds(question: CertificateQuestion): Promise<Holds> {
    const { address, serverName, names, client } = question
    const key = [formatSocketAddress(address), serverName ?? '', ...names].join(' ')
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const here = this.#perClient.get(client) ?? 0
    if (here >= this.#options.maxPerClient) return 'crowded'
    this.#perClient.set(client, here + 1)
    try {
      const asked = this.#asked.get(key) ?? this.#askOnce(key, question)
      return await asked
    } finally {
      const left = (this.#perClient.get(client) ?? 1) - 1
      if (left > 0) this.#perClient.set(client, left)
      else this.#perClient.delete(client)
    }
  }

  #askOnce(key: string, question: CertificateQuestion): Promise<Holds> {
    const asking = this.#inTurn(question)
      .then((holds) => {
        this.#kept.set(key, holds, { ttl: KEPT_MS[holds] })
        return holds
      })
      .finally(() => this.#asked.delete(key))
    this.#asked.set(key, asking)
    return asking
  }

  async #inTurn(question: CertificateQuestion): Promise<Exclude<Holds, 'crowded'>> {
    if (this.#underWay >= this.#options.maxAsked)
      await new Promise<void>((resolve) => this.#line.push(resolve))
    this.#underWay += 1
    try {
      const shown = await this.#certificateAt(question)
      return question.names.some((name) => isFor(name, shown)) ? 'yes' : 'no'
    } catch {
      return 'unknown'
    } finally {
      this.#underWay -= 1
      this.#line.shift()?.()
    }
  }

  async #certificateAt(question: CertificateQuestion): Promise<PeerCertificate> {
    const { address, serverName } = question
    const { dialer, timeoutMs } = this.#options
    const deadline = Date.now() + timeoutMs
    const target = { host: address.address, port: address.port }
    const dialled = dialer.dial(target, { known: address, knownOnly: true })
    const raw = await within(dialled, timeoutMs, () =>
      dialled.then((late) => late.destroy()).catch(() => undefined),
    )
    const secure = connectTls({
      socket: raw,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
      ...(serverName === undefined ? {} : { servername: serverName }),
    })
    const shown = new Promise<PeerCertificate>((resolve, reject) => {
      secure.once('error', reject)
      secure.once('close', () => reject(new Error('closed')))
      secure.once('secureConnect', () => resolve(secure.getPeerCertificate()))
    })
    try {
      return await within(shown, Math.max(1, deadline - Date.now()))
    } finally {
      secure.on('error', () => undefined)
      secure.destroy()
      raw.destroy()
    }
  }
}

function isFor(name: string, shown: PeerCertificate): boolean {
  if (isIP(name) !== 0 || Object.keys(shown).length === 0) return false
  return checkServerIdentity(name, shown) === undefined
}

async function within<T>(
  waited: Promise<T>,
  timeoutMs: number,
  onLate?: () => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onLate?.()
      reject(new Error('not in time'))
    }, timeoutMs)
  })
  try {
    return await Promise.race([waited, late])
  } finally {
    clearTimeout(timer)
  }
}
