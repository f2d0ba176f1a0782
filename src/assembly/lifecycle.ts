/**
 * Things with a life, in one list: started forward, stopped backward. A start that fails takes
 * back what was started before it; a stop that fails does not keep the others from stopping.
 */
import type { Log } from '../core/log.js'
import type { Service } from '../core/service.js'

export class Lifecycle implements Service {
  readonly name = 'lifecycle'
  readonly #services: readonly Service[]
  readonly #log: Log
  /** How many of them have been started, or tried. */
  #begun = 0

  constructor(services: readonly Service[], log: Log) {
    this.#services = services
    this.#log = log
  }

  /** @throws what the service that could not start threw; nothing of the list runs then */
  async start(): Promise<void> {
    try {
      for (const service of this.#services) {
        this.#begun++
        await service.start()
      }
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    while (this.#begun > 0) {
      const service = this.#services[--this.#begun]
      await service?.stop().catch((err: unknown) => {
        this.#log.error({ err, service: service.name }, 'a service did not stop in order')
      })
    }
  }
}

/** A service made of what needs no waiting. */
export function serviceOf(
  name: string,
  start: () => void | Promise<void>,
  stop: () => void | Promise<void> = () => undefined,
): Service {
  return {
    name,
    start: async () => start(),
    stop: async () => stop(),
  }
}
