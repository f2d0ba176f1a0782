/**
 * What a policy is given and what it may answer. Policies hold no state and do no I/O; a
 * policy language and the built-in ones stand behind the same interface.
 */

import type { Redaction } from '../core/redaction.js'
import type { Who } from '../core/who.js'

export type { Find, Found, Redaction } from '../core/redaction.js'

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
    /** It asks a model for work: lists, settings, polls and counts of tokens do not. */
    readonly call: boolean
    /** Names of the tools that it offers to the model; null when it could not be read. */
    readonly tools: readonly string[] | null
    /**
     * All models that it would have answer: `model`, those to fall back to, those of the requests
     * of a batch. Past requests of which no body was kept have `model` alone.
     */
    readonly models: readonly string[]
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
  /** Tools that a message of MCP calls; null when it is none, or its body is not whole. */
  readonly mcp?: McpInput | null
  /**
   * Tool calls that this request makes, or brings back: those of a message of MCP, else those of
   * the model's last turn whose results come along. Null when nobody looks, or nobody can tell.
   */
  readonly calls?: CallsInput | null
  readonly context: {
    /** `YYYY-MM-DD`. */
    readonly date: string
    readonly hour: number
    readonly minute: number
    /** Minutes since 00:00 on the wall. */
    readonly minute_of_day: number
    /** `monday`. */
    readonly day_of_week: string
    readonly day_before: string
    readonly is_weekend: boolean
    readonly request_count_today: number
    readonly request_count_this_hour: number
  }
  /**
   * This request is counted in `requests` already; its tokens and cost are not known yet. Where
   * a policy may block by them, calls that were let through and have not ended count with the
   * most that they may use.
   */
  readonly counters: {
    readonly device: UsageInput
    /** By name, of the groups that the device is in. */
    readonly groups: Readonly<Record<string, UsageInput>>
    /** By policy: requests on which it had the strongest word. Those before this one. */
    readonly policies: Readonly<Record<string, UsageInput>>
  }
  /** The conversation that the request goes on with, before it; null when it is none. */
  readonly session: SessionInput | null
  /** As the client names it, else by its system prompt; null when neither tells. */
  readonly agent_id: string | null
  /** Four characters a token, at the price of the model's input; null when not known. */
  readonly estimate: {
    readonly input_tokens: number | null
    readonly cost_usd: number | null
  }
  readonly model: string | null
  /** Bounded text that goes to the model. */
  readonly prompt: string
  /** Its last 4,000 characters: what is new stands there. */
  readonly prompt_end: string
  /** Characters of all that text, kept or not. */
  readonly prompt_chars: number
  /**
   * All text of the body, whether a reader knows its field or not: every string and every name
   * of a field, folded (NFKC, without what is invisible), base64 of text decoded; ids and media
   * left out. Parts stand on lines of their own. A long one comes in pieces, each judged by
   * itself, with some characters of the one before.
   */
  readonly text: string
  /** The same by whose words it is; `person` is also what cannot be assigned. */
  readonly said: Readonly<Record<Who, string>>
  /** Characters of all of it, not of the piece at hand. */
  readonly said_chars: Readonly<Record<Who, number>>
  readonly findings: readonly FindingInput[]
  /** Of a sidecar alone: what an agent is about to do. */
  readonly event?: ToolEvent
}

export interface McpInput {
  /** As `mcp.servers` calls it, else the host that is asked. */
  readonly server: string
  readonly calls: readonly {
    /** In lower case, without what is not seen. */
    readonly tool: string
    /** For messages: in ASCII, no two of them alike. */
    readonly shown: string
    /** All values, nested ones too: names in lower case, joined by dots. */
    readonly arguments: readonly { readonly path: string; readonly value: string }[]
  }[]
  /** False: there is more than is listed, or something that cannot be told. */
  readonly is_whole: boolean
}

export interface CallsInput extends McpInput {
  /** `mcp`: not yet run. `model`: run by its client, or about to be gone on from. */
  readonly by: 'mcp' | 'model'
  readonly calls: readonly (McpInput['calls'][number] & {
    /** What in its arguments cannot be undone: which kind, and the command itself. */
    readonly destructive: readonly { readonly kind: string; readonly shown: string }[]
  })[]
}

/** The words are those of the protocol. */
export interface ToolEvent {
  readonly event_type: 'pre_tool_use'
  /** `<provider>.<path with dots>`. */
  readonly tool_name: string
  readonly channel: 'llm'
  /** The parsed body, an object. */
  readonly tool_input: unknown
  readonly producer_can_apply_modify: boolean
}

/** What was found in the body, how often, and in whose words: its kind, never its text. */
export interface FindingInput {
  /** `credit_card`, `GITHUB_TOKEN`. */
  readonly kind: string
  /** Its other name: `CREDIT_CARD`. */
  readonly entity?: string
  /** `pii`, `secret`, `injection`. */
  readonly class?: string
  /** Of the surest: 0.5 to 1. */
  readonly confidence?: number
  readonly count: number
  readonly who: Who
}

export interface SpentInput {
  readonly requests: number
  readonly tokens: number
  readonly cost_usd: number
  /** Of it, the most that calls without a known price may have cost. */
  readonly estimated_usd: number
}

/** Periods are those of the wall clock in the household's zone. */
export interface UsageInput {
  readonly hour: SpentInput
  /** `minutes`: those of the clock in which there was a request. */
  readonly today: SpentInput & { readonly minutes: number }
  readonly month: SpentInput
  /** The seven days before today, yesterday first. */
  readonly days: readonly (SpentInput & { readonly minutes: number })[]
}

export interface SessionInput {
  readonly id: string
  readonly requests: number
  readonly tool_calls: number
  readonly tokens: number
  readonly cost_usd: number
  /** As of `SpentInput`. */
  readonly estimated_usd: number
  /** Since it began. */
  readonly minutes: number
}

export type BodyState = 'whole' | 'truncated' | 'invalid' | 'absent'

export type Opinion =
  /** Silences the default policy, and nothing else. */
  | { readonly kind: 'allow'; readonly message?: string }
  | { readonly kind: 'alert'; readonly message?: string }
  /** Nothing is taken out unless `redactions` says what. */
  | {
      readonly kind: 'redact'
      readonly message?: string
      readonly redactions?: readonly Redaction[]
    }
  /** With what is to be taken out all the same where the denial does not hold. */
  | {
      readonly kind: 'deny'
      /** A person may allow it; where policies judge calls of MCP no other denial can be. */
      readonly asks?: true
      /** The request waits for that person, and is not refused before. */
      readonly holds?: true
      readonly message?: string
      readonly redactions?: readonly Redaction[]
    }
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
  /** Does it look at `input.findings`? Nobody looks for them otherwise. */
  readonly readsFindings?: boolean
  /** Does it look at `input.text` or `input.said`? It is asked about each piece of them. */
  readonly readsText?: boolean
  /** Does it look at `input.prompt`, which is bounded? */
  readonly readsPrompt?: boolean
  /** Does it look at what only a reader of the provider's own shape can tell? */
  readonly readsStructure?: boolean
  /** It judges tools that are called: `input.mcp`, `input.calls`. */
  readonly judgesCalls?: boolean
  /** Does it look at `input.calls`? Nobody looks for them otherwise. */
  readonly readsCalls?: boolean
  /** Does it look at what has been used so far? */
  readonly readsCounters?: boolean
  /** Is all that it looks at known before a request, by the name that a connection asks for? */
  readonly judgesByName?: boolean
  /** Does it lose nothing by connections that nobody reads? */
  readonly judgesUnseen?: boolean
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
  /** What the household tells people whom it blocks. */
  readonly message?: string
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
