/**
 * Who looked at whose conversations, as events of the record. The same look by the same person
 * is told once in ten minutes: a page that asks again every second fills no record.
 */
import type { ControlPort } from './port.js'
import type { Caller } from './roles.js'

const AGAIN_MS = 10 * 60_000
const MOST_KNOWN = 512

/** Who looks, and at whose. */
interface Look {
  readonly caller: Caller
  readonly on: { readonly port: Pick<ControlPort, 'appliance' | 'clock'> }
}

type Looked =
  | ('exchanges' | 'exchange' | 'sessions' | 'session' | 'agent')
  | ('live' | 'recording' | 'report')

export class AccessLog {
  readonly #told = new Map<string, number>()

  /** `what` and `subject`: such as `exchange` and its id. */
  looked(
    { caller, on: { port } }: Look,
    what: Looked,
    subject: Readonly<Record<string, unknown>>,
  ): void {
    const { clock, appliance } = port
    const key = JSON.stringify([caller.who, what, subject])
    const before = this.#told.get(key)
    const now = clock.monotonic()
    if (before !== undefined && now - before < AGAIN_MS) return
    const [oldest] = this.#told.keys()
    if (this.#told.size >= MOST_KNOWN && oldest !== undefined) this.#told.delete(oldest)
    this.#told.delete(key)
    this.#told.set(key, now)
    appliance.audit.event({
      at: clock.now(),
      kind: 'control.looked',
      actor: caller.who,
      ...(caller.ip === undefined ? {} : { fromIp: caller.ip }),
      details: { what, ...subject },
    })
  }
}
