/** What the firewall is told, by its configuration: plain values that pass between processes. */
export interface WafSettings {
  /** Where it is spoken to. */
  readonly socket: string
  /** A folder of rules. */
  readonly rules: string
  /** 1 to 4. */
  readonly paranoia: number
  /** From this anomaly score on it objects. */
  readonly threshold: number
  /** Of a text, from its beginning, and as much from its end. */
  readonly textBytes: number
  /** Of a text, looked at after the answer. */
  readonly laterBytes: number
  /** Of one body: more is not kept to be looked at. */
  readonly bodyBytes: number
  /** Of the process: beyond it it ends, and is started anew. */
  readonly memoryBytes: number
  /** Arguments of tools that are code by their nature: scored, and no reason to block. */
  readonly codeArguments: readonly string[]
  readonly exclusions: readonly Exclusion[]
}

export interface Exclusion {
  /** `api.openai.com`, `/v1/files`, `api.openai.com/v1/`; undefined: everywhere. */
  readonly route?: string | undefined
  /** A rule's number, or a tag of rules. */
  readonly rule: string
  /** `ARGS:q`, `REQUEST_HEADERS:referer`, `q` for `ARGS:q`; undefined: the whole request. */
  readonly argument?: string | undefined
  readonly reason: string
  /** The last day on which it holds: `2026-12-31`, by UTC. */
  readonly until: string
}

/** Does it still hold? */
export function holdsAt({ until }: Exclusion, nowMs: number): boolean {
  return nowMs < endOf(until)
}

const DAY_MS = 86_400_000

/** The moment at which it ends. */
export function endOf(until: string): number {
  return Date.parse(`${until}T00:00:00Z`) + DAY_MS
}
