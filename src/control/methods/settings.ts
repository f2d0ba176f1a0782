/** Settings: what is in force and what it was, one change, and back. */
import { Refusal, badRequest, json, notFound } from '../answer.js'
import type { Call, Handler } from '../method.js'
import type { Changes, Settings } from '../settings.js'

export const settings: Handler = async ({ on }) => {
  const of = await settingsOf(on)
  return json({
    source: of.source ?? null,
    version: (await of.version()) ?? null,
    config: on.port.appliance.current.config,
    versions: await of.versions(),
  })
}

export const change: Handler = async (call) => {
  const { changes, version } = (call.body ?? {}) as Record<string, unknown>
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes))
    throw badRequest('{"changes": {"mode": "advisory"}} is expected')
  if (version !== undefined && typeof version !== 'string')
    throw badRequest('version: as /api/settings tells it')
  const taken = await (await settingsOf(call.on)).change(changes as Changes, version)
  told(call, { changed: Object.keys(changes), version: taken })
  return json({ version: taken, config: call.on.port.appliance.current.config })
}

export const rollback: Handler = async (call) => {
  const { version } = (call.body ?? {}) as Record<string, unknown>
  if (version !== undefined && typeof version !== 'string')
    throw badRequest('version: one of those that /api/settings tells; none: the last')
  const of = await settingsOf(call.on)
  const back = version ?? (await of.versions())[0]?.id
  if (back === undefined) throw notFound('earlier file: nothing was changed here')
  const taken = await of.rollback(back)
  told(call, { back_to: back, version: taken })
  return json({ version: taken, config: call.on.port.appliance.current.config })
}

async function settingsOf({ settings }: Call['on']): Promise<Settings> {
  const of = await settings()
  if (of === undefined)
    throw new Refusal(409, 'no_file', 'this YORI was started without a file')
  return of
}

/** Keys alone: a value may be a secret. */
function told({ caller, on }: Call, details: Record<string, unknown>): void {
  on.port.appliance.audit.event({
    at: on.port.clock.now(),
    kind: 'control.settings',
    actor: caller.who,
    ...(caller.ip === undefined ? {} : { fromIp: caller.ip }),
    details,
  })
}
