/**
 * How often tools of one server are called: by each device, and by each device and tool. A minute's
 * calls may come at once. Pure; times are monotonic milliseconds.
 */
import { Recent } from '../core/recent.js'
import { plainTool } from './mcp-tools.js'
import { TokenBucket } from './token-bucket.js'

/** Devices and tools that are told apart; whoever was pushed out begins anew. */
export const MAX_RATED = 4096

export interface McpRateLimits {
  /** Of one device; 0 is no limit. */
  readonly callsPerMinute: number
  /** Of one device and tool; 0 is no limit. */
  readonly toolCallsPerMinute: number
}

export interface TooOften {
  /** As the configuration calls it. */
  readonly limit: 'calls_per_minute' | 'tool_calls_per_minute'
  readonly perMinute: number
  readonly waitMs: number
}

export class McpRates {
  readonly #limits: McpRateLimits
  readonly #now: () => number
  readonly #buckets = new Recent<string, TokenBucket>({ max: MAX_RATED })

  constructor(limits: McpRateLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Takes all of them, or none and tells the limit. */
  take(device: string, tools: readonly string[]): TooOften | undefined {
    const now = this.#now()
    const counts = new Map<string, number>()
    for (const tool of tools) {
      const plain = plainTool(tool)
      counts.set(plain, (counts.get(plain) ?? 0) + 1)
    }
    const { callsPerMinute, toolCallsPerMinute } = this.#limits
    const wanted = [
      {
        limit: 'calls_per_minute',
        perMinute: callsPerMinute,
        key: [device],
        n: tools.length,
      },
      ...[...counts].map(([tool, n]) => ({
        limit: 'tool_calls_per_minute' as const,
        perMinute: toolCallsPerMinute,
        key: [device, tool],
        n,
      })),
    ] as const
    const held = wanted
      .filter(({ perMinute }) => perMinute > 0)
      .map((one) => ({ ...one, bucket: this.#bucket(one.key, one.perMinute, now) }))
    for (const { limit, perMinute, bucket, n } of held) {
      const waitMs = bucket.wait(n, now)
      if (waitMs > 0) return { limit, perMinute, waitMs }
    }
    for (const { bucket, n } of held) bucket.used(n, now)
    return undefined
  }

  #bucket(key: readonly string[], perMinute: number, now: number): TokenBucket {
    const name = JSON.stringify(key)
    const known = this.#buckets.get(name)
    if (known !== undefined) return known
    const made = new TokenBucket(perMinute, now)
    this.#buckets.set(name, made)
    return made
  }
}
