/**
 * Replies of Redis and Valkey, out of bytes as they come: RESP2. Bounded in length, number and
 * depth, since what stands at the other end is another program. Pure.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export type Reply = string | number | null | ReplyError | readonly Reply[]

/** What the server refuses, as a value: others of the same pipeline may be fine. */
export class ReplyError extends Error {
  constructor(said: string) {
    super(said)
    this.name = 'ReplyError'
  }
}

export const MOST_REPLY_BYTES = 8 * 2 ** 20
const MOST_ITEMS = 65_536
const MOST_DEPTH = 8
const MOST_LINE = 64 * 1024
const CRLF = '\r\n'

interface Read {
  readonly reply: Reply
  readonly end: number
}

export class ReplyReader {
  #held: Buffer = Buffer.alloc(0)

  /** Those that are whole now. @throws RangeError for bytes that are no reply, or too many */
  push(bytes: Buffer): Reply[] {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const replies: Reply[] = []
    let at = 0
    while (at < this.#held.length) {
      const read = readAt(this.#held, at, 0)
      if (read === undefined) break
      replies.push(read.reply)
      at = read.end
    }
    this.#held = this.#held.subarray(at)
    if (this.#held.length > MOST_REPLY_BYTES) throw new RangeError('a reply is too long')
    return replies
  }
}

/** Undefined: it is not whole yet. */
function readAt(bytes: Buffer, at: number, depth: number): Read | undefined {
  if (depth > MOST_DEPTH) throw new RangeError('a reply is too deep')
  const lineEnd = bytes.indexOf(CRLF, at)
  if (lineEnd < 0) {
    if (bytes.length - at > MOST_LINE) throw new RangeError('a line is too long')
    return undefined
  }
  const text = bytes.toString('utf8', at + 1, lineEnd)
  const end = lineEnd + CRLF.length
  switch (bytes[at]) {
    case 0x2b: // +
      return { reply: text, end }
    case 0x2d: // -
      return { reply: new ReplyError(text), end }
    case 0x3a: // :
      return { reply: numberOf(text), end }
    case 0x24: // $
      return bulkAt(bytes, end, numberOf(text))
    case 0x2a: // *
      return arrayAt(bytes, end, numberOf(text), depth)
    default:
      throw new RangeError('is no reply of Redis')
  }
}

function bulkAt(bytes: Buffer, at: number, length: number): Read | undefined {
  if (length === -1) return { reply: null, end: at }
  if (length < 0 || length > MOST_REPLY_BYTES) throw new RangeError('a reply is too long')
  const end = at + length + CRLF.length
  if (bytes.length < end) return undefined
  return { reply: bytes.toString('utf8', at, at + length), end }
}

function arrayAt(
  bytes: Buffer,
  from: number,
  count: number,
  depth: number,
): Read | undefined {
  if (count === -1) return { reply: null, end: from }
  if (count < 0 || count > MOST_ITEMS) throw new RangeError('a reply has too many items')
  const items: Reply[] = []
  let at = from
  for (let i = 0; i < count; i++) {
    const read = readAt(bytes, at, depth + 1)
    if (read === undefined) return undefined
    items.push(read.reply)
    at = read.end
  }
  return { reply: items, end: at }
}

function numberOf(text: string): number {
  if (!/^-?\d{1,16}$/.test(text)) throw new RangeError('is no number')
  return Number(text)
}

/** A command as an array of bulk strings. */
export function commandText(args: readonly string[]): string {
  let text = `*${args.length}${CRLF}`
  for (const arg of args) text += `$${Buffer.byteLength(arg)}${CRLF}${arg}${CRLF}`
  return text
}
