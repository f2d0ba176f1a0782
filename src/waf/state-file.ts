/** How the firewall stands, in a file: commands read it without asking the daemon. */
import { readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WafCounts } from './agent.js'
import { wafFolder } from './kept-rules.js'

export type WafStanding = 'off' | 'starting' | 'running' | 'unable' | 'down'

export interface WafState {
  readonly state: WafStanding
  /** Since when, milliseconds since the Unix epoch. */
  readonly since: number
  /** How often it had to be started again. */
  readonly restarts: number
  readonly pid?: number | undefined
  readonly engine?: string | undefined
  /** Of the rules in use. */
  readonly version?: string | undefined
  readonly rules?: number | undefined
  readonly folder?: string | undefined
  /** Why it does not run, or cannot look. */
  readonly why?: string | undefined
  /** Why the rules of before are in use. */
  readonly fallback?: string | undefined
  readonly rssBytes?: number | undefined
  readonly counts?: WafCounts | undefined
  /** Of the daemon that has written this. */
  readonly by?: number | undefined
}

export class StateFile {
  readonly #path: string
  readonly #folder: string
  #last = ''
  #writing: Promise<void> | undefined
  #next: string | undefined

  constructor(stateDir: string) {
    this.#folder = wafFolder(stateDir)
    this.#path = stateFile(stateDir)
  }

  /** Where it differs from what is there; one after the other, the newest last. */
  write(state: WafState): void {
    const text = `${JSON.stringify({ ...state, by: process.pid })}\n`
    if (text === this.#last) return
    this.#last = text
    this.#next = text
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
  }

  async remove(): Promise<void> {
    this.#next = undefined
    await this.#writing
    await rm(this.#path, { force: true })
  }

  async #write(): Promise<void> {
    while (this.#next !== undefined) {
      const text = this.#next
      this.#next = undefined
      try {
        await mkdir(this.#folder, { recursive: true, mode: 0o700 })
        await writeFile(`${this.#path}.new`, text, { mode: 0o600 })
        await rename(`${this.#path}.new`, this.#path)
      } catch {
        // A disk that is full: the next look tries again.
        this.#last = ''
        return
      }
    }
  }
}

function stateFile(stateDir: string): string {
  return join(wafFolder(stateDir), 'state.json')
}

/** Undefined: no YORI that runs has a firewall there. */
export function readState(stateDir: string): WafState | undefined {
  try {
    const state = JSON.parse(readFileSync(stateFile(stateDir), 'utf8')) as WafState
    return isAlive(state.by) ? state : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}
