/** One door of the gateway: a name in a path, and the provider behind it. Pure words. */
import type { AwsCredentials } from '../http/aws-signature.js'
import type { PoolSettings } from '../pools/settings.js'

/** What stands behind one name. */
export interface Door {
  /** As in the path, and in the record unless the catalogue knows the host. */
  readonly name: string
  /** The provider whose reader understands it. */
  readonly speaks: string
  /** Undefined: nobody has said where it is. Of a pool, the first of those that are asked first. */
  readonly target: DoorTarget | undefined
  /** Several targets, of which one is asked. */
  readonly pool?: DoorPool
  /** Who is asked in its place, in order. */
  readonly fallbacks?: readonly Fallback[]
  /** What the configuration sends as the client's credential, where that has none. */
  readonly key: (() => string) | undefined
  /** The same of what signs each request for AWS, at a host of that region. */
  readonly aws?: ((host: string) => AwsCredentials) | undefined
  /** Fields that the configuration sets, flat; read when a request goes. */
  readonly fields: () => readonly string[]
  /** The longest wait for a response head, in milliseconds. */
  readonly headTimeoutMs: number | undefined
}

export interface DoorTarget {
  /** A canonical host name or an IP address. */
  readonly host: string
  readonly port: number
  readonly plain: boolean
  /** The configuration names this very address, which may then be a private one. */
  readonly isWritten: boolean
  /** In front of what follows the name; empty, or from `/` without a `/` at its end. */
  readonly prefix: string
  /** By its id: the certificate of ours that is shown there; it is for whom a key of ours is. */
  readonly identity?: string | undefined
}

export interface DoorPool {
  readonly settings: PoolSettings
  /** In the places of `settings.targets`. */
  readonly targets: readonly PooledTarget[]
}

export interface PooledTarget {
  readonly target: DoorTarget
  /** Goes there in the place of whatever the client sent as its own. */
  readonly key: (() => string) | undefined
}

/** Another provider that may be asked. */
export interface Fallback {
  /** The name of its door. */
  readonly provider: string
  /** For which models, as in `gateway.models`; undefined: for all. */
  readonly match: string | undefined
  /** What it is called there; as asked unless said. */
  readonly model: string | undefined
  /** Asked first, while it is up. */
  readonly isPreferred: boolean
  /** Asked after the provider has failed. */
  readonly isForErrors: boolean
  /** Asked where the money for the provider is spent. */
  readonly isForBudgets: boolean
  /** Asked first while answers of the provider itself begin later than this. */
  readonly slowerThanMs: number | undefined
}
