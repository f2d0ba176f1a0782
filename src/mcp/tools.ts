/**
 * What an assistant may ask YORI, and, with a role, have it do: each tool as data, one question to
 * the control plane. A tool answers what the control plane answers, so that an assistant and the
 * dashboard never differ. How it is served is `server.ts`.
 */
import * as z from 'zod'
import { approvalCode, readApprovalCode } from '../policy/approval.js'
import type { Role } from '../control/roles.js'

/** One question to the control plane. */
export interface ToolQuestion {
  readonly verb?: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: unknown
}

type Given = Readonly<Record<string, unknown>>

export interface ToolSpec {
  readonly name: string
  readonly title: string
  readonly description: string
  /** What it may be given; empty: nothing. */
  readonly input: Readonly<Record<string, z.ZodType>>
  /** `view`: it changes nothing. */
  readonly role: Role
  readonly question: (given: Given) => ToolQuestion
  /** Of the answer, what is told; all unless said. */
  readonly shown?: (body: unknown, given: Given) => unknown
}

const days = z
  .number()
  .int()
  .min(1)
  .max(366)
  .optional()
  .describe('days back, today included')
const span = z
  .string()
  .max(64)
  .optional()
  .describe('a span such as 24h or 7d, or a date such as 2026-01-31')
const word = z.string().max(256).optional()
const id = z.string().min(1).max(256)
const code = z.string().min(1).max(16).describe('the code of a block, such as 7F3-K2M')
const FILTERS = {
  since: span,
  until: span,
  device: word,
  provider: word,
  model: word,
  agent: word,
  session: word,
  policy: word,
  outcome: z.enum(['response', 'block', 'error', 'request']).optional(),
} as const
const limit = z
  .number()
  .int()
  .min(1)
  .max(200)
  .optional()
  .describe('rows at most; 50 unless said')
const before = z.string().max(256).optional().describe('`next` of an earlier page')

/** A path with what was given as its query. */
function withQuery(path: string, given: Given): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(given))
    if (typeof value === 'string' || typeof value === 'number')
      query.set(name, String(value))
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}

const asks = (path: string) => (given: Given) => ({ path: withQuery(path, given) })

function named(text: unknown): string {
  return encodeURIComponent(String(text))
}

export const TOOLS: readonly ToolSpec[] = [
  {
    name: 'usage_last_day',
    title: 'Usage and cost of the last 24 hours',
    description:
      'Requests, tokens and cost of the last 24 hours, by device and model; costs are in ' +
      'micro-dollars. Takes no argument.',
    input: {},
    role: 'view',
    question: () => ({ path: '/api/usage?since=24h' }),
  },
  {
    name: 'usage',
    title: 'Usage and cost, filtered',
    description:
      'The same for any time, device, provider, model, agent, session or policy.',
    input: FILTERS,
    role: 'view',
    question: asks('/api/usage'),
  },
  {
    name: 'overview',
    title: 'How things stand at a glance',
    description:
      'The last 24 hours: usage, who was active, what was not seen, and what waits for somebody.',
    input: {},
    role: 'view',
    question: () => ({ path: '/api/overview' }),
  },
  {
    name: 'status',
    title: 'Is YORI well',
    description: 'Version, mode, listeners, and what is wrong, if anything is.',
    input: {},
    role: 'view',
    question: () => ({ path: '/api/status' }),
  },
  {
    name: 'sessions',
    title: 'Conversations',
    description: 'Sessions, the newest first, with their calls, tokens and cost.',
    input: { ...FILTERS, limit, before },
    role: 'view',
    question: asks('/api/sessions'),
  },
  {
    name: 'session',
    title: 'One conversation',
    description: 'One session by its id: its events in order, tools, tokens and errors.',
    input: { id },
    role: 'view',
    question: (given) => ({ path: `/api/session/${named(given['id'])}` }),
  },
  {
    name: 'agents',
    title: 'Agents',
    description: 'Programs that ask models, by their system prompt, with what they did.',
    input: { days },
    role: 'view',
    question: asks('/api/agents'),
  },
  {
    name: 'agent',
    title: 'One agent',
    description: 'One agent by its id: models, tools, tokens, and its days.',
    input: { id, days },
    role: 'view',
    question: ({ id: which, ...rest }) => ({
      path: withQuery(`/api/agent/${named(which)}`, rest),
    }),
  },
  {
    name: 'exchanges',
    title: 'Requests in the record',
    description:
      'Single requests, the newest first, filtered; with `next` for the next page.',
    input: { ...FILTERS, limit, before },
    role: 'view',
    question: asks('/api/exchanges'),
  },
  {
    name: 'findings',
    title: 'Personal data and secrets that were found',
    description:
      'Of one page of requests those in which detectors found something: kinds and counts, ' +
      'never the words themselves. `next` leads to the next page.',
    input: { ...FILTERS, limit, before },
    role: 'view',
    question: asks('/api/exchanges'),
    shown: withFindings,
  },
  {
    name: 'coverage',
    title: 'What was seen, and what was not',
    description:
      'How much of the traffic to AI services was read, and why the rest was not.',
    input: { days },
    role: 'view',
    question: asks('/api/coverage'),
  },
  {
    name: 'alerts',
    title: 'Alerts',
    description: 'The inbox of alerts, the newest first.',
    input: { limit },
    role: 'view',
    question: asks('/api/alerts'),
  },
  {
    name: 'policies',
    title: 'Policies, and what each would do',
    description:
      'Each policy that is known, whether it is on, and whom it would have met in the last ' +
      'days if it alone might block. May answer `state: running`; ask again then.',
    input: {},
    role: 'view',
    question: () => ({ path: '/api/policies' }),
  },
  {
    name: 'what_would_policies_do',
    title: 'What would a change of policies have done',
    description:
      'Replays the record against changed policies, and changes nothing: `changes` is such as ' +
      '{"bedtime": {"enabled": true, "action": "block"}}. May answer `state: running`.',
    input: {
      changes: z.record(z.string().max(128), z.record(z.string().max(128), z.unknown())),
      days: z.number().int().min(1).max(90).optional(),
    },
    role: 'view',
    question: ({ changes, ...rest }) => ({
      verb: 'POST',
      path: withQuery('/api/policies/diff', rest),
      body: { changes },
    }),
  },
  {
    name: 'why_blocked',
    title: 'Why was this blocked',
    description:
      'The request that a block told by its code (such as 7F3-K2M): which policy, why, and ' +
      'when. Among the last 200 blocks of a day.',
    input: { code },
    role: 'view',
    question: () => ({ path: '/api/exchanges?outcome=block&since=24h&limit=200' }),
    shown: ofCode,
  },
  {
    name: 'exchange',
    title: 'One request',
    description: 'One request of the record by its id, with all that is known of it.',
    input: { id },
    role: 'view',
    question: (given) => ({ path: `/api/exchanges/${named(given['id'])}` }),
  },
  {
    name: 'waiting_approvals',
    title: 'What waits for an approval',
    description:
      'Blocks that an adult may let pass, with their codes, and what is granted now.',
    input: {},
    role: 'view',
    question: () => ({ path: '/api/approvals' }),
  },
  {
    name: 'report',
    title: 'Report of a week, or of any time',
    description: 'Who asked AI services for how long, about what, and what was not seen.',
    input: { since: span, until: span, person: word },
    role: 'view',
    question: asks('/api/report'),
  },
  {
    name: 'devices',
    title: 'Devices',
    description: 'Devices that asked AI services, with their names and what they did.',
    input: { days },
    role: 'view',
    question: asks('/api/devices'),
  },
  {
    name: 'approve',
    title: 'Let a block pass',
    description:
      'Lets what was refused under this code pass: once, for a span, or always.',
    input: {
      code,
      once: z.boolean().optional(),
      for: z.string().max(16).optional().describe('a span such as 30m or 2h'),
    },
    role: 'household',
    question: ({ code: which, ...how }) => ({
      verb: 'POST',
      path: `/api/approvals/${named(which)}/approve`,
      body: how,
    }),
  },
  {
    name: 'deny',
    title: 'Refuse a block for good',
    description: 'Says no to what was refused under this code.',
    input: { code },
    role: 'household',
    question: ({ code: which }) => ({
      verb: 'POST',
      path: `/api/approvals/${named(which)}/deny`,
    }),
  },
  {
    name: 'pause',
    title: 'Pause AI services',
    description: 'Pauses AI services for a device or a person, for a while.',
    input: {
      target: z
        .string()
        .min(1)
        .max(256)
        .describe('a device or a person, by name or address'),
      minutes: z.number().int().min(1).max(1440),
    },
    role: 'household',
    question: (body) => ({ verb: 'POST', path: '/api/pause', body }),
  },
  {
    name: 'set_policy',
    title: 'Switch a policy',
    description:
      'Switches a policy on or off, or changes what it does, in the configuration.',
    input: {
      name: z.string().regex(/^[a-z0-9_]{1,64}$/),
      enabled: z.boolean().optional(),
      action: z.enum(['allow', 'alert', 'redact', 'block']).optional(),
    },
    role: 'admin',
    question: ({ name, ...set }) => ({
      verb: 'PUT',
      path: '/api/settings',
      body: {
        changes: Object.fromEntries(
          Object.entries(set).map(([key, to]) => [
            `policies.files.${String(name)}.${key}`,
            to,
          ]),
        ),
      },
    }),
    shown: (body) => ({ version: (body as { version?: unknown }).version }),
  },
]

/** Those that somebody with that role may use; undefined: those that change nothing. */
export function toolsFor(role: Role | undefined): readonly ToolSpec[] {
  const most = role === undefined ? 0 : RANKS.indexOf(role)
  return TOOLS.filter((tool) => RANKS.indexOf(tool.role) <= most)
}

const RANKS: readonly Role[] = ['view', 'household', 'admin']

function withFindings(body: unknown): unknown {
  const { exchanges, ...rest } = body as {
    exchanges?: readonly Record<string, unknown>[]
  }
  return { ...rest, exchanges: exchanges?.filter(hasFindings) }
}

function hasFindings({ findings }: Record<string, unknown>): boolean {
  return findings !== null && findings !== undefined && findings !== '[]'
}

/** A row by the code that its block told; undefined: there is no such row. */
function ofCode(body: unknown, { code }: Given): unknown {
  const wanted = readApprovalCode(String(code))
  const { exchanges = [] } = body as { exchanges?: readonly Record<string, unknown>[] }
  const row = exchanges.find((one) => approvalCode(String(one['request_id'])) === wanted)
  return row === undefined ? undefined : { code: wanted, exchange: row }
}
