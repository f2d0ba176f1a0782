/** The configured LLM hosts, looked up by canonical name. Pure. */
import { matchesHostname } from '../core/hostname.js'

/** `by-policy`: nobody reads it, and policies that need no request may refuse it by its name. */
export type EndpointRoute = 'intercept' | 'tunnel' | 'refuse' | 'by-policy'

export interface Endpoint {
  /** A canonical host name, or `*.x` for everything below `x`. */
  readonly domain: string
  readonly enabled: boolean
  readonly route: EndpointRoute
  /** A request body over this many bytes is answered 413. */
  readonly maxBodyBytes?: number
}

export class EndpointTable {
  readonly #exact = new Map<string, Endpoint>()
  readonly #below: Endpoint[] = []

  constructor(endpoints: readonly Endpoint[]) {
    for (const endpoint of endpoints) {
      if (endpoint.domain.startsWith('*.')) this.#below.push(endpoint)
      else this.#exact.set(endpoint.domain, endpoint)
    }
    // The longest suffix decides, whatever the order in the file.
    this.#below.sort((a, b) => b.domain.length - a.domain.length)
  }

  /** The endpoint of a canonical name; an exact entry wins over any `*.x`. */
  find(name: string): Endpoint | undefined {
    return (
      this.#exact.get(name) ??
      this.#below.find((endpoint) => matchesHostname(endpoint.domain, name))
    )
  }

  /** Endpoints that are switched on, in no particular order. */
  enabled(): Endpoint[] {
    return [...this.#exact.values(), ...this.#below].filter(
      (endpoint) => endpoint.enabled,
    )
  }
}
