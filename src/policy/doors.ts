/**
 * The doors of the gateway: `/llm/<provider>/...` on our own host. Which provider a request
 * target names, what of it goes on, and where to. Pure: texts are compared and cut, nothing is
 * decoded on the way to a provider, so that the path that is governed is the one that goes up.
 */
import type { Door, DoorPool } from './door.js'
import type { Endpoint } from './endpoints.js'
import { ModelRoutes } from './model-routes.js'
import type { ModelRoute } from './model-routes.js'

/** Looked up by the name as it stands in a path; and whom a model's name means. */
export class DoorTable {
  readonly models: ModelRoutes
  /** To which everything goes in our own name that is not ours. */
  readonly defaultName: string | undefined
  readonly #byName: ReadonlyMap<string, Door>

  constructor(
    doors: readonly Door[],
    routes: readonly ModelRoute[] = [],
    defaultName?: string,
  ) {
    this.#byName = new Map(doors.map((door) => [door.name, door]))
    this.defaultName = defaultName
    // The names of its models are its own.
    const isDoor = (name: string): boolean =>
      defaultName === undefined && this.#byName.has(name)
    this.models = new ModelRoutes(routes, isDoor)
  }

  find(name: string): Door | undefined {
    return this.#byName.get(name)
  }

  /** Those that have several targets. */
  get pools(): DoorPool[] {
    return [...this.#byName.values()].flatMap(({ pool }) => pool ?? [])
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
  /** `rest` begins with a version, and says the API rather than where its provider has it. */
  readonly isShort?: boolean
}

/** Of an origin-form target; undefined: it is at no door. */
export function doorAsked(target: string): DoorAsked | undefined {
  if (!target.startsWith(PREFIX)) return undefined
  const [, name = '', rest = ''] =
    /^([^/?]*)(.*)$/s.exec(target.slice(PREFIX.length)) ?? []
  return { name, rest: rest.startsWith('/') ? rest : `/${rest}` }
}

/** The same of `/<provider>/v1/...`, where there is a provider of that name; Gemini has `/upload/v1beta/...`, too. */
export function shortDoorAsked(target: string, doors: DoorTable): DoorAsked | undefined {
  const [, name, rest] =
    /^\/([a-z0-9._-]{1,64})((?:\/upload)?\/v\d[a-z0-9]{0,15}\/.*)$/s.exec(target) ?? []
  if (name === undefined || rest === undefined || doors.find(name) === undefined)
    return undefined
  return { name, rest, isShort: true }
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
