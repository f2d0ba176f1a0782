/**
 * The words that a provider's reader is written in. A provider is one file: how its hosts and
 * paths are told, what a request of its APIs asks, what a response answers. Readers are pure,
 * take bytes as they come, and give facts; forwarding, deciding and recording are others'.
 */

import { atOnce } from '../core/resting.js'
import type { Resting } from '../core/resting.js'

/** What kind of call it is, whatever the provider names it. */
export type Api =
  | 'chat'
  | 'responses'
  | 'completions'
  | 'messages'
  | 'generate'
  | 'interactions'
  | 'converse'
  | 'invoke'
  | 'embeddings'
  | 'rerank'
  | 'moderations'
  | 'images'
  | 'audio'
  | 'video'
  | 'ocr'
  | 'count-tokens'
  | 'models'
  | 'files'
  | 'assistants'
  | 'batches'
  | 'realtime'
  /** Opens or prepares a live conversation whose media take another way. */
  | 'session'
  /** Messages between an agent and its tools: no model answers. */
  | 'mcp'
  | 'other'

/** Calls whose answer a model writes: only for these are missing tokens estimated. */
export const GENERATING_APIS: ReadonlySet<Api> = new Set([
  'chat',
  'responses',
  'completions',
  'messages',
  'generate',
  'interactions',
  'converse',
  'invoke',
])

/** What the request head says; `path` may have a query, names are lower case. */
export interface ExchangeHead {
  readonly host: string
  readonly method: string
  readonly path: string
  readonly contentType?: string | undefined
}

/**
 * How one provider's API is told and read. Without state: one value serves all exchanges.
 */
export interface Provider {
  /** As in the catalogue and in the record. */
  readonly name: string
  /**
   * By host, then path, which is to be plain (`plainPath`); `other` for paths of its own
   * hosts that it does not know. Undefined: not this provider's.
   */
  recognises(head: ExchangeHead): Api | undefined
  /** By the path alone: on hosts that the catalogue says speak this API. */
  apiOf(head: ExchangeHead): Api | undefined
  /**
   * `body` is the parsed JSON, within the limits of `json/`, or undefined when there is
   * none to read; what it does not hold is left out. In one go: a body of many values
   * takes its time.
   */
  readRequest(body: unknown, context: RequestContext): RequestFacts
  /** The same, and rests as it goes: for what may be long. */
  requestInSlices(body: unknown, context: RequestContext): Resting<RequestFacts>
  /** What reads the answers of this API, one per exchange. */
  reader(context: ResponseContext): ResponseReader
}

/** A provider's reader of requests, in slices and in one go. */
export function requestsBy(
  read: Provider['requestInSlices'],
): Pick<Provider, 'readRequest' | 'requestInSlices'> {
  return {
    requestInSlices: read,
    readRequest: (body, context) => atOnce(read(body, context)),
  }
}

/** What the head of a request told of it. `path` may have a query. */
export interface RequestContext {
  readonly api: Api
  readonly path: string
}

/** What is known of an answer when its head has come. `path` is the request's. */
export interface ResponseContext {
  readonly api: Api
  readonly path: string
  readonly status: number
  readonly contentType?: string | undefined
  /** A field of the response head by its lower-case name; Bedrock counts tokens there too. */
  readonly header?: ((name: string) => string | undefined) | undefined
  /** UTF-16 units of all text that went to the model, for an estimate of its tokens. */
  readonly promptChars?: number | undefined
  /** Of gRPC: what one message of the answer says; undefined for one that says nothing. */
  readonly message?:
    ((bytes: Buffer) => Readonly<Record<string, unknown>> | undefined) | undefined
  /** Told of each of several answers that are told together, as those of a batch. */
  readonly eachAnswer?: ((one: ResponseFacts) => void) | undefined
  /** False: no model is to write, and no tokens are estimated. */
  readonly generates?: boolean | undefined
  readonly limits?: ReaderLimits | undefined
}

/** What is kept of one answer. `READER_LIMITS` are the defaults. */
export interface ReaderLimits {
  /** Answer text kept, in UTF-16 code units; more is counted only. */
  readonly maxTextChars: number
  /** Further ones are left out. */
  readonly maxToolCalls: number
  /** Of one call, in UTF-16 code units; more is left out. */
  readonly maxArgumentChars: number
  /** A JSON body, or one event of a stream, larger than this is not read. */
  readonly maxJsonBytes: number
}

export const READER_LIMITS: ReaderLimits = {
  maxTextChars: 64 * 1024,
  maxToolCalls: 128,
  maxArgumentChars: 16 * 1024,
  maxJsonBytes: 1024 * 1024,
}

/**
 * One answer, read as it passes: `push` what comes, then `end`. Keeps no more than its
 * limits.
 */
export interface ResponseReader {
  /** The decoded body (no content coding), in pieces of any size. Never throws. */
  push(chunk: Uint8Array): void
  /** Words or tool calls of the model have come: in a stream, its first token. */
  readonly wrote: boolean
  /**
   * What the response said. `whole` is false when the transport broke off before its end.
   * Call once.
   */
  end(whole?: boolean): ResponseFacts
}

/**
 * `role` is `user`, `assistant`, `tool`, `system` or whatever else the request calls it;
 * Gemini's `model` and Cohere's `chatbot` are `assistant`. `text` has at most
 * `maxMessageChars` of `REQUEST_LIMITS`; its parts stand on lines of their own.
 */
export interface Message {
  readonly role: string
  readonly text: string
}

/** What of a message is no text; its content is not kept. */
export interface Attachment {
  readonly kind: 'image' | 'audio' | 'video' | 'file'
  /**
   * As the request says it: a media type, or what the API has for one (Converse: `png`).
   */
  readonly mediaType?: string | undefined
  /** Decoded size of inline content; undefined when the request only refers to it. */
  readonly bytes?: number | undefined
}

/** What a tool gave back, at most `maxMessageChars` of `REQUEST_LIMITS`. */
export interface ToolResult {
  /** Of the call that it answers. */
  readonly id?: string | undefined
  readonly text: string
}

/**
 * What a request asks. All lists and texts are bounded (`REQUEST_LIMITS`), names and ids
 * as they came; `cut` says that a message, the prompt or a list did not fit.
 */
export interface RequestFacts {
  readonly api: Api
  readonly model?: string | undefined
  readonly stream?: boolean | undefined
  readonly system?: string | undefined
  readonly messages: readonly Message[]
  /** All text that goes to the model, in order: system, messages, tool results. */
  readonly promptText: string
  /** The newest text of the user: what a preview shows. */
  readonly lastUserText: string
  /** The end of the newest words of a person, without what their program puts around them. */
  readonly newestWords?: string | undefined
  /** UTF-16 units of all that text, kept or not. */
  readonly promptChars: number
  readonly attachments: readonly Attachment[]
  readonly toolsOffered: readonly string[]
  /** Those that it calls itself, of MCP; they are among those before, for who looks at these. */
  readonly toolsCalled?: readonly string[] | undefined
  /** All models that it would have answer, `model` among them; its readers leave it out. */
  readonly modelsNamed?: readonly string[] | undefined
  readonly toolResults: readonly ToolResult[]
  /** MCP servers that the request hands to the provider: name, and host of its URL. */
  readonly mcpServers: readonly string[]
  readonly maxTokens?: number | undefined
  /** The service tier that it asks for; undefined: none in particular. */
  readonly tier?: string | undefined
  /** Answers that it asks for at once, where it says so. */
  readonly choices?: number | undefined
  /** The provider's own ids that tie exchanges to one conversation. */
  readonly previousResponseId?: string | undefined
  readonly conversationId?: string | undefined
  /** The answer is to be fetched later, or again; undefined: as the API does it. */
  readonly stored?: boolean | undefined
  readonly cut: boolean
}

/**
 * A tool that the model wants run by its client. `argumentsText` is what came of its
 * JSON, at most `maxArgumentChars`: not parsed, and cut off where the answer was.
 */
export interface ToolCall {
  readonly name: string
  readonly id?: string | undefined
  readonly argumentsText: string
}

/**
 * Tokens mean one thing, whatever the provider: a part is always counted in its whole
 * (OpenTelemetry's GenAI conventions, `gen_ai.usage.*`).
 */
export interface Usage {
  /** All that went in: those read from the provider's cache and written to it among them. */
  readonly inputTokens?: number | undefined
  /** All that came out: reasoning among them. */
  readonly outputTokens?: number | undefined
  /** Of the input, read from the provider's cache. */
  readonly cachedTokens?: number | undefined
  /** Of the input, written to it. */
  readonly cacheWriteTokens?: number | undefined
  /** Of these, written to be kept for an hour, which costs more (Anthropic). */
  readonly cacheWriteHourTokens?: number | undefined
  /** Of the output. */
  readonly reasoningTokens?: number | undefined
  /** What is paid for, where the provider says that it is not the same (Cohere). */
  readonly billedInputTokens?: number | undefined
  readonly billedOutputTokens?: number | undefined
  /**
   * The cost, in micro-dollars, where the answer itself names it (OpenRouter, Perplexity,
   * xAI).
   */
  readonly costMicroUsd?: number | undefined
  /** That count is ours, characters divided by four, since the provider gave none. */
  readonly inputEstimated: boolean
  readonly outputEstimated: boolean
}

/**
 * What the provider says went wrong, in its own words. `message` has at most 4,096 UTF-16
 * units and may be empty.
 */
export interface ProviderError {
  readonly message: string
  readonly type?: string | undefined
  readonly code?: string | undefined
}

/**
 * What an answer says, as far as it came. Texts and lists are bounded (`ReaderLimits`),
 * names and ids as they came.
 */
export interface ResponseFacts {
  readonly model?: string | undefined
  readonly responseId?: string | undefined
  readonly text: string
  /** UTF-16 units of all answer text, kept or not. */
  readonly textChars: number
  /** What the model wrote beside it, as far as it was kept: reasoning, other choices. */
  readonly besideText: string
  readonly toolCalls: readonly ToolCall[]
  /** Why the provider would not take the prompt, where it says so without an error (Gemini). */
  readonly refused?: string | undefined
  /** Tools that the provider ran itself: web search, code execution, MCP. */
  readonly serverTools: readonly string[]
  /** Tools that a server of MCP offers its client. */
  readonly toolsTold?: readonly string[] | undefined
  readonly usage: Usage
  readonly finishReason?: string | undefined
  /** The service tier by which it was served, where it says so. */
  readonly tier?: string | undefined
  /** It told a status that is no end: the answer is not there yet. */
  readonly goesOn: boolean
  /** The file in which the results of this batch are fetched, by its id. */
  readonly resultsFile?: string | undefined
  readonly error?: ProviderError | undefined
  /** The answer came as a stream of events. */
  readonly streamed: boolean
  /** Events of a stream, the closing one included; 0 for a plain body. */
  readonly events: number
  /** The answer reached its own end. */
  readonly complete: boolean
  /** Bodies or events that no reader could take: over a limit, or not what was announced. */
  readonly unread: number
}
