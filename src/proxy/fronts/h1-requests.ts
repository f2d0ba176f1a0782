/**
 * Reads requests out of the bytes of one connection, one after the other: a head when the next
 * may begin, its body as it is wanted, and what stands ahead kept in order meanwhile. Whose
 * turn it is, and what becomes of bytes that are no HTTP, `h1-client.ts` says.
 */
import { BAD, BodyReader, DATA, END, MORE, requestFraming } from '../../http/h1/body.js'
import type { Head, Problem } from '../../http/h1/head.js'
import { BAD as HEAD_BAD, HeadScanner, MORE as HEAD_MORE } from '../../http/h1/scan.js'
import { H1Request } from './h1-request.js'

/** Of one body; they are not passed on. */
const EXTENSION_BYTES = 16 * 1024
const NOTHING = Buffer.alloc(0)

/** What of a head counts for the answer to it. */
export interface Begun {
  /** HTTP/1.x. */
  readonly minor: number
  /** The client would send another request behind it. */
  readonly persists: boolean
}

/** Who takes the requests. */
export interface RequestTaker {
  /** The next request may begin. */
  readonly isFree: boolean
  /** Something of a head has come, and not all of it. */
  headBegan(): void
  begin(request: H1Request, head: Begun): void
  /** CONNECT, or a switch of protocols: its head, and what stands behind it. */
  handOver(bytes: Buffer): void
  /** No HTTP/1.1 that can be understood in exactly one way; `head` as far as it was read. */
  malformedHead(problem: Problem | undefined, head: Head): void
  malformedBody(): void
  /** The body is wanted again. */
  readonly goOn: () => void
}

/**
 * `push` what comes; what may not be read yet is held, of which `ahead` is the size. After
 * a malformed head or body, a hand-over, or `stop` it reads no more.
 */
export class H1Requests {
  readonly #taker: RequestTaker
  readonly #scanner: HeadScanner
  readonly #maxTrailerBytes: number
  #body: BodyReader | undefined
  /** Whose body is being read. */
  #request: H1Request | undefined
  #held: Buffer[] = []
  #heldBytes = 0
  /** Of what is being read, what stands behind the request that was begun. */
  #unread = 0
  #isReading = false
  #isOver = false

  /** Of a head, and of trailers. */
  constructor(taker: RequestTaker, maxHeadBytes: number) {
    this.#taker = taker
    this.#scanner = new HeadScanner('request', { maxHeadBytes })
    this.#maxTrailerBytes = maxHeadBytes
  }

  /** Whose body has not come to its end. */
  get inBody(): H1Request | undefined {
    return this.#request
  }

  /** A head has begun and not come to its end. */
  get inHead(): boolean {
    return this.#scanner.begun
  }

  /** Bytes that have come and wait to be read. */
  get ahead(): number {
    return this.#heldBytes + this.#unread
  }

  /** Nobody takes more of the body now. */
  get isUnwanted(): boolean {
    return this.#request?.flows === false
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** What has come and was not read is gone, and so is what follows. */
  stop(): void {
    this.#isOver = true
    this.#held = []
    this.#heldBytes = 0
  }

  push(bytes: Buffer): void {
    if (this.#isOver) return
    const at = this.#held.length > 0 ? 0 : this.#read(bytes)
    if (at === bytes.length || this.#isOver) return
    this.#held.push(bytes.subarray(at))
    this.#heldBytes += bytes.length - at
  }

  /** Reads on in what is held. */
  goOn(): void {
    if (this.#isReading) return
    while (!this.#isOver) {
      const bytes = this.#held.shift() ?? NOTHING
      this.#heldBytes -= bytes.length
      const at = this.#read(bytes)
      if (at < bytes.length && !this.#isOver) {
        this.#held.unshift(bytes.subarray(at))
        this.#heldBytes += bytes.length - at
        return
      }
      if (this.#held.length === 0) return
    }
  }

  /** Gives how far it came: what is left must wait. */
  #read(bytes: Buffer): number {
    this.#isReading = true
    let at = 0
    try {
      for (;;) {
        const from = at
        if (this.#request !== undefined) at = this.#readBody(this.#request, bytes, at)
        else if (at < bytes.length && this.#taker.isFree) at = this.#readHead(bytes, at)
        if (this.#isOver || at === bytes.length || at === from) return at
      }
    } finally {
      this.#isReading = false
      this.#unread = 0
    }
  }

  #readHead(bytes: Buffer, from: number): number {
    const scanner = this.#scanner
    const at = scanner.push(bytes, from, bytes.length)
    if (scanner.progress === HEAD_BAD) {
      this.stop()
      this.#taker.malformedHead(scanner.problem, scanner.head)
      return at
    }
    if (scanner.progress === HEAD_MORE) {
      if (scanner.begun) this.#taker.headBegan()
      return at
    }
    const { head } = scanner
    if (head.isConnect || head.upgrade) {
      const all = Buffer.concat([head.bytes, bytes.subarray(at), ...this.#held])
      this.stop()
      this.#taker.handOver(all)
      return bytes.length
    }
    this.#unread = bytes.length - at
    this.#begin()
    return at
  }

  #begin(): void {
    const { head } = this.#scanner
    const { minor, persists } = head
    const framing = requestFraming(head)
    const hasBody = framing.kind !== 'none'
    const request = new H1Request(head, !hasBody, this.#taker.goOn)
    this.#scanner.reset()
    if (hasBody) {
      this.#body ??= new BodyReader({
        maxExtensionBytes: EXTENSION_BYTES,
        maxTrailerBytes: this.#maxTrailerBytes,
      })
      this.#body.start(framing)
      this.#request = request
    }
    this.#taker.begin(request, { minor, persists })
  }

  /** Its end is seen even while nobody takes more: nothing more is to come. */
  #readBody(request: H1Request, bytes: Buffer, from: number): number {
    const body = this.#body as BodyReader
    let at = from
    for (;;) {
      const event = body.read(bytes, at, request.flows ? bytes.length : at)
      at = body.at
      switch (event) {
        case DATA:
          this.#unread = bytes.length - at
          request.push(bytes.subarray(body.from, body.to))
          if (this.#isOver) return at
          break
        case END:
          this.#unread = bytes.length - at
          this.#request = undefined
          request.finish(body.trailers())
          return at
        case MORE:
          return at
        case BAD:
          this.#request = undefined
          this.stop()
          this.#taker.malformedBody()
          return at
      }
    }
  }
}
