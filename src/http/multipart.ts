/**
 * Reads what a multipart body holds (RFC 2046 §5.1, RFC 7578): the name, file name, type and
 * size of each part, and the text of short fields; the bytes of files are counted and let go.
 */

/**
 * One part, by its header block. `name` and `filename` are of `Content-Disposition`,
 * without quotes and their escapes, not decoded otherwise; `mediaType` is in lower case,
 * without parameters.
 */
export interface MultipartPart {
  readonly name?: string | undefined
  readonly filename?: string | undefined
  readonly mediaType?: string | undefined
  /** Its content is quoted-printable (RFC 2045 §6.7): some servers undo that. */
  readonly quoted?: boolean
  /** Its other fields, and other forms of its names, as they stand; decoded, where escaped. */
  readonly others?: readonly string[]
  /** Of its content, as it came. */
  readonly bytes: number
  /** Where in the body its content begins. */
  readonly at: number
  /** The value, as UTF-8, of a field that is no file and not over `maxTextBytes`. */
  readonly text?: string | undefined
}

/** What was read of a body, also of one that broke off. */
export interface MultipartContent {
  readonly parts: readonly MultipartPart[]
  /** The closing delimiter was there, and nothing was over a limit. */
  readonly complete: boolean
  /** More than white space stood before the first delimiter or behind the last. */
  readonly beside?: true
}

/** What one body may take. `MULTIPART_LIMITS` are the defaults. */
export interface MultipartLimits {
  /** With one more the reading ends, and the content is not `complete`. */
  readonly maxParts: number
  /** Of one part's header block; with a longer one the reading ends. */
  readonly maxHeaderBytes: number
  /** Of one field's text; a longer one is counted and not kept. */
  readonly maxTextBytes: number
}

export const MULTIPART_LIMITS: MultipartLimits = {
  maxParts: 256,
  maxHeaderBytes: 8 * 1024,
  maxTextBytes: 64 * 1024,
}

const MAX_BOUNDARY_CHARS = 70
/** White space that may stand between a delimiter and its line's end. */
const MAX_PADDING_BYTES = 1_024

/**
 * The boundary of a `multipart/*` Content-Type; undefined when it is none, or names none
 * of 1 to 70 characters (RFC 2046 §5.1.1).
 */
export function boundaryOf(contentType: string | undefined): string | undefined {
  if (contentType === undefined) return undefined
  if (!contentType.slice(0, 10).toLowerCase().startsWith('multipart/')) return undefined
  const boundary = parameter(contentType, 'boundary')
  if (boundary === undefined || boundary.length === 0) return undefined
  return boundary.length > MAX_BOUNDARY_CHARS ? undefined : boundary
}

type State = 'body' | 'after-delimiter' | 'headers' | 'ended' | 'failed'

interface OpenPart {
  name: string | undefined
  filename: string | undefined
  mediaType: string | undefined
  quoted: boolean
  others: string[]
  bytes: number
  at: number
  pieces: Buffer[] | undefined
}

/**
 * One body, by its boundary: `push` as it comes, then `end` once. It keeps the texts of
 * fields and, of what comes, no more than a header block. Over a limit it reads no
 * further; it throws nothing.
 */
export class MultipartReader {
  readonly #limits: MultipartLimits
  readonly #delimiter: Buffer
  readonly #parts: MultipartPart[] = []
  #part: OpenPart | undefined
  #state: State = 'body'
  /** Something stands where no part does. */
  #beside = false
  /** Bytes that cannot be judged before more come; the first line counts as after a CRLF. */
  #rest: Buffer = Buffer.from('\r\n')
  /** Where in the body the rest begins. */
  #base = -2

  constructor(boundary: string, limits: MultipartLimits = MULTIPART_LIMITS) {
    this.#limits = limits
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  }

  /** Does not keep `chunk`. */
  push(chunk: Uint8Array): void {
    if (this.#state === 'ended') this.#notIn(chunk)
    if (this.#state === 'ended' || this.#state === 'failed') return
    const bytes = Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      const next = this.#step(bytes, at)
      if (next === undefined) break
      at = next
    }
    this.#rest = this.#over() ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at))
    this.#base += at
  }

  /** No more comes. A part that broke off counts with what is there of it. */
  end(): MultipartContent {
    if (this.#part !== undefined) this.#take(this.#rest)
    else if (this.#state === 'headers') this.#lastHeaders(this.#rest)
    this.#close()
    const read = { parts: this.#parts, complete: this.#state === 'ended' }
    return this.#beside ? { ...read, beside: true } : read
  }

  #notIn(bytes: Uint8Array): void {
    this.#beside ||= bytes.some((byte) => byte > 0x20)
  }

  /** The body broke off behind a header block: its part had begun. */
  #lastHeaders(bytes: Buffer): void {
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) return
    this.#part = openPart(bytes.toString('utf8', 0, end), this.#base + end + 4)
    this.#take(bytes.subarray(end + 4))
  }

  #over(): boolean {
    return this.#state === 'ended' || this.#state === 'failed'
  }

  /** Where to go on, or undefined when more bytes are needed or none matter any more. */
  #step(bytes: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case 'body':
        return this.#body(bytes, at)
      case 'after-delimiter':
        return this.#afterDelimiter(bytes, at)
      case 'headers':
        return this.#headers(bytes, at)
      default:
        return undefined
    }
  }

  #body(bytes: Buffer, at: number): number | undefined {
    const found = bytes.indexOf(this.#delimiter, at)
    const end =
      found < 0 ? Math.max(at, bytes.length - this.#delimiter.length + 1) : found
    this.#take(bytes.subarray(at, end))
    if (found >= 0) {
      this.#close()
      this.#state = 'after-delimiter'
      return found + this.#delimiter.length
    }
    return end > at ? end : undefined
  }

  /** `--` ends the body; white space may stand before the line's end. */
  #afterDelimiter(bytes: Buffer, at: number): number | undefined {
    if (bytes.length - at < 2) return undefined
    if (bytes[at] === 0x2d && bytes[at + 1] === 0x2d) {
      this.#state = 'ended'
      this.#notIn(bytes.subarray(at + 2))
      return undefined
    }
    const end = bytes.indexOf('\r\n', at)
    // Without an end in sight its first byte may be there already.
    const length = end < 0 ? bytes.length - 1 - at : end - at
    if (length > MAX_PADDING_BYTES) this.#state = 'failed'
    if (end < 0 || this.#state === 'failed') return undefined
    this.#state = this.#parts.length < this.#limits.maxParts ? 'headers' : 'failed'
    // The CRLF stays: a header block may be empty.
    return end
  }

  #headers(bytes: Buffer, at: number): number | undefined {
    const end = bytes.indexOf('\r\n\r\n', at)
    // Without an end in sight its first three bytes may be there already. The CRLF before the
    // block is none of it.
    const length = (end < 0 ? bytes.length - 3 - at : end - at) - 2
    if (length > this.#limits.maxHeaderBytes) this.#state = 'failed'
    if (end < 0 || this.#state === 'failed') return undefined
    const empty = startsDelimiter(bytes, end + 2, this.#delimiter)
    if (empty === undefined) return undefined
    const content = end + 2 + (empty ? 0 : 2)
    this.#part = openPart(bytes.toString('utf8', at, end), this.#base + content)
    this.#state = 'body'
    // The last CRLF stays: the delimiter of an empty part begins with it.
    return content
  }

  #take(piece: Buffer): void {
    const part = this.#part
    if (part === undefined) this.#notIn(piece)
    if (part === undefined || piece.length === 0) return
    part.bytes += piece.length
    if (part.bytes > this.#limits.maxTextBytes) part.pieces = undefined
    else part.pieces?.push(Buffer.from(piece))
  }

  #close(): void {
    const part = this.#part
    this.#part = undefined
    if (part === undefined) return
    const { pieces, quoted, others, ...rest } = part
    const text = pieces === undefined ? undefined : Buffer.concat(pieces).toString()
    const odd = {
      ...(quoted ? { quoted } : {}),
      ...(others.length > 0 ? { others } : {}),
    }
    this.#parts.push({ ...rest, ...odd, text })
  }
}

/** An empty part's delimiter follows its header block at once; undefined: more must come. */
function startsDelimiter(
  bytes: Buffer,
  at: number,
  delimiter: Buffer,
): boolean | undefined {
  const there = bytes.subarray(at, at + delimiter.length)
  if (!there.equals(delimiter.subarray(0, there.length))) return false
  return there.length === delimiter.length ? true : undefined
}

function openPart(block: string, at: number): OpenPart {
  let name: string | undefined
  let filename: string | undefined
  let mediaType: string | undefined
  let quoted = false
  const others: string[] = []
  for (const line of block.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const field = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (field === 'content-disposition') {
      name = parameter(value, 'name')
      filename = parameter(value, 'filename')
      if (value.includes('*')) others.push(unescapedOnce(value))
    } else if (field === 'content-type') {
      mediaType = value.split(';', 1)[0]?.trim().toLowerCase()
    } else if (field === 'content-transfer-encoding') {
      quoted = value.toLowerCase() === 'quoted-printable'
    } else if (field !== 'content-length') others.push(line)
  }
  const pieces = filename === undefined ? [] : undefined
  return { name, filename, mediaType, quoted, others, bytes: 0, at, pieces }
}

/** `filename*` (RFC 8187 §3.2.1), which forms should not have, and some servers read. */
function unescapedOnce(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** A parameter of a header value, quoted or not (RFC 9110 §5.6.6). */
function parameter(value: string, wanted: string): string | undefined {
  let at = value.indexOf(';')
  while (at >= 0 && at < value.length) {
    const equals = value.indexOf('=', at)
    if (equals < 0) return undefined
    const name = value
      .slice(at + 1, equals)
      .trim()
      .toLowerCase()
    const read = parameterValue(value, equals + 1)
    if (name === wanted) return read.text
    at = value.indexOf(';', read.end)
  }
  return undefined
}

function parameterValue(value: string, start: number): { text: string; end: number } {
  if (value[start] !== '"') {
    const end = value.indexOf(';', start)
    const stop = end < 0 ? value.length : end
    return { text: value.slice(start, stop).trim(), end: stop }
  }
  let text = ''
  let at = start + 1
  while (at < value.length && value[at] !== '"') {
    if (value[at] === '\\' && at + 1 < value.length) at++
    text += value[at] ?? ''
    at++
  }
  return { text, end: at + 1 }
}
