/**
 * The messages of Envoy's external processing, version 3 (`envoy.service.ext_proc.v3`), as far
 * as they are said here: heads and bodies of requests, and of answers for a look. Fields are those of the published
 * descriptions; what is not known is passed over. Pure.
 */
import { lengthField, readFields, varintField } from './proto-fields.js'
import type { ProtoValue } from './proto-fields.js'
import type { Told } from './told.js'
import {
  blockStatus,
  fieldChange,
  fieldChanges,
  plainText,
  redirectTo,
} from './verdict.js'
import type { Asked, FieldChange, ShownBody, Verdict } from './words.js'
import { NO_NOTE, NO_OBJECTION, ProcessorFailure } from './words.js'

/** Of `ProcessingRequest`, and of what answers it. */
const REQUEST = {
  requestHeaders: 2,
  responseHeaders: 3,
  requestBody: 4,
  responseBody: 5,
  observabilityMode: 10,
} as const
/** By which what is told of an answer is known to belong to a request. */
const ID_FIELD = 'x-yori-request-id'
const RESPONSE = {
  requestHeaders: 1,
  requestBody: 3,
  immediate: 7,
} as const

/** Pseudo fields go first, as Envoy has them. */
export function requestHeadersMessage({ requestId, head, body }: Asked): Buffer {
  const pseudo = [
    [':method', head.method],
    [':scheme', 'https'],
    [':authority', head.host],
    [':path', head.path],
    [ID_FIELD, requestId],
  ]
  const http = headersOf(pseudo.flat(), head.fields, body === undefined)
  return lengthField(REQUEST.requestHeaders, http)
}

/** Of an answer that goes to its client meanwhile. */
export function toldMessage(
  requestId: string,
  told: Exclude<Told, { readonly kind: 'complete' }>,
): Buffer {
  const observed = varintField(REQUEST.observabilityMode, 1)
  if (told.kind === 'response_headers') {
    const first = [':status', String(told.status), ID_FIELD, requestId]
    const http = headersOf(first, told.fields, told.isLast)
    return Buffer.concat([lengthField(REQUEST.responseHeaders, http), observed])
  }
  const { bytes, isLast } = told
  const body = bodyOf(bytes, isLast)
  return Buffer.concat([lengthField(REQUEST.responseBody, body), observed])
}

function headersOf(
  first: readonly string[],
  others: readonly string[],
  isLast: boolean,
): Buffer {
  const fields: Buffer[] = []
  for (const flat of [first, others])
    for (let i = 0; i + 1 < flat.length; i += 2)
      fields.push(lengthField(1, headerValue(flat[i] as string, flat[i + 1] as string)))
  const http = [lengthField(1, Buffer.concat(fields))]
  if (isLast) http.push(varintField(3, 1))
  return Buffer.concat(http)
}

function headerValue(name: string, value: string): Buffer {
  return Buffer.concat([
    lengthField(1, Buffer.from(name)),
    lengthField(3, Buffer.from(value, 'latin1')),
  ])
}

export function requestBodyMessage({ bytes, isCut }: ShownBody): Buffer {
  return lengthField(REQUEST.requestBody, bodyOf(bytes, !isCut))
}

function bodyOf(bytes: Buffer, isLast: boolean): Buffer {
  const parts = [lengthField(1, bytes)]
  if (isLast) parts.push(varintField(2, 1))
  return Buffer.concat(parts)
}

/** What a processor answered to one message. */
export type ProcReply =
  | { readonly kind: 'headers' | 'body'; readonly verdict: Verdict }
  /** It answers in place of the provider. */
  | { readonly kind: 'immediate'; readonly verdict: Verdict }
  /** Of something else: how long it takes, what it wants next. */
  | { readonly kind: 'other' }

/** @throws ProcessorFailure where it is none */
export function readReply(bytes: Buffer): ProcReply {
  let reply: ProcReply = { kind: 'other' }
  for (const { number, value } of readFields(bytes)) {
    if (number === RESPONSE.requestHeaders)
      reply = { kind: 'headers', verdict: common(messageIn(value)) }
    else if (number === RESPONSE.requestBody)
      reply = { kind: 'body', verdict: common(messageIn(value)) }
    else if (number === RESPONSE.immediate)
      reply = { kind: 'immediate', verdict: immediate(messageIn(value)) }
  }
  return reply
}

/** `HeadersResponse` and `BodyResponse`: 1 CommonResponse. */
function common(bytes: Buffer): Verdict {
  let verdict = NO_OBJECTION
  for (const { number, value } of readFields(bytes)) {
    if (number !== 1) continue
    for (const inner of readFields(messageIn(value))) {
      if (inner.number === 2)
        verdict = { ...verdict, requestFields: mutation(messageIn(inner.value)) }
      else if (inner.number === 3)
        verdict = { ...verdict, body: bodyMutation(messageIn(inner.value)) }
    }
  }
  return verdict
}

/** `HeaderMutation`: 1 set_headers, each with 1 header; 2 names to remove. */
function mutation(bytes: Buffer): readonly FieldChange[] {
  const changes: (FieldChange | undefined)[] = []
  for (const { number, value } of readFields(bytes)) {
    if (number === 2) changes.push(fieldChange('remove', messageIn(value).toString()))
    else if (number === 1) changes.push(setHeader(messageIn(value)))
  }
  return fieldChanges(changes)
}

/** Of `append_action`. */
const ADD_IF_ABSENT = 1

/** `HeaderValueOption`: 1 header, 2 append (a wrapped bool), 3 append_action. */
function setHeader(bytes: Buffer): FieldChange | undefined {
  let name = ''
  let text = ''
  let adds = false
  for (const { number, value } of readFields(bytes)) {
    if (number === 1)
      for (const part of readFields(messageIn(value))) {
        if (part.number === 1) name = messageIn(part.value).toString()
        else if (part.number === 2 || part.number === 3) {
          const said = messageIn(part.value).toString('latin1')
          if (said !== '') text = said
        }
      }
    else if (number === 2)
      adds ||= readFields(messageIn(value)).some((flag) => flag.value === 1)
    else if (number === 3) adds ||= value === ADD_IF_ABSENT
  }
  return fieldChange(adds ? 'add' : 'set', name, text)
}

/** `BodyMutation`: 1 body, or 2 clear_body. */
function bodyMutation(bytes: Buffer): Buffer | undefined {
  for (const { number, value } of readFields(bytes)) {
    if (number === 1) return messageIn(value)
    if (number === 2 && value === 1) return Buffer.alloc(0)
  }
  return undefined
}

/** `ImmediateResponse`: 1 status{1 code}, 2 headers, 3 body, 5 details. */
function immediate(bytes: Buffer): Verdict {
  let status = 0
  let fields: readonly FieldChange[] = []
  let text: string | undefined
  let details: string | undefined
  for (const { number, value } of readFields(bytes)) {
    if (number === 1)
      for (const part of readFields(messageIn(value)))
        if (part.number === 1 && typeof part.value === 'number') status = part.value
    if (number === 2) fields = mutation(messageIn(value))
    else if (number === 3) text = plainText(messageIn(value).toString())
    else if (number === 5) details = plainText(messageIn(value).toString(), 128)
  }
  const audit = details === undefined ? NO_NOTE : { ...NO_NOTE, reasons: [details] }
  const location = fields.find(({ name }) => name === 'location')?.value
  const to = status >= 300 && status < 400 ? redirectTo(location, status) : undefined
  if (to !== undefined)
    return { ...NO_OBJECTION, audit, ruling: { kind: 'redirect', ...to } }
  const ruling = { kind: 'block', status: blockStatus(status), text, fields } as const
  return { ...NO_OBJECTION, audit, ruling }
}

function messageIn(value: ProtoValue): Buffer {
  if (typeof value === 'number')
    throw new ProcessorFailure('malformed', 'a number where a message is')
  return value
}
