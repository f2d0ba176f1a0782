/**
 * The doors of the gateway: `/llm/<provider>/...` on our own host. Which provider a request
 * target names, what of it goes on, and where to. Pure: texts are compared and cut, nothing is
 * decoded on the way to a provider, so that the path that is governed is the one that goes up.
 */
import type { Endpoint } from './endpoints.js'

/** What stands behind one name. */
export interface Door {
  /** As in the path, and in the record unless the catalogue knows the host. */
  readonly name: string
  /** The provider whose reader understands it. */
  readonly speaks: string
  /** Undefined: nobody has said where it is. */
  readonly target: DoorTarget | undefined
  /** What the configuration sends as the client's credential, where that has none. */
  readonly key: (() => string) | undefined
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
}

/** Looked up by the name as it stands in a path. */
export class DoorTable {
  readonly #byName: ReadonlyMap<string, Door>

  constructor(doors: readonly Door[]) {
    this.#byName = new Map(doors.map((door) => [door.name, door]))
  }

  find(name: string): Door | undefined {
    return this.#byName.get(name)
  }

  get names(): string[] {
    return [...this.#byName.keys()]
  }
}

const PREFIX = '/llm/'

/** What a target asks of the gateway: the name, and the rest from its `/`, query included. */
export interface DoorAsked {
  readonly name: string
  readonly rest: string
}

/** Of an origin-form target; undefined: it is at no door. */
export function doorAsked(target: string): DoorAsked | undefined {
  if (!target.startsWith(PREFIX)) return undefined
  const [, name = '', rest = ''] =
    /^([^/?]*)(.*)$/s.exec(target.slice(PREFIX.length)) ?? []
  return { name, rest: rest.startsWith('/') ? rest : `/${rest}` }
}

/** Visible ASCII without a fragment, RFC 9112 §3.2.1. */
const ORIGIN_FORM = /^\/[\x21\x22\x24-\x7e]*$/
/** Rounds of undoing escapes: a provider may undo them more than once. */
const MAX_ROUNDS = 3

/**
 * What is wrong with a path (a query may follow it) that goes on as it stands: a provider
 * must not take it for another than the one that is governed. `%2e`, `%2f` and `%5c` count
 * like their plain forms, also where they are escaped once more. RFC 3986 §5.2.4, §6.2.2.
 */
export function pathProblem(target: string): string | undefined {
  if (!ORIGIN_FORM.test(target)) return 'its path holds a character that must be escaped'
  let path = target.split('?', 1)[0] as string
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (path.split(/[/\\]/).some(isDots)) return 'its path has a dot segment'
    path = path.replace(/%(2[eEfF]|5[cC]|25)/g, (_, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    )
  }
  return path.split(/[/\\]/).some(isDots) ? 'its path has a dot segment' : undefined
}

/** Some servers leave out what follows a `;` before they look. */
function isDots(segment: string): boolean {
  const [name] = segment.split(';', 1)
  return name === '.' || name === '..'
}

/** The endpoint that governs what passes a door: the configured one, or one for its host. */
export function doorEndpoint(host: string, configured: Endpoint | undefined): Endpoint {
  return configured ?? { domain: host, enabled: true, route: 'intercept' }
}
