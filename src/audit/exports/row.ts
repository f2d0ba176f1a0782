/** What of a row of `audit_events` the forms of other tools ask for, in their kinds. Pure. */
import type { Listed } from '../where.js'

/** What happened, in the words that every form has some of. */
export const OUTCOMES = ['response', 'block', 'error', 'request'] as const
export type Outcome = (typeof OUTCOMES)[number]

export class ExportRow {
  readonly #row: Listed

  constructor(row: Listed) {
    this.#row = row
  }

  /** Undefined where there is none. */
  text(name: string): string | undefined {
    const value = this.#row[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }

  number(name: string): number | undefined {
    const value = this.#row[name]
    return typeof value === 'number' ? value : undefined
  }

  /** Names in a column that holds a JSON array; none: undefined. */
  names(name: string): readonly string[] | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    try {
      const value: unknown = JSON.parse(text)
      if (!Array.isArray(value) || value.length === 0) return undefined
      return value.map(String)
    } catch {
      return undefined
    }
  }

  get outcome(): Outcome {
    const said = this.text('event_type')
    return OUTCOMES.find((outcome) => outcome === said) ?? 'error'
  }

  get requestId(): string {
    return this.text('request_id') ?? ''
  }

  /** RFC 3339, UTC. */
  get startedAt(): string {
    return `${(this.text('timestamp') ?? '1970-01-01 00:00:00.000').replace(' ', 'T')}Z`
  }

  get startedMs(): number {
    return Date.parse(this.startedAt)
  }

  get endedMs(): number {
    return this.startedMs + (this.number('latency_ms') ?? 0)
  }

  /** Why it was refused or failed. */
  get reason(): string | undefined {
    return this.text('reason') ?? this.text('policy_message') ?? this.text('code')
  }

  get url(): string {
    return `https://${this.text('endpoint_domain') ?? ''}${this.text('http_path') ?? '/'}`
  }

  /** Has what was asked come about? */
  get isFine(): boolean {
    return this.outcome === 'response' && (this.number('response_status') ?? 0) < 400
  }
}

/** Without members that have no value, all the way down; an object that is left empty goes, too. */
export function whole(value: object): object {
  return withoutNothing(value) ?? {}
}

function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    const inner = withoutNothing(member)
    return inner === undefined ? [] : [[key, inner]]
  })
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}
