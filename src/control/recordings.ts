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
import { Telling } from '../replay/telling.js'
import type { FrameSink } from '../replay/telling.js'
import { Refusal, SAFE_FIELDS } from './answer.js'
import { isWanted } from './recording-filter.js'
import type { RecordingFilter } from './recording-filter.js'

export const MOST_RECORDINGS = 4

export interface RecordingAsked {
  readonly filter: RecordingFilter
  /** Of each side of an exchange; what is beyond is counted and not told. */
  readonly maxBodyBytes: number
}

export class Recordings implements ExchangeObserver {
  readonly name = 'recordings'
  readonly #open = new Map<string, Telling>()

  tap(seen: SeenExchange, head: () => TappedHead): ExchangeTap | undefined {
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
    const telling = new Telling(sinkOf(response), {
      isWanted: (seen, moment) => isWanted(asked.filter, seen, moment),
      maxBodyBytes: asked.maxBodyBytes,
    })
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

function sinkOf(response: ServerResponse): FrameSink {
  return {
    get waitingBytes() {
      return response.writableLength
    },
    get isGone() {
      return response.destroyed || response.writableEnded
    },
    write: (bytes) => void response.write(bytes),
    end: () => void response.end(),
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
