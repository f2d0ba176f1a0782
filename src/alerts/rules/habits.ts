/**
 * What is new or unusual of a device. Asks the record only when that may be: at the first call of
 * an hour, and each time that the calls of a day have doubled.
 */
import { Recent } from '../../core/recent.js'
import type { LocalTime } from '../../policy/local-time.js'
import type { ConnectionRecord, Device } from '../../core/record.js'
import type { SeenExchange } from '../../proxy/words/observer.js'
import { FEW_CALLS } from '../history.js'
import { alertDevice, known } from './rule.js'
import type { Tell } from './rule.js'

/** Devices and services of which is remembered that they were asked about. */
const MOST_MET = 4_096

interface Day {
  readonly date: string
  readonly hour: number
  calls: number
  askAt: number
}

export class Habits {
  readonly #tell: Tell
  readonly #met = new Recent<string, true>({ max: MOST_MET })
  readonly #days = new Recent<string, Day>({ max: MOST_MET })

  constructor(tell: Tell) {
    this.#tell = tell
  }

  ended(seen: SeenExchange, local: LocalTime): void {
    this.#meetDevice(seen.device)
    this.#meetService(seen.endpointDomain, seen.device)
    if (seen.call === true) this.#called(seen, local)
  }

  /** A service that nobody reads is met, too. Its class in brackets names none. */
  connectionEnded({ nameClass, device, coverage }: Readonly<ConnectionRecord>): void {
    if (coverage === 'own' || nameClass.startsWith('(')) return
    this.#meetService(nameClass, device)
  }

  #meetDevice(device: Device): void {
    const about = alertDevice(device)
    if (!this.#isNew(`device ${about.id}`)) return
    const changes = device.locallyAdministered === true
    this.#tell({
      rule: 'new_device',
      device: about,
      once: about.id,
      check: { kind: 'first-seen', what: 'device', key: about.id },
      reason: changes
        ? 'is seen for the first time; its address was chosen by software and may change'
        : 'is seen for the first time',
      metadata: known({ hostname: device.hostname, ip: device.ip, mac: device.mac }),
    })
  }

  #meetService(service: string, device: Device): void {
    if (!this.#isNew(`service ${service}`)) return
    this.#tell({
      rule: 'new_service',
      device: alertDevice(device),
      once: service,
      check: { kind: 'first-seen', what: 'service', key: service },
      reason: `${service} is used for the first time`,
      metadata: { endpoint: service },
    })
  }

  #isNew(key: string): boolean {
    const isNew = this.#met.get(key) === undefined
    this.#met.set(key, true)
    return isNew
  }

  #called(
    { device: from, endpointDomain: endpoint }: SeenExchange,
    local: LocalTime,
  ): void {
    const { date, hour } = local
    const device = alertDevice(from)
    const before = this.#days.get(device.id)
    const isSameDay = before?.date === date
    const day: Day = {
      date,
      hour,
      calls: isSameDay ? before.calls + 1 : 1,
      askAt: isSameDay ? before.askAt : FEW_CALLS + 1,
    }
    if (day.calls >= day.askAt) {
      day.askAt = day.calls * 2
      this.#tell({
        rule: 'unusual',
        device,
        once: `amount ${date}`,
        check: { kind: 'unusual-amount', device: device.id, calls: day.calls },
        reason: `${day.calls} calls today: more than twice its busiest day of the last 30`,
        metadata: { calls: day.calls, what: 'amount' },
      })
    }
    this.#days.set(device.id, day)
    if (isSameDay && before.hour === hour) return
    const at = `${String(hour).padStart(2, '0')}:00`
    this.#tell({
      rule: 'unusual',
      device,
      once: `hour ${date} ${hour}`,
      check: { kind: 'unusual-hour', device: device.id },
      reason: `used at an hour (${at}) at which it was not in the last 30 days`,
      metadata: { hour, endpoint, what: 'hour' },
    })
  }
}
