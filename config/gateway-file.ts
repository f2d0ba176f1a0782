/**
 * The configuration file of a gateway as Cylestio's has it (`server`, `llm`, `interceptors`,
 * `session`, `logging`), in the words of ours. Keys of ours may stand beside; what nobody does
 * here is said. Pure; values are judged afterwards, where they went.
 */
import { isObject } from './defaults.js'
import type { Remark } from './judge.js'

/** Where that gateway listens when nobody says; here on this machine alone. */
export const GATEWAY_HOST = '127.0.0.1'
export const GATEWAY_PORT = 4000

export interface GatewayFile {
  readonly value: unknown
  readonly warnings: readonly Remark[]
  readonly faults: readonly Remark[]
}

type Json = Readonly<Record<string, unknown>>

/** Gives what is no such file as it is. */
export function readGatewayFile(value: unknown): GatewayFile {
  if (!isObject(value) || !('llm' in value || 'server' in value))
    return { value, warnings: [], faults: [] }
  // `interceptors` are ours, too.
  const { server, llm, session, logging, ...ours }: Json = value
  const warnings: Remark[] = []
  const faults: Remark[] = []
  const notes = { warnings, faults }
  const parts = [
    listenOf(objectAt('server', server, notes)),
    gatewayOf(objectAt('llm', llm, notes), notes),
    sessionOf(objectAt('session', session, notes), notes),
    loggingOf(objectAt('logging', logging, notes)),
  ]
  return { value: [...parts, ours].reduce<Json>(merged, {}), ...notes }
}

interface Notes {
  readonly warnings: Remark[]
  readonly faults: Remark[]
}

function remark(
  path: readonly (string | number)[],
  wrong: string,
  right: string,
): Remark {
  return { path, atKey: false, wrong, right }
}

function objectAt(name: string, value: unknown, { faults }: Notes): Json {
  if (value === undefined || value === null) return {}
  if (isObject(value)) return value
  faults.push(remark([name], 'is no section', 'expected keys with values'))
  return {}
}

function listenOf({ host, port }: Json): Json {
  const text = asWritten(host ?? GATEWAY_HOST)
  const number = asWritten(port ?? GATEWAY_PORT)
  return { listen: `${text.includes(':') ? `[${text}]` : text}:${number}` }
}

/** What is neither text nor a number is told as it stands by whoever judges it. */
function asWritten(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function gatewayOf(llm: Json, { faults }: Notes): Json {
  const { base_url, type, api_key, timeout } = llm
  if (Object.keys(llm).length === 0) return {}
  if (typeof type !== 'string' || typeof base_url !== 'string') {
    const right = 'expected base_url and type, such as https://api.openai.com and openai'
    faults.push(remark(['llm'], 'does not say whom to ask', right))
    return {}
  }
  const provider = providerOf({ base_url, api_key, timeout })
  // To which everything goes that is not ours.
  return { gateway: { default: type, providers: { [type]: provider } } }
}

/** One of `gateway.providers`, in our words. */
export function providerOf(llm: {
  readonly base_url: string
  readonly api_key?: unknown
  readonly timeout?: unknown
}): Json {
  const { base_url, api_key: key, timeout } = llm
  return {
    base_url,
    ...(key === undefined || key === null ? {} : { key }),
    ...(timeout === undefined || timeout === null ? {} : { timeout }),
  }
}

function sessionOf(session: Json, { warnings }: Notes): Json {
  const { enabled, max_sessions: most, session_ttl_seconds: seconds } = session
  if (enabled === false)
    warnings.push(
      remark(['session', 'enabled'], 'sessions are always followed here', 'leave it out'),
    )
  return {
    ...(most === undefined ? {} : { limits: { sessions: most } }),
    ...(seconds === undefined ? {} : { timeouts: { session_idle: seconds } }),
  }
}

function loggingOf({ level }: Json): Json {
  return level === undefined ? {} : { log: { level: logLevel(level) } }
}

const LEVELS: ReadonlyMap<string, string> = new Map([
  ['warning', 'warn'],
  ['critical', 'error'],
  ['fatal', 'error'],
  ['trace', 'debug'],
])

/** Python's words, in any case of letters, for ours; anything else as it is. */
export function logLevel(level: unknown): unknown {
  if (typeof level !== 'string') return level
  const lower = level.toLowerCase()
  return LEVELS.get(lower) ?? lower
}

function merged(one: Json, other: Json): Json {
  const both: Record<string, unknown> = { ...one }
  for (const [key, value] of Object.entries(other)) {
    const mine = both[key]
    both[key] = isObject(mine) && isObject(value) ? merged(mine, value) : value
  }
  return both
}

/** What `yori generate-config` writes. */
export const GATEWAY_STARTER = `# A gateway to one provider: programs use http://127.0.0.1:4000 as their base URL.
server:
  port: 4000
  host: "127.0.0.1"

llm:
  base_url: "https://api.openai.com"
  type: "openai"
  # Sent where a client of this machine sends none.
  # api_key: "\${LLM_API_KEY}"

interceptors:
  - type: "printer"
    enabled: true

session:
  max_sessions: 10000
  session_ttl_seconds: 3600
`
