/** The turns of another process's event loop, by the probe that stands in it. */
import { packageFile } from '../../src/core/package-root.js'
import { SHIPPED } from './held-yori.js'
import { countedDuring } from './probe.js'

export interface Turn {
  /** Milliseconds, without those of garbage collection. */
  readonly ms: number
  readonly gcMs: number
  /** Where they went, if it was asked for. */
  readonly frames?: readonly string[]
}

export interface Turns {
  /** Longer than 2 ms. */
  readonly count: number
  /** The longest first. */
  readonly longest: readonly Turn[]
}

/** What a program is started with, so that its turns can be timed. */
export const PROBED: readonly string[] = [
  ...SHIPPED,
  '--import',
  packageFile('dist/tools/bench/turn-probe.js'),
]

/** Of the program that was started with `YORI_TURN_PROBE` as this path, while `run` runs. */
export function turnsDuring(path: string, run: () => Promise<void>): Promise<Turns> {
  return countedDuring<Turns>(path, run)
}
