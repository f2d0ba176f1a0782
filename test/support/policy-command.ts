/** The commands that change the policy state, run in this process. */
import assert from 'node:assert/strict'
import { Command, CommanderError } from 'commander'
import { loadConfig } from '../../config/load.js'
import type { PolicyStateDeps } from '../../src/cli/commands/household/household-database.js'
import { systemClock } from '../../src/core/clock.js'
import type { Yori } from './yori.js'

export interface CommandRan {
  readonly out: string
  readonly notes: string
  readonly code: number
  readonly usage: boolean
}

/** As anna, at the keyboard of the machine where this YORI runs. */
export async function runCommand(
  yori: Yori,
  command: (deps: PolicyStateDeps) => Command,
  ...args: string[]
): Promise<CommandRan> {
  const ran = { out: '', notes: '', code: 0, usage: false }
  const program = new Command('yori').addCommand(
    command({
      load: () => {
        const { path } = yori.folder
        const loaded = loadConfig({
          path: yori.folder.file('yori.conf'),
          env: {},
          cwd: path,
        })
        assert.ok(loaded.kind === 'ok')
        return loaded
      },
      print: (text) => void (ran.out += text),
      note: (text) => void (ran.notes += text),
      clock: systemClock,
      env: { USER: 'anna' },
      neighbours: () => Promise.resolve(new Map()),
      askSecret: () => Promise.resolve(undefined),
      exit: (code) => void (ran.code = code),
    }),
  )
  const quiet = (each: Command): void => {
    each.exitOverride().configureOutput({ writeErr: () => undefined })
    each.commands.forEach(quiet)
  }
  quiet(program)
  try {
    await program.parseAsync(['node', 'yori', ...args])
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    ran.usage = true
  }
  return ran
}
