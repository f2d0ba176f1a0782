/**
 * The words in which the pipeline tells the store what happened. Three kinds of row: a
 * connection (TCP), an exchange (one request with its response, RFC 9110 §3.4) and an event.
 * Times are milliseconds since the Unix epoch; sizes are bytes.
 */
import type { ErrorCode } from './errors.js'
import type { Phase } from './phases.js'

export interface Device {
  readonly ip: string
  readonly mac?: string
  /** The MAC was chosen by software, not by a vendor: it may change. Set with `mac`. */
  readonly locallyAdministered?: boolean
  readonly hostname?: string
}

/** A program of this machine, as its name and the folder in which it works tell it apart. */
export interface Program {
  readonly name: string
  readonly folder?: string
}

/** How the connection reached us. `dialled` is TLS to our own address. */
export type Way = 'redirected' | 'dialled' | 'explicit' | 'direct'

/** How a connection ended, for coverage: exactly one each. */
export type Coverage =
  | 'inspected'
  | 'tunnel-not-endpoint'
  | 'tunnel-exempt'
  | 'tunnel-never'
  | 'tunnel-pinned'
  | 'tunnel-not-trusted'
  | 'tunnel-clock'
  | 'tunnel-ech'
  | 'tunnel-no-sni'
  | 'tunnel-ip-sni'
  | 'tunnel-alpn'
  | 'tunnel-h2-only'
  | 'tunnel-not-tls'
  | 'tunnel-hello-timeout'
  | 'tunnel-endpoint-off'
  | 'tunnel-ca-unusable'
  | 'tunnel-client-certificate'
  | 'tunnel-media-elsewhere'
  | 'own'
  | 'refused'
  | 'failed'

/** What the one writer of a row may do with it; everybody else only reads. */
export type WritableRow<Row> = { -readonly [Field in keyof Row]: Row[Field] }

/** One row, written when the connection has ended. */
export interface ConnectionRecord {
  readonly connectionId: string
  readonly device: Device
  readonly clientPort: number
  readonly way: Way
  readonly openedAt: number
  readonly closedAt: number
  /** `address:port` that was dialled, or that the client asked for. */
  readonly destination?: string
  /** The SNI or CONNECT name: an endpoint's always, others only when the operator opted in. */
  readonly serverName?: string
  /** What the name was, for counting: an endpoint's `domain`, or one of `NAME_CLASSES`. */
  readonly nameClass: string
  readonly coverage: Coverage
  readonly bytesFromClient: number
  readonly bytesToClient: number
  readonly exchanges: number
  /** Why it ended, when not by an ordinary close. */
  readonly code?: ErrorCode
}

export type ExchangeOutcome = 'response' | 'block' | 'error'
export type PolicyDecision = 'allow' | 'deny' | 'alert'

/** What went along with a prompt: its kind and size, never its content. */
export interface AttachmentNote {
  readonly kind: 'image' | 'audio' | 'video' | 'file'
  readonly mediaType?: string
  /** Undefined when the request only refers to it. */
  readonly bytes?: number
}

/** Why a request or its response was not read, or not to its end: part of coverage. */
export type Uninspectable =
  /** No reader knows this path. */
  | 'unknown-api'
  /** It holds no text, or a document that nobody here reads. */
  | 'not-text'
  /** A content coding that cannot be undone, or not on the way to the provider. */
  | 'content-coding'
  /** A bound cut it, and what is behind was not looked at. */
  | 'partly-unseen'
  /** Too much to be built: its text was looked at, its structure was not. */
  | 'too-deep'
  | 'too-many-values'
  | 'malformed'
  /** Too many bodies were held at once. */
  | 'no-room'
  /** A reader of ours failed; the exchange went on. */
  | 'failed'
  /** What is said in the conversation that it opens takes another way. */
  | 'media-elsewhere'
  /** Messages after an upgrade: all of them, or those that no reader knows. */
  | 'upgraded'
  /** The response, or events of it. */
  | 'response'

/**
 * One row. Its log opens it when the request head is known, fills it as it is told, and closes
 * it once; the store may write it at any moment between, so every field has a value.
 */
export interface ExchangeRecord {
  readonly requestId: string
  readonly connectionId: string
  readonly device: Device
  readonly startedAt: number
  readonly endpointDomain: string
  readonly httpVersion: string
  readonly method: string
  /** The path without its query: queries can hold keys. */
  readonly path: string
  readonly userAgent?: string
  /** The trace that the client belongs to, by its `traceparent`; W3C Trace Context. */
  readonly traceparent?: string
  /** Who sent it, where it came from this machine and that is known. */
  readonly program?: Program
  readonly provider?: string
  /** Which of the provider's APIs, in our words; undefined: nobody knows the path. */
  readonly api?: string
  /** It asks a model for work: what quotas count. Lists, polls and settings are none. */
  readonly call?: boolean
  readonly model?: string
  readonly promptPreview?: string
  readonly requestBody?: string
  readonly responseBody?: string
  readonly requestBytes: number
  readonly responseBytes: number
  readonly status?: number
  /** Undefined while the exchange is open. */
  readonly outcome?: ExchangeOutcome
  /** Plain words: why it was blocked, alerted on or failed. */
  readonly reason?: string
  readonly code?: ErrorCode
  /** Of one that failed: where it stood. */
  readonly phase?: Phase
  readonly policyName?: string
  readonly policyDecision?: PolicyDecision
  readonly policyMessage?: string
  readonly bypass?: string
  readonly stream?: boolean
  /** Request start to response end. */
  readonly latencyMs?: number
  /** Request start to the first byte of the response body. */
  readonly firstByteMs?: number
  /** Request start to the first words of the model in a stream. */
  readonly firstTokenMs?: number
  /** Of a stream: output tokens in a second, from the first words to the end. */
  readonly tokensPerSecond?: number
  /** All that went in, with what the provider read from its cache or wrote to it. */
  readonly inputTokens?: number
  /** All that came out, with its reasoning. */
  readonly outputTokens?: number
  /** Of the input. */
  readonly cachedTokens?: number
  readonly cacheWriteTokens?: number
  readonly cacheWriteHourTokens?: number
  /** Of the output. */
  readonly reasoningTokens?: number
  /** That count is our estimate; set with it. */
  readonly inputEstimated?: boolean
  readonly outputEstimated?: boolean
  readonly costMicroUsd?: number
  /** Where the cost is not known: the most that it may be, for what counts money. */
  readonly costAtMostMicroUsd?: number
  readonly finishReason?: string
  /** The tier by which the provider served it, in its word; undefined: it did not say. */
  readonly serviceTier?: string
  /** Names of tools that the model called, in order. */
  readonly toolCalls?: readonly string[]
  /** The provider's id of this answer. */
  readonly responseId?: string
  readonly attachments?: readonly AttachmentNote[]
  /** Characters of all text that went to the model. */
  readonly promptChars?: number
  /** Names of tools that the request offered to the model. */
  readonly toolsOffered?: readonly string[]
  /** Personal data in the prompt: kinds and how often. Undefined: nobody looked. */
  readonly findings?: readonly { readonly kind: string; readonly count: number }[]
  /** Of one that was blocked for what it said: digests of that, for whoever approves it. */
  readonly foundMarks?: readonly string[]
  /** Of one that was blocked: what it was blocked for, to tell repeats. No column. */
  readonly refusedFor?: RefusedFor
  /** Its answer is counted in the row of this request, which began it or told of it first. */
  readonly countedIn?: string
  /** What that row has to say since. No column. */
  readonly corrects?: AnsweredRow
  /** Of one that was blocked: the row that counts it, its own or that of the first like it. */
  readonly repeated?: RepeatedRow
  readonly sessionId?: string
  readonly agentId?: string
  /** The session began with history that nobody here has seen. */
  readonly fragmented?: boolean
  /** The name of the key of ours that it came with. */
  readonly key?: string
  /** It came to a sidecar: what it is called there. */
  readonly toolName?: string
  /** Why no policy was asked there. */
  readonly ungoverned?: Ungoverned
  /** For whom it counts by that key. No column. */
  readonly keySubjects?: readonly string[]
  /** What the client calls it, by `X-Yori-Tags`, and what its key is tagged with. */
  readonly tags?: Readonly<Record<string, string>>
  readonly uninspectable?: Uninspectable
  /** Of what is partly unseen: the bound that cut it, by its name in the configuration. */
  readonly unseenBy?: string
  /** The request was sent a second time after a stale connection died. */
  readonly retried?: boolean
  /** Of several targets, the one that answered, or was asked last. */
  readonly upstream?: string
  /** Each target that was asked, in order, with a status or a code of ours behind a space. */
  readonly attempts?: readonly string[]
  /** Targets that were asked before that one. */
  readonly retries?: number
  /** Another provider that served it in the place of the one that was asked. */
  readonly fallback?: string | undefined
  /** Its answer was one that was kept: no provider was asked, and nothing was used. */
  readonly cache?: 'hit' | undefined
  /** Passages that a policy took out of the request body; undefined: it went on as it came. */
  readonly redacted?: number
  /** Why a placeholder may have stayed in its answer; not kept, counted. */
  readonly unrestored?: 'held-too-long' | 'not-readable' | undefined
  /** The response ended before its end. */
  readonly truncated?: boolean
  /** Request trailer fields that were dropped. */
  readonly trailersDropped?: number
  /** Frames of a WebSocket, control frames among them; set for every one. RFC 6455 §5. */
  readonly clientFrames?: number
  readonly serverFrames?: number
  /** Its whole text and binary messages. */
  readonly clientMessages?: number
  readonly serverMessages?: number
  /** Of its first Close frame; 1005: it named none, 1006: there was none. RFC 6455 §7.4. */
  readonly closeCode?: number
  /** Its messages that no reader could take. */
  readonly unreadMessages?: number
}

/** Bodies that a sidecar lets pass. */
export type Ungoverned = 'empty' | 'not_json' | 'not_an_object'

export interface RefusedFor {
  /** The same for who says the same newest words again. */
  readonly key: string
  /** Which device was refused by which policy where. */
  readonly place: string
  /** The newest words, where they are short enough to be kept for a minute. */
  readonly words: string
}

/** A row that counts what was blocked again; the same object for all that it counts. */
export interface RepeatedRow {
  readonly requestId: string
  /** How often after the first. */
  readonly repeats: number
  /** See `foundMarks`: of all of them. */
  readonly marks: readonly string[]
}

/** What a row says of its answer. */
export type AnswerCounts = Pick<
  ExchangeRecord,
  | 'inputTokens'
  | 'outputTokens'
  | 'cachedTokens'
  | 'cacheWriteTokens'
  | 'cacheWriteHourTokens'
  | 'reasoningTokens'
  | 'inputEstimated'
  | 'outputEstimated'
  | 'costMicroUsd'
  | 'costAtMostMicroUsd'
  | 'finishReason'
  | 'serviceTier'
>

/** What counters count of an answer. */
export interface Used {
  /** In and out. */
  readonly tokens: number
  /** Of what has a known cost. */
  readonly microUsd: number
  /** Of the rest, at most. */
  readonly atMostMicroUsd: number
}

/** What a row says of its answer, as it is counted. */
export function usedBy(
  counts: Pick<
    AnswerCounts,
    'inputTokens' | 'outputTokens' | 'costMicroUsd' | 'costAtMostMicroUsd'
  >,
): Used {
  return {
    tokens: (counts.inputTokens ?? 0) + (counts.outputTokens ?? 0),
    microUsd: counts.costMicroUsd ?? 0,
    atMostMicroUsd: counts.costAtMostMicroUsd ?? 0,
  }
}

/**
 * Nothing came back, and a model may have worked all the same: who asked has gone, or was told that
 * it takes too long. Where the way to the provider broke, none has.
 */
export function mayHaveBeenServed({
  status,
  phase,
  code,
}: Pick<ExchangeRecord, 'status' | 'phase' | 'code'>): boolean {
  if (status !== undefined && code !== 'YORI_UPSTREAM_TIMEOUT') return false
  return phase === 'sent' && UNANSWERED.has(code ?? '')
}

const UNANSWERED: ReadonlySet<string> = new Set([
  'YORI_CLIENT_GONE',
  'YORI_UPSTREAM_TIMEOUT',
])

/** A row whose answer was told of again, and otherwise. */
export interface AnsweredRow {
  readonly requestId: string
  /** For whom it counts. */
  readonly device: Device
  readonly policyName?: string
  /** Whole: what is not there is not known. */
  readonly told: AnswerCounts
  /** Over what it said before; may be below zero. */
  readonly more: Used
}

/** What a row that may stand already learns later. */
export type RowChange =
  | { readonly kind: 'repeated'; readonly row: RepeatedRow }
  | { readonly kind: 'answered'; readonly row: AnsweredRow }
  | {
      readonly kind: 'sent-by'
      readonly row: { readonly requestId: string; readonly program: Program }
    }

/** A change of state worth keeping: start, stop, reload, mode, override, drop of rows, ... */
export interface EventRecord {
  readonly at: number
  readonly kind: string
  readonly actor?: string
  readonly fromIp?: string
  readonly details: Readonly<Record<string, unknown>>
}

/**
 * Where records go. Every call returns at once and never throws: what cannot be kept is
 * counted (`dropped`), and traffic goes on.
 */
export interface AuditSink {
  connection(record: ConnectionRecord): void
  /** Call once at the start; keep filling the same object. */
  exchangeOpened(record: ExchangeRecord): void
  /** Call once, when `outcome` and all that is known has been filled in. */
  exchangeClosed(record: ExchangeRecord): void
  /** Instead of that, for one that gets no row: another is changed by it. */
  exchangeMerged(record: ExchangeRecord, change: RowChange): void
  /** Beside the rows: one that was closed before is changed. */
  exchangeChanged(change: RowChange): void
  event(record: EventRecord): void
  readonly dropped: number
}
