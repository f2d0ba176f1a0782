/** What another process allocates, by the probe that stands in it. */
import { packageFile } from '../../src/core/package-root.js'
import { SHIPPED } from './held-yori.js'
import { countedDuring } from './probe.js'

/** Of its main thread. */
export interface Allocated {
  /** On the heap; what lies in buffers is not counted. */
  readonly bytes: number
  readonly scavenges: number
  /** Bytes that those took for long-lived. */
  readonly grownOld: number
}

/** What a program is started with, so that it can be asked. */
export const HEAP_PROBED: readonly string[] = [
  ...SHIPPED,
  '--import',
  packageFile('dist/tools/bench/heap-probe.js'),
]

/** Of the program that was started with `YORI_HEAP_PROBE` as this path, while `run` runs. */
export function allocatedDuring(
  path: string,
  run: () => Promise<void>,
): Promise<Allocated> {
  return countedDuring<Allocated>(path, run)
}
