/**
 * What `yori doctor` is made of: checks, each of which looks at one thing as it really is and
 * says what is wrong and the one command or line that mends it. Checks change nothing.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, statfsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { NetworkInterfaceInfo } from 'node:os'
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'

export type Level = 'good' | 'notice' | 'bad'

export interface Finding {
  readonly level: Level
  /** One line: what was seen. */
  readonly what: string
  /** The command or configuration line that mends it; only where something is wrong. */
  readonly mend?: string
}

/** The machine, as far as checks may look at it. */
export interface Machine {
  readonly platform: NodeJS.Platform
  /** Standard output of a program that ended well; undefined otherwise. */
  run(program: string, ...words: string[]): string | undefined
  /** A small text file; undefined when it cannot be read. */
  read(path: string): string | undefined
  /** Bytes of the file system of a folder. */
  space(directory: string): { readonly free: number; readonly total: number }
  interfaces(): NodeJS.Dict<NetworkInterfaceInfo[]>
}

export interface Patient {
  readonly config: Config
  /** Where the configuration came from. */
  readonly source: string
  readonly clock: Clock
  readonly machine: Machine
}

export interface Check {
  readonly name: string
  look(patient: Patient): readonly Finding[] | Promise<readonly Finding[]>
}

export const good = (what: string): Finding => ({ level: 'good', what })
export const notice = (what: string, mend?: string): Finding =>
  wrong('notice', what, mend)
export const bad = (what: string, mend?: string): Finding => wrong('bad', what, mend)

function wrong(level: Level, what: string, mend: string | undefined): Finding {
  return { level, what, ...(mend === undefined ? {} : { mend }) }
}

const RUN_MS = 5_000
const MOST_OUTPUT_BYTES = 4 * 1024 * 1024

export const thisMachine: Machine = {
  platform: process.platform,
  run: (program, ...words) => {
    const { status, stdout, error } = spawnSync(program, words, {
      encoding: 'utf8',
      timeout: RUN_MS,
      maxBuffer: MOST_OUTPUT_BYTES,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return error === undefined && status === 0 ? stdout : undefined
  },
  space: (directory) => {
    const { bavail, bsize, blocks } = statfsSync(directory)
    return { free: bavail * bsize, total: blocks * bsize }
  },
  interfaces: networkInterfaces,
  read: (path) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },
}
