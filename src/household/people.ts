/**
 * Who is who in the household: names of devices, groups, people, and what somebody says of them
 * for a while. Each function makes one change in the database, which the command line and the
 * control plane open in their own ways; a running YORI holds to it at once.
 */
import { canonicalAddress } from '../core/address.js'
import { deviceId, listedId } from '../core/device-id.js'
import { macText } from '../core/mac.js'
import { UNKNOWN_GROUP } from '../policy/devices.js'
import type { DailyWindow } from '../policy/local-time.js'
import type { Act, KnownDevice, Person, PolicyState } from '../policy/state.js'
import type { Kept, PolicyDatabase } from './policy-database.js'

/** Why something was not done, for people. */
export class Declined extends Error {
  readonly kind: 'unknown' | 'taken' | 'wrong'

  constructor(kind: 'unknown' | 'taken' | 'wrong', says: string) {
    super(says)
    this.name = 'Declined'
    this.kind = kind
  }
}

/** A device by what it stays known by. `ip` where no MAC is known. */
export interface Place {
  readonly mac?: string
  readonly ip?: string
}

/** What is meant by a word that somebody typed. */
export type Target =
  | { readonly kind: 'device'; readonly place: Place; readonly name: string }
  | { readonly kind: 'person'; readonly name: string }

/** A device that the record or the neighbour table knows. */
export interface Sighted {
  readonly ip: string
  readonly mac: string | null
  readonly hostname: string | null
}

/** Who makes a change, and when. */
export interface Author {
  readonly by: string
  readonly nowMs: number
}

export const MAX_NAME = 64
/** Of one person. */
export const MAX_CLOSED = 16
export const MIN_ACT_MINUTES = 1
/** A week: longer is a rule, not an act. */
export const MAX_ACT_MINUTES = 7 * 24 * 60
const MINUTE_MS = 60_000

/** A person by name, else a device by name, MAC, address or the name that it gives itself. */
export function targetOf(
  state: Pick<PolicyState, 'known' | 'people'>,
  text: string,
  sighted: readonly Sighted[],
): Target | undefined {
  const person = state.people.find(({ name }) => sameName(name, text))
  if (person !== undefined) return { kind: 'person', name: person.name }
  const place = placeOf(state, text, sighted)
  if (place === undefined) return undefined
  return { kind: 'device', place, name: nameOf(state, place) }
}

function placeOf(
  { known }: Pick<PolicyState, 'known'>,
  text: string,
  sighted: readonly Sighted[],
): Place | undefined {
  const named = known.find(({ name }) => name !== undefined && sameName(name, text))
  if (named !== undefined) return placeIn(named)
  const ip = canonicalAddress(text)
  if (ip !== undefined) {
    // The newest comes first.
    const seen = sighted.find((one) => one.ip === ip)
    return seen?.mac ? { mac: seen.mac } : { ip }
  }
  const mac = macText(text)
  if (mac !== undefined) return { mac }
  const hosts = sighted.filter(({ hostname }) => hostname && sameName(hostname, text))
  const places = new Map(
    hosts.map((one) => [deviceId(one), one.mac ? { mac: one.mac } : { ip: one.ip }]),
  )
  // Two devices may call themselves the same.
  const [place] = places.values()
  return places.size === 1 ? place : undefined
}

function placeIn({ ip, mac }: KnownDevice): Place {
  return {
    ...(ip === undefined ? {} : { ip }),
    ...(mac === undefined ? {} : { mac }),
  }
}

/** What people call it. */
export function nameOf({ known }: Pick<PolicyState, 'known'>, place: Place): string {
  const id = idOf(place)
  return known.find((one) => idOf(one) === id)?.name ?? id
}

function idOf(place: Place): string {
  return listedId(place) ?? ''
}

export interface Naming {
  /** `null` takes it away; absent leaves it as it is. */
  readonly name?: string | null
  readonly group?: string | null
  readonly person?: string | null
}

/** @throws Declined */
export function describeDevice(
  database: PolicyDatabase,
  place: Place,
  { name, group, person }: Naming,
  author: Author,
): KnownDevice {
  return database.locked(() => {
    const state = database.state(author.nowMs)
    const id = idOf(place)
    const before = state.known.find((one) => idOf(one) === id)
    if (typeof name === 'string') checkDeviceName(state, id, name)
    if (typeof group === 'string') checkName(group, 'A group')
    const owner =
      typeof person === 'string' ? ensurePerson(database, person, author) : person
    const next: KnownDevice = {
      ...place,
      ...part('name', name, before?.name),
      ...part('group', group, before?.group),
      ...part('person', owner, before?.person),
    }
    const isEmpty = [next.name, next.group, next.person].every((one) => one === undefined)
    if (isEmpty) database.remove('known', id)
    else database.put('known', kept(id, next, author))
    return next
  })
}

function part<Key extends string>(
  key: Key,
  wanted: string | null | undefined,
  before: string | undefined,
): Partial<Record<Key, string>> {
  const value = wanted === undefined ? before : (wanted ?? undefined)
  return value === undefined ? {} : ({ [key]: value } as Record<Key, string>)
}

function checkDeviceName(state: PolicyState, id: string, name: string): void {
  checkName(name, 'A device')
  const other = state.known.find(
    (one) => one.name !== undefined && sameName(one.name, name) && idOf(one) !== id,
  )
  if (other !== undefined)
    throw new Declined('taken', `${name} is the name of ${idOf(other)} already`)
  if (state.people.some((person) => sameName(person.name, name)))
    throw new Declined(
      'taken',
      `${name} is the name of a person: name the device otherwise`,
    )
}

/** Whoever is given a device need not have been named before. Gives the name as it is kept. */
function ensurePerson(database: PolicyDatabase, name: string, author: Author): string {
  const found = personIn(database, name)
  return (found ?? setPerson(database, name, {}, author)).name
}

export function personIn(database: PolicyDatabase, name: string): Person | undefined {
  return database
    .list('person')
    .map(({ value }) => value)
    .find((person) => sameName(person.name, name))
}

/** What is absent stays as it is, `null` takes it away. */
export interface PersonChange {
  readonly group?: string | null
  readonly closed?: readonly DailyWindow[]
  readonly messages?: number | null
  readonly minutes?: number | null
  readonly usd?: number | null
}

/** Makes a person or changes one. @throws Declined */
export function setPerson(
  database: PolicyDatabase,
  name: string,
  change: PersonChange,
  author: Author,
): Person {
  return database.locked(() => {
    const before = personIn(database, name)
    if (before === undefined) checkPersonName(database, name)
    if (typeof change.group === 'string') checkName(change.group, 'A group')
    const closed = change.closed ?? before?.closed ?? []
    if (closed.length > MAX_CLOSED)
      throw new Declined('wrong', `a person has at most ${MAX_CLOSED} times`)
    const next: Person = {
      name: before?.name ?? name,
      closed,
      ...part('group', change.group, before?.group),
      ...amount('messages', change.messages, before?.messages),
      ...amount('minutes', change.minutes, before?.minutes),
      ...amount('usd', change.usd, before?.usd),
    }
    database.put('person', kept(keyOf(next.name), next, author))
    return next
  })
}

function amount<Key extends string>(
  key: Key,
  wanted: number | null | undefined,
  before: number | undefined,
): Partial<Record<Key, number>> {
  const value = wanted === undefined ? before : (wanted ?? undefined)
  return value === undefined ? {} : ({ [key]: value } as Record<Key, number>)
}

function checkPersonName(database: PolicyDatabase, name: string): void {
  checkName(name, 'A person')
  const taken = database
    .list('known')
    .some(({ value }) => sameName(value.name ?? '', name))
  if (taken)
    throw new Declined(
      'taken',
      `${name} is the name of a device: name the person otherwise`,
    )
}

/** The devices stay, and are nobody's. @throws Declined */
export function removePerson(
  database: PolicyDatabase,
  name: string,
  author: Author,
): Person {
  return database.locked(() => {
    const person = personIn(database, name)
    if (person === undefined) throw new Declined('unknown', `there is no person ${name}`)
    for (const { value } of database.list('known'))
      if (value.person === person.name)
        describeDevice(database, placeIn(value), { person: null }, author)
    database.remove('act', actKey({ person: person.name }))
    database.remove('person', keyOf(person.name))
    return person
  })
}

/**
 * What is said last of somebody counts: a pause ends what was allowed, and the other way
 * round; of a person it holds for all devices, whatever was said of one of them before.
 * @throws Declined
 */
export function act(
  database: PolicyDatabase,
  target: Target,
  { kind, minutes }: { readonly kind: Act['kind']; readonly minutes: number },
  author: Author,
): Act {
  if (
    !Number.isInteger(minutes) ||
    minutes < MIN_ACT_MINUTES ||
    minutes > MAX_ACT_MINUTES
  )
    throw new Declined(
      'wrong',
      `it takes ${MIN_ACT_MINUTES} to ${MAX_ACT_MINUTES} whole minutes`,
    )
  return database.locked(() => {
    endActs(database, target)
    const until = author.nowMs + minutes * MINUTE_MS
    const value: Act = { kind, until, ...actPlace(target) }
    database.put('act', kept(actKey(value), value, author))
    return value
  })
}

/**
 * Gives what has been ended; of a person, what was said of their devices as well. `kind`: only
 * such, else whatever was said.
 */
export function endActs(
  database: PolicyDatabase,
  target: Target,
  kind?: Act['kind'],
): readonly Act[] {
  return database.locked(() => {
    const keys = new Set([actKey(actPlace(target))])
    if (target.kind === 'person')
      for (const { value } of database.list('known'))
        if (value.person === target.name) keys.add(idOf(value))
    return database
      .list('act')
      .filter(({ value }) => kind === undefined || value.kind === kind)
      .filter(({ key }) => keys.has(key) && database.remove('act', key))
      .map(({ value }) => value)
  })
}

function actPlace(target: Target): Pick<Act, 'person' | 'mac' | 'ip'> {
  if (target.kind === 'person') return { person: target.name }
  const { mac, ip } = target.place
  return mac === undefined ? { ip: ip ?? '' } : { mac }
}

function actKey(act: Pick<Act, 'person' | 'mac' | 'ip'>): string {
  return act.person === undefined ? (listedId(act) ?? '') : `person ${keyOf(act.person)}`
}

function kept<Value>(key: string, value: Value, { by, nowMs }: Author): Kept<Value> {
  return { key, value, addedAt: nowMs, addedBy: by }
}

function checkName(name: string, what: string): void {
  if (name !== name.trim() || name === '' || name.length > MAX_NAME)
    throw new Declined('wrong', `${what} has a name of 1 to ${MAX_NAME} characters`)
  if (/[\p{Cc}\p{Cf}]/u.test(name))
    throw new Declined('wrong', 'a name holds no control characters')
  if (sameName(name, UNKNOWN_GROUP))
    throw new Declined('wrong', `${UNKNOWN_GROUP} is the group of devices without a name`)
  if (canonicalAddress(name) !== undefined || macText(name) !== undefined)
    throw new Declined('wrong', `${name} is an address, no name`)
}

/** As people read them: `Mia` and `mia` are one. */
export function sameName(a: string, b: string): boolean {
  return keyOf(a) === keyOf(b)
}

function keyOf(name: string): string {
  return name.normalize('NFC').toLowerCase()
}
