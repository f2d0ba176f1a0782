/** A YORI for one program: in this process, on loopback, with its record where others are. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { proxyUrlOf } from '../../../assembly/from-config/ca.js'
import { Appliance } from '../../../assembly/appliance.js'
import { openReader } from '../../../audit/queries.js'
import type { TaggedSums } from '../../../audit/session-queries.js'
import { formatSocketAddress } from '../../../core/address.js'
import { systemClock } from '../../../core/clock.js'
import { silentLog } from '../../../core/log.js'
import { ask } from '../../../doctor/ask-health.js'
import { configuration } from '../../context.js'
import { InstanceLock, runningInstance } from '../../instance.js'
import type { ExecOptions, OwnYori } from './exec.js'

/** `ephemeral`: CA and record are gone with it. */
export async function startOwnYori(
  config: string | undefined,
  ephemeral: boolean,
): Promise<OwnYori> {
  const folder = ephemeral ? mkdtempSync(join(tmpdir(), 'yori-exec-')) : undefined
  const forget = (): void => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
  try {
    const listen = { name: 'yori exec', from: 'command line', path: ['listen'] } as const
    const loaded = configuration({
      config,
      stateDir: folder,
      overrides: [{ ...listen, value: '127.0.0.1:0' }],
    }).config
    const lock = InstanceLock.take(loaded.state_dir)
    const appliance = new Appliance({
      config: loaded,
      clock: systemClock,
      log: silentLog,
    })
    await appliance.start()
    lock.announce({
      pid: process.pid,
      listen: appliance.addresses.map(formatSocketAddress),
      startedAt: systemClock.now(),
    })
    const [address] = appliance.addresses
    return {
      directory: loaded.ca.directory,
      proxy: `http://${address === undefined ? '' : formatSocketAddress(address)}`,
      recorded: recordOf(loaded.audit.database),
      [Symbol.asyncDispose]: async () => {
        await appliance.stop()
        lock[Symbol.dispose]()
        forget()
      },
    }
  } catch (cause) {
    forget()
    throw cause
  }
}

/** The YORI of the configuration, whether it runs or not. */
export function configuredYori(config: string | undefined): ExecOptions {
  const loaded = configuration({ config }).config
  const [listening] = runningInstance(loaded.state_dir)?.listen.map(reachableAt) ?? []
  return {
    directory: loaded.ca.directory,
    proxy: listening === undefined ? proxyUrlOf(loaded) : `http://${listening}`,
    recorded: recordOf(loaded.audit.database),
  }
}

/** Any address of this machine is loopback for a program of this machine. */
function reachableAt(listen: string): string {
  return listen.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')
}

export async function yoriAnswers(proxy: string): Promise<boolean> {
  return (await ask(new URL(proxy).host)).answers
}

function recordOf(database: string): ExecOptions['recorded'] {
  return (id, sinceMs): TaggedSums | undefined => {
    if (!existsSync(database)) return undefined
    using reader = openReader(database)
    return reader.tagged('exec', id, sinceMs)
  }
}
