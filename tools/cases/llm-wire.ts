/**
 * A recorded exchange over the wire: the request through YORI to an origin that answers as
 * recorded. Bytes are the same at both ends, and the record says what the row says.
 */
import { endOf } from '../../src/providers/end-of.js'
import { isDeepStrictEqual } from 'node:util'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Socket } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Row as Record } from '../../test/support/yori.js'
import { readResponses } from './http-messages.js'
import type { Field, Message } from './http-messages.js'
import type { Difference } from './kind.js'
import { pairUrl, tokensOf } from './llm-row.js'
import type { PairRow } from './llm-row.js'
import type { Wire } from './wire.js'

/** Odd on purpose: events, lines and characters are cut anywhere. */
const CHUNK_BYTES = [1, 7, 64, 333, 1_000, 4_001]
/** Of one connection, not of the message, or ours to set. RFC 9110 §7.6.1. */
const NOT_END_TO_END =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|content-length|expect|alt-svc)$/i
/** What Node 20 cannot decode: the origin is not asked for it. */
const UNDECODABLE = /^(zstd|dcb|dcz)\b/
const ENCODERS: Readonly<{ [coding: string]: (bytes: Buffer) => Buffer }> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
}

/** The names under which the exchanges of these files are played. */
export async function namesIn(files: readonly string[]): Promise<string[]> {
  const names = new Set<string>(LIKELY)
  for (const file of files) {
    const input = createReadStream(file, 'utf8')
    // Who reads the rows says what is wrong with the file.
    input.on('error', () => undefined)
    try {
      for await (const line of createInterface({ input })) {
        const url = /"url": *"(https?:\/\/[^"\\]+)"/.exec(line)?.[1]
        if (url !== undefined && URL.canParse(url)) names.add(nameOf(new URL(url)))
      }
    } catch {
      continue
    }
  }
  return [...names]
}

/** Of rows without a URL. */
const LIKELY = [
  ...['api.openai.com', 'api.anthropic.com', 'api.mistral.ai', 'api.cohere.com'],
  ...['generativelanguage.googleapis.com', 'x.openai.azure.com'],
]

/** A service in the clear or at an address is played as a name of the same API. */
function nameOf(url: URL): string {
  const isName = url.protocol === 'https:' && /[a-z]/i.test(url.hostname)
  const isDotted = url.hostname.includes('.') && !url.hostname.startsWith('[')
  return isName && isDotted ? url.hostname : 'local.cases.test'
}

export async function playPair(row: PairRow, wire: Wire): Promise<Difference[]> {
  const url = pairUrl(row)
  if (url === undefined) return []
  const name = nameOf(url)
  const refusal = wire.refusal(name)
  if (refusal !== undefined)
    return difference('name', 'one that the CA may sign', `${name}: ${refusal}`)
  const request = requestOf(row, { name, target: url.pathname + url.search })
  const response = responseOf(row)
  wire.listen((_request, socket) => send(socket, response))
  const client = await wire.client(name)
  const method = request.start[0]
  const got = (): Message | undefined =>
    readResponses(client.received, [method], client.closed).messages[0]
  client.send(serialised(request))
  await client.until(() => got() !== undefined)
  const received = got()
  await client.end()
  const { exchanges } = await wire.recorded(client)
  const arrived = wire.seen.flatMap(({ messages }) => messages)
  return [
    ...difference('requests at the origin', 1, arrived.length),
    ...(arrived[0] === undefined ? [] : compareMessages('request', request, arrived[0])),
    ...(received === undefined
      ? difference('response', 'one', 'none')
      : compareMessages('response', response, received)),
    ...difference('exchanges recorded', 1, exchanges.length),
    ...(exchanges[0] === undefined ? [] : compareRecord(row, request, exchanges[0])),
  ]
}

function requestOf(row: PairRow, about: { name: string; target: string }): Message {
  const body = Buffer.from(row.request.body ?? '')
  const kept = fieldsOf(row.request.headers)
  const fields = [
    { name: 'Host', value: about.name },
    ...kept,
    ...(body.length > 0 ? [{ name: 'Content-Length', value: `${body.length}` }] : []),
  ]
  // Methods are case-sensitive; some recorders write them small.
  const method = row.request.method.toUpperCase()
  return { start: [method, about.target, 'HTTP/1.1'], fields, body }
}

interface Answered extends Message {
  readonly chunked: boolean
}

function responseOf(row: PairRow): Answered {
  const { headers, status } = row.response
  const coding = text(headers['content-encoding']).toLowerCase()
  const encode = ENCODERS[coding]
  const plain = Buffer.from(row.response.body)
  const body = encode === undefined ? plain : encode(plain)
  const kept = fieldsOf(headers).filter(
    ({ name }) => encode !== undefined || name.toLowerCase() !== 'content-encoding',
  )
  const type = text(headers['content-type'])
  const chunked = headers['transfer-encoding'] !== undefined || type.includes('stream')
  const framing = chunked
    ? { name: 'Transfer-Encoding', value: 'chunked' }
    : { name: 'Content-Length', value: `${body.length}` }
  return {
    start: ['HTTP/1.1', String(status), 'Recorded'],
    fields: [...kept, framing],
    body,
    chunked,
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** End-to-end fields as they were recorded; a list stands for as many fields. */
function fieldsOf(headers: Readonly<{ [name: string]: unknown }>): Field[] {
  return Object.entries(headers)
    .filter(([name]) => !NOT_END_TO_END.test(name))
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((each) => ({
        name,
        value: String(each).trim(),
      })),
    )
}

function headOf({ start, fields }: Message): string {
  const lines = fields.map(({ name, value }) => `${name}: ${value}\r\n`)
  return `${start.join(' ')}\r\n${lines.join('')}\r\n`
}

function serialised(message: Message): Buffer {
  return Buffer.concat([Buffer.from(headOf(message), 'latin1'), message.body])
}

/** Each piece is a write of its own, and a chunk of its own where the body is chunked. */
async function send(socket: Socket, response: Answered): Promise<void> {
  socket.write(headOf(response), 'latin1')
  let at = 0
  for (let turn = 0; at < response.body.length; turn++) {
    const size = CHUNK_BYTES[turn % CHUNK_BYTES.length] ?? 1
    const piece = response.body.subarray(at, at + size)
    at += piece.length
    if (response.chunked) socket.write(`${piece.length.toString(16)}\r\n`)
    socket.write(piece)
    if (response.chunked) socket.write('\r\n')
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (response.chunked) socket.write('0\r\n\r\n')
}

function compareMessages(what: string, sent: Message, got: Message): Difference[] {
  const first = what === 'request' ? sent.start : sent.start.slice(0, 2)
  return [
    ...difference(`${what} line`, first, got.start.slice(0, first.length)),
    ...difference(`${what} fields`, endToEnd(sent), endToEnd(got)),
    ...(sent.body.equals(got.body)
      ? []
      : difference(`${what} body`, sent.body.toString(), got.body.toString())),
  ]
}

function endToEnd({ fields }: Message): Field[] {
  return fields
    .filter(({ name }) => !NOT_END_TO_END.test(name))
    .map(({ name, value }) =>
      name.toLowerCase() === 'accept-encoding'
        ? { name, value: decodable(value) }
        : { name, value },
    )
}

function decodable(value: string): string {
  const codings = value.split(',').map((coding) => coding.trim())
  return codings.filter((coding) => !UNDECODABLE.test(coding)).join(', ')
}

/** An empty expectation says nothing where the row's own tool could not read the shape. */
function compareRecord(row: PairRow, request: Message, record: Record): Difference[] {
  const { expected } = row
  const differences: Difference[] = []
  const check = (what: string, want: unknown, got: unknown): void => {
    differences.push(...difference(`recorded ${what}`, want, got))
  }
  check('method', request.start[0], record['http_method'])
  check('path', request.start[1].split('?', 1)[0], record['http_path'])
  check('outcome', 'response', record['event_type'])
  check('status', row.response.status, record['response_status'])
  check('request bytes', request.body.length, record['request_bytes'])
  check('stream', expected.stream, record['stream'] === 1)
  const model = expected.request_model ?? expected.response_model
  if (model !== null && !isInPath(record['model'], request))
    check('model', model, record['model'])
  const tokens = tokensOf(row)
  const told = (name: string): unknown =>
    record[`${name}_estimated`] === 1 ? null : record[name]
  if (tokens.input !== null) check('input tokens', tokens.input, told('prompt_tokens'))
  if (tokens.output !== null)
    check('output tokens', tokens.output, told('response_tokens'))
  const finish = endOf(expected.finish)
  if (finish !== undefined) check('finish', finish, record['finish_reason'])
  if (expected.tool_calls.length > 0) {
    const calls = record['tool_calls']
    const names = typeof calls === 'string' ? (JSON.parse(calls) as unknown) : calls
    check(
      'tool calls',
      expected.tool_calls.map(({ name }) => name),
      names,
    )
  }
  return differences
}

/** Some providers are asked for a model by path; what they call it in the answer differs. */
function isInPath(model: unknown, { start }: Message): boolean {
  return typeof model === 'string' && decodeURIComponent(start[1]).includes(model)
}

function difference(what: string, expected: unknown, got: unknown): Difference[] {
  return isDeepStrictEqual(expected, got) ? [] : [{ what, expected, got }]
}
