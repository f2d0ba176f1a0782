/**
 * The input document of a recorded request, each part made once it is looked at: few policies
 * look at more than one or two.
 */
import type { Listed } from '../audit/where.js'
import type { Device } from '../core/record.js'
import type { Identity } from '../policy/devices.js'
import {
  contextInput,
  countersInput,
  deviceInput,
  policyInput,
  sessionInput,
} from '../policy/input.js'
import type { CountersFacts, SaidFacts, SessionFacts } from '../policy/input.js'
import type { LocalTime } from '../policy/local-time.js'
import type { PolicyInput } from '../policy/policy.js'
import type { RecordedContent } from './recorded-content.js'
import { optional, text } from './recorded-row.js'

/** A row, and what is known of it without its content. */
export interface About {
  readonly row: Listed
  readonly nowMs: number
  readonly device: Device
  readonly identity: Identity
  readonly time: LocalTime
  readonly subjects: { readonly device: string; readonly groups: readonly string[] }
}

/** What was before a request, and what its model costs. */
export interface Surroundings {
  readonly counters: (about: About) => CountersFacts
  readonly session: (about: About) => SessionFacts | undefined
  /** Dollars for a million tokens of input. */
  readonly price: (provider: string, model: string) => number | undefined
}

const PRICED_TOKENS = 1_000_000

/** Rows of before that was recorded: what belonged to a conversation, and was sent. */
export function isCall(row: Listed): boolean {
  const said = row['is_call'] ?? null
  if (said !== null) return said === 1
  return row['session_id'] !== null && row['http_method'] === 'POST'
}

/** Holds until the next row is counted. */
export class RecordedDocument implements PolicyInput {
  readonly #about: About
  readonly #around: Surroundings
  readonly #content: () => RecordedContent
  #device: PolicyInput['device'] | undefined
  #rest: PolicyInput | undefined

  constructor(about: About, around: Surroundings, content: () => RecordedContent) {
    this.#about = about
    this.#around = around
    this.#content = content
  }

  get device(): PolicyInput['device'] {
    const { row, device, identity } = this.#about
    return (this.#device ??= deviceInput(device, identity, optional(row, 'user_agent')))
  }

  get endpoint(): PolicyInput['endpoint'] {
    const { row } = this.#about
    const provider = optional(row, 'provider') ?? null
    return { domain: text(row, 'endpoint_domain'), provider }
  }

  get context(): PolicyInput['context'] {
    return contextInput(this.#about.time, this.#around.counters(this.#about).device)
  }

  get counters(): PolicyInput['counters'] {
    return countersInput(this.#around.counters(this.#about), this.#about.time)
  }

  get session(): PolicyInput['session'] {
    return sessionInput(this.#around.session(this.#about), this.#about.nowMs)
  }

  get agent_id(): string | null {
    return optional(this.#about.row, 'agent_id') ?? null
  }

  get request(): PolicyInput['request'] {
    return this.#whole().request
  }

  get mcp(): NonNullable<PolicyInput['mcp']> | null {
    return this.#whole().mcp ?? null
  }

  get calls(): NonNullable<PolicyInput['calls']> | null {
    return this.#whole().calls ?? null
  }

  get estimate(): PolicyInput['estimate'] {
    return this.#whole().estimate
  }

  get model(): string | null {
    return this.#whole().model
  }

  get prompt(): string {
    return this.#whole().prompt
  }

  get prompt_end(): string {
    return this.#whole().prompt_end
  }

  get prompt_chars(): number {
    return this.#whole().prompt_chars
  }

  get text(): string {
    return this.#said?.pieces[0]?.text ?? this.#whole().text
  }

  get said(): PolicyInput['said'] {
    return this.#said?.pieces[0]?.said ?? this.#whole().said
  }

  get said_chars(): PolicyInput['said_chars'] {
    return this.#said?.chars ?? this.#whole().said_chars
  }

  get findings(): PolicyInput['findings'] {
    return this.#content().findings()
  }

  get #said(): SaidFacts | undefined {
    return this.#content().said()
  }

  #whole(): PolicyInput {
    return (this.#rest ??= this.#made())
  }

  #made(): PolicyInput {
    const { row, nowMs, device, identity, time } = this.#about
    const { facts } = this.#content()
    const provider = optional(row, 'provider')
    const price =
      provider === undefined || facts.model === undefined
        ? undefined
        : this.#around.price(provider, facts.model)
    return policyInput({
      ...facts,
      findings: [],
      requestId: text(row, 'request_id'),
      nowMs,
      method: text(row, 'http_method'),
      path: text(row, 'http_path'),
      rawHeaders: [],
      device,
      identity,
      userAgent: optional(row, 'user_agent'),
      call: isCall(row),
      endpoint: text(row, 'endpoint_domain'),
      provider,
      time,
      counters: this.#around.counters(this.#about),
      session: undefined,
      inputPrice: price === undefined ? undefined : price / PRICED_TOKENS,
    })
  }
}

/** All of it, for who looks at everything. */
export function wholeInput(input: PolicyInput): PolicyInput {
  const { request, device, endpoint, context, counters, session, agent_id } = input
  const {
    mcp = null,
    calls = null,
    estimate,
    model,
    prompt,
    prompt_end,
    prompt_chars,
  } = input
  const { text: words, said, said_chars, findings } = input
  return {
    ...{ request, device, endpoint, context, counters, session, agent_id },
    ...{ mcp, calls, estimate, model, prompt, prompt_end, prompt_chars },
    ...{ text: words, said, said_chars, findings },
  }
}
