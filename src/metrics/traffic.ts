/**
 * What passes, counted as it ends: an observer of exchanges and connections. Costs a look-up
 * and an addition each, whether anybody asks or not, since a counter that begins when it is
 * first read misses what was before.
 */
import type {
  ExchangeObserver,
  SeenExchange,
  SeenHandshake,
} from '../proxy/words/observer.js'
import type { ConnectionRecord } from '../core/record.js'
import { describeError } from '../core/errors.js'
import { PassingMap } from '../core/passing-map.js'
import { SECONDS, SHORT_SECONDS } from '../core/timing.js'
import type { Family } from './instruments.js'
import { Counter, Histogram, MOST_SERIES } from './instruments.js'
import { ProviderSeries } from './provider-series.js'

/** Exchanges whose phases are timed at once; of more, some are not. */
const MOST_TIMED = 10_000
const NONE = 'none'

interface Marks {
  /** The moment before. */
  last: number
}

export interface TrafficOptions {
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

export class TrafficMetrics implements ExchangeObserver {
  readonly name = 'metrics'
  readonly #now: () => number
  readonly #open = new PassingMap<Marks>()
  readonly #byProvider = new Map<string, ProviderSeries>()

  readonly #requests = new Counter({
    name: 'yori_requests_total',
    help: 'Exchanges that have ended, by provider and outcome.',
    labels: ['provider', 'outcome'],
  })
  readonly #responses = new Counter({
    name: 'yori_responses_total',
    help: 'Responses to clients by class of status.',
    labels: ['provider', 'class'],
  })
  readonly #calls = new Counter({
    name: 'yori_calls_total',
    help: 'Exchanges that asked a model for work.',
    labels: ['provider'],
  })
  readonly #duration = new Histogram(
    {
      name: 'yori_request_duration_seconds',
      help: 'From the head of a request to the end of its response.',
      labels: ['provider'],
    },
    SECONDS,
  )
  readonly #phases = new Histogram(
    {
      name: 'yori_phase_duration_seconds',
      help: 'Time by phase: request is read, judged, waits for the provider, is answered.',
      labels: ['phase', 'provider'],
    },
    SHORT_SECONDS.concat(SECONDS.filter((bound) => bound > 4)),
  )
  readonly #firstByte = new Histogram(
    {
      name: 'yori_time_to_first_byte_seconds',
      help: 'From the head of a request to the first byte of the body of its response.',
      labels: ['provider'],
    },
    SECONDS,
  )
  readonly #firstToken = new Histogram(
    {
      name: 'yori_time_to_first_token_seconds',
      help: 'From the head of a request to the first words of the model in a stream.',
      labels: ['provider'],
    },
    SECONDS,
  )
  readonly #tokens = new Counter({
    name: 'yori_tokens_total',
    help: 'Tokens: input and output whole; cached, cache_write and reasoning are parts.',
    labels: ['provider', 'kind'],
  })
  readonly #cost = new Counter({
    name: 'yori_cost_dollars_total',
    help: 'US dollars of calls whose price is known.',
    labels: ['provider'],
  })
  readonly #unpriced = new Counter({
    name: 'yori_unpriced_requests_total',
    help: 'Exchanges that used tokens at a price that is not known.',
    labels: ['provider'],
  })
  readonly #blocks = new Counter({
    name: 'yori_blocked_requests_total',
    help: 'Exchanges that a policy blocked.',
    labels: ['policy'],
  })
  readonly #alerts = new Counter({
    name: 'yori_alerts_total',
    help: 'Exchanges that a policy would have blocked, or alerts on.',
    labels: ['policy'],
  })
  readonly #bypasses = new Counter({
    name: 'yori_bypassed_requests_total',
    help: 'Exchanges that were let past what policies decided.',
    labels: ['bypass'],
  })
  readonly #errors = new Counter({
    name: 'yori_errors_total',
    help: 'Exchanges that failed, by code and by who could mend it.',
    labels: ['code', 'source'],
  })
  readonly #upstreamFailures = new Counter({
    name: 'yori_upstream_failures_total',
    help: 'Exchanges that failed at or on the way to a provider.',
    labels: ['provider', 'code'],
  })
  readonly #retries = new Counter({
    name: 'yori_upstream_retries_total',
    help: 'Requests that were sent again after a stale connection died.',
  })
  readonly #uninspected = new Counter({
    name: 'yori_uninspected_requests_total',
    help: 'Exchanges that were not read, or not to their end, by why.',
    labels: ['reason'],
  })
  readonly #ungoverned = new Counter({
    name: 'yori_ungoverned_requests_total',
    help: 'Bodies at a sidecar about which no policy was asked, by why.',
    labels: ['reason'],
  })
  readonly #findings = new Counter({
    name: 'yori_personal_data_found_total',
    help: 'Personal data in prompts, by kind.',
    labels: ['kind'],
  })
  readonly #redactions = new Counter({
    name: 'yori_redacted_passages_total',
    help: 'Passages that policies took out of requests.',
  })
  readonly #unrestored = new Counter({
    name: 'yori_unrestored_answers_total',
    help: 'Answers in which a placeholder may have stayed, by why.',
    labels: ['reason'],
  })
  readonly #tools = new Counter({
    name: 'yori_tool_calls_total',
    help: 'Tools that models asked for.',
    labels: ['provider'],
  })
  readonly #frames = new Counter({
    name: 'yori_websocket_frames_total',
    help: 'Frames of WebSockets by who sent them.',
    labels: ['direction'],
  })
  readonly #bytes = new Counter({
    name: 'yori_request_bytes_total',
    help: 'Bytes of bodies of exchanges by direction.',
    labels: ['direction'],
  })
  readonly #connections = new Counter({
    name: 'yori_connections_total',
    help: 'Connections of clients that have ended, by what became of them.',
    labels: ['coverage'],
  })
  readonly #ways = new Counter({
    name: 'yori_connection_ways_total',
    help: 'Connections of clients that have ended, by how they came: steered here, or otherwise.',
    labels: ['way'],
  })
  readonly #handshakes = new Histogram(
    {
      name: 'yori_tls_handshake_duration_seconds',
      help: 'TLS handshakes with clients in the names of providers, resumed or full.',
      labels: ['kind'],
    },
    SHORT_SECONDS.concat(SECONDS.filter((bound) => bound > 4 && bound < 60)),
  )
  readonly #connectionBytes = new Counter({
    name: 'yori_connection_bytes_total',
    help: 'Bytes of connections of clients by direction.',
    labels: ['direction'],
  })
  readonly #refused = new Counter({
    name: 'yori_refused_connections_total',
    help: 'Connections of clients that were turned away, by code.',
    labels: ['code'],
  })

  readonly #instruments = {
    requests: this.#requests,
    responses: this.#responses,
    calls: this.#calls,
    tokens: this.#tokens,
    cost: this.#cost,
    unpriced: this.#unpriced,
    tools: this.#tools,
    duration: this.#duration,
    phases: this.#phases,
    firstByte: this.#firstByte,
    firstToken: this.#firstToken,
  }
  readonly #full = this.#handshakes.series(['full'])
  readonly #resumed = this.#handshakes.series(['resumed'])
  readonly #bytesFromClient = this.#bytes.series(['from_client'])
  readonly #bytesToClient = this.#bytes.series(['to_client'])

  constructor({ now }: TrafficOptions) {
    this.#now = now
  }

  /** Exchanges that have begun and not ended. */
  get open(): number {
    return this.#open.size
  }

  families(): Family[] {
    return [
      ...[this.#requests, this.#responses, this.#calls, this.#duration, this.#phases],
      ...[this.#firstByte, this.#firstToken, this.#tokens, this.#cost, this.#unpriced],
      ...[this.#blocks, this.#alerts, this.#bypasses, this.#errors],
      ...[this.#upstreamFailures, this.#retries, this.#uninspected, this.#findings],
      this.#ungoverned,
      ...[this.#redactions, this.#unrestored, this.#tools, this.#frames, this.#bytes],
      ...[this.#connections, this.#ways, this.#connectionBytes, this.#refused],
      this.#handshakes,
    ].map((instrument) => instrument.family())
  }

  requestHead({ requestId }: SeenExchange): void {
    if (this.#open.size >= MOST_TIMED) this.#open.take(this.#open.any() ?? '')
    this.#open.set(requestId, { last: this.#now() })
  }

  requestRead(seen: SeenExchange): void {
    const marks = this.#open.get(seen.requestId)
    if (marks !== undefined) this.#of(seen).request.observe(this.#sinceLast(marks))
  }

  decided(seen: SeenExchange): void {
    const marks = this.#open.get(seen.requestId)
    if (marks !== undefined) this.#of(seen).judge.observe(this.#sinceLast(marks))
  }

  responseHead(seen: SeenExchange): void {
    const marks = this.#open.get(seen.requestId)
    if (marks !== undefined) this.#of(seen).waiting.observe(this.#sinceLast(marks))
  }

  ended(seen: SeenExchange): void {
    const own = this.#of(seen)
    const marks = this.#open.take(seen.requestId)
    if (marks !== undefined) own.answering.observe(this.#sinceLast(marks))
    const { status, latencyMs, outcome = 'error' } = seen
    own.ended(outcome).add()
    if (status !== undefined) own.answered(Math.floor(status / 100)).add()
    if (latencyMs !== undefined) own.duration.observe(latencyMs / 1000)
    if (seen.firstByteMs !== undefined) own.firstByte.observe(seen.firstByteMs / 1000)
    if (seen.firstTokenMs !== undefined) own.firstToken.observe(seen.firstTokenMs / 1000)
    if (seen.call === true) own.calls.add()
    this.#used(seen, own)
    this.#judged(seen)
    this.#failed(seen, seen.provider ?? NONE)
    this.#read(seen, own)
  }

  handshake({ ms, isResumed }: SeenHandshake): void {
    const series = isResumed ? this.#resumed : this.#full
    series.observe(ms / 1000)
  }

  connectionEnded(seen: Readonly<ConnectionRecord>): void {
    this.#connections.add([seen.coverage])
    this.#ways.add([seen.way])
    this.#connectionBytes.add(['from_client'], seen.bytesFromClient)
    this.#connectionBytes.add(['to_client'], seen.bytesToClient)
    if (seen.coverage === 'refused') this.#refused.add([seen.code ?? NONE])
  }

  /** Seconds since the moment before, and this is the next's. */
  #sinceLast(marks: Marks): number {
    const now = this.#now()
    const seconds = (now - marks.last) / 1000
    marks.last = now
    return seconds
  }

  #of({ provider = NONE }: SeenExchange): ProviderSeries {
    const known = this.#byProvider.get(provider)
    if (known !== undefined) return known
    const own = new ProviderSeries(this.#instruments, provider)
    if (this.#byProvider.size < MOST_SERIES) this.#byProvider.set(provider, own)
    return own
  }

  #used(seen: SeenExchange, own: ProviderSeries): void {
    const { inputTokens = 0, outputTokens = 0, costMicroUsd } = seen
    own.inputTokens.add(inputTokens)
    own.outputTokens.add(outputTokens)
    own.cachedTokens.add(seen.cachedTokens ?? 0)
    own.cacheWriteTokens.add(seen.cacheWriteTokens ?? 0)
    own.reasoningTokens.add(seen.reasoningTokens ?? 0)
    own.cost.add((costMicroUsd ?? 0) / 1e6)
    if (inputTokens + outputTokens > 0 && costMicroUsd === undefined) own.unpriced.add()
  }

  #judged({
    outcome,
    policyName,
    policyDecision,
    bypass,
    redacted,
    unrestored,
  }: SeenExchange): void {
    if (unrestored !== undefined) this.#unrestored.add([unrestored])
    if (outcome === 'block') this.#blocks.add([policyName ?? NONE])
    else if (policyDecision === 'alert') this.#alerts.add([policyName ?? NONE])
    // What stands behind a colon names a device or a rule.
    if (bypass !== undefined) this.#bypasses.add([bypass.split(/[:\s]/, 1)[0] ?? NONE])
    if (redacted !== undefined) this.#redactions.add([], redacted)
  }

  #failed({ outcome, code, retried }: SeenExchange, provider: string): void {
    if (retried === true) this.#retries.add()
    if (outcome !== 'error' || code === undefined) return
    const { source } = describeError(code)
    this.#errors.add([code, source])
    if (source === 'upstream') this.#upstreamFailures.add([provider, code])
  }

  #read(seen: SeenExchange, own: ProviderSeries): void {
    const { uninspectable, findings, toolCalls, clientFrames, serverFrames } = seen
    if (uninspectable !== undefined) this.#uninspected.add([uninspectable])
    if (seen.ungoverned !== undefined) this.#ungoverned.add([seen.ungoverned])
    if (findings !== undefined)
      for (const { kind, count } of findings) this.#findings.add([kind], count)
    if (toolCalls !== undefined) own.tools.add(toolCalls.length)
    if (clientFrames !== undefined) this.#frames.add(['from_client'], clientFrames)
    if (serverFrames !== undefined) this.#frames.add(['to_client'], serverFrames)
    this.#bytesFromClient.add(seen.requestBytes)
    this.#bytesToClient.add(seen.responseBytes)
  }
}
