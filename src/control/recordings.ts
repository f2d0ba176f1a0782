/**
 * Whole exchanges for who records them by `yori record`: an observer of what passes that tells
 * each reader in frames (`replay/frames.ts`), as it passes. Nothing of it is kept here, and the
 * traffic waits for no reader: who does not keep up loses exchanges, and is told which. With no
 * reader it does nothing.
 */
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type {
  ExchangeObserver,
  ExchangeTap,
  SeenExchange,
  TappedHead,
} from '../proxy/words/observer.js'
import { pathWithout, withoutCredentials } from '../replay/credential-fields.js'
import { frameLine } from '../replay/frames.js'
import type { Frame, LeftOut, Side } from '../replay/frames.js'
import { Refusal, SAFE_FIELDS } from './answer.js'
import { isWanted } from './recording-filter.js'
import type { RecordingFilter } from './recording-filter.js'

export const MOST_RECORDINGS = 4
/** Unread by one reader: then exchanges are left out. */
export const MOST_UNREAD_BYTES = 64 * 1024 * 1024
/** Under way at once, of one reader. */
export const MOST_TAPPED = 4096
/** How long a stop waits for what is under way. */
export const STOP_WAITS_MS = 2_000

export interface RecordingAsked {
  readonly filter: RecordingFilter
  /** Of each side of an exchange; what is beyond is counted and not told. */
  readonly maxBodyBytes: number
}

export class Recordings implements ExchangeObserver {
  readonly name = 'recordings'
  readonly #open = new Map<string, Telling>()

  tap(seen: SeenExchange, head: TappedHead): ExchangeTap | undefined {
    if (this.#open.size === 0) return undefined
    const taps = [...this.#open.values()]
      .map((telling) => telling.tap(seen, head))
      .filter((tap) => tap !== undefined)
    return taps.length <= 1 ? taps[0] : each(taps)
  }

  /** @throws Refusal 503 when there are too many */
  refuseBeyond(): void {
    if (this.#open.size < MOST_RECORDINGS) return
    const says = `there are ${MOST_RECORDINGS} recordings already`
    throw new Refusal(503, 'unavailable', says)
  }

  /** From now on it is told, until either side ends it. */
  open(response: ServerResponse, asked: RecordingAsked): void {
    const id = randomUUID()
    const telling = new Telling(response, asked)
    this.#open.set(id, telling)
    response.once('close', () => {
      telling.close()
      this.#open.delete(id)
    })
    response.writeHead(200, {
      ...SAFE_FIELDS,
      'content-type': 'application/x-yori-frames',
    })
    telling.tell({ kind: 'begun', recording: id })
  }

  /** Ends it when what is under way has ended, or has had its time; false: there is none. */
  async stop(id: string): Promise<boolean> {
    const telling = this.#open.get(id)
    if (telling === undefined) return false
    await telling.stop()
    return true
  }
}

function each(taps: readonly ExchangeTap[]): ExchangeTap {
  const all = (tell: (tap: ExchangeTap) => void): void => taps.forEach(tell)
  return {
    requestBytes: (chunk) => all((tap) => tap.requestBytes(chunk)),
    responseHead: (status, fields) => all((tap) => tap.responseHead(status, fields)),
    responseBytes: (chunk) => all((tap) => tap.responseBytes(chunk)),
    responseEnd: (trailers) => all((tap) => tap.responseEnd(trailers)),
    switched: () => all((tap) => tap.switched()),
    ended: (seen, isWhole) => all((tap) => tap.ended(seen, isWhole)),
  }
}

/** What one reader is told. */
class Telling {
  readonly #response: ServerResponse
  readonly #asked: RecordingAsked
  readonly #underway = new Set<TellingTap>()
  #count = 0
  #isStopping = false
  #settled: (() => void) | undefined

  constructor(response: ServerResponse, asked: RecordingAsked) {
    this.#response = response
    this.#asked = asked
  }

  get maxBodyBytes(): number {
    return this.#asked.maxBodyBytes
  }

  get isBehind(): boolean {
    return this.#response.writableLength > MOST_UNREAD_BYTES
  }

  tell(frame: Frame, bytes?: Buffer): void {
    const response = this.#response
    if (response.destroyed || response.writableEnded) return
    response.write(frameLine(frame))
    if (bytes !== undefined) response.write(bytes)
  }

  tap(seen: SeenExchange, head: TappedHead): ExchangeTap | undefined {
    if (this.#isStopping || !isWanted(this.#asked.filter, seen, 'begun')) return undefined
    const n = ++this.#count
    if (this.#underway.size >= MOST_TAPPED || this.isBehind) {
      const why = this.isBehind ? 'slow' : 'too-many'
      this.tell({ kind: 'left-out', n, why })
      return undefined
    }
    const tap = new TellingTap(n, this, (row) =>
      isWanted(this.#asked.filter, row, 'ended'),
    )
    this.#underway.add(tap)
    tap.begin(seen, head)
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
    this.#response.end()
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
