/**
 * Recorded exchanges as the policies would have met them: the input document as far as the
 * record holds it, and what it lacks. Counters and conversations are counted again, row by
 * row in the order of time. Names and groups of devices are those of the lists of today.
 */
import type { Listed } from '../audit/where.js'
import type { Device, Used } from '../core/record.js'
import type { DeviceBook } from '../policy/devices.js'
import { subjectOf } from '../policy/decider.js'
import type { CountersFacts, SessionFacts } from '../policy/input.js'
import type { LocalTimes } from '../policy/local-time.js'
import type { PolicyInput } from '../policy/policy.js'
import { looksAt } from '../policy/rego-reads.js'
import type { Reads } from '../policy/rego-reads.js'
import { UsageCounters } from '../policy/usage.js'
import type { Catalogue } from '../providers/catalogue.js'
import { contentOf } from './recorded-content.js'
import type { RecordedContent } from './recorded-content.js'
import { isCall, RecordedDocument } from './recorded-document.js'
import type { About, Surroundings } from './recorded-document.js'
import { count, names, optional, text } from './recorded-row.js'

export const RECORDED_COLUMNS = [
  'id',
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
  /** False: nobody looks at what was used before, and nothing is counted. */
  readonly counts?: boolean
}

/** Paths of the input that hold what was used before. */
const COUNTED: readonly string[] = [
  'counters',
  'context.request_count_today',
  'context.request_count_this_hour',
  'session',
]

/** Does one of them look at what was used before? */
export function looksBack(policies: readonly { readonly reads: Reads }[]): boolean {
  return policies.some(({ reads }) => COUNTED.some((path) => looksAt(reads, path)))
}

/** Conversations that are followed at once. */
const MAX_SESSIONS = 10_000

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
  /** Counts what the last row came to. */
  #end = nothing
  readonly #known: Surroundings = {
    counters: (about) => this.#countersOf(about),
    session: ({ row, nowMs }) => this.#sessionOf(row, nowMs),
    price: (provider, model) =>
      this.#options.catalogue.model(provider, model)?.price.input,
  }

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  /**
   * Counts a row, and gives what policies would have been asked; rows are to come in the
   * order of time. `wanted: false` only counts. What is given is worked out when it is looked
   * at, and holds until the next row.
   */
  next(row: Listed, wanted: boolean): RecordedInput | undefined {
    this.#end()
    const nowMs = momentOf(row)
    if (Number.isNaN(nowMs)) return undefined
    const { times, zone, book, counts = true } = this.#options
    const device = deviceOf(row)
    if (!counts && !wanted) return undefined
    const time = times.at(nowMs, zone)
    const identity = book.identity(device)
    const subjects = {
      device: subjectOf(device, identity.groups),
      groups: identity.groups,
    }
    const about = { row, nowMs, device, identity, time, subjects }
    if (counts) this.#begin(about)
    return wanted ? this.#recorded(about) : undefined
  }

  #begin({ row, nowMs, time, subjects }: About): void {
    const ticket = isCall(row) ? this.#counters.begin(subjects, time, nowMs) : undefined
    this.#end = () => {
      this.#end = nothing
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
    }
  }

  #recorded(about: About): RecordedInput {
    const { row, nowMs, device } = about
    let content: RecordedContent | undefined
    const read = (): RecordedContent => (content ??= contentOf(row))
    return {
      input: new RecordedDocument(about, this.#known, read),
      nowMs,
      device,
      get lacks() {
        return read().lacks
      },
      uninspectable: UNREADABLE.has(text(row, 'uninspectable')),
    }
  }

  #countersOf({ time, subjects }: About): CountersFacts {
    const counters = this.#counters
    return {
      device: counters.read('device', subjects.device, time),
      groups: () =>
        subjects.groups.map(
          (name) => [name, counters.read('group', name, time)] as const,
        ),
      policies: () =>
        this.#options.policies.map(
          (name) => [name, counters.read('policy', name, time)] as const,
        ),
    }
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

function nothing(): void {}

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
