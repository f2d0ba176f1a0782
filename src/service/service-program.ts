/** What is started: this very program, by the Node that runs it. */
import { fileURLToPath } from 'node:url'

/**
 * The flags of `src/cli/main.ts`, which a service does not read from its first line. With a
 * smaller young generation what 32 exchanges hold while they are under way is taken for old.
 */
export const FLAGS = [
  '--max-semi-space-size=4',
  '--max-old-space-size=128',
  '--v8-pool-size=1',
] as const

export interface Program {
  readonly node: string
  readonly script: string
  /** Words after `/bin/sh`: the supervisor that runs `command` as `user`. */
  readonly supervisor: (
    stateDir: string,
    user: string,
    command: readonly string[],
  ) => string[]
}

export function thisProgram(supervisor: Program['supervisor']): Program {
  return {
    node: process.execPath,
    script: fileURLToPath(new URL('../cli/main.js', import.meta.url)),
    supervisor,
  }
}

/** Neither a unit file nor a shell would take these apart. */
export function isPlainPath(path: string): boolean {
  return path.startsWith('/') && /^[\w./+-]+$/.test(path)
}

export function isUserName(name: string): boolean {
  return /^[a-z_][a-z0-9_-]{0,30}$/.test(name)
}
