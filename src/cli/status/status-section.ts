/**
 * What a part of `yori status` is. A section is one small file here with one exported
 * `StatusSection`, and one line in the array `SECTIONS` of `commands/run/status.ts`. It looks at
 * one thing and tells it twice: `facts` for programs (`--json`, under its `name`; any JSON)
 * and `lines` for people, without line ends and each already safe to print (`printable`).
 * It may throw: the others are shown all the same, and its error stands in its place.
 */
import type { Config } from '../../../config/schema.js'
import type { Clock } from '../../core/clock.js'

/** What sections may look at, besides the world itself. */
export interface StatusSources {
  readonly config: Config
  readonly clock: Clock
  /** How many days back the counts go, today included; days of `enforcement.timezone`. */
  readonly days: number
}

/** `bad` means that YORI does not do what it was told to do: the command exits with 1. */
export type Level = 'good' | 'notice' | 'bad'

export interface Finding {
  readonly level: Level
  readonly facts: unknown
  readonly lines: readonly string[]
}

export interface StatusSection {
  /** One or two words; the heading for people, and the key in JSON. */
  readonly name: string
  read(sources: StatusSources): Finding | Promise<Finding>
}
