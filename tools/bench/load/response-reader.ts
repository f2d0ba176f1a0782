/**
 * Finds the ends of HTTP/1.1 responses and compares their bodies with what was expected:
 * as little work as that takes, since the load generator must be lighter than the proxy.
 */
const HEAD_END = Buffer.from('\r\n\r\n')
const MAX_PENDING_BYTES = 4 * 1024 * 1024

export class ResponseReader {
  readonly #expected: Buffer
  #pending: Buffer = Buffer.alloc(0)

  constructor(expectedBody: string) {
    this.#expected = Buffer.from(expectedBody)
  }

  /** How many responses these bytes completed. Throws when one is not as expected. */
  push(chunk: Buffer): number {
    this.#pending =
      this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    if (this.#pending.length > MAX_PENDING_BYTES) throw new Error('response has no end')
    let complete = 0
    while (this.#takeOne()) complete++
    return complete
  }

  #takeOne(): boolean {
    const bytes = this.#pending
    const headEnd = bytes.indexOf(HEAD_END)
    if (headEnd === -1) return false
    const head = bytes.toString('latin1', 0, headEnd)
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(head.split('\r\n')[0])
    const start = headEnd + HEAD_END.length
    const length = /\r\ncontent-length: *(\d{1,9})/i.exec(head)?.[1]
    const body =
      length === undefined
        ? dechunk(bytes, start)
        : plainBody(bytes, start, Number(length))
    if (body === undefined) return false
    if (!body.content.equals(this.#expected)) throw new Error('another body came')
    this.#pending = bytes.subarray(body.end)
    return true
  }
}

interface Body {
  readonly content: Buffer
  readonly end: number
}

function plainBody(bytes: Buffer, start: number, length: number): Body | undefined {
  const end = start + length
  return bytes.length < end ? undefined : { content: bytes.subarray(start, end), end }
}

/** RFC 9112 §7.1, without trailers. */
function dechunk(bytes: Buffer, start: number): Body | undefined {
  const parts: Buffer[] = []
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (Number.isNaN(size)) throw new Error('not a chunk size')
    if (bytes.length < next) return undefined
    if (size === 0) return { content: Buffer.concat(parts), end: next }
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}
