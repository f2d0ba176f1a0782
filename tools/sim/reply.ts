/** What a dialect answers, before the knobs of the wire are applied. */
export type Reply =
  | {
      readonly kind: 'json'
      readonly status: number
      readonly body: unknown
      readonly headers?: Headers
    }
  | {
      readonly kind: 'events'
      readonly events: readonly string[]
      readonly headers?: Headers
    }
  | { readonly kind: 'bytes'; readonly size: number }

type Headers = Readonly<Record<string, string>>

/** One request as a dialect sees it. `json` is undefined when the body is no JSON. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly json: unknown
}

/** A provider's protocol. Undefined: not one of its paths. */
export type Dialect = (asked: Asked) => Reply | undefined

/** A server-sent event with its name. WHATWG HTML §9.2.5. */
export function namedEvent(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

export function plainEvent(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

export function json(status: number, body: unknown, headers?: Headers): Reply {
  return headers === undefined
    ? { kind: 'json', status, body }
    : { kind: 'json', status, body, headers }
}
