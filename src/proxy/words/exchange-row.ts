/**
 * The row of an exchange as one object with all of its fields from the beginning: one that grows
 * by what is told of it is copied again and again, takes several times the room, and is read
 * slowly. A field that nobody has told of is undefined.
 */
import type { ExchangeRecord } from '../../core/record.js'

/** What of it is known. */
export type KnownOf<Row> = { readonly [Field in keyof Row]?: Row[Field] | undefined }

/** Of an exchange, when its head has come. */
export type ExchangeOpened = Pick<
  ExchangeRecord,
  | ('requestId' | 'connectionId' | 'device' | 'startedAt' | 'endpointDomain')
  | ('httpVersion' | 'method' | 'path')
> &
  KnownOf<
    Pick<
      ExchangeRecord,
      | ('userAgent' | 'provider' | 'api' | 'call' | 'program' | 'traceparent')
      | ('uninspectable' | 'requestBytes' | 'key' | 'keySubjects' | 'tags' | 'toolName')
    >
  >

/** Undefined stands for what is not there: nobody asks whether a row has a field. */
export type AllFields = {
  [Field in keyof Required<ExchangeRecord>]: ExchangeRecord[Field] | undefined
}

export function newRow(opened: ExchangeOpened): AllFields {
  return {
    requestId: opened.requestId,
    connectionId: opened.connectionId,
    device: opened.device,
    startedAt: opened.startedAt,
    endpointDomain: opened.endpointDomain,
    httpVersion: opened.httpVersion,
    method: opened.method,
    path: opened.path,
    userAgent: opened.userAgent,
    traceparent: opened.traceparent,
    program: opened.program,
    provider: opened.provider,
    api: opened.api,
    call: opened.call,
    model: undefined,
    promptPreview: undefined,
    requestBody: undefined,
    responseBody: undefined,
    requestBytes: opened.requestBytes ?? 0,
    responseBytes: 0,
    status: undefined,
    outcome: undefined,
    reason: undefined,
    code: undefined,
    phase: undefined,
    policyName: undefined,
    policyDecision: undefined,
    policyMessage: undefined,
    bypass: undefined,
    stream: undefined,
    latencyMs: undefined,
    firstByteMs: undefined,
    firstTokenMs: undefined,
    tokensPerSecond: undefined,
    inputTokens: undefined,
    outputTokens: undefined,
    cachedTokens: undefined,
    cacheWriteTokens: undefined,
    cacheWriteHourTokens: undefined,
    reasoningTokens: undefined,
    inputEstimated: undefined,
    outputEstimated: undefined,
    costMicroUsd: undefined,
    costAtMostMicroUsd: undefined,
    finishReason: undefined,
    serviceTier: undefined,
    toolCalls: undefined,
    responseId: undefined,
    attachments: undefined,
    promptChars: undefined,
    toolsOffered: undefined,
    findings: undefined,
    foundMarks: undefined,
    refusedFor: undefined,
    countedIn: undefined,
    corrects: undefined,
    repeated: undefined,
    sessionId: undefined,
    agentId: undefined,
    fragmented: undefined,
    key: opened.key,
    toolName: opened.toolName,
    ungoverned: undefined,
    keySubjects: opened.keySubjects,
    tags: opened.tags,
    uninspectable: opened.uninspectable,
    unseenBy: undefined,
    retried: undefined,
    upstream: undefined,
    attempts: undefined,
    retries: undefined,
    fallback: undefined,
    cache: undefined,
    redacted: undefined,
    unrestored: undefined,
    truncated: undefined,
    trailersDropped: undefined,
    clientFrames: undefined,
    serverFrames: undefined,
    clientMessages: undefined,
    serverMessages: undefined,
    closeCode: undefined,
    unreadMessages: undefined,
  }
}
