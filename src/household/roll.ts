/** The household as it is told to people: each device and person with what holds for them now. */
import { deviceId } from '../core/device-id.js'
import { timeText } from '../policy/local-time.js'
import type { DeviceBook } from '../policy/devices.js'
import type { Act, Person, PolicyState } from '../policy/state.js'

/** What the household says of a device; null: nothing. */
export interface Described {
  readonly name: string | null
  readonly group: string | null
  readonly person: string | null
  /** Nobody has named it, given it to somebody or put it into a group. */
  readonly isNew: boolean
  readonly pausedUntil: number | null
  readonly allowedUntil: number | null
}

/** `device` by what is known of it now; IP alone where no MAC is. */
export function describedAs(
  book: DeviceBook,
  device: { readonly ip: string; readonly mac: string | null },
  nowMs: number,
): Described {
  const known = { ip: device.ip, ...(device.mac === null ? {} : { mac: device.mac }) }
  const { name } = book.identity(known)
  const entry = book.known(known)
  const act = book.act(known, nowMs)
  return {
    name: name ?? null,
    group: entry?.group ?? book.person(known)?.group ?? null,
    person: book.person(known)?.name ?? null,
    isNew: name === undefined && entry === undefined,
    ...untilOf(act),
  }
}

export interface PersonLine {
  readonly name: string
  readonly group: string | null
  readonly devices: readonly { readonly id: string; readonly name: string | null }[]
  readonly closed: readonly {
    readonly days: readonly string[]
    readonly start: string
    readonly end: string
  }[]
  readonly messages: number | null
  readonly minutes: number | null
  readonly usd: number | null
  readonly pausedUntil: number | null
  readonly allowedUntil: number | null
}

export function peopleOf(
  { people, known, acts }: Pick<PolicyState, 'people' | 'known' | 'acts'>,
  nowMs: number,
): readonly PersonLine[] {
  return people.map((person) => {
    const act = acts.find((one) => one.person === person.name && nowMs < one.until)
    return {
      ...limitsOf(person),
      devices: known
        .filter((device) => device.person === person.name)
        .map(({ ip = '', mac, name }) => ({
          id: deviceId({ ip, mac }),
          name: name ?? null,
        })),
      ...untilOf(act),
    }
  })
}

function limitsOf({ name, group, closed, messages, minutes, usd }: Person) {
  return {
    name,
    group: group ?? null,
    closed: closed.map(({ days, start, end }) => ({
      days,
      start: timeText(start),
      end: timeText(end),
    })),
    messages: messages ?? null,
    minutes: minutes ?? null,
    usd: usd ?? null,
  }
}

function untilOf(act: Act | undefined): Pick<Described, 'pausedUntil' | 'allowedUntil'> {
  return {
    pausedUntil: act?.kind === 'pause' ? act.until : null,
    allowedUntil: act?.kind === 'allow' ? act.until : null,
  }
}
