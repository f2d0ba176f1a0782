/** What the simulator saw, for tests to look at. Holds the newest requests only. */
import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { EventEmitter, once } from 'node:events'

const MAX_REQUESTS = 1000
const MAX_KEPT_BODY_BYTES = 32 * 1024 * 1024

export interface Head {
  readonly method: string
  readonly target: string
  readonly httpVersion: string
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly serverName: string | undefined
  /** Requests with one number came over one connection. */
  readonly connection: number
}

export class SeenRequest {
  readonly head: Head
  /** True once the body's end has come. */
  complete = false
  /** The client left before the response was whole. */
  aborted = false
  bodyBytes = 0
  trailers: Readonly<Record<string, string | undefined>> = {}
  readonly #hash: Hash = createHash('sha256')
  readonly #kept: Buffer[] = []
  readonly #events = new EventEmitter()
  #ended = false
  #digest: string | undefined

  constructor(head: Head) {
    this.head = head
  }

  push(chunk: Buffer): void {
    this.#hash.update(chunk)
    if (this.bodyBytes + chunk.length <= MAX_KEPT_BODY_BYTES) this.#kept.push(chunk)
    this.bodyBytes += chunk.length
  }

  /** What was kept of it: all, when `bodyBytes` is within 32 MiB. */
  get body(): Buffer {
    return Buffer.concat(this.#kept)
  }

  /** SHA-256 of all bytes that came, in hex. Ask when the request has ended. */
  get bodySha256(): string {
    this.#digest ??= this.#hash.digest('hex')
    return this.#digest
  }

  header(name: string): string | undefined {
    const wanted = name.toLowerCase()
    const at = this.head.rawHeaders.findIndex(
      (field, index) => index % 2 === 0 && field.toLowerCase() === wanted,
    )
    return at === -1 ? undefined : this.head.rawHeaders[at + 1]
  }

  end(aborted: boolean): void {
    this.aborted = aborted
    this.#ended = true
    this.#events.emit('ended')
  }

  /** Resolves when the response is out or the client is gone. */
  async ended(): Promise<void> {
    if (!this.#ended) await once(this.#events, 'ended')
  }
}

export class RequestLog {
  readonly #all: SeenRequest[] = []
  readonly #events = new EventEmitter()

  get all(): readonly SeenRequest[] {
    return this.#all
  }

  get last(): SeenRequest {
    const last = this.#all.at(-1)
    if (last === undefined) throw new Error('no request has come')
    return last
  }

  add(request: SeenRequest): void {
    if (this.#all.length === MAX_REQUESTS) this.#all.shift()
    this.#all.push(request)
    this.#events.emit('seen')
  }

  clear(): void {
    this.#all.length = 0
  }

  /** Resolves with the request of that number, counted from 0, when its head has come. */
  async at(index: number): Promise<SeenRequest> {
    for (;;) {
      const request = this.#all[index]
      if (request !== undefined) return request
      await once(this.#events, 'seen')
    }
  }
}
