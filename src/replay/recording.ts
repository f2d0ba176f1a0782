/**
 * A recording: one exchange in one file, as JSON (`docs/RECORDINGS.md`). What it holds, how it is
 * written, and how one is read that may have been written by hand. Pure.
 */
import type { AboutExchange } from './frames.js'

/** Of the format; readers refuse others. */
export const RECORDING_VERSION = 1

/** Of a body: text where it is UTF-8, else bytes. */
export type Content =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }

export interface Piece {
  /** Milliseconds since the exchange began. */
  readonly atMs: number
  readonly content: Content
}

/** Names and values, in their order. */
export type Fields = readonly (readonly [name: string, value: string])[]

export interface RecordedRequest {
  readonly method: string
  /** `https://host/path?query`, with the port where it is another. */
  readonly url: string
  readonly version: string
  readonly fields: Fields
  /** Without content coding. */
  readonly body: Content
  /** When its last byte came. */
  readonly endMs: number
  /** It was longer than a recording may be, or its client broke it off. */
  readonly isWhole: boolean
}

export interface RecordedResponse {
  readonly status: number
  readonly atMs: number
  readonly fields: Fields
  /** The content coding that was taken off. */
  readonly coding?: string | undefined
  readonly pieces: readonly Piece[]
  /** Undefined: it did not end, and neither does a replay. */
  readonly endMs?: number | undefined
  readonly trailers: Fields
  /** It was longer than a recording may be. */
  readonly isCut: boolean
}

/** What was taken out: `credentials` leaves personal data where it is. */
export type Sanitised = 'all' | 'credentials'

export interface Recording {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly outcome: string
  /** Of one that failed or was refused. */
  readonly code?: string | undefined
  readonly latencyMs: number
  readonly sanitised: Sanitised
  readonly about: AboutExchange
  readonly request: RecordedRequest
  /** Undefined: nothing came from the provider. */
  readonly response?: RecordedResponse | undefined
}

export function bytesOf(content: Content): Buffer {
  return content.kind === 'text' ? Buffer.from(content.text) : content.bytes
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function contentOf(bytes: Buffer): Content {
  try {
    const text = UTF8.decode(bytes)
    if (!text.includes('\0')) return { kind: 'text', text }
  } catch {
    // It is no text.
  }
  return { kind: 'bytes', bytes }
}

/** The text of its file. */
export function recordingText(recording: Recording): string {
  const { id, startedAt, outcome, code, latencyMs, sanitised, about } = recording
  const { request, response } = recording
  const written = {
    yori_recording: RECORDING_VERSION,
    id,
    recorded_at: new Date(startedAt).toISOString(),
    ...{ outcome, code, latency_ms: latencyMs, sanitised, about },
    request: {
      method: request.method,
      url: request.url,
      http_version: request.version,
      headers: request.fields,
      body: contentWritten(request.body),
      end_ms: request.endMs,
      truncated: request.isWhole ? undefined : true,
    },
    response: response && {
      status: response.status,
      at_ms: response.atMs,
      headers: response.fields,
      coding: response.coding,
      chunks: response.pieces.map(({ atMs, content }) => ({
        at_ms: atMs,
        ...contentWritten(content),
      })),
      end_ms: response.endMs,
      trailers: response.trailers.length === 0 ? undefined : response.trailers,
      truncated: response.isCut ? true : undefined,
    },
  }
  return `${JSON.stringify(written, undefined, 1)}\n`
}

function contentWritten(content: Content): Record<string, string> {
  return content.kind === 'text'
    ? { text: content.text }
    : { base64: content.bytes.toString('base64') }
}

type Read = Readonly<Record<string, unknown>>

/** @throws Error that says what is wrong with it */
export function readRecording(text: string): Recording {
  const all = objectIn(JSON.parse(text), 'a recording')
  if (all['yori_recording'] !== RECORDING_VERSION)
    throw new Error(
      `yori_recording: ${JSON.stringify(all['yori_recording'])} is no version that is read here`,
    )
  const request = objectIn(all['request'], 'request')
  const url = textIn(request['url'], 'request.url')
  if (!URL.canParse(url)) throw new Error('request.url is no URL')
  return {
    id: textIn(all['id'], 'id'),
    startedAt: Date.parse(textIn(all['recorded_at'], 'recorded_at')) || 0,
    outcome: textIn(all['outcome'], 'outcome'),
    code: all['code'] === undefined ? undefined : textIn(all['code'], 'code'),
    latencyMs: numberIn(all['latency_ms'] ?? 0, 'latency_ms'),
    sanitised: all['sanitised'] === 'credentials' ? 'credentials' : 'all',
    about: objectIn(all['about'] ?? {}, 'about'),
    request: {
      method: textIn(request['method'], 'request.method'),
      url,
      version: textIn(request['http_version'] ?? '1.1', 'request.http_version'),
      fields: fieldsIn(request['headers'], 'request.headers'),
      body: contentIn(request['body'] ?? { text: '' }, 'request.body'),
      endMs: numberIn(request['end_ms'] ?? 0, 'request.end_ms'),
      isWhole: request['truncated'] !== true,
    },
    response:
      all['response'] === undefined || all['response'] === null
        ? undefined
        : responseIn(objectIn(all['response'], 'response')),
  }
}

function responseIn(read: Read): RecordedResponse {
  const chunks = read['chunks'] ?? []
  if (!Array.isArray(chunks)) throw new Error('response.chunks is no list')
  const coding = read['coding']
  return {
    status: numberIn(read['status'], 'response.status'),
    atMs: numberIn(read['at_ms'] ?? 0, 'response.at_ms'),
    fields: fieldsIn(read['headers'], 'response.headers'),
    coding: coding === undefined ? undefined : textIn(coding, 'response.coding'),
    pieces: chunks.map((chunk: unknown, i) => {
      const where = `response.chunks[${i}]`
      const piece = objectIn(chunk, where)
      return {
        atMs: numberIn(piece['at_ms'] ?? 0, `${where}.at_ms`),
        content: contentIn(piece, where),
      }
    }),
    endMs:
      read['end_ms'] === undefined
        ? undefined
        : numberIn(read['end_ms'], 'response.end_ms'),
    trailers: fieldsIn(read['trailers'], 'response.trailers'),
    isCut: read['truncated'] === true,
  }
}

function objectIn(value: unknown, what: string): Read {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is no object`)
  return value as Read
}

function textIn(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} is no text`)
  return value
}

function numberIn(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new Error(`${what} is no number`)
  return value
}

function fieldsIn(value: unknown, what: string): Fields {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new Error(`${what} is no list`)
  return value.map((pair: unknown) => {
    const [name, said] = Array.isArray(pair) ? (pair as unknown[]) : []
    return [textIn(name, `a name in ${what}`), textIn(said, `a value in ${what}`)]
  })
}

function contentIn(value: unknown, what: string): Content {
  const read = objectIn(value, what)
  if (typeof read['base64'] === 'string')
    return { kind: 'bytes', bytes: Buffer.from(read['base64'], 'base64') }
  return { kind: 'text', text: textIn(read['text'], `${what}.text`) }
}

/** Flat, as heads of HTTP are passed around here. */
export function flat(fields: Fields): string[] {
  return fields.flatMap(([name, value]) => [name, value])
}

export function pairs(fields: readonly string[]): [string, string][] {
  const all: [string, string][] = []
  for (let i = 0; i + 1 < fields.length; i += 2)
    all.push([fields[i] as string, fields[i + 1] as string])
  return all
}

/** The first value of a field. */
export function fieldOf(fields: Fields, name: string): string | undefined {
  return fields.find(([given]) => given.toLowerCase() === name)?.[1]
}
