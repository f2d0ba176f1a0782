#!/usr/bin/env -S node --max-semi-space-size=4 --max-old-space-size=128 --v8-pool-size=1
/** The command `yori`: what was asked, how it ended, and never without a word. */
import { isatty } from 'node:tty'
import { CommanderError } from './commander.js'
import { note } from './context.js'
import { EXIT, exitCodeOf, failureLine } from './exit.js'
import { yori } from './program.js'

/** Whoever reads us may go, as `head` does. The appliance itself runs on without. */
function endWithReader(command: string | undefined): void {
  const isDaemon = command === undefined || command === 'run' || command.startsWith('-')
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!isDaemon) process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.environment)
    })
}

const args = process.argv.slice(2)
endWithReader(args[0])
try {
  const program = await yori(args, isatty(0) && isatty(1))
  await program.parseAsync(args, { from: 'user' })
} catch (error) {
  if (error instanceof CommanderError) {
    // Ours are said here; the parser has said its own, and ends with 0 after help and version.
    const isOurs = error.code.startsWith('yori.')
    if (isOurs) note(`yori: ${error.message}\n`)
    process.exitCode = isOurs || error.exitCode === 0 ? error.exitCode : EXIT.usage
  } else {
    note(`${failureLine(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
