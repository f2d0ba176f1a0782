/** Sums of a report, owner by owner, as the record is read. */
import type { Owners } from './owners.js'
import type { Amount, Budget, Counted, PersonLine, Report } from './report.js'
import type { Topic } from './topics.js'

const MOST_SERVICES = 12
const MOST_TOPICS = 8

type Open = { -readonly [Key in keyof Amount]: number }

interface Sum extends Open {
  /** Minutes come in their order. */
  lastMinute: string
  readonly services: Map<string, number>
  monthMicroUsd: number
}

interface Minute {
  readonly minute: string
  readonly messages: number
  readonly local: { readonly date: string; readonly hour: number }
}

const none = (): Open => ({
  ...{ messages: 0, minutes: 0, costUsd: 0, atMostUsd: 0, unpriced: 0, blocked: 0 },
})

export class Tally {
  readonly #owners: Owners
  readonly #sums = new Map<string, Sum>()
  readonly #all = none()
  #lastMinute = ''
  readonly #days = new Map<string, { messages: number; minutes: number }>()
  readonly #hours = Array.from({ length: 24 }, () => 0)

  constructor(owners: Owners) {
    this.#owners = owners
  }

  sums(owner: string, row: Readonly<Record<string, string | number | null>>): void {
    const sum = this.#sumOf(owner)
    const messages = Number(row['messages'])
    for (const to of [sum, this.#all]) {
      to.messages += messages
      to.blocked += Number(row['blocked'])
      to.costUsd += Number(row['cost']) / 1e6
      to.atMostUsd += Number(row['atMost']) / 1e6
      to.unpriced += Number(row['unpriced'])
    }
    if (messages === 0) return
    const service = String(row['service'])
    sum.services.set(service, (sum.services.get(service) ?? 0) + messages)
  }

  /** In the order of time. */
  minute(owner: string, { minute, messages, local }: Minute): void {
    const sum = this.#sumOf(owner)
    if (sum.lastMinute !== minute) sum.minutes++
    sum.lastMinute = minute
    const day = this.#days.get(local.date) ?? { messages: 0, minutes: 0 }
    day.messages += messages
    if (this.#lastMinute !== minute) {
      day.minutes++
      this.#all.minutes++
    }
    this.#lastMinute = minute
    this.#days.set(local.date, day)
    this.#hours[local.hour] = (this.#hours[local.hour] ?? 0) + messages
  }

  month(owner: string, microUsd: number): void {
    this.#sumOf(owner).monthMicroUsd += microUsd
  }

  told(
    budget: Budget,
    topics: ReadonlyMap<string, ReadonlyMap<Topic, ReadonlySet<string>>>,
  ): Pick<Report, 'total' | 'people' | 'days' | 'hours' | 'services' | 'topics'> {
    const people = this.#owners.all
      .flatMap(([key, owner]): PersonLine[] => {
        const { name, isPerson, devices, isExempt } = owner
        const sum = this.#sums.get(key)
        if (sum === undefined || sum.messages + sum.blocked === 0) return []
        const { lastMinute: _last, services, monthMicroUsd, ...amount } = sum
        // The policy counts each device alone.
        const ofDevice = isExempt || devices.size > 1 ? undefined : budget.policyUsd
        const usd = (isPerson ? budget.people[name] : undefined) ?? ofDevice
        return [
          {
            ...{ ...amount, name, isPerson },
            devices: [...devices],
            services: mostOf(services, MOST_SERVICES),
            topics: mostOf(sizesOf(topics.get(key)), MOST_TOPICS),
            ...(usd === undefined
              ? {}
              : { budget: { usd, spentUsd: monthMicroUsd / 1e6 } }),
          },
        ]
      })
      .sort((a, b) => b.minutes - a.minutes || b.messages - a.messages)
    const services = new Map<string, number>()
    const all = new Map<Topic, number>()
    for (const { services: own } of this.#sums.values())
      for (const [name, count] of own)
        services.set(name, (services.get(name) ?? 0) + count)
    for (const own of topics.values())
      for (const [name, talks] of own) all.set(name, (all.get(name) ?? 0) + talks.size)
    return {
      total: this.#all,
      people,
      days: [...this.#days]
        .map(([date, day]) => ({ date, ...day }))
        .sort((a, b) => (a.date < b.date ? -1 : 1)),
      hours: this.#hours,
      services: mostOf(services, MOST_SERVICES),
      topics: mostOf(all, MOST_TOPICS),
    }
  }

  #sumOf(owner: string): Sum {
    const sum = this.#sums.get(owner) ?? {
      ...none(),
      lastMinute: '',
      services: new Map<string, number>(),
      monthMicroUsd: 0,
    }
    this.#sums.set(owner, sum)
    return sum
  }
}

function sizesOf(
  topics: ReadonlyMap<Topic, ReadonlySet<string>> | undefined,
): Map<Topic, number> {
  return new Map([...(topics ?? [])].map(([name, talks]) => [name, talks.size]))
}

function mostOf<Name extends string>(
  counts: ReadonlyMap<Name, number>,
  most: number,
): Counted<Name>[] {
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
    .slice(0, most)
}
