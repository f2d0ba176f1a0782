/**
 * What `http_recorder` writes: of each exchange a line for its request, and one for its response
 * or error, together by their id (`replay/recorded-lines.ts` reads them again). Pure.
 */
import { bytesOf, contentOf } from '../replay/recording.js'
import type { Content, Fields, Recording } from '../replay/recording.js'

export function linesOf(recording: Recording): readonly object[] {
  const { id, startedAt, about, request, response, latencyMs, code, outcome } = recording
  const { pathname, search } = new URL(request.url)
  const start = new Date(startedAt).toISOString()
  const end = new Date(startedAt + latencyMs).toISOString()
  const asked = {
    ...{ type: 'request', request_id: id, timestamp: start, method: request.method },
    ...{ url: request.url, path: pathname, query: search.slice(1) },
    headers: headersOf(request.fields),
    ...bodyOf(request.body, !request.isWhole),
    ...{ session_id: about.session, provider: about.provider, model: about.model },
    is_streaming: isStream(response?.fields ?? []),
    start_time: start,
  }
  const ended = { request_id: id, timestamp: end, duration_ms: latencyMs, end_time: end }
  if (response === undefined)
    return [asked, { type: 'error', ...ended, error: code ?? outcome }]
  const bytes = Buffer.concat(response.pieces.map(({ content }) => bytesOf(content)))
  return [
    asked,
    {
      ...{ type: 'response', ...ended, status_code: response.status },
      headers: headersOf(
        response.fields.filter(([name]) => !/^content-(?:encoding|length)$/i.test(name)),
      ),
      ...bodyOf(contentOf(bytes), response.isCut),
    },
  ]
}

function headersOf(fields: Fields): Record<string, string> {
  const all: Record<string, string> = {}
  for (const [name, value] of fields) {
    const lower = name.toLowerCase()
    const before = all[lower]
    all[lower] = before === undefined ? value : `${before}, ${value}`
  }
  return all
}

function bodyOf(content: Content, isCut: boolean): object {
  return {
    ...(content.kind === 'text'
      ? { body: content.text }
      : { body_base64: content.bytes.toString('base64') }),
    ...(isCut ? { body_truncated: true } : {}),
  }
}

function isStream(fields: Fields): boolean {
  return fields.some(
    ([name, value]) => /^content-type$/i.test(name) && value.includes('event-stream'),
  )
}
