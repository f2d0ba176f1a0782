/**
 * FreeBSD: pf remembers what `rdr` replaced. DIOCNATLOOK on `/dev/pf` is one system call; where
 * that cannot be made, `pfctl -s state` is read, one run at a time for all who wait.
 */
import { execFile } from 'node:child_process'
import type { Log } from '../core/log.js'
import type { Kernel } from './original-destination-kernel.js'
import {
  decodeNatlook,
  DIOCNATLOOK,
  encodeNatlook,
} from './original-destination-natlook.js'
import { findInStates } from './original-destination-states.js'
import type { AskKernel, Destination, Ends } from './original-destination-words.js'

const ENOENT = 2
const EACCES = 13
const EPERM = 1
const ENXIO = 6

/** Of `pfctl`'s output; some 80,000 states. */
const MAX_STATES_BYTES = 8 * 1024 * 1024
const PFCTL_TIMEOUT_MS = 2_000

/** Gives the text of all states, or rejects. */
export type ReadStates = () => Promise<string>

/**
 * Asks by ioctl(2), at once; without the right to, or without `kernel`, by the text of
 * all states (`readStates`: two seconds, 8 MiB), with one warning when that fails. `own`
 * where pf has translated nothing, `unknown` where it cannot be told. Never rejects.
 * pf(4), DIOCNATLOOK.
 */
export function pfDestination(
  kernel: Kernel | undefined,
  log: Log,
  readStates: ReadStates = runPfctl,
): AskKernel {
  const states = new SharedStates(readStates, log)
  return (_socket, ends) => {
    const asked = kernel === undefined ? 'cannot-ask' : askPf(kernel, ends)
    return asked === 'cannot-ask' ? states.find(ends) : asked
  }
}

function askPf(kernel: Kernel, ends: Ends): Destination | 'cannot-ask' {
  const question = encodeNatlook(ends)
  if (question === undefined) return { kind: 'unknown' }
  const answer = kernel.pfControl(DIOCNATLOOK, question)
  if (answer.kind === 'error') {
    switch (answer.errno) {
      case ENOENT:
        return { kind: 'own' }
      case EACCES:
      case EPERM:
      case ENXIO:
        return 'cannot-ask'
      default:
        return { kind: 'unknown' }
    }
  }
  const address = decodeNatlook(answer.bytes)
  return address === undefined ? { kind: 'unknown' } : { kind: 'original', address }
}

/** A run that began before a connection was accepted cannot know it; the next one can. */
class SharedStates {
  readonly #read: ReadStates
  readonly #log: Log
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<string> | undefined
  #warned = false

  constructor(read: ReadStates, log: Log) {
    this.#read = read
    this.#log = log
  }

  async find(ends: Ends): Promise<Destination> {
    try {
      return findInStates(await this.#fresh(), ends)
    } catch (cause) {
      if (!this.#warned) {
        this.#warned = true
        this.#log.warn(
          { err: cause },
          'pfctl cannot be run: original destinations are unknown',
        )
      }
      return { kind: 'unknown' }
    }
  }

  #fresh(): Promise<string> {
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        const run = this.#read()
        this.#running = run
        this.#next = undefined
        return run
      })
    return this.#next
  }
}

function runPfctl(): Promise<string> {
  const options = { timeout: PFCTL_TIMEOUT_MS, maxBuffer: MAX_STATES_BYTES }
  return new Promise((resolve, reject) => {
    execFile('/sbin/pfctl', ['-s', 'state'], options, (error, stdout) =>
      error === null
        ? resolve(stdout)
        : reject(new Error('pfctl failed', { cause: error })),
    )
  })
}
