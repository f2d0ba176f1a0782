/** The turns of another process's event loop, by the probe that stands in it. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { packageFile } from '../../src/core/package-root.js'
import { SHIPPED } from './held-yori.js'

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
export async function turnsDuring(
  path: string,
  run: () => Promise<void>,
): Promise<Turns> {
  const socket = connect(path)
  await once(socket, 'connect')
  const lines = createInterface({ input: socket })
  const says = async (word: string): Promise<unknown> => {
    socket.write(`${word}\n`)
    const [line] = (await once(lines, 'line')) as [string]
    return JSON.parse(line) as unknown
  }
  try {
    await says('begin')
    await run()
    return (await says('end')) as Turns
  } finally {
    socket.destroy()
  }
}
