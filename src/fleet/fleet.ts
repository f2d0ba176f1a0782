/**
 * What this gateway has to do with others: its record is shipped, its counters are shared. Made
 * where the configuration asks for one of them; nothing of it is loaded otherwise.
 */
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'
import type { MayConcern } from '../core/concern.js'
import type { Log } from '../core/log.js'
import type { Elsewhere } from '../household/elsewhere.js'
import type { Family } from '../metrics/instruments.js'
import type { SharedUse } from '../policy/shared-use.js'
import { countersFamilies, shippingFamilies } from './families.js'
import { keptId } from './kept-id.js'
import { redisAddress } from './counters/redis.js'
import { SharedDecisions } from './counters/decisions.js'
import { SharedCounters } from './counters/shared-counters.js'
import { Shipping, shipTask } from './ship/shipping.js'

export interface FleetOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
}

export class Fleet {
  readonly #shipping: Shipping | undefined
  readonly #counters: SharedCounters | undefined
  readonly #decisions: SharedDecisions | undefined

  constructor({ config, clock, log }: FleetOptions) {
    const task = shipTask(config)
    if (task !== undefined) this.#shipping = new Shipping({ task, clock, log })
    const { url, name, gateways, ...files } = config.fleet.counters
    if (url === undefined) return
    const id = keptId(config.state_dir)
    const counters = new SharedCounters({
      address: () =>
        redisAddress(url.reveal(), {
          passwordFile: files.password_file,
          caFile: files.tls_ca,
        }),
      zone: config.enforcement.timezone,
      ...{ id, name, gateways, clock, log },
    })
    this.#counters = counters
    this.#decisions = new SharedDecisions({
      ask: (args) => counters.ask(args),
      skewMs: () => counters.skewMs,
      now: () => clock.now(),
      ...{ id, name },
    })
  }

  get concerns(): readonly MayConcern[] {
    return [this.#shipping, this.#counters].filter((one) => one !== undefined)
  }

  get forAppliance(): { readonly shared?: SharedUse; readonly elsewhere?: Elsewhere } {
    const [shared, elsewhere] = [this.#counters, this.#decisions]
    return {
      ...(shared === undefined ? {} : { shared }),
      ...(elsewhere === undefined ? {} : { elsewhere }),
    }
  }

  /** Of `/api/status`. */
  get shape(): object {
    const shared = this.#counters
    return {
      ...(this.#shipping === undefined ? {} : { ship: this.#shipping.shape }),
      ...(shared === undefined
        ? {}
        : {
            counters: {
              up: shared.isUp,
              reason: shared.reason ?? null,
              skew_ms: shared.skewMs,
              ...shared.counts,
            },
          }),
    }
  }

  families(): readonly Family[] {
    return [
      ...(this.#shipping === undefined ? [] : shippingFamilies(this.#shipping)),
      ...(this.#counters === undefined ? [] : countersFamilies(this.#counters)),
    ]
  }

  /** Once the record is there. */
  async start(): Promise<void> {
    await this.#counters?.start()
    this.#decisions?.start()
    await this.#shipping?.start()
  }

  /** After the last row. */
  async stop(): Promise<void> {
    this.#decisions?.stop()
    await Promise.all([this.#shipping?.stop(), this.#counters?.stop()])
  }
}
