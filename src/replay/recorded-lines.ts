/**
 * Recordings in lines of JSON (`recording_001.jsonl`), as `http_recorder` writes them: a line for
 * each request, and one for its response or error. They belong together by their request's id;
 * of files without such ids, an answer is the next one of its session's oldest open request.
 * Pure.
 */
import { contentOf, pairs } from './recording.js'
import type { Fields, Recording } from './recording.js'

type Line = Readonly<Record<string, unknown>>

/** @throws Error for what is no such file */
export function readLines(text: string): Recording[] {
  const open = new Map<string, Line[]>()
  const all: Recording[] = []
  for (const [i, written] of text.split('\n').entries()) {
    if (written.trim() === '') continue
    const line = lineIn(written, i + 1)
    const id = idOf(line)
    if (line['type'] === 'request') {
      open.set(id, [...(open.get(id) ?? []), line])
      continue
    }
    const [request, ...rest] = open.get(id) ?? []
    if (request === undefined) continue
    open.set(id, rest)
    all.push(recordingOf(request, line, all.length))
  }
  for (const rest of open.values())
    for (const request of rest) all.push(recordingOf(request, undefined, all.length))
  return all
}

function lineIn(written: string, number: number): Line {
  const line: unknown = JSON.parse(written)
  if (typeof line !== 'object' || line === null || !('type' in line))
    throw new Error(`line ${number} is no event of a recording`)
  return line
}

function idOf(line: Line): string {
  return textOf(line['request_id']) ?? `session ${textOf(line['session_id']) ?? ''}`
}

function recordingOf(request: Line, answer: Line | undefined, count: number): Recording {
  const url = textOf(request['url']) ?? 'http://localhost/'
  const startedAt = momentOf(request['timestamp'] ?? request['start_time'])
  const duration = Number(answer?.['duration_ms'] ?? 0) || 0
  const isResponse = answer?.['type'] === 'response'
  return {
    id: textOf(request['request_id']) ?? `line-${startedAt}-${count}`,
    startedAt,
    outcome: isResponse ? 'response' : 'error',
    latencyMs: duration,
    sanitised: 'credentials',
    about: {
      provider: textOf(request['provider']),
      model: textOf(request['model']),
      session: textOf(request['session_id']),
    },
    request: {
      method: textOf(request['method']) ?? 'POST',
      url: URL.canParse(url) ? url : `http://localhost${url}`,
      version: '1.1',
      fields: fieldsOf(request['headers']),
      body: bodyOf(request),
      endMs: 0,
      isWhole: request['body_truncated'] !== true,
    },
    response: !isResponse
      ? undefined
      : {
          status: Number(answer?.['status_code'] ?? 200) || 200,
          atMs: duration,
          fields: fieldsOf(answer?.['headers']),
          pieces: [{ atMs: duration, content: bodyOf(answer ?? {}) }],
          endMs: duration,
          trailers: [],
          isCut: answer?.['body_truncated'] === true,
        },
  }
}

function bodyOf(line: Line): Recording['request']['body'] {
  const base64 = textOf(line['body_base64'])
  if (base64 !== undefined) return contentOf(Buffer.from(base64, 'base64'))
  const body = line['body']
  if (body === undefined || body === null) return { kind: 'text', text: '' }
  return { kind: 'text', text: typeof body === 'string' ? body : JSON.stringify(body) }
}

function fieldsOf(headers: unknown): Fields {
  if (Array.isArray(headers))
    return pairs(headers.flat().map((one: unknown) => String(one)))
  if (typeof headers !== 'object' || headers === null) return []
  return Object.entries(headers).map(([name, value]) => [name, String(value)])
}

/** Seconds or a date. */
function momentOf(value: unknown): number {
  if (typeof value === 'number') return Math.round(value * 1000)
  return Date.parse(textOf(value) ?? '') || 0
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
