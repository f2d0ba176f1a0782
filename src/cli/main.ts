#!/usr/bin/env -S node --max-semi-space-size=4 --max-old-space-size=128
/** The command `yori`. */
import { Command, CommanderError } from 'commander'
import { readFileSync } from 'node:fs'
import { systemClock } from '../core/clock.js'
import { packageFile } from '../core/package-root.js'
import { issuedNamesOf } from '../snapshot.js'
import { caCommand } from './commands/ca.js'
import { configCommand } from './commands/config.js'
import { runCommand } from './commands/run.js'
import { configOf, note, print } from './context.js'
import { EXIT, exitCodeOf, failureLine } from './exit.js'

function program(): Command {
  const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
    version: string
  }
  const yori = new Command('yori')
    .description(
      'Sees what devices ask which LLM, and sets limits. Everything else passes.',
    )
    .version(version)
    .showHelpAfterError('(yori --help tells the commands)')
  yori.addCommand(runCommand(), { isDefault: true })
  yori.addCommand(configCommand())
  yori.addCommand(
    caCommand({
      caOptions: async (path) => {
        const config = configOf(path)
        const { directory, permitted, passphrase } = config.ca
        return {
          directory,
          permitted,
          issuedNames: issuedNamesOf(config),
          ...(passphrase === undefined ? {} : { passphrase }),
        }
      },
      clock: systemClock,
      print,
      note,
    }),
  )
  return yori
}

try {
  await program().parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) {
    note(`${failureLine(error)}\n`)
    process.exitCode = exitCodeOf(error)
  } else {
    process.exitCode = EXIT.usage
  }
}
