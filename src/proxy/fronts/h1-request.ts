/**
 * One HTTP/1.1 request in the shape of `http-words.ts`: its head, and its body as whoever
 * listens takes it. Keeps nothing of a body: what is not wanted yet stays with the connection
 * (`h1-client.ts`), which asks `flows` before it reads on.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { fieldsByName } from '../../http/fields-by-name.js'
import type { Head } from '../../http/h1/head.js'
import type { HttpRequest } from '../words/http-words.js'

type DataListener = (chunk: Buffer) => void
type EndListener = () => void

const NONE: readonly never[] = []

export class H1Request implements HttpRequest {
  readonly method: string
  readonly url: string
  readonly httpVersion: '1.0' | '1.1'
  readonly rawHeaders: string[]
  rawTrailers: string[] = []
  complete: boolean
  readonly #goOn: () => void
  #headers: IncomingHttpHeaders | undefined
  /** Undefined until somebody says; the first listener to data makes it true. */
  #flowing: boolean | undefined
  #ended = false
  #dropped = false
  #endIsDue = false
  #onData: readonly DataListener[] = NONE
  #onEnd: readonly EndListener[] = NONE
  #onClose: readonly EndListener[] = NONE

  /** `complete`: it has no body. `goOn`: its body is wanted again. */
  constructor(head: Head, complete: boolean, goOn: () => void) {
    this.method = head.method
    this.url = head.target
    this.httpVersion = head.minor === 0 ? '1.0' : '1.1'
    this.rawHeaders = head.fields()
    this.complete = complete
    this.#goOn = goOn
  }

  get headers(): IncomingHttpHeaders {
    return (this.#headers ??= fieldsByName(this.rawHeaders))
  }

  /** Somebody takes what comes of its body now. */
  get flows(): boolean {
    return this.#flowing === true
  }

  pause(): void {
    if (!this.#dropped) this.#flowing = false
  }

  resume(): void {
    if (this.#flowing === true) return
    this.#flowing = true
    if (this.complete) this.#endSoon()
    else process.nextTick(this.#goOn)
  }

  isPaused(): boolean {
    return this.#flowing === false
  }

  on(
    event: 'data' | 'end' | 'close' | 'error',
    listener: DataListener | EndListener | ((error: Error) => void),
  ): void {
    switch (event) {
      case 'data':
        this.#onData = withOne(this.#onData, listener as DataListener)
        if (this.#flowing === undefined) this.resume()
        return
      case 'end':
        this.#onEnd = withOne(this.#onEnd, listener as EndListener)
        return
      case 'close':
        this.#onClose = withOne(this.#onClose, listener as EndListener)
        return
      case 'error':
      // A body that breaks off closes; there is no other error.
    }
  }

  off(event: 'data' | 'end' | 'close', listener: DataListener | EndListener): void {
    const isOther = (each: unknown): boolean => each !== listener
    switch (event) {
      case 'data':
        this.#onData = this.#onData.filter(isOther)
        return
      case 'end':
        this.#onEnd = this.#onEnd.filter(isOther)
        return
      case 'close':
        this.#onClose = this.#onClose.filter(isOther)
    }
  }

  /** A piece of its body, while it `flows`. It must not be changed afterwards. */
  push(chunk: Buffer): void {
    if (this.#dropped) return
    for (const listener of this.#onData) listener(chunk)
  }

  /** The whole message has come. */
  finish(trailers: string[]): void {
    this.complete = true
    this.rawTrailers = trailers
    if (this.#flowing === true) this.#end()
  }

  /** It was answered: what still comes of its body is read and dropped. */
  drop(): void {
    if (this.complete) return
    this.#dropped = true
    this.resume()
  }

  /** Its client has gone. */
  abort(): void {
    if (this.complete) return
    for (const listener of this.#onClose) listener()
  }

  #endSoon(): void {
    if (this.#ended || this.#endIsDue) return
    this.#endIsDue = true
    process.nextTick(() => {
      this.#endIsDue = false
      if (this.#flowing === true) this.#end()
    })
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const listener of this.#onEnd) listener()
  }
}

/** Mostly there is one. */
function withOne<Listener>(known: readonly Listener[], one: Listener): Listener[] {
  return known.length === 0 ? [one] : [...known, one]
}
