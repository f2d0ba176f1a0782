/** Which policies hold, and what they, or others, would have done to what was recorded. */
import type { Config } from '../../../config/schema.js'
import { YoriError } from '../../core/errors.js'
import { changedPolicies } from '../../replay/policy-changes.js'
import { Refusal, badRequest, json } from '../answer.js'
import type { WholeAnswer } from '../answer.js'
import type { Handler } from '../method.js'
import { daysOf } from '../query.js'
import type { WhatIfAnswer } from '../what-if-jobs.js'

const MOST_DAYS = 90
const MOST_CHANGES = 64

/** Each policy alone, as if it were on and might block. */
export const effects: Handler = async ({ query, on }) => {
  const { config } = on.port.appliance.current
  const days = boundedDays(daysOf(query))
  const jobs = await on.whatIf()
  return answered(await jobs.ask({ config, changed: undefined, days }), days)
}

/** The policies of now beside these with changes. */
export const diff: Handler = async ({ query, body, on }) => {
  const { config } = on.port.appliance.current
  const { changes } = (body ?? {}) as Record<string, unknown>
  const changed = changedBy(config.policies, changes)
  const days = boundedDays(daysOf(query))
  const jobs = await on.whatIf()
  return answered(await jobs.ask({ config, changed, days }), days)
}

function boundedDays(days: number): number {
  if (days > MOST_DAYS) throw badRequest(`days: at most ${MOST_DAYS} here`)
  return days
}

function answered(answer: WhatIfAnswer, days: number): WholeAnswer {
  if (answer.kind === 'running') {
    const { seen, total } = answer
    return json({ state: 'running', days, rows_seen: seen, rows_total: total }, 202)
  }
  const { sinceMs, milliseconds, report } = answer
  const since = new Date(sinceMs).toISOString()
  return json({ state: 'done', days, since, duration_ms: milliseconds, ...report })
}

type Policies = Config['policies']

/** `{"bedtime": {"action": "block", "params": {"start_hour": 20}}}` @throws Refusal 400, 422 */
function changedBy(policies: Policies, changes: unknown): Policies {
  if (!isObject(changes)) throw badRequest('{"changes": {"NAME": {...}}} is expected')
  const set = Object.entries(changes).flatMap(([name, setting]) => {
    if (!isObject(setting)) throw badRequest(`changes.${name.slice(0, 64)}: an object`)
    return Object.entries(setting).flatMap(([key, value]) => {
      if (key !== 'params') return [`${name}.${key}=${JSON.stringify(value)}`]
      if (!isObject(value)) throw badRequest('params: an object')
      return Object.entries(value).map(
        ([param, of]) => `${name}.params.${param}=${JSON.stringify(of)}`,
      )
    })
  })
  if (set.length === 0 || set.length > MOST_CHANGES)
    throw badRequest(`changes: 1 to ${MOST_CHANGES} keys`)
  try {
    return changedPolicies(policies, { set })
  } catch (cause) {
    if (!(cause instanceof YoriError)) throw cause
    throw new Refusal(422, 'invalid', cause.message.replace(/^--set /, ''))
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
