/**
 * YORI inside a program: a gateway to one provider in this process, on loopback, as the package
 * gives it. One at a time: who starts the same again gets the one that runs, and whoever would
 * have another is refused, since requests would go with the first one's key.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { providerOf } from '../config/gateway-file.js'
import { Appliance } from './assembly/appliance.js'
import { configuration } from './cli/context.js'
import { InstanceLock } from './cli/instance.js'
import { formatSocketAddress } from './core/address.js'
import { systemClock } from './core/clock.js'
import { silentLog } from './core/log.js'

export interface StartOptions {
  /** Whose requests these are; at most 128 letters, digits and `._:@/+=-`. */
  readonly agentId: string
  /** The provider's base URL, such as `https://api.openai.com`. */
  readonly target: string
  /** Whose API it speaks; `openai` unless set. */
  readonly type?: string
  /** Sent where a request has none. */
  readonly key?: string
  /** On 127.0.0.1; 0, as unless set: one that is free. */
  readonly port?: number
  /** For CA and record; unless set they are gone when it stops. */
  readonly stateDir?: string
  /** A configuration file; unless set the one that `yori` would find. */
  readonly config?: string
}

export interface RunningYori extends AsyncDisposable {
  readonly agentId: string
  readonly port: number
  /** What a library is given as its base URL, without a version. */
  readonly url: string
  readonly isRunning: boolean
  /** Ends it after what is under way; again and again if you like. */
  stop(): Promise<void>
}

/** Another one runs in this process. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning'
}

interface Current {
  readonly options: StartOptions
  readonly keyDigest: string
  readonly started: Promise<RunningYori>
}

let current: Current | undefined

/**
 * Starts it, or gives the one that runs for the same agent, port, target and key.
 * @throws AlreadyRunning for any other; RangeError for an agent's id that is none; YoriError with
 *   a code for a configuration that does not hold, or a port that is taken
 */
export async function startYori(options: StartOptions): Promise<RunningYori> {
  const { agentId, port = 0, target, type = 'openai', key = '' } = options
  if (!/^[\w.:@/+=-]{1,128}$/.test(agentId))
    throw new RangeError('agentId is 1 to 128 letters, digits and ._:@/+=-')
  const keyDigest = createHash('sha256').update(key).digest('hex')
  if (current !== undefined) {
    const { options: running } = current
    const isSame =
      running.agentId === agentId &&
      (running.port ?? 0) === port &&
      running.target === target &&
      (running.type ?? 'openai') === type
    if (isSame && current.keyDigest === keyDigest) return await current.started
    throw new AlreadyRunning(
      `YORI runs in this process already, for ${running.agentId}, ` +
        `${isSame ? 'with another key' : 'for another agent, port or target'}: stop it first`,
    )
  }
  const { key: _key, ...kept } = options
  const mine: Current = { options: kept, keyDigest, started: start(options) }
  current = mine
  return await mine.started.catch((cause: unknown) => {
    if (current === mine) current = undefined
    throw cause
  })
}

/** Does one run in this process? */
export function isRunning(): boolean {
  return current !== undefined
}

/** Whose it is; undefined: none runs. */
export function currentAgentId(): string | undefined {
  return current?.options.agentId
}

async function start(options: StartOptions): Promise<RunningYori> {
  const { agentId, target, type = 'openai', key, port = 0, stateDir, config } = options
  const folder = stateDir ?? mkdtempSync(join(tmpdir(), 'yori-embedded-'))
  const forget = (): void => {
    if (stateDir === undefined) rmSync(folder, { recursive: true, force: true })
  }
  try {
    const provider = providerOf({ base_url: target, api_key: key })
    const over = { name: 'startYori', from: 'command line' } as const
    const loaded = configuration({
      config,
      stateDir: folder,
      overrides: [
        { ...over, path: ['gateway', 'default'], value: type },
        { ...over, path: ['gateway', 'providers', type], value: provider },
        { ...over, path: ['listen'], value: `127.0.0.1:${port}` },
      ],
    }).config
    const lock = InstanceLock.take(loaded.state_dir)
    const appliance = new Appliance({
      config: loaded,
      clock: systemClock,
      log: silentLog,
    })
    await appliance.start().catch((cause: unknown) => {
      lock[Symbol.dispose]()
      throw cause
    })
    lock.announce({
      pid: process.pid,
      listen: appliance.addresses.map(formatSocketAddress),
      startedAt: systemClock.now(),
    })
    return runningOf(agentId, appliance, () => {
      lock[Symbol.dispose]()
      forget()
    })
  } catch (cause) {
    forget()
    throw cause
  }
}

function runningOf(
  agentId: string,
  appliance: Appliance,
  ended: () => void,
): RunningYori {
  const port = appliance.addresses[0]?.port ?? 0
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    if (stopping === undefined) {
      current = undefined
      stopping = appliance.stop().then(ended)
    }
    return stopping
  }
  return {
    ...{ agentId, port, url: `http://127.0.0.1:${port}`, stop },
    get isRunning() {
      return stopping === undefined
    },
    [Symbol.asyncDispose]: stop,
  }
}
