/** An upstream of its own before one origin, and what became of each request that it sent. */
import type { Duplex } from 'node:stream'
import { createSecureContext } from 'node:tls'
import { Prefixes } from '../../src/core/address.js'
import type { YoriError } from '../../src/core/errors.js'
import { Deadlines } from '../../src/net/deadlines.js'
import { Dialer } from '../../src/net/dial.js'
import { Upstream } from '../../src/net/upstream.js'
import type { UpstreamOptions } from '../../src/net/upstream.js'
import type {
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from '../../src/net/upstream-words.js'
import { ManualClock } from './manual-clock.js'
import type { Origin } from './origins.js'
import type { TestCa } from './test-ca.js'

export const HOST = 'some.test'

export interface TestUpstream extends AsyncDisposable {
  readonly upstream: Upstream
  readonly clock: ManualClock
  /** Goes on by so much, and looks at all deadlines. */
  pass(ms: number): void
  ask(request?: Partial<UpstreamRequest>, answer?: Asked): Asked
}

/** Over TCP in the clear, unless there is a root to verify the origin's certificate by. */
export function testUpstream(
  origin: Pick<Origin, 'port'>,
  options: Partial<UpstreamOptions> = {},
  ca?: TestCa,
): TestUpstream {
  const clock = new ManualClock(1_000_000)
  const deadlines = new Deadlines(clock)
  const upstream = new Upstream({
    dialer: new Dialer({
      overrides: new Map([[HOST, { address: '127.0.0.1', port: origin.port }]]),
      lookup: async () => [],
      isOwnAddress: () => false,
      allowed: new Prefixes([]),
      connectTimeoutMs: 5_000,
      keepAliveMs: 60_000,
    }),
    deadlines,
    secureContext: createSecureContext(ca === undefined ? {} : { ca: ca.certificatePem }),
    tlsTimeoutMs: 5_000,
    responseHeadTimeoutMs: 10_000,
    responseSilenceTimeoutMs: 20_000,
    idleTimeoutMs: 30_000,
    maxHeadBytes: 4_096,
    maxIdlePerName: 8,
    hasAddress: () => true,
    h2StreamWindowBytes: 65_536,
    h2ConnectionWindowBytes: 65_536,
    h2SessionBytes: 1_000_000,
    ...options,
  })
  const target = {
    host: HOST,
    port: origin.port,
    ...(ca === undefined ? { plain: true } : {}),
  }
  return {
    upstream,
    clock,
    pass(ms) {
      clock.advance(ms)
      deadlines.tick()
    },
    ask(request = {}, asked = new Asked()) {
      const whole: UpstreamRequest = {
        ...{ target, method: 'GET', path: '/', host: HOST, fields: [] },
        ...{ body: { kind: 'none' } },
        ...request,
      }
      asked.exchange = upstream.send(whole, asked)
      return asked
    },
    async [Symbol.asyncDispose]() {
      await upstream.destroy()
    },
  }
}

/** What a handler was told, and promises of it. */
export class Asked implements UpstreamHandler {
  exchange: UpstreamExchange | undefined
  readonly informed: number[] = []
  status: number | undefined
  reason = ''
  fields: readonly string[] = []
  trailers: readonly string[] = []
  error: YoriError | undefined
  stale = false
  /** Calls of `onData`; false is answered while it says so. */
  reads = 0
  holds = false
  upgraded: Duplex | undefined
  readonly #parts: Buffer[] = []
  #settled = false
  readonly #waiting = new Set<() => void>()

  get body(): string {
    return Buffer.concat(this.#parts).toString('latin1')
  }

  get bytes(): number {
    return this.#parts.reduce((sum, { length }) => sum + length, 0)
  }

  /** In short, for comparing. */
  get told(): unknown {
    const { status, reason, body, trailers, informed } = this
    return { status, reason, body, trailers, informed, code: this.error?.code }
  }

  onInformation(status: number): void {
    this.#open()
    this.informed.push(status)
    this.#tell()
  }

  onHead(status: number, message: string, fields: readonly string[]): void {
    this.#open()
    this.status = status
    this.reason = message
    this.fields = fields
    this.#tell()
  }

  onData(chunk: Buffer): boolean {
    this.#open()
    this.reads += 1
    this.#parts.push(chunk)
    this.#tell()
    return !this.holds
  }

  onEnd(trailers: readonly string[]): void {
    this.#open()
    this.trailers = trailers
    this.#settle()
  }

  onUpgrade(fields: readonly string[], socket: Duplex): void {
    this.#open()
    this.fields = fields
    this.upgraded = socket.on('error', () => undefined)
    this.#settle()
  }

  onError(error: YoriError, stale: boolean): void {
    this.#open()
    this.error = error
    this.stale = stale
    this.#settle()
  }

  /** Resolves when it has ended, well or not. */
  ended(): Promise<this> {
    return this.until(() => this.#settled)
  }

  /** Resolves when it holds; asked again whenever something was told. */
  until(holds: () => boolean): Promise<this> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return
        this.#waiting.delete(look)
        resolve(this)
      }
      this.#waiting.add(look)
      look()
    })
  }

  #open(): void {
    if (this.#settled) throw new Error('told after the end')
  }

  #settle(): void {
    this.#settled = true
    this.#tell()
  }

  #tell(): void {
    for (const look of [...this.#waiting]) look()
  }
}
