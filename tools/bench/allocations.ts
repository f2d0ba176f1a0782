/** What another process allocates, by the probe that stands in it. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { packageFile } from '../../src/core/package-root.js'
import { SHIPPED } from './held-yori.js'

/** Of its main thread. */
export interface Allocated {
  /** On the heap; what lies in buffers is not counted. */
  readonly bytes: number
  readonly scavenges: number
}

/** What a program is started with, so that it can be asked. */
export const HEAP_PROBED: readonly string[] = [
  ...SHIPPED,
  '--import',
  packageFile('dist/tools/bench/heap-probe.js'),
]

/** Of the program that was started with `YORI_HEAP_PROBE` as this path, while `run` runs. */
export async function allocatedDuring(
  path: string,
  run: () => Promise<void>,
): Promise<Allocated> {
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
    return (await says('end')) as Allocated
  } finally {
    socket.destroy()
  }
}
