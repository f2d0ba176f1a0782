/**
 * A head as the scanner found it: places in its bytes, and what the fields that frame a message
 * say. One object serves one connection, head after head; texts are made when they are asked
 * for. Knows no policy: names that must fit, lengths that are too long are the caller's.
 */

/** Why bytes are no HTTP/1.1 that can be understood in exactly one way. */
export type Problem =
  | 'head-too-large'
  | 'method'
  | 'target'
  | 'version'
  | 'status'
  | 'reason-phrase'
  | 'line-end'
  | 'field-name'
  | 'field-value'
  | 'folded-line'
  | 'content-length'
  | 'transfer-encoding'
  | 'two-framings'
  | 'host'
  | 'connect-body'
  | 'informational-body'
  | 'trailer'
  | 'chunk-size'
  | 'chunk-extension'
  | 'chunk-end'

const NO_BYTES = Buffer.alloc(0)

/** `from` and `to` of a name, then of its value. */
const PER_FIELD = 4

/**
 * Belongs to one scanner: filled while that reads, good until its `reset` and while the
 * bytes in which it lies stand unchanged. `from` and `to` count bytes from the head's
 * first, `to` not included.
 */
export class Head {
  /** Of the start line. A request: its method and target; a response: status and reason. */
  status = 0
  /** HTTP/1.x. */
  minor = 1
  firstFrom = 0
  firstTo = 0
  secondFrom = 0
  secondTo = 0

  /** Declared; -1: not at all. */
  contentLength = -1
  chunked = false
  /** With a problem of `transfer-encoding`: others, and `chunked` last; RFC 9112 §6.1 has 501. */
  otherCoding = false
  hosts = 0
  /** `Connection` names them. `close` wins over `keep-alive`. */
  close = false
  keepAlive = false
  /** `Keep-Alive: timeout=N`, RFC 2068 §19.7.1; -1: not said. */
  keepAliveSeconds = -1
  namesUpgrade = false
  hasUpgrade = false
  isConnect = false

  /** Bytes that the head took, its last line end included. */
  length = 0
  count = 0
  #bytes: Buffer = NO_BYTES
  #base = 0
  #text: string | undefined
  #places: number[] = []

  /** Where the head lies; its places count from `base`. The bytes are not copied. */
  lies(bytes: Buffer, base: number): void {
    this.#bytes = bytes
    this.#base = base
    this.#text = undefined
  }

  /** One more field, by its places from the head's first byte: for the scanner. */
  add(nameFrom: number, nameTo: number, valueFrom: number, valueTo: number): void {
    const at = this.count * PER_FIELD
    const places = this.#places
    places[at] = nameFrom
    places[at + 1] = nameTo
    places[at + 2] = valueFrom
    places[at + 3] = valueTo
    this.count += 1
  }

  /** Nothing of the last head is left, its bytes neither. */
  clear(): void {
    this.status = 0
    this.minor = 1
    this.contentLength = -1
    this.chunked = false
    this.otherCoding = false
    this.hosts = 0
    this.close = false
    this.keepAlive = false
    this.keepAliveSeconds = -1
    this.namesUpgrade = false
    this.hasUpgrade = false
    this.isConnect = false
    this.length = 0
    this.count = 0
    this.lies(NO_BYTES, 0)
  }

  /** All of it as it came, from its first byte to its last line end. Not copied. */
  get bytes(): Buffer {
    return this.#bytes.subarray(this.#base, this.#base + this.length)
  }

  /** Of a request: one of `METHODS`. */
  get method(): string {
    return this.#slice(this.firstFrom, this.firstTo)
  }

  /** Of a request, as received: in any form of RFC 9112 §3.2, not decoded. */
  get target(): string {
    return this.#slice(this.secondFrom, this.secondTo)
  }

  /** The reason phrase; often empty. */
  get reason(): string {
    return this.#slice(this.secondFrom, this.secondTo)
  }

  /** Flat `[name, value, ...]` as received, each byte a character. */
  fields(): string[] {
    const { count } = this
    const places = this.#places
    const list = new Array<string>(count * 2)
    for (let i = 0; i < count; i++) {
      const at = i * PER_FIELD
      list[2 * i] = this.#slice(places[at] as number, places[at + 1] as number)
      list[2 * i + 1] = this.#slice(places[at + 2] as number, places[at + 3] as number)
    }
    return list
  }

  /** Does the message's sender keep its connection? RFC 9112 §9.3. */
  get persists(): boolean {
    return !this.close && (this.minor === 1 || this.keepAlive)
  }

  /** `Connection: upgrade` with an `Upgrade` field, RFC 9110 §7.8. */
  get upgrade(): boolean {
    return this.namesUpgrade && this.hasUpgrade
  }

  #slice(from: number, to: number): string {
    this.#text ??= this.#bytes.toString('latin1', this.#base, this.#base + this.length)
    return this.#text.slice(from, to)
  }
}
