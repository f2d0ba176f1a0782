/**
 * A method of the control plane, as data: CLI, dashboard, MCP and the description of the API all
 * come from the list in `methods.ts`. The code behind one is loaded when it is first asked for.
 */
import type { IncomingMessage } from 'node:http'
import type { Answer, WholeAnswer } from './answer.js'
import type { Attempts } from '../policy/attempts.js'
import type { AccessLog } from './access-log.js'
import type { Gate } from './gate.js'
import type { Logins } from './logins.js'
import type { ControlPlaces, ControlPort } from './port.js'
import type { Settings } from './settings.js'
import type { McpHouse } from './mcp-house.js'
import type { Reader } from './reader.js'
import type { Caller, Role } from './roles.js'
import type { WhatIfJobs } from './what-if-jobs.js'

export interface Call {
  readonly caller: Caller
  /** The parts of the path in braces, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Of a change: its JSON; undefined: it had none. */
  readonly body: unknown
  readonly request: IncomingMessage
  readonly on: Surroundings
}

/** What methods may look at. */
export interface Surroundings {
  readonly port: ControlPort
  readonly places: ControlPlaces
  readonly gate: Pick<Gate, 'caller' | 'cookieOf' | 'login'>
  readonly logins: Logins
  /** Of passwords. */
  readonly attempts: Attempts
  readonly access: AccessLog
  /** Undefined: there is nothing that could be changed. */
  readonly settings: () => Promise<Settings | undefined>
  readonly reader: Pick<Reader, 'ask'>
  readonly whatIf: () => Promise<WhatIfJobs>
  /** Started when it is first asked for. */
  readonly mcp: () => Promise<McpHouse>
}

export type Handler = (call: Call) => Answer | Promise<Answer>

/** One that needs nothing of the request: other ports than ours may ask it, too. */
export type PlainHandler = (call: {
  readonly on: Pick<Surroundings, 'port'>
}) => WholeAnswer

export interface Method {
  readonly verb: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** `/api/exchanges/{id}`: a part in braces is any one segment. */
  readonly path: string
  /** `open`: nobody is asked who he is. */
  readonly role: Role | 'open'
  /** Whoever has the link may; a body is not read. */
  readonly byLink?: boolean
  /** Names that the query may have; others are refused. */
  readonly query?: readonly string[]
  readonly load: () => Promise<Handler>
}

export interface Found {
  readonly method: Method
  readonly params: Readonly<Record<string, string>>
}

/** By verb and path; `verbs` are those that the path has. */
export function findMethod(
  methods: readonly Method[],
  verb: string,
  path: string,
): { readonly found?: Found; readonly verbs: readonly string[] } {
  const segments = path.split('/')
  const verbs: string[] = []
  for (const method of methods) {
    const params = match(method.path.split('/'), segments)
    if (params === undefined) continue
    if (method.verb === verb || (verb === 'HEAD' && method.verb === 'GET'))
      return { found: { method, params }, verbs }
    verbs.push(method.verb)
  }
  return { verbs }
}

function match(
  wanted: readonly string[],
  given: readonly string[],
): Record<string, string> | undefined {
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? ''
    if (!part.startsWith('{')) {
      if (part !== text) return undefined
      continue
    }
    const value = decoded(text)
    if (value === undefined || value === '') return undefined
    params[part.slice(1, -1)] = value
  }
  return params
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
