/** The inbox of alerts: what was told to whom, and what people say to it. */
import type { Alert } from '../../alerts/words.js'
import { Refusal, badRequest, json } from '../answer.js'
import type { Call, Handler } from '../method.js'
import { numberOf } from '../query.js'

const USUAL = 100
const MOST = 1_000
const SNOOZE_SECONDS = 86_400
const LONGEST_SNOOZE_SECONDS = 30 * 86_400

/** Newest first; `all=yes`: those that are acknowledged or asleep, too. */
export const alerts: Handler = async ({ query, on: { port } }) => {
  const of = alertsOf(port)
  const most = numberOf(query, 'limit', { least: 1, usual: USUAL, most: MOST })
  const found = await answered(of.ask('list', { most, all: query.get('all') === 'yes' }))
  const { counts, sinks } = of
  return json({
    alerts: found.map(alertShape),
    sinks,
    answer_url: of.answerUrl ?? null,
    waiting: counts.waiting,
    sent: counts.sent,
    failed: counts.failed,
    dropped: counts.dropped,
  })
}

export const acknowledge: Handler = async (call) => {
  const { id = '' } = call.params
  const { on, caller } = call
  const of = alertsOf(on.port)
  return changed(
    call,
    'acknowledged',
    await answered(of.ask('ack', { id, by: caller.who })),
  )
}

/** `{"seconds": 3600}`; a day unless given. */
export const snooze: Handler = async (call) => {
  const { id = '' } = call.params
  const { on, caller, body } = call
  const { seconds = SNOOZE_SECONDS } = (body ?? {}) as { seconds?: unknown }
  const isSpan = typeof seconds === 'number' && seconds > 0
  if (!isSpan || seconds > LONGEST_SNOOZE_SECONDS)
    throw badRequest('seconds: over 0, at most 30 days')
  const until = on.port.clock.now() + seconds * 1000
  const asked = { id, by: caller.who, until }
  return changed(call, 'snoozed', await answered(alertsOf(on.port).ask('snooze', asked)))
}

/** Sends a message that says that it is a test. */
export const testSink: Handler = async ({ body, on: { port } }) => {
  const { sink } = (body ?? {}) as { sink?: unknown }
  if (typeof sink !== 'string') throw badRequest('{"sink": "NAME"} is expected')
  const sent = await answered(alertsOf(port).ask('test', { sink }))
  if (sent === undefined) throw new Refusal(404, 'not_found', 'there is no such sink')
  return json({
    sink,
    taken: sent.kind === 'taken',
    reason: sent.kind === 'taken' ? null : sent.reason,
  })
}

function alertsOf({ alerts: of }: Call['on']['port']): NonNullable<typeof of> {
  if (of === undefined) throw new Refusal(503, 'unavailable', 'there are no alerts here')
  return of
}

async function answered<Found>(asking: Promise<Found>): Promise<Found> {
  try {
    return await asking
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Refusal(503, 'unavailable', reason)
  }
}

function changed({ params, caller, on }: Call, state: string, isThere: boolean) {
  const { id = '' } = params
  if (!isThere) throw new Refusal(404, 'not_found', 'there is no such alert')
  on.port.appliance.audit.event({
    at: on.port.clock.now(),
    kind: `alert.${state}`,
    actor: caller.who,
    ...(caller.ip === undefined ? {} : { fromIp: caller.ip }),
    details: { id },
  })
  return json({ id, state })
}

/** Without the place where it may be answered: whoever has that may say yes. */
export function alertShape(alert: Alert): object {
  const { id, event, count, lastAt, state, by, snoozedUntil, deliveries } = alert
  const { rule, at, device, user, policy, reason, mode, metadata } = event
  return {
    id,
    rule,
    timestamp: new Date(at).toISOString(),
    last_at: new Date(lastAt).toISOString(),
    count,
    state,
    by,
    snoozed_until: snoozedUntil === null ? null : new Date(snoozedUntil).toISOString(),
    device: device ?? null,
    user: user ?? null,
    policy: policy ?? null,
    reason,
    mode,
    metadata,
    deliveries,
  }
}
