/** Builds the document that policies read. Credentials never get into it. Pure. */
import type { Device, Used } from '../core/record.js'
import type { Who } from '../core/who.js'
import type { Identity } from './devices.js'
import { WEEKDAYS } from './local-time.js'
import type { LocalTime } from './local-time.js'
import type {
  BodyState,
  CallsInput,
  FindingInput,
  McpInput,
  PolicyInput,
  ToolEvent,
  UsageInput,
} from './policy.js'
import { dayText, KEPT_DAYS } from './usage.js'
import type { Spent, Usage } from './usage.js'

export interface InputFacts {
  readonly requestId: string
  readonly nowMs: number
  readonly method: string
  readonly path: string
  /** Name, value, name, value, as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: unknown
  readonly bodyState: BodyState
  readonly device: Device
  readonly identity: Identity
  readonly userAgent: string | undefined
  readonly endpoint: string
  readonly provider: string | undefined
  readonly time: LocalTime
  readonly counters: CountersFacts
  readonly model: string | undefined
  /** All that the body names; undefined: no others than `model`. */
  readonly modelsNamed?: readonly string[] | undefined
  readonly prompt: string
  /** Undefined: the request could not be read. */
  readonly promptChars: number | undefined
  readonly toolsOffered: readonly string[] | undefined
  readonly findings: readonly FindingInput[]
  /** All text of the body; undefined where nobody looks at it. */
  readonly said?: SaidFacts | undefined
  readonly session: SessionFacts | undefined
  /** Undefined: nobody knows. */
  readonly call?: boolean | undefined
  readonly agentId?: string | undefined
  /** Undefined: it is no message of MCP. */
  readonly mcp?: McpInput | undefined
  /** Undefined: nobody looks, or nobody can tell. */
  readonly calls?: CallsInput | undefined
  /** It came to a sidecar: what it is called there. */
  readonly toolName?: string | undefined
  /** Micro-dollars for a token of input; undefined when the price is not known. */
  readonly inputPrice: number | undefined
}

/** What a policy gets to see at once of a long text. */
export interface TextPiece {
  readonly text: string
  readonly said: Readonly<Record<Who, string>>
}

export interface SaidFacts {
  readonly pieces: readonly TextPiece[]
  readonly chars: Readonly<Record<Who, number>>
}

const NO_TEXT: TextPiece = {
  text: '',
  said: { person: '', program: '', tool: '', model: '' },
}

const NO_CHARS: Readonly<Record<Who, number>> = {
  person: 0,
  program: 0,
  tool: 0,
  model: 0,
}

export interface CountersFacts {
  readonly device: Usage
  /** Few policies look at these: they are read when one does. */
  readonly groups: () => readonly (readonly [string, Usage])[]
  readonly policies: () => readonly (readonly [string, Usage])[]
}

/** A conversation before the request that is judged. */
export interface SessionFacts extends Used {
  readonly id: string
  /** Tells it from those of other devices. */
  readonly key: string
  readonly startedAt: number
  readonly requests: number
  readonly toolCalls: number
}

const CHARS_PER_TOKEN = 4
const MICRO = 1_000_000
const END_CHARS = 4000

const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'x-amz-security-token',
  // A browser cannot send other fields: keys of Realtime stand among its protocols.
  'sec-websocket-protocol',
  'x-yori-override',
])

/** One document a piece of the text; they differ in nothing else. */
export function policyInputs(facts: InputFacts): [PolicyInput, ...PolicyInput[]] {
  const input = policyInput(facts)
  const further = facts.said?.pieces.slice(1) ?? []
  return [input, ...further.map((piece) => ({ ...input, ...piece }))]
}

/** Of the first piece of the text. */
export function policyInput(facts: InputFacts): PolicyInput {
  const { device, identity, time, counters, promptChars, session } = facts
  const inputTokens =
    promptChars === undefined ? null : Math.ceil(promptChars / CHARS_PER_TOKEN)
  return {
    request: {
      id: facts.requestId,
      timestamp: new Date(facts.nowMs).toISOString(),
      method: facts.method,
      path: facts.path,
      headers: readableHeaders(facts.rawHeaders),
      body: facts.bodyState === 'whole' ? (facts.body ?? null) : null,
      body_state: facts.bodyState,
      // Nobody knows the path: a budget is not to be gone round by one.
      call: facts.call ?? facts.method === 'POST',
      tools: facts.toolsOffered ?? null,
      models: facts.modelsNamed ?? (facts.model === undefined ? [] : [facts.model]),
    },
    device: deviceInput(device, identity, facts.userAgent),
    endpoint: { domain: facts.endpoint, provider: facts.provider ?? null },
    mcp: facts.mcp ?? null,
    calls: facts.calls ?? null,
    context: contextInput(time, counters.device),
    counters: countersInput(counters, time),
    session: sessionInput(session, facts.nowMs),
    agent_id: facts.agentId ?? null,
    estimate: {
      input_tokens: inputTokens,
      cost_usd:
        inputTokens === null || facts.inputPrice === undefined
          ? null
          : (inputTokens * facts.inputPrice) / MICRO,
    },
    model: facts.model ?? null,
    prompt: facts.prompt,
    prompt_end: endOf(facts.prompt),
    prompt_chars: promptChars ?? 0,
    ...(facts.said?.pieces[0] ?? NO_TEXT),
    said_chars: facts.said?.chars ?? NO_CHARS,
    findings: facts.findings,
    ...(facts.toolName === undefined
      ? {}
      : { event: eventOf(facts.toolName, facts.body) }),
  }
}

export function deviceInput(
  { ip, mac, hostname }: Device,
  { name, groups }: Identity,
  userAgent: string | undefined,
): PolicyInput['device'] {
  return {
    ip,
    mac: mac ?? null,
    hostname: hostname ?? null,
    user_agent: userAgent ?? null,
    name: name ?? null,
    groups,
  }
}

export function contextInput(time: LocalTime, device: Usage): PolicyInput['context'] {
  const weekday = WEEKDAYS.indexOf(time.weekday)
  return {
    date: time.date,
    hour: time.hour,
    minute: time.minuteOfDay % 60,
    minute_of_day: time.minuteOfDay,
    day_of_week: time.weekday,
    day_before: WEEKDAYS[(weekday + 6) % 7] as string,
    is_weekend: time.weekday === 'saturday' || time.weekday === 'sunday',
    request_count_today: device.today.requests,
    request_count_this_hour: device.hour.requests,
  }
}

export function countersInput(
  { device, groups, policies }: CountersFacts,
  time: LocalTime,
): PolicyInput['counters'] {
  return {
    device: usageInput(device, time),
    get groups() {
      return named(groups(), time)
    },
    get policies() {
      return named(policies(), time)
    },
  }
}

export function sessionInput(
  session: SessionFacts | undefined,
  nowMs: number,
): PolicyInput['session'] {
  if (session === undefined) return null
  return {
    id: session.id,
    requests: session.requests,
    tool_calls: session.toolCalls,
    tokens: session.tokens,
    ...costInput(session),
    minutes: Math.max(0, nowMs - session.startedAt) / 60_000,
  }
}

function endOf(prompt: string): string {
  if (prompt.length <= END_CHARS) return prompt
  const start = prompt.length - END_CHARS
  // Never half a surrogate pair.
  const code = prompt.charCodeAt(start)
  return prompt.slice(code >= 0xdc00 && code <= 0xdfff ? start + 1 : start)
}

function named(
  usages: readonly (readonly [string, Usage])[],
  time: LocalTime,
): Record<string, UsageInput> {
  return Object.fromEntries(
    usages.map(([name, usage]) => [name, usageInput(usage, time)]),
  )
}

function usageInput({ hour, today, month, days }: Usage, time: LocalTime): UsageInput {
  const spent = ({ requests, tokens, ...cost }: Readonly<Spent>) => ({
    requests,
    tokens,
    ...costInput(cost),
  })
  return {
    hour: spent(hour),
    today: { ...spent(today), minutes: today.minutes },
    month: spent(month),
    // Few policies look so far back.
    get days() {
      return daysInput(days, time)
    },
  }
}

/** What is counted for a call without a known price is in the cost. */
function costInput({
  microUsd,
  atMostMicroUsd,
}: Pick<Used, 'microUsd' | 'atMostMicroUsd'>): {
  cost_usd: number
  estimated_usd: number
} {
  const estimated_usd = atMostMicroUsd / MICRO
  return { cost_usd: (microUsd + atMostMicroUsd) / MICRO, estimated_usd }
}

const NO_DAYS: UsageInput['days'] = []

/** Yesterday first; days without a request are there too. */
function daysInput(days: Usage['days'], { date }: LocalTime): UsageInput['days'] {
  if (days.length === 0) return NO_DAYS
  return datesBefore(date).map((before) => {
    const day = days.find((known) => known.date === before)
    const { requests = 0, tokens = 0, minutes = 0 } = day ?? {}
    const { microUsd = 0, atMostMicroUsd = 0 } = day ?? {}
    return { requests, tokens, ...costInput({ microUsd, atMostMicroUsd }), minutes }
  })
}

let daysBefore: { readonly date: string; readonly dates: readonly string[] } = {
  date: '',
  dates: [],
}

/** The same list as long as it is the same day. */
function datesBefore(date: string): readonly string[] {
  if (daysBefore.date !== date) {
    const dates = Array.from({ length: KEPT_DAYS }, (_, n) => dayText(date, -1 - n))
    daysBefore = { date, dates }
  }
  return daysBefore.dates
}

/** Fields that stand more than once are joined, RFC 9110 §5.3. */
function readableHeaders(raw: readonly string[]): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (CREDENTIALS.has(name)) continue
    const value = raw[i + 1] as string
    const before = headers[name]
    headers[name] = before === undefined ? value : `${before}, ${value}`
  }
  return headers
}

function eventOf(toolName: string, body: unknown): ToolEvent {
  return {
    event_type: 'pre_tool_use',
    tool_name: toolName,
    channel: 'llm',
    tool_input: body,
    producer_can_apply_modify: true,
  }
}
