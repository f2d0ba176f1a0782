/** What a word on the command line means: a person, or a device by name, MAC or address. */
import { readDevices } from '../../../audit/agent-queries.js'
import type { DeviceLine } from '../../../audit/agent-queries.js'
import { openDatabase } from '../../../audit/queries.js'
import { Declined, targetOf } from '../../../household/people.js'
import type { Author, Sighted, Target } from '../../../household/people.js'
import type { Loaded } from '../../context.js'
import { decline } from './household-database.js'
import type { PolicyStateDeps, Session } from './household-database.js'

/** How far back a device is looked for. */
export const SEEN_DAYS = 30
const DAY_MS = 86_400_000

/** Devices of the record, those seen last first; none where there is no record yet. */
export function seenDevices({ config }: Loaded, nowMs: number): readonly DeviceLine[] {
  try {
    const db = openDatabase(config.audit.database, true)
    try {
      return readDevices(db, nowMs - SEEN_DAYS * DAY_MS)
    } finally {
      db.close()
    }
  } catch {
    return []
  }
}

/** @throws Declined where nobody knows it */
export async function targetFor(
  deps: PolicyStateDeps,
  { loaded, database, nowMs }: Session,
  word: string,
): Promise<Target> {
  const now: Sighted[] = [...(await deps.neighbours())].map(([ip, mac]) => ({
    ...{ ip, mac, hostname: null },
  }))
  const sighted = [...now, ...seenDevices(loaded, nowMs)]
  const target = targetOf(database.state(nowMs), word, sighted)
  if (target !== undefined) return target
  const why = 'neither a person nor a device by name, MAC or address: yori device list'
  throw new Declined('unknown', `${word} is ${why}`)
}

export function authorOf({ actor, nowMs }: Session): Author {
  return { by: actor, nowMs }
}

/** Says why it was not done, as every command that is declined does. */
export async function orDecline(
  deps: PolicyStateDeps,
  work: () => Promise<void> | void,
): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (!(cause instanceof Declined)) throw cause
    decline(deps, cause.message)
  }
}
