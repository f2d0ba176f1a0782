/** Starts the process that is a server of MCP, with the flags that bound its memory. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Role } from '../control/roles.js'

/** Its heap, in MiB; twenty tools take some 20 (docs/MCP.md has what was measured). */
const HEAP_MB = 64

export type ChildTask =
  | {
      readonly kind: 'stdio'
      readonly stateDir: string
      readonly version: string
      readonly role?: Role | undefined
    }
  | {
      readonly kind: 'socket'
      readonly stateDir: string
      readonly version: string
      /** Where it is to listen; whoever may open it is whom the daemon lets in. */
      readonly socket: string
    }

export function startChild(task: ChildTask): ChildProcess {
  const { TZ } = process.env
  const file = fileURLToPath(new URL('./child.js', import.meta.url))
  const flags = [
    `--max-old-space-size=${HEAP_MB}`,
    '--max-semi-space-size=1',
    '--v8-pool-size=1',
  ]
  return spawn(process.execPath, [...flags, file, JSON.stringify(task)], {
    // What is secret is in the environment, at times: none of it is needed there.
    env: TZ === undefined ? {} : { TZ },
    stdio: task.kind === 'stdio' ? 'inherit' : ['ignore', 'ignore', 'ignore', 'ipc'],
  })
}
