/** The checks, a row each. Limits are those that source 004's implementation has. */
import { LEAST_SESSIONS } from './words.js'
import type { Check, CheckResult, RequestFact, RiskFacts, SessionFacts } from './words.js'

const MOST_TOKENS = 50_000
const MOST_TOOL_CALLS = 50
/** Times a limit that make it grave. */
const GRAVE = 4
const MOST_VARIATION = 0.7
const LEAST_COVERAGE = 0.8
const LEAST_STABLE = 0.8
const LEAST_PREDICTABLE = 0.6
const MOST_EXPOSED = 0.5
const MOST_FAILED = 0.5
const LEAST_CALLS = 10
const MOST_EVIDENCE = 10
/** Of a session from the middle, in medians of such distances. */
const OUTLYING = 6

const passed = (says: string): CheckResult => ({ status: 'passed', says, evidence: [] })
const tooFew: CheckResult = {
  status: 'not_enough',
  says: `fewer than ${LEAST_SESSIONS} sessions`,
  evidence: [],
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

function requestsOf(list: readonly { readonly request: string }[]): readonly string[] {
  return [...new Set(list.map(({ request }) => request))].slice(0, MOST_EVIDENCE)
}

/** Sessions over a limit. */
function bounded(
  { sessions }: RiskFacts,
  most: number,
  of: (session: SessionFacts) => number,
): CheckResult {
  const over = sessions.filter((session) => of(session) > most)
  const highest = Math.max(0, ...sessions.map(of))
  const says = `${over.length} of ${sessions.length} sessions over ${most}, the highest ${highest}`
  if (over.length === 0) return passed(says)
  const status = highest > GRAVE * most ? 'critical' : 'warning'
  return { status, says, evidence: requestsOf(over) }
}

/** Standard deviation in means. */
function varied(
  { sessions }: RiskFacts,
  of: (session: SessionFacts) => number,
): CheckResult {
  if (sessions.length < LEAST_SESSIONS) return tooFew
  const values = sessions.map(of)
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  if (mean === 0) return passed('none at all')
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const variation = Math.sqrt(variance / values.length) / mean
  const says = `variation ${variation.toFixed(2)}, at most ${MOST_VARIATION}`
  if (variation <= MOST_VARIATION) return passed(says)
  const furthest = sessions.toSorted(
    (a, b) => Math.abs(of(b) - mean) - Math.abs(of(a) - mean),
  )
  return { status: 'warning', says, evidence: requestsOf(furthest.slice(0, 3)) }
}

const keyOf = ({ tools }: SessionFacts): string =>
  [...new Set(tools)].toSorted().join('\n')

/** Sessions by which tools they used, the largest group first. */
function groups({ sessions }: RiskFacts): readonly (readonly SessionFacts[])[] {
  const byKey = new Map<string, SessionFacts[]>()
  for (const session of sessions) {
    const list = byKey.get(keyOf(session))
    if (list === undefined) byKey.set(keyOf(session), [session])
    else list.push(session)
  }
  return [...byKey.values()].toSorted((a, b) => b.length - a.length)
}

function likeness(a: readonly string[], b: readonly string[]): number {
  const [one, other] = [new Set(a), new Set(b)]
  const all = new Set([...a, ...b])
  if (all.size === 0) return 1
  return [...one].filter((name) => other.has(name)).length / all.size
}

/** Found, or said by a policy: any is one too many. */
function none(
  facts: readonly RequestFact[],
  status: 'warning' | 'critical',
  what: string,
): CheckResult {
  const [first] = facts
  if (first === undefined) return passed(`no ${what}`)
  const names = [...new Set(facts.map(({ name }) => name))].slice(0, 5).join(', ')
  const says = `${what} in ${new Set(facts.map(({ request }) => request)).size} requests: ${names}`
  return { status, says, evidence: requestsOf(facts) }
}

const INJECTION: ReadonlySet<string> = new Set(
  (
    'AUTHORITY DATA_REQUEST EXFILTRATION INVISIBLE_TEXT JAILBREAK OVERRIDE PROMPT_LEAK ' +
    'SECRET_REQUEST SMUGGLING TOOL_ORDER TOOL_REQUEST'
  ).split(' '),
)
const SECRET =
  /(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL|AUTHORIZATION|WEBHOOK|JWT|PAT)S?(?:_|$)/

type Kind = 'injection' | 'secret' | 'pii'

export function kindOf(finding: string): Kind {
  if (INJECTION.has(finding)) return 'injection'
  return SECRET.test(finding) ? 'secret' : 'pii'
}

const found = ({ findings }: RiskFacts, kind: Kind): readonly RequestFact[] =>
  findings.filter(({ name }) => kindOf(name) === kind)

const toolCalls = ({ tools }: SessionFacts): number => tools.length

export const CHECKS: readonly Check[] = [
  {
    id: 'RESOURCE_001',
    owasp: 'LLM10',
    title: 'Tokens of a session are bounded',
    looksAt: 'tokens in and out of each session',
    run: (facts) => bounded(facts, MOST_TOKENS, ({ tokens }) => tokens),
  },
  {
    id: 'RESOURCE_002',
    owasp: 'LLM10',
    title: 'Tool calls of a session are bounded',
    looksAt: 'tool calls of each session',
    run: (facts) => bounded(facts, MOST_TOOL_CALLS, toolCalls),
  },
  {
    id: 'RESOURCE_003',
    owasp: 'LLM10',
    title: 'Calls do not fail again and again',
    looksAt: 'calls that ended in an error',
    run: ({ calls, errors, sessions }) => {
      if (calls < LEAST_CALLS)
        return { ...tooFew, says: `fewer than ${LEAST_CALLS} calls` }
      const says = `${errors} of ${calls} calls failed`
      if (errors / calls <= MOST_FAILED) return passed(says)
      return { status: 'warning', says, evidence: requestsOf(sessions.slice(0, 3)) }
    },
  },
  {
    id: 'RESOURCE_004',
    owasp: 'LLM10',
    title: 'Sessions use about as many tokens',
    looksAt: 'tokens of all sessions',
    run: (facts) => varied(facts, ({ tokens }) => tokens),
  },
  {
    id: 'RESOURCE_005',
    owasp: 'LLM10',
    title: 'Sessions call about as many tools',
    looksAt: 'tool calls of all sessions',
    run: (facts) => varied(facts, toolCalls),
  },
  {
    id: 'RESOURCE_006',
    owasp: 'LLM10',
    title: 'Sessions last about as long',
    looksAt: 'minutes of all sessions',
    run: (facts) => varied(facts, ({ minutes }) => minutes),
  },
  {
    id: 'ENV_001',
    owasp: 'LLM03',
    title: 'The model is pinned',
    looksAt: 'names of models',
    run: ({ models }) => {
      const loose = models.filter((name) => /(?:^|[-:])latest$/.test(name))
      if (loose.length === 0) return passed(`${models.length} models, none moves`)
      const says = `moves with its provider: ${loose.slice(0, 5).join(', ')}`
      return { status: 'warning', says, evidence: [] }
    },
  },
  {
    id: 'ENV_002',
    owasp: 'LLM06',
    title: 'Tools that are offered are used',
    looksAt: 'tools offered and tools called',
    run: ({ offered, sessions }) => {
      if (offered.length === 0) return passed('no tools')
      if (sessions.length < LEAST_SESSIONS) return tooFew
      const used = new Set(sessions.flatMap(({ tools }) => tools))
      const share = offered.filter((name) => used.has(name)).length / offered.length
      const says = `${percent(share)} of ${offered.length} tools are used`
      if (share >= LEAST_COVERAGE) return passed(says)
      return { status: 'warning', says, evidence: requestsOf(sessions.slice(0, 3)) }
    },
  },
  {
    id: 'BEHAV_001',
    owasp: 'LLM06',
    title: 'Sessions use the same tools',
    looksAt: 'sets of tools, each against the most frequent one',
    run: (facts) => {
      if (facts.sessions.length < LEAST_SESSIONS) return tooFew
      const usual = groups(facts)[0]?.[0]?.tools ?? []
      const each = facts.sessions.map(({ tools }) => likeness(tools, usual))
      const mean = each.reduce((sum, one) => sum + one, 0) / each.length
      const says = `likeness ${mean.toFixed(2)}, at least ${LEAST_STABLE}`
      if (mean >= LEAST_STABLE) return passed(says)
      const others = facts.sessions.filter((_, at) => (each[at] ?? 1) < 1)
      return { status: 'warning', says, evidence: requestsOf(others) }
    },
  },
  {
    id: 'BEHAV_002',
    owasp: 'LLM10',
    title: 'No session is far from the others',
    looksAt: 'tokens of each session against their median',
    run: ({ sessions }) => {
      if (sessions.length < LEAST_SESSIONS) return tooFew
      const middle = median(sessions.map(({ tokens }) => tokens))
      const away = (one: SessionFacts): number => Math.abs(one.tokens - middle)
      // Where most are alike, a tenth of the middle counts as their distance.
      const usual = Math.max(median(sessions.map(away)), middle / 10, 1)
      const far = sessions.filter((one) => away(one) > OUTLYING * usual)
      const says = `${far.length} of ${sessions.length} sessions are far from ${middle} tokens`
      return far.length === 0
        ? passed(says)
        : { status: 'warning', says, evidence: requestsOf(far) }
    },
  },
  {
    id: 'BEHAV_004',
    owasp: 'LLM06',
    title: 'What it does is predictable',
    looksAt: 'the share of sessions with the most frequent set of tools',
    run: (facts) => {
      if (facts.sessions.length < LEAST_SESSIONS) return tooFew
      const [most = [], ...others] = groups(facts)
      const share = most.length / facts.sessions.length
      const says = `${percent(share)} in the largest of ${others.length + 1} groups`
      if (share >= LEAST_PREDICTABLE) return passed(says)
      return { status: 'warning', says, evidence: requestsOf(others.flat()) }
    },
  },
  {
    id: 'PII_001',
    owasp: 'LLM02',
    title: 'No personal data is sent',
    looksAt: 'what detectors found, where a policy looks for it',
    run: (facts) => none(found(facts, 'pii'), 'warning', 'personal data'),
  },
  {
    id: 'PII_003',
    owasp: 'LLM02',
    title: 'Few sessions send personal data',
    looksAt: 'sessions in which personal data was found',
    run: (facts) => {
      const of = new Set(found(facts, 'pii').flatMap(({ session }) => session ?? []))
      if (facts.sessions.length < LEAST_SESSIONS) return tooFew
      const share = Math.min(1, of.size / facts.sessions.length)
      const says = `in ${percent(share)} of ${facts.sessions.length} sessions`
      if (share <= MOST_EXPOSED) return passed(says)
      return { status: 'critical', says, evidence: requestsOf(found(facts, 'pii')) }
    },
  },
  {
    id: 'SECRET_001',
    owasp: 'LLM02',
    title: 'No keys or passwords are sent',
    looksAt: 'what detectors found, where a policy looks for it',
    run: (facts) => none(found(facts, 'secret'), 'critical', 'keys or passwords'),
  },
  {
    id: 'INJECT_001',
    owasp: 'LLM01',
    title: 'No orders to the model that nobody gave',
    looksAt: 'what detectors found, where a policy looks for it',
    run: (facts) => none(found(facts, 'injection'), 'critical', 'orders to the model'),
  },
  {
    id: 'TOOL_001',
    owasp: 'LLM06',
    title: 'Nothing is done that cannot be undone',
    looksAt: 'what the policy destructive_tools said',
    run: ({ judged }) =>
      none(
        judged.filter(({ name }) => name === 'destructive_tools'),
        'critical',
        'calls that cannot be undone',
      ),
  },
  {
    id: 'TOOL_002',
    owasp: 'LLM03',
    title: 'Tools describe themselves as before',
    looksAt: 'pinned descriptions of tools of MCP',
    run: ({ judged }) =>
      none(
        judged.filter(
          ({ name, reason }) =>
            name === 'mcp_tools' && reason.includes('describes itself otherwise'),
        ),
        'critical',
        'tools that changed their description',
      ),
  },
  {
    id: 'UNSEEN_001',
    owasp: 'LLM02',
    title: 'What is sent is read',
    looksAt: 'requests that could not be read, or not to their end',
    run: ({ calls, uninspected }) => {
      const says = `${uninspected} of ${calls} calls were not read to their end`
      if (uninspected * 10 <= calls) return passed(says)
      return { status: 'warning', says, evidence: [] }
    },
  },
]

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
