/** Passwords that a program hands over: never among the words of a command, which all can see. */
import { readFileSync } from 'node:fs'
import { usage } from './usage.js'

/** What the option is for, wherever a command takes one. */
export const PASSWORD_FILE = [
  '--password-file <file>',
  'its first line is the password; - is standard input, a line each',
] as const

const STANDARD_INPUT = 0

let typed: string[] | undefined

/** The first line of the file; of standard input the next one. Ends with usage when it cannot be read. */
export function readSecretFile(file: string): string {
  const lines = file === '-' ? (typed ??= linesOf(STANDARD_INPUT)) : linesOf(file)
  return lines.shift() ?? ''
}

function linesOf(file: string | typeof STANDARD_INPUT): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const name = file === STANDARD_INPUT ? 'Standard input' : file
    return usage(`${name} cannot be read (${code}).`)
  }
}
