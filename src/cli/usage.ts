/** A wrong call, found by a command itself: one sentence, and the exit code that says so. */
import { CommanderError } from './commander.js'
import { EXIT } from './exit.js'

/** Said on standard error by whoever runs the command. Exit code 2 unless told otherwise. */
export function usageError(says: string, exitCode: number = EXIT.usage): Error {
  return new CommanderError(exitCode, 'yori.usage', says)
}

/** @throws usageError */
export function usage(says: string): never {
  throw usageError(says)
}
