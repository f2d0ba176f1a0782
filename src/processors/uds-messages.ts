/**
 * The messages of the agent protocol, version 2, as JSON: what we tell, and what an agent says,
 * as the published code has it. `decision` is a word or an object with one name.
 */
import type {
  Asked,
  Introduction,
  ProcessorEvent,
  Ruling,
  ShownHead,
  ShownMessage,
  Verdict,
} from './words.js'
import type { Told } from './told.js'
import { FRAME } from './uds-frames.js'
import { ProcessorFailure } from './words.js'
import {
  auditNote,
  blockStatus,
  fieldChange,
  fieldChanges,
  plainText,
  redirectTo,
} from './verdict.js'

const VERSION = 2

/** By the numbers in which agents name what they are for. */
const EVENT_NUMBERS: readonly (ProcessorEvent | undefined)[] = [
  undefined,
  'request_headers',
  'request_body',
  'response_headers',
  'response_body',
  'complete',
  'websocket',
]

export function handshakeText(version: string): string {
  return JSON.stringify({
    supported_versions: [VERSION],
    proxy_id: 'yori',
    proxy_version: version,
    config: null,
    supported_encodings: ['json'],
  })
}

/** @throws ProcessorFailure where it is none, or a refusal */
export function readIntroduction(payload: Buffer): Introduction {
  const said = objectOf(payload)
  if (said['success'] !== true)
    throw new ProcessorFailure('refused', plainText(said['error'], 200))
  if (said['protocol_version'] !== VERSION)
    throw new ProcessorFailure('malformed', 'another version of the protocol')
  const { encoding = 'json' } = said
  if (encoding !== 'json') throw new ProcessorFailure('malformed', 'another encoding')
  const capabilities = record(said['capabilities'])
  const { supported_events: events } = capabilities
  const most = record(capabilities['limits'])['max_body_size']
  return {
    name: plainText(capabilities['name'] ?? capabilities['agent_id'], 64) ?? '',
    version: plainText(capabilities['version'], 64) ?? '',
    events: Array.isArray(events)
      ? events.flatMap((number: unknown) => EVENT_NUMBERS[Number(number)] ?? [])
      : undefined,
    maxBodyBytes: typeof most === 'number' && most > 0 ? most : undefined,
  }
}

export function requestHeadText({ requestId, head, body }: Asked): string {
  return JSON.stringify({
    metadata: {
      correlation_id: requestId,
      request_id: requestId,
      client_ip: head.clientAddress,
      client_port: head.clientPort,
      server_name: head.host,
      protocol: head.protocol,
      tls_version: null,
      tls_cipher: null,
      route_id: head.provider ?? null,
      upstream_id: head.host,
      // Beside the protocol: who waits for it need not look at a head twice.
      has_body: body !== undefined,
      timestamp: new Date(head.startedAt).toISOString(),
      ...(head.traceparent === undefined ? {} : { traceparent: head.traceparent }),
    },
    method: head.method,
    uri: head.path,
    headers: byName(head.fields),
  })
}

function byName(fields: ShownHead['fields']): Record<string, string[]> {
  const named = new Map<string, string[]>()
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string
    const values = named.get(name)
    if (values === undefined) named.set(name, [fields[i + 1] as string])
    else values.push(fields[i + 1] as string)
  }
  return Object.fromEntries(named)
}

export interface Chunk {
  readonly bytes: Buffer
  readonly index: number
  readonly isLast: boolean
  /** With this one. */
  readonly sofar: number
  readonly total: number | undefined
}

export function requestChunkText(requestId: string, chunk: Chunk): string {
  return JSON.stringify({
    correlation_id: requestId,
    data: chunk.bytes.toString('base64'),
    is_last: chunk.isLast,
    total_size: chunk.total ?? null,
    chunk_index: chunk.index,
    bytes_received: chunk.sofar,
  })
}

export function messageText(requestId: string, { text, index }: ShownMessage): string {
  return JSON.stringify({
    correlation_id: requestId,
    opcode: 'text',
    data: Buffer.from(text).toString('base64'),
    client_to_server: true,
    frame_index: index,
    fin: true,
  })
}

/** Which frame it is, and its payload. */
export function toldMessage(
  requestId: string,
  told: Told,
): { readonly type: number; readonly text: string } {
  switch (told.kind) {
    case 'response_headers': {
      const { status, fields } = told
      const text = { correlation_id: requestId, status, headers: byName(fields) }
      return { type: FRAME.responseHead, text: JSON.stringify(text) }
    }
    case 'response_body': {
      const text = JSON.stringify({
        correlation_id: requestId,
        data: told.bytes.toString('base64'),
        is_last: told.isLast,
        total_size: told.isLast ? told.sofar : null,
        chunk_index: told.index,
        bytes_sent: told.sofar,
      })
      return { type: FRAME.responseBody, text }
    }
    case 'complete': {
      const text = JSON.stringify({
        correlation_id: requestId,
        status: told.status,
        duration_ms: told.durationMs,
        request_body_size: told.requestBytes,
        response_body_size: told.responseBytes,
        upstream_attempts: told.attempts,
        error: told.error ?? null,
      })
      return { type: FRAME.complete, text }
    }
  }
}

export function cancelText(requestId: string): string {
  return JSON.stringify({ correlation_id: requestId, reason: 'timeout' })
}

export interface AgentAnswer extends Verdict {
  /** Its ruling may change with what it is told next. */
  readonly needsMore: boolean
  /** To which chunk its new body belongs. */
  readonly chunkIndex: number
}

/** @throws ProcessorFailure where it is none, or of another request */
export function readAnswer(payload: Buffer, requestId: string): AgentAnswer {
  const said = objectOf(payload)
  const audit = record(said['audit'])
  const { correlation_id: about } = record(audit['custom'])
  if (about !== undefined && about !== requestId)
    throw new ProcessorFailure('malformed', 'an answer about another request')
  const mutation = record(said['request_body_mutation'])
  const { data, chunk_index: index = 0 } = mutation
  return {
    ruling: ofMessage(said['websocket_decision']) ?? rulingOf(said['decision']),
    requestFields: changesOf(said['request_headers']),
    responseFields: changesOf(said['response_headers']),
    body: typeof data === 'string' ? Buffer.from(data, 'base64') : undefined,
    audit: auditNote({
      tags: audit['tags'],
      ruleIds: audit['rule_ids'],
      reasons: audit['reason_codes'],
      confidence: audit['confidence'],
    }),
    needsMore: said['needs_more'] === true,
    chunkIndex: Number(index),
  }
}

function rulingOf(decision: unknown): Ruling {
  if (decision === 'allow') return { kind: 'allow' }
  const [named, ...others] = Object.entries(record(decision))
  if (named === undefined || others.length > 0) throw unknownDecision()
  const [kind, told] = named
  const with_ = record(told)
  switch (kind) {
    case 'allow':
      return { kind: 'allow' }
    case 'block':
      return {
        kind: 'block',
        status: blockStatus(with_['status']),
        text: plainText(with_['body']),
        fields: fieldChanges(
          Object.entries(record(with_['headers'])).map(([name, value]) =>
            fieldChange('set', name, value),
          ),
        ),
      }
    case 'redirect': {
      const to = redirectTo(with_['url'], with_['status'])
      if (to === undefined) throw new ProcessorFailure('malformed', 'no URL to go to')
      return { kind: 'redirect', ...to }
    }
    case 'challenge':
      return { kind: 'challenge', type: plainText(with_['challenge_type'], 64) ?? '' }
    default:
      throw unknownDecision()
  }
}

/** Of a message: `allow`, or one that does not go on. Undefined: it says nothing of it. */
function ofMessage(decision: unknown): Ruling | undefined {
  const { close } = record(decision)
  if (decision !== 'drop' && close === undefined) return undefined
  const text = plainText(record(close)['reason'])
  return { kind: 'block', status: undefined, text, fields: [] }
}

function unknownDecision(): ProcessorFailure {
  return new ProcessorFailure('malformed', 'no decision')
}

/** Each of them an object with one name. */
function changesOf(list: unknown): Verdict['requestFields'] {
  if (!Array.isArray(list)) return []
  return fieldChanges(
    (list as readonly unknown[]).map((one) => {
      const [named] = Object.entries(record(one))
      const [kind, told] = named ?? []
      if (kind !== 'set' && kind !== 'add' && kind !== 'remove') return undefined
      const { name, value } = record(told)
      return fieldChange(kind, name, kind === 'remove' ? '' : value)
    }),
  )
}

function objectOf(payload: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(payload.toString())
  } catch {
    throw new ProcessorFailure('malformed', 'no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ProcessorFailure('malformed', 'no object')
  return value as Record<string, unknown>
}

function record(value: unknown): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Record<string, unknown>) : {}
}
