/** Whole messages out of bytes, by the product's own codec: what its tests and its fuzzing ask. */
import { BodyReader, BAD, DATA, MORE } from '../../src/http/h1/body.js'
import { requestFraming, responseFraming } from '../../src/http/h1/body.js'
import type { Problem } from '../../src/http/h1/head.js'
import {
  BAD as HEAD_BAD,
  HeadScanner,
  MORE as HEAD_MORE,
} from '../../src/http/h1/scan.js'

export const LIMITS = {
  maxHeadBytes: 4096,
  maxExtensionBytes: 64,
  maxTrailerBytes: 512,
}

export interface H1Message {
  /** Method, target, version; or version, status, reason. */
  readonly start: readonly [string, string, string]
  /** Flat. */
  readonly fields: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
  readonly persists: boolean
  readonly upgrade: boolean
  /** Bytes up to its end; undefined while it is not whole. */
  readonly end: number | undefined
}

export interface H1Read {
  /** Those that are whole, in order. */
  readonly messages: readonly H1Message[]
  /** The one whose head is whole and whose body is not. */
  readonly partial: H1Message | undefined
  readonly rest: 'nothing' | 'incomplete' | 'until-close' | 'malformed'
  readonly problem: Problem | undefined
}

export interface H1Reading {
  readonly side: 'request' | 'response'
  /** Of the requests that the responses answer; GET where it says none. */
  readonly methods?: readonly string[]
  readonly limits?: typeof LIMITS
}

/** `pieces` as they came; what they are cut into must make no difference. */
export function readH1(pieces: readonly Buffer[], reading: H1Reading): H1Read {
  const reader = new Reader(reading)
  for (const piece of pieces) {
    // The bytes of a piece are gone after it, as those of a buffer that is read into again.
    const bytes = Buffer.from(piece)
    reader.push(bytes)
    bytes.fill(0)
  }
  return reader.read()
}

class Reader {
  readonly #side: 'request' | 'response'
  readonly #methods: readonly string[]
  readonly #scanner: HeadScanner
  readonly #body: BodyReader
  readonly #messages: H1Message[] = []
  #inBody = false
  #parts: Buffer[] = []
  #started: Omit<H1Message, 'body' | 'trailers' | 'end'> | undefined
  #problem: Problem | undefined
  #answered = 0
  #total = 0

  constructor({ side, methods, limits }: H1Reading) {
    this.#side = side
    this.#methods = methods ?? []
    this.#scanner = new HeadScanner(side, limits ?? LIMITS)
    this.#body = new BodyReader(limits ?? LIMITS)
  }

  push(bytes: Buffer): void {
    let at = 0
    const before = this.#total
    this.#total += bytes.length
    while (this.#problem === undefined && (at < bytes.length || this.#inBody)) {
      if (!this.#inBody) {
        at = this.#scanner.push(bytes, at, bytes.length)
        if (this.#scanner.progress === HEAD_MORE) return
        if (this.#scanner.progress === HEAD_BAD) this.#problem = this.#scanner.problem
        else this.#begin()
        continue
      }
      const event = this.#body.read(bytes, at, bytes.length)
      at = this.#body.at
      if (event === MORE) return
      if (event === BAD) this.#problem = this.#body.problem
      else if (event === DATA)
        this.#parts.push(Buffer.from(bytes.subarray(this.#body.from, this.#body.to)))
      else this.#end(before + at)
    }
  }

  read(): H1Read {
    const open = this.#inBody && this.#body.isOpen
    const begun = this.#inBody || this.#scanner.begun
    return {
      messages: this.#messages,
      partial: this.#inBody ? this.#message([], undefined) : undefined,
      rest:
        this.#problem !== undefined
          ? 'malformed'
          : open
            ? 'until-close'
            : begun
              ? 'incomplete'
              : 'nothing',
      problem: this.#problem,
    }
  }

  #begin(): void {
    const { head } = this.#scanner
    const isRequest = this.#side === 'request'
    const version = `HTTP/1.${head.minor}`
    this.#started = {
      start: isRequest
        ? [head.method, head.target, version]
        : [version, String(head.status), head.reason],
      fields: head.fields(),
      persists: head.persists,
      upgrade: head.upgrade,
    }
    const method = this.#methods[this.#answered] ?? 'GET'
    if (!isRequest && head.status >= 200) this.#answered++
    this.#body.start(isRequest ? requestFraming(head) : responseFraming(head, method))
    this.#inBody = true
    this.#parts = []
  }

  #message(trailers: readonly string[], end: number | undefined): H1Message | undefined {
    if (this.#started === undefined) return undefined
    const body = Buffer.concat(this.#parts).toString('latin1')
    return { ...this.#started, body, trailers, end }
  }

  #end(end: number): void {
    const message = this.#message(this.#body.trailers(), end)
    if (message !== undefined) this.#messages.push(message)
    this.#inBody = false
    this.#scanner.reset()
  }
}
