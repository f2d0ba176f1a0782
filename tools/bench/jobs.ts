/** What the load generator can be told to do, and what it answers; one job a process. */

/** Where the load goes. Without `proxyPort` straight to the origin. */
export interface Target {
  readonly host: string
  /** Of each request; `REQUEST_PATH` unless said. */
  readonly path?: string
  readonly originPort: number
  readonly tunnelPort: number
  readonly caPem: string
  readonly proxyPort?: number
  /** A gateway, asked in the clear in the place of both. */
  readonly gatewayPort?: number
  /** Lines of the head beside the usual ones. */
  readonly lines?: readonly string[]
}

export type Job =
  /** As fast as the answers come, on connections that stay. */
  | { readonly kind: 'closed'; readonly connections: number; readonly seconds: number }
  /** At a fixed rate, whether or not answers come. */
  | {
      readonly kind: 'open'
      readonly connections: number
      readonly perSecond: number
      readonly seconds: number
    }
  /** A new connection with a full handshake for each request. */
  | {
      readonly kind: 'handshakes'
      readonly connections: number
      readonly seconds: number
    }
  /** Event streams, each event carrying the time at which it was written. */
  | {
      readonly kind: 'events'
      readonly streams: number
      readonly events: number
      readonly gapMs: number
    }
  /** Bytes from the origin through a tunnel that nobody opens. */
  | { readonly kind: 'tunnel'; readonly bytes: number }
  /** One request on each connection, then nothing until standard input ends. */
  | { readonly kind: 'hold'; readonly connections: number }
  /** Connections that stop inside a ClientHello or a request head, until standard input ends. */
  | { readonly kind: 'stall'; readonly hellos: number; readonly heads: number }

export interface LoadResult {
  /** Requests, handshakes, events or bytes. */
  readonly count: number
  readonly errors: number
  readonly seconds: number
  /** Sorted, in milliseconds. */
  readonly latenciesMs: readonly number[]
}

export const REQUEST_PATH = '/v1/chat/completions'
export const EVENTS_PATH = '/v1/events'

/** What each request says: about 0.4 KB, as a chat's first turn. */
export const REQUEST_BODY = JSON.stringify({
  model: 'gpt-4o-mini',
  messages: [
    { role: 'system', content: 'You answer in one sentence. '.repeat(6) },
    {
      role: 'user',
      content: 'Which of the planets has the shortest day, and how long is it?',
    },
  ],
  temperature: 0,
})

/** What the origin answers: about 0.9 KB. */
export const RESPONSE_BODY = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_767_225_600,
  model: 'gpt-4o-mini',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: 'Jupiter: not quite ten hours. '.repeat(18),
      },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 60, completion_tokens: 126, total_tokens: 186 },
  system_fingerprint: 'fp_bench',
})
