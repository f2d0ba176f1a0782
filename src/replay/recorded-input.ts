/**
 * Recorded exchanges as the policies would have met them: the input document as far as the
 * record holds it, and what it lacks. Counters and conversations are counted again, row by
 * row in the order of time. Names and groups of devices are those of the lists of today.
 */
import type { Listed } from '../audit/where.js'
import type { Device, Used } from '../core/record.js'
import { atOnce } from '../core/resting.js'
import type { DeviceBook } from '../policy/devices.js'
import { subjectOf } from '../policy/decider.js'
import { policyInput } from '../policy/input.js'
import type { InputFacts, SessionFacts } from '../policy/input.js'
import type { LocalTimes } from '../policy/local-time.js'
import type { FindingInput, PolicyInput } from '../policy/policy.js'
import { UsageCounters } from '../policy/usage.js'
import type { Catalogue } from '../providers/catalogue.js'
import { BodyTextReader } from '../providers/body-text.js'
import { recognise } from '../providers/index.js'
import { saidOf } from '../proxy/reading/said.js'
import type { Said } from '../proxy/reading/said.js'

export const RECORDED_COLUMNS = [
  'timestamp',
  'request_id',
  'event_type',
  'device_ip',
  'device_mac',
  'device_hostname',
  'user_agent',
  'endpoint_domain',
  'http_method',
  'http_path',
  'provider',
  'model',
  'policy_name',
  'prompt_tokens',
  'response_tokens',
  'cost_micro_usd',
  'cost_at_most_micro_usd',
  'tool_calls',
  'session_id',
  'prompt_chars',
  'tools_offered',
  'findings',
  'prompt_preview',
  'request_bytes',
  'request_body',
  'uninspectable',
  'is_call',
  'response_status',
] as const

/** Counters of the month are right on the first day that is asked about. */
export const MONTH_MS = 31 * 86_400_000

export function isSince(row: Listed, sinceMs: number): boolean {
  return momentOf(row) >= sinceMs
}

/** Rows of before that was recorded: what belonged to a conversation, and was sent. */
function isCall(row: Listed): boolean {
  const said = row['is_call'] ?? null
  if (said !== null) return said === 1
  return row['session_id'] !== null && row['http_method'] === 'POST'
}

function momentOf(row: Listed): number {
  return Date.parse(`${text(row, 'timestamp').replace(' ', 'T')}Z`)
}

export interface RecordedInput {
  readonly input: PolicyInput
  readonly nowMs: number
  readonly device: Device
  readonly lacks: ReadonlySet<string>
  readonly uninspectable: boolean
}

export interface ReplayOptions {
  readonly book: DeviceBook
  readonly times: LocalTimes
  readonly zone: string | undefined
  readonly catalogue: Catalogue
  /** Whose counters `input.counters.policies` holds. */
  readonly policies: readonly string[]
}

/** Conversations that are followed at once. */
const MAX_SESSIONS = 10_000
/** A record of names that is as long may have been cut. */
const MOST_NAMES = 24
const PRICED_TOKENS = 1_000_000
const CHARS_PER_TOKEN = 4

/** Reasons for which policies could not have relied on the request either. */
const UNREADABLE: ReadonlySet<string> = new Set([
  'content-coding',
  'partly-unseen',
  'media-elsewhere',
  // As rows of before call it.
  'too-large',
  'too-deep',
  'too-many-values',
  'malformed',
  'no-room',
  'upgraded',
])

export class Replay {
  readonly #options: ReplayOptions
  readonly #counters = new UsageCounters()
  readonly #sessions = new Map<string, SessionFacts>()

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  /**
   * Counts a row, and gives what policies would have been asked; rows are to come in the
   * order of time. `wanted: false` only counts.
   */
  next(row: Listed, wanted: boolean): RecordedInput | undefined {
    const nowMs = momentOf(row)
    if (Number.isNaN(nowMs)) return undefined
    const { times, zone, book } = this.#options
    const time = times.at(nowMs, zone)
    const device = deviceOf(row)
    const { groups } = book.identity(device)
    const subjects = { device: subjectOf(device, groups), groups }
    const ticket = isCall(row) ? this.#counters.begin(subjects, time, nowMs) : undefined
    const recorded = wanted ? this.#recorded(row, device, nowMs) : undefined
    const tokens =
      (count(row, 'prompt_tokens') ?? 0) + (count(row, 'response_tokens') ?? 0)
    const microUsd = count(row, 'cost_micro_usd') ?? 0
    const atMostMicroUsd = count(row, 'cost_at_most_micro_usd') ?? 0
    const used = { tokens, microUsd, atMostMicroUsd }
    const isRefused = (count(row, 'response_status') ?? 0) >= 400
    const taken = row['event_type'] !== 'block' && !isRefused
    const policy = optional(row, 'policy_name')
    if (ticket === undefined) this.#counters.spend(subjects, used, time)
    else this.#counters.end(ticket, { ...used, taken, policy }, time)
    this.#follow(row, used, nowMs)
    return recorded
  }

  #recorded(row: Listed, device: Device, nowMs: number): RecordedInput {
    const { book, times, zone, policies, catalogue } = this.#options
    const identity = book.identity(device)
    const time = times.at(nowMs, zone)
    const counters = {
      device: this.#counters.read('device', subjectOf(device, identity.groups), time),
      groups: () =>
        identity.groups.map(
          (name) => [name, this.#counters.read('group', name, time)] as const,
        ),
      policies: () =>
        policies.map(
          (name) => [name, this.#counters.read('policy', name, time)] as const,
        ),
    }
    const { lacks, ...content } = contentOf(row)
    const provider = optional(row, 'provider')
    const priced =
      provider === undefined || content.model === undefined
        ? undefined
        : catalogue.model(provider, content.model)
    const input = policyInput({
      ...content,
      requestId: text(row, 'request_id'),
      nowMs,
      method: text(row, 'http_method'),
      path: text(row, 'http_path'),
      rawHeaders: [],
      device,
      identity,
      userAgent: optional(row, 'user_agent'),
      call: isCall(row),
      agentId: optional(row, 'agent_id'),
      endpoint: text(row, 'endpoint_domain'),
      provider,
      time,
      counters,
      session: this.#sessionOf(row, nowMs),
      inputPrice: priced === undefined ? undefined : priced.price.input / PRICED_TOKENS,
    })
    const uninspectable = UNREADABLE.has(text(row, 'uninspectable'))
    return { input, nowMs, device, lacks, uninspectable }
  }

  #sessionOf(row: Listed, nowMs: number): SessionFacts | undefined {
    const id = optional(row, 'session_id')
    if (id === undefined) return undefined
    const fresh = {
      id,
      key: id,
      startedAt: nowMs,
      requests: 0,
      toolCalls: 0,
      tokens: 0,
      microUsd: 0,
      atMostMicroUsd: 0,
    }
    return this.#sessions.get(id) ?? fresh
  }

  #follow(row: Listed, used: Used, nowMs: number): void {
    const id = optional(row, 'session_id')
    if (id === undefined) return
    const before = this.#sessions.get(id)
    if (before === undefined && this.#sessions.size >= MAX_SESSIONS) {
      for (const oldest of this.#sessions.keys()) {
        this.#sessions.delete(oldest)
        break
      }
    }
    this.#sessions.delete(id)
    this.#sessions.set(id, {
      id,
      key: id,
      startedAt: before?.startedAt ?? nowMs,
      requests: (before?.requests ?? 0) + 1,
      toolCalls: (before?.toolCalls ?? 0) + (names(row, 'tool_calls')?.length ?? 0),
      tokens: (before?.tokens ?? 0) + used.tokens,
      microUsd: (before?.microUsd ?? 0) + used.microUsd,
      atMostMicroUsd: (before?.atMostMicroUsd ?? 0) + used.atMostMicroUsd,
    })
  }
}

type Recalled = Pick<
  InputFacts,
  | 'body'
  | 'bodyState'
  | 'model'
  | 'prompt'
  | 'promptChars'
  | 'toolsOffered'
  | 'findings'
  | 'said'
> & { readonly lacks: ReadonlySet<string> }

/** What is still known of what was asked. */
function contentOf(row: Listed): Recalled {
  const lacks = new Set(['request.headers'])
  // What was called is known from the body alone.
  if (text(row, 'provider').startsWith('mcp')) lacks.add('mcp')
  const kept = fromBody(row)
  if (kept !== undefined) return { ...kept, lacks }
  const model = optional(row, 'model')
  const nothing = { body: undefined, bodyState: 'absent', model } as const
  if (count(row, 'request_bytes') === 0) {
    const content = { prompt: '', promptChars: undefined, toolsOffered: undefined }
    return { ...nothing, ...content, findings: [], lacks }
  }
  for (const path of ['request.body', 'request.body_state']) lacks.add(path)
  const chars = count(row, 'prompt_chars')
  const preview = text(row, 'prompt_preview')
  const tools = names(row, 'tools_offered')
  const tokens = count(row, 'prompt_tokens')
  // The preview is the newest message: all of the prompt when it is as long.
  const isWhole = chars !== undefined && preview.length === chars
  if (!isWhole) for (const path of ['prompt', 'prompt_end']) lacks.add(path)
  const said = isWhole ? saidAlone(preview) : undefined
  const findings = findingsOf(row) ?? said?.findings
  if (findings === undefined) lacks.add('findings')
  if (said === undefined) for (const path of TEXT_PATHS) lacks.add(path)
  if (chars === undefined || tools?.length === MOST_NAMES) lacks.add('request.tools')
  if (chars === undefined) lacks.add('prompt_chars')
  if (chars === undefined && tokens === undefined) lacks.add('estimate')
  const estimated = tokens === undefined ? undefined : tokens * CHARS_PER_TOKEN
  return {
    ...nothing,
    prompt: preview,
    promptChars: chars ?? estimated,
    toolsOffered: chars === undefined ? undefined : (tools ?? []),
    findings: findings ?? [],
    said,
    lacks,
  }
}

const TEXT_PATHS = ['text', 'said', 'said_chars'] as const

/** A prompt that is known and nothing beside it: the person's. */
function saidAlone(text: string): Said {
  const words = new BodyTextReader()
  words.plain(text)
  return atOnce(saidOf(words.end().units))
}

/** The body was kept, whole: it is read again. */
function fromBody(row: Listed): Omit<Recalled, 'lacks'> | undefined {
  const kept = optional(row, 'request_body')
  if (kept === undefined || Buffer.byteLength(kept) !== count(row, 'request_bytes'))
    return undefined
  try {
    const body: unknown = JSON.parse(kept)
    const path = text(row, 'http_path')
    const host = text(row, 'endpoint_domain')
    const found = recognise({ host, method: text(row, 'http_method'), path })
    if (found === undefined) return undefined
    const { promptText, promptChars, toolsOffered, model } = found.provider.readRequest(
      body,
      { api: found.api, path },
    )
    const words = new BodyTextReader()
    atOnce(words.read(body))
    const said = atOnce(saidOf(words.end().units))
    const { findings } = said
    const read = { prompt: promptText, promptChars, toolsOffered, findings, said }
    return { body, bodyState: 'whole', model, ...read }
  } catch {
    return undefined
  }
}

function deviceOf(row: Listed): Device {
  const mac = optional(row, 'device_mac')
  const hostname = optional(row, 'device_hostname')
  return {
    ip: text(row, 'device_ip'),
    ...(mac === undefined ? {} : { mac }),
    ...(mac !== undefined && isLocal(mac) ? { locallyAdministered: true } : {}),
    ...(hostname === undefined ? {} : { hostname }),
  }
}

/** The second bit of the first octet, IEEE 802. */
function isLocal(mac: string): boolean {
  return (parseInt(mac.slice(0, 2), 16) & 2) !== 0
}

function findingsOf(row: Listed): FindingInput[] | undefined {
  const kept = optional(row, 'findings')
  if (kept === undefined) return undefined
  const counts = parsed(kept)
  if (typeof counts !== 'object' || counts === null) return undefined
  return Object.entries(counts).map(([kind, of]) => ({
    kind,
    count: Number(of),
    who: 'person' as const,
  }))
}

function names(row: Listed, column: string): string[] | undefined {
  const kept = optional(row, column)
  const list = kept === undefined ? undefined : parsed(kept)
  return Array.isArray(list) ? list.map(String) : undefined
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function text(row: Listed, column: string): string {
  return optional(row, column) ?? ''
}

function optional(row: Listed, column: string): string | undefined {
  const value = row[column]
  return typeof value === 'string' ? value : undefined
}

function count(row: Listed, column: string): number | undefined {
  const value = row[column]
  return typeof value === 'number' ? value : undefined
}
