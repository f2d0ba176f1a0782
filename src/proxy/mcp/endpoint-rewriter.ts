/**
 * The event stream of HTTP+SSE (revision 2024-11-05) as it passes: its event `endpoint` says
 * where messages are to be sent, and is to say our door. All else goes on byte for byte, an
 * event as soon as it is whole; of a long one only its beginning waits.
 */
const LF = 0x0a
const CR = 0x0d
const NOTHING = Buffer.alloc(0)

/** An event that is longer is not held to its end. */
export const MAX_HELD_EVENT_BYTES = 16 * 1024

export class EndpointRewriter {
  /** What an endpoint becomes; undefined: its event is left out. */
  readonly #map: (endpoint: string) => string | undefined
  /** Whole lines of the event at hand, and the beginning of the next. */
  #lines: Buffer[] = []
  #heldBytes = 0
  #open = NOTHING
  /** A line ended with CR: an LF that follows belongs to its end. */
  #afterCr = false
  /** That line was left out. */
  #wasDropped = false
  /** The beginning of the line at hand has gone on. */
  #isWithin = false
  /** The event at hand is too long: its lines go on as they come. */
  #flows = false
  #isEndpoint = false

  constructor(map: (endpoint: string) => string | undefined) {
    this.#map = map
  }

  write(chunk: Buffer): Buffer {
    const out: Buffer[] = []
    let start = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]
      if (this.#afterCr) {
        this.#afterCr = false
        if (byte === LF) {
          this.#lineFeed(chunk.subarray(i, i + 1), out)
          start = i + 1
          continue
        }
      }
      if (byte !== LF && byte !== CR) continue
      const line = Buffer.concat([this.#open, chunk.subarray(start, i)])
      this.#open = NOTHING
      this.#line(line, byte, out)
      this.#afterCr = byte === CR
      start = i + 1
    }
    this.#open = Buffer.concat([this.#open, chunk.subarray(start)])
    if (this.#heldBytes + this.#open.length > MAX_HELD_EVENT_BYTES) this.#letGo(out)
    return Buffer.concat(out)
  }

  /** What is no whole event no client acts on. */
  end(): Buffer {
    const rest = Buffer.concat([...this.#lines, this.#open])
    this.#lines = []
    this.#open = NOTHING
    return rest
  }

  #lineFeed(feed: Buffer, out: Buffer[]): void {
    const last = this.#lines.length - 1
    if (last >= 0) this.#lines[last] = Buffer.concat([this.#lines[last] as Buffer, feed])
    else if (!this.#wasDropped) out.push(feed)
  }

  #line(line: Buffer, end: number, out: Buffer[]): void {
    const whole = Buffer.concat([line, Buffer.from([end])])
    this.#wasDropped = false
    if (this.#isWithin) {
      this.#isWithin = false
      out.push(whole)
      return
    }
    if (line.length === 0) {
      this.#finish(whole, out)
      return
    }
    const isName = isEndpointName(line)
    if (this.#flows) {
      // Too late: without its name it is an event like any other.
      this.#wasDropped = isName
      if (!isName) out.push(whole)
      return
    }
    this.#isEndpoint ||= isName
    this.#lines.push(whole)
    this.#heldBytes += whole.length
    if (this.#heldBytes > MAX_HELD_EVENT_BYTES) this.#letGo(out)
  }

  #finish(blank: Buffer, out: Buffer[]): void {
    if (!this.#isEndpoint || this.#flows) out.push(...this.#lines, blank)
    else out.push(this.#rewritten(), blank)
    this.#lines = []
    this.#heldBytes = 0
    this.#isEndpoint = false
    this.#flows = false
  }

  #rewritten(): Buffer {
    const lines = this.#lines.map((line) => line.toString().replace(/[\r\n]+$/, ''))
    const data = lines.flatMap((line) => /^data(?:: ?(.*))?$/s.exec(line)?.[1] ?? [])
    const to = this.#map(data.join('\n'))
    if (to === undefined) return Buffer.from(': an endpoint that is not led on\n')
    const others = lines.filter((line) => !/^data(?::|$)/.test(line))
    return Buffer.from(`${[...others, `data: ${to}`].join('\n')}\n`)
  }

  /** Of an event that is too long: an endpoint is no such one. */
  #letGo(out: Buffer[]): void {
    if (!this.#flows) {
      for (const line of this.#lines) if (!isEndpointName(line)) out.push(line)
      this.#lines = []
      this.#heldBytes = 0
      this.#flows = true
      this.#isEndpoint = false
    }
    // A line that may yet be the name waits.
    if (this.#open.length <= MAX_NAME_BYTES && !this.#isWithin) return
    this.#isWithin = true
    out.push(this.#open)
    this.#open = NOTHING
  }
}

const MAX_NAME_BYTES = 64

function isEndpointName(line: Buffer): boolean {
  if (line.length > MAX_NAME_BYTES) return false
  return /^\ufeff?event: ?endpoint[\r\n]*$/.test(line.toString())
}
