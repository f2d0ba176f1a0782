/**
 * Whom a model's name means, for requests to `/v1/...` of our own host: an alias or a pattern
 * of the configuration, else the name of a door in front (`openrouter/...`). And whether that
 * provider has the API that was asked for: nothing is translated. Pure.
 */
import { apiSpokenAt } from './spoken-apis.js'
import type { Door } from './door.js'

/** An alias or a pattern of the configuration. */
export interface ModelRoute {
  /** A model's name; one `*` stands for any text. */
  readonly match: string
  /** The name of a door. */
  readonly provider: string
  /** What it is called there; `*` is what that of `match` stood for. As asked unless said. */
  readonly model?: string
}

export interface Routed {
  readonly provider: string
  /** As the provider calls it. */
  readonly model: string
}

export class ModelRoutes {
  readonly #routes: readonly ModelRoute[]
  readonly #isDoor: (name: string) => boolean

  constructor(routes: readonly ModelRoute[], isDoor: (name: string) => boolean) {
    // A name in full counts before any pattern.
    this.#routes = routes.toSorted((a, b) => Number(isPattern(a)) - Number(isPattern(b)))
    this.#isDoor = isDoor
  }

  /** Undefined: the name says nothing, and the path decides. */
  find(model: string): Routed | undefined {
    for (const { match, provider, model: there } of this.#routes) {
      const star = matched(match, model)
      if (star !== undefined)
        return { provider, model: (there ?? model).replace('*', () => star) }
    }
    const slash = model.indexOf('/')
    const provider = model.slice(0, Math.max(slash, 0))
    if (slash < 1 || slash + 1 === model.length || !this.#isDoor(provider))
      return undefined
    return { provider, model: model.slice(slash + 1) }
  }
}

/** Why that provider cannot be asked so; undefined when it can. */
export function apiProblem(door: Door, path: string): string | undefined {
  return apiSpokenAt(door, path)
    ? undefined
    : `${door.name} does not speak the API of ${path.split('?', 1)[0] ?? path}, and nothing is translated`
}

function isPattern({ match }: ModelRoute): boolean {
  return match.includes('*')
}

/** What the `*` stands for; empty where there is none. */
function matched(pattern: string, text: string): string | undefined {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === text ? '' : undefined
  const [front, end] = [pattern.slice(0, star), pattern.slice(star + 1)]
  const fits =
    text.length >= front.length + end.length &&
    text.startsWith(front) &&
    text.endsWith(end)
  return fits ? text.slice(front.length, text.length - end.length) : undefined
}
