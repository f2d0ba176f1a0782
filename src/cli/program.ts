/** The command line as a whole: which command is loaded, and what is said when there is none. */
import { nearest } from '../../config/schema-suggest.js'
import { COMMANDS } from './command-list.js'
import { Command } from './commander.js'
import { examplesText } from './examples.js'
import { packageVersion } from './package-version.js'
import { usageError } from './usage.js'

const DEFAULT_COMMAND = 'run'

/**
 * `args` without the program's name. `atTerminal`: a person typed it and sees the answer. The
 * one command that is asked for is loaded, of the others their line of help.
 * @throws usageError when there is no such command
 */
export async function yori(
  args: readonly string[],
  atTerminal: boolean,
): Promise<Command> {
  const program = new Command('yori')
    .description(
      'Sees what devices ask which LLM, and sets limits. Everything else passes.',
    )
    .version(packageVersion())
    .showHelpAfterError('(yori --help tells the commands)')
    .addHelpText('after', examplesText('yori'))
  const asked = askedFor(args, atTerminal)
  for (const [name, { group, summary, load }] of Object.entries(COMMANDS)) {
    const command = name === asked ? await load() : new Command(name).description(summary)
    command.helpGroup(`${group}:`)
    program.addCommand(command, { isDefault: name === asked && args[0] !== name })
  }
  settle(program)
  return program
}

/**
 * A person who types nothing gets help; whoever starts it with flags alone, or from a script,
 * means `run`.
 */
function askedFor(args: readonly string[], atTerminal: boolean): string | undefined {
  const [first] = args
  if (first === undefined) return atTerminal ? undefined : DEFAULT_COMMAND
  if (first === 'help') return args[1]
  if (first.startsWith('-'))
    return ['-h', '--help', '-V', '--version'].includes(first)
      ? undefined
      : DEFAULT_COMMAND
  if (Object.hasOwn(COMMANDS, first)) return first
  const near = nearest(first, Object.keys(COMMANDS))
  const meant = near === undefined ? 'yori --help tells them' : `did you mean ${near}?`
  throw usageError(`there is no command ${JSON.stringify(first)}; ${meant}`)
}

/**
 * Of every command: it throws instead of ending the process with the code of a plain no, its
 * errors name the way to help, and its help has examples.
 */
function settle(command: Command, path = ''): void {
  const isTop = path === ''
  const name = isTop ? 'yori' : path
  command.exitOverride()
  if (!isTop) {
    command.showHelpAfterError(`(${name} --help tells how)`)
    command.addHelpText('after', examplesText(name))
  }
  addStateDir(command)
  for (const inner of command.commands) settle(inner, `${name} ${inner.name()}`)
}

/** Whatever takes a configuration takes the folder of state over it, as `yori run` does. */
function addStateDir(command: Command): void {
  const takes = (flag: string): boolean =>
    command.options.some(({ long }) => long === flag)
  if (!takes('--config') || takes('--state-dir')) return
  command.option('--state-dir <dir>', 'where CA and records are kept, over state_dir')
  command.hook('preAction', async () => {
    const { useStateDir } = await import('./context.js')
    useStateDir(command.opts<{ stateDir?: string }>().stateDir)
  })
}
