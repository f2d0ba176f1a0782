/**
 * What the household changes while YORI runs: names, groups and people, and what is said of them
 * for a while. The same as `yori device`, `person`, `pause` and `allow`; it holds when the answer
 * comes.
 */
import { listedId } from '../../core/device-id.js'
import { canonicalAddress } from '../../core/address.js'
import { act, Declined, describeDevice, endActs } from '../../household/people.js'
import { MAX_CLOSED, removePerson, setPerson, targetOf } from '../../household/people.js'
import type {
  Author,
  Naming,
  PersonChange,
  Sighted,
  Target,
} from '../../household/people.js'
import { peopleOf } from '../../household/roll.js'
import type { PolicyDatabase } from '../../household/policy-database.js'
import { windowOf } from '../../policy/local-time.js'
import type { DailyWindow } from '../../policy/local-time.js'
import type { Act } from '../../policy/state.js'
import { badRequest, json, notFound, Refusal } from '../answer.js'
import type { Call, Handler } from '../method.js'

const SEEN_DAYS = 30
const DAY_MS = 86_400_000
const LONGEST = 256

export const nameDevice: Handler = (call) => describe(call, 'name')
export const groupDevice: Handler = (call) => describe(call, 'group')
export const giveDevice: Handler = (call) => describe(call, 'person')

async function describe(call: Call, key: keyof Naming) {
  const target = await targetFor(call, call.params['id'] ?? '', 'device')
  if (target.kind !== 'device') throw notFound('device')
  const value = bodyOf(call)[key]
  if (value !== null && typeof value !== 'string')
    throw badRequest(`{"${key}": "..."} is expected, or null to take it away`)
  const { place } = target
  const known = await changed(call, (database, author) =>
    describeDevice(database, place, { [key]: value }, author),
  )
  told(call, 'device_described', { device: listedId(place), [key]: value })
  const { name = null, group = null, person = null } = known
  return json({ id: listedId(place), name, group, person })
}

export const person: Handler = async (call) => {
  const { name, ...wanted } = bodyOf(call)
  if (typeof name !== 'string') throw badRequest('{"name": "Mia"} is expected')
  const change = changeOf(wanted)
  const made = await changed(call, (database, author) =>
    setPerson(database, name, change, author),
  )
  told(call, 'person_set', { name: made.name, ...wanted })
  return json(lineOf(call, made.name))
}

export const noPerson: Handler = async (call) => {
  const name = call.params['id'] ?? ''
  const gone = await changed(call, (database, author) =>
    removePerson(database, name, author),
  )
  told(call, 'person_removed', { name: gone.name })
  return json({ removed: gone.name })
}

export const pause: Handler = (call) => actOn(call, 'pause')
export const allow: Handler = (call) => actOn(call, 'allow')

async function actOn(call: Call, kind: Act['kind']) {
  const { target: word, minutes } = bodyOf(call)
  if (typeof word !== 'string' || typeof minutes !== 'number')
    throw badRequest('{"target": "Mia", "minutes": 30} is expected')
  const target = await targetFor(call, word, 'device or person')
  const done = await changed(call, (database, author) =>
    act(database, target, { kind, minutes }, author),
  )
  const until = new Date(done.until).toISOString()
  told(call, kind === 'pause' ? 'paused' : 'allowed', {
    target: nameIn(target),
    minutes,
    until,
  })
  return json({ kind, target: nameIn(target), until })
}

/** Nothing to end is no mistake: it is as it was wanted. */
export const end: Handler = async (call) => {
  const { target: word } = bodyOf(call)
  if (typeof word !== 'string') throw badRequest('{"target": "Mia"} is expected')
  const target = await targetFor(call, word, 'device or person')
  const ended = await changed(call, (database) => endActs(database, target))
  const kinds = ended.map(({ kind }) => kind)
  if (ended.length > 0) told(call, 'act_ended', { target: nameIn(target), ended: kinds })
  return json({ target: nameIn(target), ended: kinds })
}

function changeOf(wanted: Readonly<Record<string, unknown>>): PersonChange {
  const change: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(wanted)) {
    if (key === 'closed') change[key] = windowsOf(value)
    else if (key === 'group' && (value === null || typeof value === 'string'))
      change[key] = value
    else if (isAmount(key, value)) change[key] = value
    else
      throw badRequest(
        'a person has group (text), closed ([{days, start, end}]), messages and minutes a day ' +
          '(whole numbers), usd a month; null takes one away',
      )
  }
  return change
}

const MOST: Readonly<Record<string, number>> = {
  messages: 100_000,
  minutes: 1440,
  usd: 1_000_000,
}

function isAmount(key: string, value: unknown): boolean {
  const most = MOST[key]
  if (most === undefined) return false
  if (value === null) return true
  if (typeof value !== 'number' || !(value >= 0 && value <= most)) return false
  return key === 'usd' || Number.isInteger(value)
}

function windowsOf(value: unknown): readonly DailyWindow[] {
  const wrong = badRequest(
    `closed: at most ${MAX_CLOSED} of {"days": ["sunday"], "start": "21:00", "end": "07:00"}`,
  )
  if (!Array.isArray(value) || value.length > MAX_CLOSED) throw wrong
  return value.map((one: unknown) => {
    const { days = [], start, end: until } = (one ?? {}) as Record<string, unknown>
    if (!Array.isArray(days) || !days.every((day) => typeof day === 'string')) throw wrong
    if (typeof start !== 'string' || typeof until !== 'string') throw wrong
    const window = windowOf(days, start, until)
    if (window === undefined) throw wrong
    return window
  })
}

/** @throws Refusal 404 */
async function targetFor({ on }: Call, word: string, what: string): Promise<Target> {
  const text = word.slice(0, LONGEST)
  const { port, reader } = on
  const sinceMs = port.clock.now() - SEEN_DAYS * DAY_MS
  const state = port.appliance.policyState.current
  const seen: readonly Sighted[] = await reader.ask('devices', { sinceMs })
  const ip = canonicalAddress(text)
  const now =
    ip === undefined ? undefined : await port.appliance.current.services.identify(ip)
  const first =
    now?.mac === undefined ? [] : [{ ip: now.ip, mac: now.mac, hostname: null }]
  const target = targetOf(state, text, [...first, ...seen])
  if (target === undefined) throw notFound(what)
  return target
}

function nameIn(target: Target): string {
  return target.name
}

function lineOf({ on: { port } }: Call, name: string) {
  const lines = peopleOf(port.appliance.policyState.current, port.clock.now())
  return personShape(lines.find((line) => line.name === name) as (typeof lines)[number])
}

type Line = ReturnType<typeof peopleOf>[number]

/** As the API names things. */
export function personShape({ pausedUntil, allowedUntil, ...line }: Line) {
  return {
    ...line,
    paused_until: momentOf(pausedUntil),
    allowed_until: momentOf(allowedUntil),
  }
}

export function momentOf(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString()
}

function bodyOf({ body }: Call): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('a JSON object is expected')
  return body as Record<string, unknown>
}

/** @throws Refusal 400, 404, 409 where it is declined; 503 where the database is busy */
async function changed<Result>(
  { caller, on: { port } }: Call,
  work: (database: PolicyDatabase, author: Author) => Result,
): Promise<Result> {
  const author = { by: caller.who, nowMs: port.clock.now() }
  try {
    return await port.appliance.policyState.change((database) => work(database, author))
  } catch (cause) {
    if (!(cause instanceof Declined)) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Refusal(503, 'unavailable', why)
    }
    if (cause.kind === 'unknown') throw new Refusal(404, 'not_found', cause.message)
    if (cause.kind === 'taken') throw new Refusal(409, 'taken', cause.message)
    throw badRequest(cause.message)
  }
}

function told(
  { caller, on }: Call,
  kind: string,
  details: Record<string, unknown>,
): void {
  on.port.appliance.audit.event({
    at: on.port.clock.now(),
    kind,
    actor: caller.who,
    ...(caller.ip === undefined ? {} : { fromIp: caller.ip }),
    details: { ...details, via: 'control plane' },
  })
}
