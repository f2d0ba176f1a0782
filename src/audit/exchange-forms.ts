/**
 * One recorded exchange in the forms of other tools: a `curl` to send it again, and HAR 1.2
 * (w3c.github.io/web-performance/specs/HAR). What was not kept is left out, and said. Pure.
 */
import type { Listed } from './where.js'

const text = (row: Listed, name: string): string | undefined => {
  const value = row[name]
  return typeof value === 'string' ? value : undefined
}
const count = (row: Listed, name: string): number => Number(row[name] ?? 0)

const urlOf = (row: Listed): string =>
  `https://${text(row, 'endpoint_domain') ?? ''}${text(row, 'http_path') ?? '/'}`

/** Within single quotes of a POSIX shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

const isJson = (body: string): boolean => /^\s*[[{]/.test(body)

/** Keys are never recorded: where the provider wants one, it has to be added. */
export function curlText(row: Listed): string {
  const method = text(row, 'http_method') ?? 'GET'
  const body = text(row, 'request_body')
  const words = ['curl', quoted(urlOf(row))]
  if (method !== 'GET') words.push('--request', quoted(method))
  if (body !== undefined) {
    if (isJson(body)) words.push('--header', quoted('content-type: application/json'))
    words.push('--data-binary', quoted(body))
  }
  const lacks = ['query, fields and keys of a request are never kept: add what it needs']
  if (body === undefined && count(row, 'request_bytes') > 0)
    lacks.push(`its body of ${count(row, 'request_bytes')} bytes was not kept`)
  return `${lacks.map((line) => `# ${line}\n`).join('')}${words.join(' ')}\n`
}

/** A log of one entry. */
export function harOf(row: Listed): object {
  const creator = { name: 'YORI', version: '1' }
  return { log: { version: '1.2', creator, entries: [harEntry(row)] } }
}

/** Sizes of what was not kept are those that were counted. */
export function harEntry(row: Listed): object {
  const version = `HTTP/${text(row, 'http_version') ?? '1.1'}`
  const requestBody = text(row, 'request_body')
  const responseBody = text(row, 'response_body')
  const total = count(row, 'latency_ms')
  const wait = row['first_byte_ms'] === null ? total : count(row, 'first_byte_ms')
  const none = { cookies: [], headers: [], headersSize: -1 }
  return {
    startedDateTime: `${(text(row, 'timestamp') ?? '').replace(' ', 'T')}Z`,
    time: total,
    request: {
      ...none,
      method: text(row, 'http_method') ?? '',
      url: urlOf(row),
      httpVersion: version,
      queryString: [],
      bodySize: count(row, 'request_bytes'),
      ...(requestBody === undefined
        ? {}
        : { postData: { mimeType: mediaType(requestBody), text: requestBody } }),
    },
    response: {
      ...none,
      status: count(row, 'response_status'),
      statusText: '',
      httpVersion: version,
      redirectURL: '',
      bodySize: count(row, 'response_bytes'),
      content: {
        size: count(row, 'response_bytes'),
        mimeType: mediaType(responseBody),
        ...(responseBody === undefined ? {} : { text: responseBody }),
      },
    },
    cache: {},
    timings: { send: 0, wait, receive: Math.max(0, total - wait) },
    comment: `request ${text(row, 'request_id') ?? ''}`,
  }
}

/** As it looks: content types are not recorded. */
function mediaType(body: string | undefined): string {
  if (body === undefined) return 'x-unknown'
  if (isJson(body)) return 'application/json'
  return /^(data|event):/m.test(body) ? 'text/event-stream' : 'text/plain'
}
