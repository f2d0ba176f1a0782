/**
 * Tells one listener whole exchanges as they pass, in frames (`frames.ts`). Nothing of it is kept
 * here, and the traffic waits for no listener: who does not keep up loses exchanges, and is told
 * which.
 */
import type { ExchangeTap, SeenExchange, TappedHead } from '../proxy/words/observer.js'
import { pathWithout, withoutCredentials } from './credential-fields.js'
import { frameLine } from './frames.js'
import type { Frame, LeftOut, Side } from './frames.js'

/** Unread by one listener: then exchanges are left out. */
export const MOST_UNREAD_BYTES = 64 * 1024 * 1024
/** Under way at once, of one listener. */
export const MOST_TAPPED = 4096
/** How long a stop waits for what is under way. */
export const STOP_WAITS_MS = 2_000

/** Where frames go: the pieces of one line or of a body, in their order. */
export interface FrameSink {
  /** Bytes that were written and not taken. */
  readonly waitingBytes: number
  /** Nobody is there any more. */
  readonly isGone: boolean
  write(bytes: Buffer): void
  end(): void
}

export interface TellingAsked {
  /** `begun`: what is known only later is not asked yet. */
  readonly isWanted: (seen: SeenExchange, moment: 'begun' | 'ended') => boolean
  /** Of each side of an exchange; what is beyond is counted and not told. */
  readonly maxBodyBytes: number
}

/** What one reader is told. */
export class Telling {
  readonly #sink: FrameSink
  readonly #asked: TellingAsked
  readonly #underway = new Set<TellingTap>()
  #count = 0
  #isStopping = false
  #settled: (() => void) | undefined

  constructor(sink: FrameSink, asked: TellingAsked) {
    this.#sink = sink
    this.#asked = asked
  }

  get maxBodyBytes(): number {
    return this.#asked.maxBodyBytes
  }

  get isBehind(): boolean {
    return this.#sink.waitingBytes > MOST_UNREAD_BYTES
  }

  tell(frame: Frame, bytes?: Buffer): void {
    if (this.#sink.isGone) return
    this.#sink.write(frameLine(frame))
    if (bytes !== undefined) this.#sink.write(bytes)
  }

  tap(seen: SeenExchange, head: () => TappedHead): ExchangeTap | undefined {
    if (this.#isStopping || !this.#asked.isWanted(seen, 'begun')) return undefined
    const n = ++this.#count
    if (this.#underway.size >= MOST_TAPPED || this.isBehind) {
      const why = this.isBehind ? 'slow' : 'too-many'
      this.tell({ kind: 'left-out', n, why })
      return undefined
    }
    const tap = new TellingTap(n, this, (row) => this.#asked.isWanted(row, 'ended'))
    this.#underway.add(tap)
    tap.begin(seen, head())
    return tap
  }

  /** It has been told to its end. */
  over(tap: TellingTap): void {
    this.#underway.delete(tap)
    if (this.#underway.size === 0) this.#settled?.()
  }

  async stop(): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    if (this.#underway.size > 0)
      await new Promise<void>((resolve) => {
        this.#settled = resolve
        setTimeout(resolve, STOP_WAITS_MS).unref()
      })
    this.tell({ kind: 'stopped', open: this.#underway.size })
    this.#sink.end()
  }

  close(): void {
    this.#isStopping = true
    this.#underway.clear()
    this.#settled?.()
  }
}

class TellingTap implements ExchangeTap {
  readonly #n: number
  readonly #telling: Telling
  readonly #isWanted: (seen: SeenExchange) => boolean
  readonly #since = performance.now()
  readonly #bytes: Record<Side, number> = { request: 0, response: 0 }
  #isOver = false

  constructor(n: number, telling: Telling, wanted: (seen: SeenExchange) => boolean) {
    this.#n = n
    this.#telling = telling
    this.#isWanted = wanted
  }

  get #at(): number {
    return Math.round((performance.now() - this.#since) * 100) / 100
  }

  begin(seen: SeenExchange, head: TappedHead): void {
    const { requestId: id, startedAt, method, httpVersion: version } = seen
    const { fields, secrets } = withoutCredentials(head.fields)
    const asked = pathWithout(head.path)
    const { host, port, plain } = head
    this.#telling.tell({
      ...{ kind: 'request', n: this.#n, id, startedAt, method, version },
      ...{ host, port, plain, fields, path: asked.path },
      secrets: [...secrets, ...asked.secrets],
    })
  }

  requestBytes(chunk: Buffer): void {
    this.#piece('request', chunk)
  }

  responseHead(status: number, fields: readonly string[]): void {
    if (this.#isOver) return
    const { fields: kept } = withoutCredentials(fields)
    const frame = {
      kind: 'head',
      n: this.#n,
      at: this.#at,
      status,
      fields: kept,
    } as const
    this.#telling.tell(frame)
  }

  responseBytes(chunk: Buffer): void {
    this.#piece('response', chunk)
  }

  responseEnd(trailers: readonly string[]): void {
    if (this.#isOver) return
    this.#telling.tell({ kind: 'end', n: this.#n, at: this.#at, trailers })
  }

  switched(): void {
    this.#leaveOut('websocket')
  }

  ended(seen: SeenExchange, isWhole: boolean): void {
    if (this.#isOver) return
    if (!this.#isWanted(seen)) {
      this.#leaveOut('filter')
      return
    }
    const { outcome = 'error', code, latencyMs = this.#at } = seen
    const { provider, api, model, sessionId, device, program } = seen
    const { inputTokens, outputTokens, policyDecision, policyName } = seen
    this.#telling.tell({
      ...{ kind: 'ended', n: this.#n, outcome, code, latencyMs, isWhole },
      requestBytes: this.#bytes.request,
      responseBytes: this.#bytes.response,
      about: {
        ...{ provider, api, model, session: sessionId, device: device.ip },
        ...{ program: program?.name, inputTokens, outputTokens },
        ...{ decision: policyDecision, policy: policyName },
      },
    })
    this.#over()
  }

  #piece(of: Side, chunk: Buffer): void {
    if (this.#isOver || chunk.length === 0) return
    const room = this.#telling.maxBodyBytes - this.#bytes[of]
    this.#bytes[of] += chunk.length
    if (room <= 0) return
    if (this.#telling.isBehind) {
      this.#leaveOut('slow')
      return
    }
    const bytes = chunk.length <= room ? chunk : chunk.subarray(0, room)
    const frame = { kind: 'bytes', n: this.#n, of, at: this.#at, length: bytes.length }
    this.#telling.tell(frame as Frame, bytes)
  }

  #leaveOut(why: LeftOut): void {
    if (this.#isOver) return
    this.#telling.tell({ kind: 'left-out', n: this.#n, why })
    this.#over()
  }

  #over(): void {
    this.#isOver = true
    this.#telling.over(this)
  }
}
