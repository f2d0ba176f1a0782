/**
 * What this gateway has to do with others: its record is shipped, its counters are shared. Made
 * where the configuration asks for one of them; nothing of it is loaded otherwise.
 */
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'
import type { MayConcern } from '../core/concern.js'
import type { Log } from '../core/log.js'
import type { Family } from '../metrics/instruments.js'
import { shippingFamilies } from './families.js'
import { Shipping, shipTask } from './ship/shipping.js'

export interface FleetOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
}

export class Fleet {
  readonly #shipping: Shipping | undefined

  constructor({ config, clock, log }: FleetOptions) {
    const task = shipTask(config)
    if (task !== undefined) this.#shipping = new Shipping({ task, clock, log })
  }

  get concerns(): readonly MayConcern[] {
    return this.#shipping === undefined ? [] : [this.#shipping]
  }

  /** Of `/api/status`. */
  get shape(): object {
    return this.#shipping === undefined ? {} : { ship: this.#shipping.shape }
  }

  families(): readonly Family[] {
    return this.#shipping === undefined ? [] : shippingFamilies(this.#shipping)
  }

  /** Once the record is there. */
  async start(): Promise<void> {
    await this.#shipping?.start()
  }

  /** After the last row. */
  async stop(): Promise<void> {
    await this.#shipping?.stop()
  }
}
