/**
 * What a policy is given and what it may answer. Policies hold no state and do no I/O; a
 * policy language and the built-in ones stand behind the same interface.
 */

/** The document that policies read; names are those of policy files, hence the snake case. */
export interface PolicyInput {
  readonly request: {
    readonly id: string
    /** RFC 3339, UTC. */
    readonly timestamp: string
    readonly method: string
    /** Without its query. */
    readonly path: string
    /** Lower-case names; credentials are left out. */
    readonly headers: Readonly<Record<string, string>>
    /** The parsed JSON when the body is whole and valid, else null. */
    readonly body: unknown
    readonly body_state: BodyState
  }
  readonly device: {
    readonly ip: string
    readonly mac: string | null
    readonly hostname: string | null
    readonly user_agent: string | null
    /** As the household calls it. */
    readonly name: string | null
    readonly groups: readonly string[]
  }
  readonly endpoint: { readonly domain: string; readonly provider: string | null }
  readonly context: {
    readonly hour: number
    readonly minute: number
    /** `monday`. */
    readonly day_of_week: string
    readonly is_weekend: boolean
    readonly request_count_today: number
    readonly request_count_this_hour: number
  }
  readonly model: string | null
  /** Bounded text that goes to the model. */
  readonly prompt: string
  readonly findings: readonly unknown[]
}

export type BodyState = 'whole' | 'truncated' | 'invalid' | 'absent'

export type Opinion =
  /** Silences the default policy, and nothing else. */
  | { readonly kind: 'allow'; readonly message?: string }
  | { readonly kind: 'alert'; readonly message?: string }
  | { readonly kind: 'redact'; readonly message?: string }
  | { readonly kind: 'deny'; readonly message?: string }
  /** The input was more than the policy's step budget lets it read. */
  | { readonly kind: 'exhausted' }

/** Of the moment of the question, beside the document. */
export interface PolicyContext {
  readonly nowMs: number
}

export interface Policy {
  readonly name: string
  /** Does its opinion hang on the request body? */
  readonly readsContent: boolean
  /** May it ask for something to be redacted? Then no record keeps what it could mean. */
  readonly redacts?: boolean
  /** Undefined is no opinion. What it throws follows the policy's `fail_mode`. */
  judge(
    input: PolicyInput,
    context: PolicyContext,
  ): Opinion | undefined | Promise<Opinion | undefined>
}

export interface PolicySetting {
  readonly enabled: boolean
  /** The most that its opinion may lead to. */
  readonly action: 'allow' | 'alert' | 'block'
  readonly failMode: 'open' | 'closed'
  /** Ties go to the lower one, then by name. */
  readonly order: number
}

/** A policy that the configuration does not name. */
export const UNCONFIGURED: PolicySetting = {
  enabled: true,
  action: 'alert',
  failMode: 'open',
  order: 100,
}

/** Of the catch-all, whatever its file is called. */
export const DEFAULT_POLICY = 'default'
