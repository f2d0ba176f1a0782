/**
 * Reads HTTP/1.1 messages from bytes as strictly as RFC 9112 is written, sharing no code with
 * the product or with Node: the second opinion on what was sent and what arrived. What a
 * strict recipient refuses ends the reading; it is never repaired.
 */
export interface Field {
  /** As it was spelt. */
  readonly name: string
  readonly value: string
}

export interface Message {
  /** The three parts: method, target, version; or version, status, reason. */
  readonly start: readonly [string, string, string]
  readonly fields: readonly Field[]
  readonly body: Buffer
}

export interface Read {
  /** Those that are whole, in order. */
  readonly messages: readonly Message[]
  /** What the bytes after them are. `until-close` waits for the end of the connection. */
  readonly rest: 'nothing' | 'incomplete' | 'until-close' | 'malformed'
  /** The head of an unfinished message, once it is whole, with the body so far. */
  readonly partial: Message | undefined
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 §5.5: visible, obs-text, and blanks between. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const TARGET = /^[\x21-\x7e]+$/
/** The parser's suite has its neighbours too; they are framed alike. */
const REQUEST_VERSION = /^(HTTP|RTSP|ICE)\/1\.[01]$/
const STATUS_VERSION = /^(HTTP|RTSP|ICE)\/(0\.9|1\.0|1\.1|2\.0)$/

export function readRequests(bytes: Buffer): Read {
  return read(bytes, (head) => requestBody(head))
}

/** `methods` are those of the requests that are answered: HEAD and CONNECT change framing. */
export function readResponses(
  bytes: Buffer,
  methods: readonly string[],
  ended: boolean,
): Read {
  let answered = 0
  return read(bytes, (head) => {
    const status = Number(head.start[1])
    const method = methods[answered] ?? 'GET'
    if (status >= 200 || status === 101) answered++
    return responseBody(head, { status, method, ended })
  })
}

/** The values of a field, each as it came. */
export function valuesOf(message: Pick<Message, 'fields'>, name: string): string[] {
  return message.fields
    .filter((field) => field.name.toLowerCase() === name)
    .map(({ value }) => value)
}

type Head = Omit<Message, 'body'> & { readonly isRequest: boolean }

type Framing =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'rest'; readonly ended: boolean }
  | { readonly kind: 'malformed' }

function read(bytes: Buffer, framingOf: (head: Head) => Framing): Read {
  const messages: Message[] = []
  let at = 0
  const stop = (rest: Read['rest'], partial?: Message): Read => ({
    messages,
    rest,
    partial,
  })
  while (at < bytes.length) {
    // RFC 9112 §2.2: an empty line before a request line is ignored.
    if (bytes.toString('latin1', at, at + 2) === '\r\n') {
      at += 2
      continue
    }
    const end = bytes.indexOf('\r\n\r\n', at)
    const text = bytes.toString('latin1', at, end < 0 ? bytes.length : end)
    const head = readHead(text, end >= 0)
    if (head === 'malformed') return stop('malformed')
    if (end < 0 || head === 'incomplete') return stop('incomplete')
    const framing = framingOf(head)
    const body = readBody(bytes, end + 4, framing)
    const message = { start: head.start, fields: head.fields, body: body.bytes }
    if (body.rest !== 'nothing') return stop(body.rest, message)
    messages.push(message)
    at = body.end
  }
  return stop('nothing')
}

function readHead(text: string, whole: boolean): Head | 'incomplete' | 'malformed' {
  const lines = text.split('\r\n')
  const [first = '', ...rest] = whole ? lines : lines.slice(0, -1)
  if (!whole && lines.length === 1) return 'incomplete'
  const start = startLine(first)
  if (start === undefined) return 'malformed'
  const fields: Field[] = []
  for (const line of rest) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
    if (!TOKEN.test(name) || !VALUE.test(value)) return 'malformed'
    fields.push({ name, value })
  }
  return { start, fields, isRequest: !STATUS_VERSION.test(start[0]) }
}

function startLine(line: string): Message['start'] | undefined {
  // RFC 9112 §3 lets more than one blank pass between method and target.
  const [a = '', b = '', ...others] = line.replace(/^(\S+) +/, '$1 ').split(' ')
  if (STATUS_VERSION.test(a)) {
    // The blank after the status may be missing: RFC 9112 §4 has it, many servers do not.
    const reason = others.join(' ')
    return /^[1-9][0-9]{2}$/.test(b) && VALUE.test(reason) ? [a, b, reason] : undefined
  }
  const [version = ''] = others
  if (others.length !== 1 || !REQUEST_VERSION.test(version)) return undefined
  return TOKEN.test(a) && TARGET.test(b) ? [a, b, version] : undefined
}

/** RFC 9112 §6.3. */
function requestBody(head: Head): Framing {
  if (!head.isRequest) return { kind: 'malformed' }
  const codings = codingsOf(head)
  const length = lengthOf(head)
  if (codings.length > 0) {
    // A coding that nobody here can undo is refused, not passed on without its name (§6.1).
    const ours = codings.length === 1 && codings[0] === 'chunked'
    const fits = ours && length === 'none' && head.start[2] === 'HTTP/1.1'
    return { kind: fits ? 'chunked' : 'malformed' }
  }
  if (length === 'malformed') return { kind: 'malformed' }
  return { kind: 'length', bytes: length === 'none' ? 0 : length }
}

function responseBody(
  head: Head,
  about: { status: number; method: string; ended: boolean },
): Framing {
  const { status, method, ended } = about
  // Nobody asked to switch protocols.
  if (head.isRequest || status === 101) return { kind: 'malformed' }
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD')
    return { kind: 'length', bytes: 0 }
  const codings = codingsOf(head)
  const length = lengthOf(head)
  if (length === 'malformed') return { kind: 'malformed' }
  // As of a request: what some would read to the end and others by chunks is refused.
  if (codings.length > 0) {
    const isChunked = codings.length === 1 && codings[0] === 'chunked'
    const fits = isChunked && length === 'none' && head.start[0] !== 'HTTP/1.0'
    return { kind: fits ? 'chunked' : 'malformed' }
  }
  return length === 'none' ? { kind: 'rest', ended } : { kind: 'length', bytes: length }
}

function codingsOf(head: Head): string[] {
  return valuesOf(head, 'transfer-encoding')
    .flatMap((value) => value.split(','))
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '')
}

function lengthOf(head: Head): number | 'none' | 'malformed' {
  const values = valuesOf(head, 'content-length')
  const [value] = values
  if (value === undefined) return 'none'
  return values.length === 1 && /^[0-9]{1,15}$/.test(value) ? Number(value) : 'malformed'
}

interface Body {
  readonly bytes: Buffer
  readonly end: number
  readonly rest: Read['rest']
}

function readBody(bytes: Buffer, at: number, framing: Framing): Body {
  switch (framing.kind) {
    case 'length': {
      const end = at + framing.bytes
      const rest = end <= bytes.length ? 'nothing' : 'incomplete'
      return { bytes: bytes.subarray(at, end), end, rest }
    }
    case 'chunked':
      return readChunks(bytes, at)
    case 'rest': {
      const rest = framing.ended ? 'nothing' : 'until-close'
      return { bytes: bytes.subarray(at), end: bytes.length, rest }
    }
    case 'malformed':
      return { bytes: Buffer.alloc(0), end: at, rest: 'malformed' }
  }
}

const CHUNK_EXTENSION =
  /^([ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+([ \t]*=[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+|"([^"\\]|\\.)*"))?)*$/

/** RFC 9112 §7.1. */
function readChunks(bytes: Buffer, from: number): Body {
  const parts: Buffer[] = []
  const stop = (at: number, rest: Read['rest']): Body => ({
    bytes: Buffer.concat(parts),
    end: at,
    rest,
  })
  let at = from
  for (;;) {
    const end = bytes.indexOf('\r\n', at)
    const line = bytes.toString('latin1', at, end < 0 ? bytes.length : end)
    const digits = /^[0-9A-Fa-f]{1,12}/.exec(line)?.[0] ?? ''
    const rest = line.slice(digits.length)
    if (end < 0) return stop(at, /[\r\n]./s.test(line) ? 'malformed' : 'incomplete')
    if (digits === '' || !CHUNK_EXTENSION.test(rest)) return stop(at, 'malformed')
    const size = parseInt(digits, 16)
    at = end + 2
    if (size === 0) return readTrailers(bytes, at, stop)
    parts.push(bytes.subarray(at, at + size))
    if (at + size + 2 > bytes.length) return stop(at, 'incomplete')
    at += size
    if (bytes.toString('latin1', at, at + 2) !== '\r\n') return stop(at, 'malformed')
    at += 2
  }
}

function readTrailers(
  bytes: Buffer,
  at: number,
  stop: (at: number, rest: Read['rest']) => Body,
): Body {
  if (bytes.toString('latin1', at, at + 2) === '\r\n') return stop(at + 2, 'nothing')
  const end = bytes.indexOf('\r\n\r\n', at)
  if (end < 0) return stop(at, 'incomplete')
  for (const line of bytes.toString('latin1', at, end).split('\r\n')) {
    const colon = line.indexOf(':')
    if (
      colon < 1 ||
      !TOKEN.test(line.slice(0, colon)) ||
      !VALUE.test(line.slice(colon + 1))
    )
      return stop(at, 'malformed')
  }
  return stop(end + 4, 'nothing')
}
