/**
 * What lets devices past the policies, and when: the values that the configuration file and
 * the state database have in common. Texts are canonical here (`canonicalAddress`, `macText`);
 * times are milliseconds since the Unix epoch.
 */
import type { DailyWindow } from './local-time.js'
import type { AccessKey } from './access-keys.js'
import type { Pin } from './pin.js'

export interface ListedDevice {
  readonly name: string
  /** One of the two at least; with both, both must match. */
  readonly ip?: string
  readonly mac?: string
  readonly enabled: boolean
  /** Outlives `enabled: false` and `expiresAt`. */
  readonly permanent: boolean
  readonly group?: string
  /** From then on it no longer counts. */
  readonly expiresAt?: number
  readonly notes?: string
  /** For an entry with an address only: the MAC that had it when the entry was made. */
  readonly boundMac?: string
}

export interface DeviceGroup {
  readonly name: string
  readonly ips: readonly string[]
  readonly macs: readonly string[]
  readonly enabled: boolean
  /** For policies to speak of; it lets nobody past. */
  readonly namesOnly?: boolean
}

/** What the household calls a device, and whose it is; it frees the device from nothing. */
export interface KnownDevice {
  /** One of the two. */
  readonly ip?: string
  readonly mac?: string
  readonly name?: string
  readonly group?: string
  /** Name of a `Person`. */
  readonly person?: string
}

/** Somebody of the household, who is also a group of that name: all of their devices. */
export interface Person {
  readonly name: string
  /** Their devices are in it, too. */
  readonly group?: string
  /** When AI services are closed for them. */
  readonly closed: readonly DailyWindow[]
  /** Calls to models and minutes a day, US dollars a month, of all their devices together. */
  readonly messages?: number
  readonly minutes?: number
  readonly usd?: number
}

/** What somebody said for a while of a device, or of all devices of a person. */
export interface Act {
  readonly kind: 'pause' | 'allow'
  readonly ip?: string
  readonly mac?: string
  readonly person?: string
  readonly until: number
}

/** Whom a time is for: everyone when both lists are empty. */
export interface Audience {
  readonly ips: readonly string[]
  readonly macs: readonly string[]
  readonly groups: readonly string[]
}

export interface TimeException extends DailyWindow, Audience {
  readonly name: string
  readonly zone?: string
  readonly enabled: boolean
}

export interface TimeRule extends TimeException {
  readonly action: 'block' | 'alert' | 'log'
  /** The lowest decides; ties go by name. */
  readonly priority: number
}

export interface Emergency {
  readonly activatedAt: number
  readonly expiresAt: number
  readonly by: string
  readonly reason: string
}

/** A permission for one device and one policy, until a moment or for one request. */
export interface Grant {
  readonly id: string
  readonly ip?: string
  readonly mac?: string
  readonly policy: string
  /** The endpoint that it holds for; undefined: all. */
  readonly endpoint?: string
  readonly until: number
  readonly once: boolean
  /** The refused request that it was made for. */
  readonly request?: string
  /** Digests of what a refused request said: it holds for that alone. Absent: for anything. */
  readonly found?: readonly string[]
}

export interface PolicyState {
  readonly devices: readonly ListedDevice[]
  readonly groups: readonly DeviceGroup[]
  readonly exceptions: readonly TimeException[]
  readonly rules: readonly TimeRule[]
  readonly emergency?: Emergency
  readonly grants: readonly Grant[]
  readonly pins: readonly Pin[]
  readonly stops: readonly Stop[]
  readonly denials: readonly Denial[]
  readonly known: readonly KnownDevice[]
  readonly people: readonly Person[]
  readonly acts: readonly Act[]
  /** The same array as long as none of them has changed. */
  readonly keys: readonly AccessKey[]
}

/** A refused request that a person has said no to: nobody need be asked about it again. */
export interface Denial {
  readonly request: string
  readonly until: number
}

export interface StoppedAgent {
  readonly ids: readonly string[]
  /** Where no id tells. */
  readonly userAgents: readonly string[]
  readonly until: number
}

/** A conversation that a person has ended: its next request is blocked. */
export interface Stop {
  readonly session: string
  /** MAC, or else the address, of the device whose it is; absent: of any. */
  readonly device?: string
  /** Whose it was, and until when that agent is stopped under another id or none. */
  readonly agent?: StoppedAgent
  readonly reason: string
  readonly until: number
}

export const EMPTY_STATE: PolicyState = {
  devices: [],
  groups: [],
  exceptions: [],
  rules: [],
  grants: [],
  pins: [],
  stops: [],
  denials: [],
  known: [],
  people: [],
  acts: [],
  keys: [],
}

/** Lists of the file and of the database are one list; the file's come first. */
export function united(file: PolicyState, kept: PolicyState): PolicyState {
  return {
    devices: [...file.devices, ...kept.devices],
    groups: [...file.groups, ...kept.groups],
    exceptions: [...file.exceptions, ...kept.exceptions],
    rules: [...file.rules, ...kept.rules],
    grants: [...file.grants, ...kept.grants],
    pins: kept.pins,
    stops: kept.stops,
    denials: kept.denials,
    known: kept.known,
    people: kept.people,
    acts: kept.acts,
    keys: kept.keys,
    ...(kept.emergency === undefined ? {} : { emergency: kept.emergency }),
  }
}
