/**
 * Recorded exchanges, stream events and realtime sessions of LLM providers. Each exchange is
 * read whole, one byte at a time, cut at offsets drawn from its id, at every offset when it is
 * small, and under each content coding; every way must say what the row says.
 */
import { isDeepStrictEqual } from 'node:util'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { ContentDecoder } from '../../src/http/content-coding.js'
import { endOf } from '../../src/providers/end-of.js'
import { recognise, recogniseBody } from '../../src/providers/index.js'
import type { Recognised } from '../../src/providers/index.js'
import { SessionReader } from '../../src/providers/live.js'
import type { RequestFacts, ResponseFacts } from '../../src/providers/provider.js'
import { outcomeOf } from './kind.js'
import type { CaseKind, Difference, Outcome, Row } from './kind.js'
import { pairUrl, tokensOf, urlOf } from './llm-row.js'
import type { Expected, PairRow } from './llm-row.js'
import { namesIn, playPair } from './llm-wire.js'
import { Wire } from './wire.js'

export const llmCases: CaseKind = {
  name: 'llm',
  about: 'exchanges with providers: models, text, tool calls, tokens, finish, error',
  open: async (files = []) => {
    const names = await namesIn(files)
    const wire = names.length === 0 ? undefined : await Wire.open(names)
    return {
      categoryOf,
      run: (row: Row) => runRow(row, wire),
      [Symbol.asyncDispose]: async () => wire?.[Symbol.asyncDispose](),
    }
  },
}

/** Bodies up to this many bytes are cut at every offset. */
const EVERY_OFFSET_BYTES = 4_096
const RANDOM_WAYS = 20

function categoryOf(row: Row): string {
  const { provider } = row
  const name = typeof provider === 'string' ? provider : 'realtime'
  if (Array.isArray(row['events'])) return `${name} events`
  if (Array.isArray(row['messages'])) return 'websocket'
  const expected = row['expected'] as Expected | undefined
  return `${name} ${expected?.stream === true ? 'stream' : 'body'}`
}

async function runRow(row: Row, wire: Wire | undefined): Promise<Outcome> {
  if (Array.isArray(row['events'])) return runEvents(row)
  if (Array.isArray(row['messages'])) return runSession(row)
  if (row['request'] === undefined) return { kind: 'skipped', why: 'no exchange' }
  const pair = row as unknown as PairRow
  const read = await runPair(pair)
  const passed = wire === undefined ? [] : await playPair(pair, wire)
  if (passed.length === 0) return read
  return outcomeOf([...(read.kind === 'wrong' ? read.differences : []), ...passed])
}

async function runPair(row: PairRow): Promise<Outcome> {
  const url = pairUrl(row)
  if (url === undefined)
    return {
      kind: 'skipped',
      why: `no URL, and nobody knows the shape of ${row.provider}`,
    }
  const path = url.pathname + url.search
  const asked = parsed(row.request.body)
  const found =
    recognise({ host: url.hostname, method: row.request.method, path }) ??
    recogniseBody(asked)
  if (found === undefined)
    return { kind: 'skipped', why: `nobody here reads ${row.provider}` }
  const request = found.provider.readRequest(asked, {
    api: found.api,
    path,
  })
  const bytes = Buffer.from(row.response.body)
  const read = (chunks: readonly Uint8Array[]): ResponseFacts =>
    readChunks(found, row, { path, request, chunks })
  const whole = read([bytes])
  const differences = compare(row, request, whole)
  for (const { way, chunks } of waysOf(row.id, bytes)) {
    if (differences.length > 0) break
    const facts = read(chunks)
    if (!isDeepStrictEqual(facts, whole))
      differences.push({ what: `facts, ${way}`, expected: whole, got: facts })
  }
  if (differences.length === 0)
    differences.push(...(await underCodings(bytes, whole, read)))
  if (differences.length > 0) return outcomeOf(differences)
  return saysNothing(row) && whole.unread > 0
    ? { kind: 'skipped', why: 'the row says nothing and no reader knows it' }
    : outcomeOf([])
}

interface Reading {
  readonly path: string
  readonly request: RequestFacts
  readonly chunks: readonly Uint8Array[]
}

function readChunks(found: Recognised, row: PairRow, reading: Reading): ResponseFacts {
  const contentType = row.response.headers['content-type']
  const reader = found.provider.reader({
    api: found.api,
    path: reading.path,
    status: row.response.status,
    contentType: typeof contentType === 'string' ? contentType : undefined,
    promptChars: reading.request.promptChars,
  })
  for (const chunk of reading.chunks) reader.push(chunk)
  return reader.end()
}

function* waysOf(
  id: string,
  bytes: Buffer,
): Generator<{ way: string; chunks: readonly Uint8Array[] }> {
  yield {
    way: '1 byte at a time',
    chunks: Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
  }
  const random = drawn(id)
  for (let turn = 0; turn < RANDOM_WAYS; turn++) {
    const offsets = Array.from(
      { length: 1 + (random() % 9) },
      () => random() % bytes.length,
    )
    yield { way: `cut at ${offsets.join(', ')}`, chunks: cut(bytes, offsets) }
  }
  if (bytes.length > EVERY_OFFSET_BYTES) return
  for (let at = 1; at < bytes.length; at++)
    yield { way: `cut at ${at}`, chunks: cut(bytes, [at]) }
}

function cut(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const sorted = [0, ...offsets, bytes.length].sort((a, b) => a - b)
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end))
}

/** The same numbers for the same row, run after run (xorshift over the id). */
function drawn(id: string): () => number {
  let state = 2463534242
  for (const char of id) state = (Math.imul(state, 31) + char.charCodeAt(0)) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state = (state ^ (state << 5)) >>> 0
    return state
  }
}

const ENCODERS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync } as const

async function underCodings(
  bytes: Buffer,
  whole: ResponseFacts,
  read: (chunks: readonly Uint8Array[]) => ResponseFacts,
): Promise<Difference[]> {
  const differences: Difference[] = []
  for (const coding of ['gzip', 'deflate', 'br'] as const) {
    const chunks: Buffer[] = []
    const decoder = new ContentDecoder(coding, (chunk) => chunks.push(chunk))
    const coded = ENCODERS[coding](bytes)
    for (let at = 0; at < coded.length; at += 1_000)
      decoder.push(coded.subarray(at, at + 1_000))
    const end = await decoder.end()
    if (end !== 'whole') differences.push({ what: coding, expected: 'whole', got: end })
    const facts = read(chunks)
    if (!isDeepStrictEqual(facts, whole))
      differences.push({ what: `facts, under ${coding}`, expected: whole, got: facts })
  }
  return differences
}

/**
 * What the row's tool could not read it left empty: Bedrock's, Cohere's and Realtime's shapes. There
 * an empty value is no expectation; everywhere else it is one.
 */
function compare(
  row: PairRow,
  request: RequestFacts,
  answer: ResponseFacts,
): Difference[] {
  const { expected } = row
  const lenient = toolIsBlind(row)
  const differences: Difference[] = []
  const check = (what: string, want: unknown, got: unknown): void => {
    const blank =
      want === null || want === '' || (Array.isArray(want) && want.length === 0)
    if (lenient && blank) return
    if (!isDeepStrictEqual(want ?? undefined, got ?? undefined))
      differences.push({ what, expected: want, got })
  }
  const { usage } = answer
  check('request model', expected.request_model, request.model)
  check('response model', expected.response_model, answer.model)
  check('stream', expected.stream, request.stream ?? false)
  check('text', expected.text ?? '', answer.text)
  check('tool calls', expected.tool_calls.map(plainCall), answer.toolCalls.map(readCall))
  const tokens = tokensOf(row)
  check('input tokens', tokens.input, usage.inputEstimated ? null : usage.inputTokens)
  check('output tokens', tokens.output, usage.outputEstimated ? null : usage.outputTokens)
  // A status of work that goes on (`queued`) is no end, whatever its field is called.
  check('finish', endOf(expected.finish) ?? null, answer.finishReason)
  check('error message', expected.error?.['message'] ?? null, answer.error?.message)
  check('error type', expected.error?.['type'] ?? null, answer.error?.type)
  // The rows count server-sent events only, not the lines or messages of other framings.
  if (expected.sse_events !== null || !answer.streamed)
    check('events', expected.sse_events ?? 0, answer.events)
  check('complete', true, answer.complete)
  return differences
}

function toolIsBlind(row: PairRow): boolean {
  const path = pairUrl(row)?.pathname ?? ''
  return (
    // A session's model stands further down than where it looks.
    /\/realtime\//.test(path) ||
    row.provider === 'cohere' ||
    (row.provider === 'bedrock' && path.startsWith('/model/'))
  )
}

function saysNothing({ expected }: PairRow): boolean {
  return (
    expected.response_model === null && expected.text === '' && expected.error === null
  )
}

function plainCall(call: { name: string; arguments: string }): unknown {
  return { name: call.name, arguments: parsed(call.arguments) ?? call.arguments }
}

function readCall(call: { name: string; argumentsText: string }): unknown {
  const text = call.argumentsText === '' ? '{}' : call.argumentsText
  return { name: call.name, arguments: parsed(text) ?? text }
}

function parsed(text: string | null): unknown {
  if (text === null) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** No expectation beside the events: all are read, the model is told, the end is seen. */
function runEvents(row: Row): Outcome {
  const events = row['events'] as readonly string[]
  const provider = String(row['provider'])
  const joined = events.join('\n')
  if (joined.includes('"serverContent"')) return runFrames('gemini', events)
  if (joined.includes('"session.created"')) return runFrames('openai', events)
  const url = urlOf(row, joined)
  if (url === undefined)
    return { kind: 'skipped', why: `no URL, and nobody knows the shape of ${provider}` }
  const { hostname: host, pathname: path } = url
  const found = recognise({ host, method: 'POST', path })
  if (found === undefined)
    return outcomeOf([{ what: 'provider', expected: provider, got: 0 }])
  const bytes = Buffer.from(events.map((data) => `data: ${data}\n\n`).join(''))
  const read = (chunks: readonly Uint8Array[]): ResponseFacts => {
    const contentType = 'text/event-stream'
    const context = { api: found.api, path, status: 200, contentType }
    const reader = found.provider.reader(context)
    for (const chunk of chunks) reader.push(chunk)
    return reader.end()
  }
  const whole = read([bytes])
  const differences: Difference[] = []
  const check = (what: string, expected: unknown, got: unknown): void => {
    if (!isDeepStrictEqual(expected, got)) differences.push({ what, expected, got })
  }
  check('events', events.length, whole.events)
  check('unread', 0, whole.unread)
  check('complete', true, whole.complete)
  check('model told', joined.includes('"model'), whole.model !== undefined)
  for (const { way, chunks } of waysOf(String(row['id']), bytes))
    check(`facts, ${way}`, whole, read(chunks))
  return outcomeOf(differences)
}

function runFrames(kind: 'openai' | 'gemini', frames: readonly string[]): Outcome {
  const reader = new SessionReader(kind)
  for (const frame of frames) reader.fromServer(frame)
  const { response, serverFrames } = reader.end()
  return outcomeOf([
    ...difference('frames', frames.length, serverFrames),
    ...difference('unread', 0, response.unread),
    ...difference('text', true, response.text.length > 0),
  ])
}

interface SessionMessage {
  readonly dir: 'sent' | 'received'
  readonly data: unknown
}

function runSession(row: Row): Outcome {
  const messages = row['messages'] as readonly SessionMessage[]
  const expected = row['expected'] as { sent: number; received: number }
  const gemini = messages.some(({ data }) =>
    JSON.stringify(data).includes('setupComplete'),
  )
  const reader = new SessionReader(gemini ? 'gemini' : 'openai')
  for (const { dir, data } of messages) {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    if (dir === 'sent') reader.fromClient(text)
    else reader.fromServer(text)
  }
  const { request, response, turns, clientFrames, serverFrames } = reader.end()
  return outcomeOf([
    ...difference('sent', expected.sent, clientFrames),
    ...difference('received', expected.received, serverFrames),
    ...difference('unread', 0, response.unread),
    ...difference('model', true, response.model !== undefined),
    ...difference('prompt', true, request.promptText.length > 0),
    ...difference('text', true, response.text.length > 0),
    ...difference('tokens', true, (response.usage.outputTokens ?? 0) > 0),
    ...difference('turns', true, turns > 0),
  ])
}

function difference(what: string, expected: unknown, got: unknown): Difference[] {
  return isDeepStrictEqual(expected, got) ? [] : [{ what, expected, got }]
}
