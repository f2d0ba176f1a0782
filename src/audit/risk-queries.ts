/** What checks of risks are given, out of the record: of several agents at once. Bounded. */
import type { Database } from 'better-sqlite3'
import type { RequestFact, RiskFacts, SessionFacts } from '../risks/words.js'
import { timestampText } from './rows.js'

/** Of all agents together, the newest. */
export const MOST_RISK_SESSIONS = 5_000
export const MOST_RISK_FACTS = 5_000
const MOST_NAMES = 1_000

/** Policies that say something of an agent. */
const POLICIES = ['destructive_tools', 'mcp_tools'] as const

const nobody = () => ({
  ...{ calls: 0, errors: 0, uninspected: 0 },
  sessions: [] as SessionFacts[],
  models: [] as string[],
  offered: [] as string[],
  findings: [] as RequestFact[],
  judged: [] as RequestFact[],
})

type Of<Row> = Row & { readonly agent: string }

export function readRiskFacts(
  db: Database,
  agents: readonly string[],
  sinceMs: number,
): (agent: string) => RiskFacts {
  const all = new Map(agents.map((id) => [id, nobody()]))
  const marks = agents.map(() => '?').join(', ')
  const where = `timestamp >= ? AND agent_id IN (${marks})`
  const values = [timestampText(sinceMs), ...agents]
  const rows = <Row>(sql: string): Of<Row>[] =>
    db.prepare<string[], Of<Row>>(sql).all(...values)
  const tools = new Map<string, string[]>()
  for (const { agent, session, tool } of rows<{ session: string; tool: string }>(
    `SELECT agent_id AS agent, session_id AS session, value AS tool
     FROM exchanges, json_each(tool_calls)
     WHERE ${where} AND session_id IS NOT NULL AND json_valid(tool_calls)
     ORDER BY timestamp DESC LIMIT ${20 * MOST_RISK_SESSIONS}`,
  )) {
    const key = JSON.stringify([agent, session])
    const known = tools.get(key)
    if (known === undefined) tools.set(key, [tool])
    else known.push(tool)
  }
  for (const { agent, at: _at, ...row } of rows<
    Omit<SessionFacts, 'tools'> & { at: string }
  >(
    `SELECT agent_id AS agent, session_id AS id,
       substr(max(timestamp || ' ' || request_id), 25) AS request,
       max(timestamp) AS at, sum(coalesce(prompt_tokens, 0) + coalesce(response_tokens, 0)) AS tokens,
       (julianday(max(timestamp)) - julianday(min(timestamp))) * 1440 AS minutes
     FROM exchanges WHERE ${where} AND session_id IS NOT NULL
     GROUP BY 1, 2 ORDER BY at DESC LIMIT ${MOST_RISK_SESSIONS}`,
  ))
    all.get(agent)?.sessions.push({
      ...row,
      tools: tools.get(JSON.stringify([agent, row.id])) ?? [],
    })
  for (const { agent, name } of rows<{ name: string }>(
    `SELECT DISTINCT agent_id AS agent, model AS name FROM exchanges
     WHERE ${where} AND model IS NOT NULL LIMIT ${MOST_NAMES}`,
  ))
    all.get(agent)?.models.push(name)
  for (const { agent, name } of rows<{ name: string }>(
    `SELECT DISTINCT agent_id AS agent, value AS name
     FROM exchanges, json_each(tools_offered)
     WHERE ${where} AND json_valid(tools_offered) LIMIT ${MOST_NAMES}`,
  ))
    all.get(agent)?.offered.push(name)
  for (const { agent, ...counts } of rows<
    Pick<RiskFacts, 'calls' | 'errors' | 'uninspected'>
  >(
    `SELECT agent_id AS agent, coalesce(sum(is_call), 0) AS calls,
       coalesce(sum(is_call = 1 AND event_type = 'error'), 0) AS errors,
       coalesce(sum(is_call = 1 AND uninspectable IS NOT NULL), 0) AS uninspected
     FROM exchanges WHERE ${where} GROUP BY 1`,
  ))
    Object.assign(all.get(agent) ?? {}, counts)
  for (const { agent, ...fact } of rows<RequestFact>(
    `SELECT agent_id AS agent, request_id AS request, session_id AS session, key AS name,
       '' AS reason
     FROM exchanges, json_each(findings)
     WHERE ${where} AND json_valid(findings)
     ORDER BY timestamp DESC LIMIT ${MOST_RISK_FACTS}`,
  ))
    all.get(agent)?.findings.push(fact)
  const said = POLICIES.map((name) => `'${name}'`).join(', ')
  for (const { agent, ...fact } of rows<RequestFact>(
    `SELECT agent_id AS agent, request_id AS request, session_id AS session,
       policy_name AS name, coalesce(reason, '') AS reason
     FROM exchanges WHERE ${where} AND policy_name IN (${said})
       AND policy_decision <> 'allow'
     ORDER BY timestamp DESC LIMIT ${MOST_RISK_FACTS}`,
  ))
    all.get(agent)?.judged.push(fact)
  return (agent) => all.get(agent) ?? nobody()
}
