/**
 * What this gateway has to do with others: its record is shipped, its counters are shared,
 * its policies come from a server. Made where the configuration asks for one of them; nothing of it is loaded otherwise.
 */
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'
import type { MayConcern } from '../core/concern.js'
import type { Log } from '../core/log.js'
import type { Elsewhere } from '../household/elsewhere.js'
import type { Family } from '../metrics/instruments.js'
import type { SharedUse } from '../policy/shared-use.js'
import {
  bundleFamilies,
  countersFamilies,
  shippingFamilies,
  sinkFamilies,
} from './families.js'
import { Bundles } from './bundle/bundles.js'
import type { InForce } from './bundle/bundles.js'
import { keptId } from './kept-id.js'
import { redisAddress } from './counters/redis.js'
import { SharedDecisions } from './counters/decisions.js'
import { SharedCounters } from './counters/shared-counters.js'
import { Shipping, shipTask, sinkTasks } from './ship/shipping.js'

export interface FleetOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  /** Of YORI. */
  readonly version: string
  /** What serves; asked once it does. */
  readonly inForce: InForce
}

export class Fleet {
  readonly #shipping: Shipping | undefined
  readonly #counters: SharedCounters | undefined
  readonly #decisions: SharedDecisions | undefined
  readonly #sinks: readonly Shipping[]
  readonly #bundles: Bundles | undefined

  constructor({ config, clock, log, version, inForce }: FleetOptions) {
    const task = shipTask(config)
    if (task !== undefined) this.#shipping = new Shipping({ task, clock, log })
    this.#sinks = sinkTasks(config, version).map(
      (one) => new Shipping({ task: one, clock, log }),
    )
    if (config.policies.bundle.url !== undefined)
      this.#bundles = new Bundles({ inForce, clock, log })
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

  get #all(): readonly Shipping[] {
    return this.#shipping === undefined ? this.#sinks : [this.#shipping, ...this.#sinks]
  }

  get concerns(): readonly MayConcern[] {
    const others = [this.#counters, this.#bundles].filter((one) => one !== undefined)
    return [...this.#all, ...others]
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
      ...(this.#sinks.length === 0
        ? {}
        : { sinks: this.#sinks.map(({ shape }) => shape) }),
      ...(this.#bundles === undefined ? {} : { bundle: this.#bundles.shape }),
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
      ...(this.#sinks.length === 0 ? [] : sinkFamilies(this.#sinks)),
      ...(this.#bundles === undefined ? [] : bundleFamilies(this.#bundles)),
    ]
  }

  /** Once the record is there. */
  async start(): Promise<void> {
    await this.#counters?.start()
    this.#decisions?.start()
    await Promise.all([...this.#all.map((one) => one.start()), this.#bundles?.start()])
  }

  /** After the last row. */
  async stop(): Promise<void> {
    this.#decisions?.stop()
    await Promise.all([
      ...this.#all.map((one) => one.stop()),
      this.#counters?.stop(),
      this.#bundles?.stop(),
    ])
  }
}
