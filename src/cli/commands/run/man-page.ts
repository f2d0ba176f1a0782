/** The manual page, man(7), of the commands as they are. Pure. */
import type { Command } from '../../commander.js'
import { EXAMPLES } from '../../examples.js'
import { EXIT } from '../../exit.js'

const EXIT_STATUS: readonly (readonly [number, string])[] = [
  [EXIT.ok, 'it was done'],
  [EXIT.no, 'it was done, and the answer is no'],
  [EXIT.usage, 'the call was wrong'],
  [EXIT.config, 'the configuration does not hold'],
  [EXIT.environment, 'the machine does not allow it: a port, a file, a key'],
  [EXIT.unknown, 'nothing wrong was found, and not all of it could be looked at'],
  [EXIT.internal, 'a fault of YORI itself'],
]

/** Of a program whose commands are all loaded. */
export function manPage(program: Command, version: string): string {
  const parts = [
    `.TH YORI 1 "" "yori ${escaped(version)}" "YORI"`,
    '.SH NAME',
    'yori \\- sees what devices ask which LLM, and sets limits',
    '.SH SYNOPSIS',
    '.B yori',
    '.I command',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    escaped(
      'YORI is a proxy for a home, an office or a laptop. It takes the connections to LLM ' +
        'providers apart, records them, and decides by policy; everything else passes untouched.',
    ),
    '.SH COMMANDS',
  ]
  const walk = (command: Command, path: string): void => {
    const inner = command.commands.filter((one) => one.name() !== 'help')
    parts.push('.TP', `.B ${escaped(`${path} ${command.usage()}`.trim())}`)
    parts.push(sentence(command.description()))
    for (const { flags, description } of command.options)
      parts.push('.RS', '.TP', `.B ${escaped(flags)}`, escaped(description), '.RE')
    for (const [typed, does] of EXAMPLES[path] ?? [])
      parts.push('.RS', '.TP', `.I ${escaped(typed)}`, escaped(does), '.RE')
    for (const one of inner) walk(one, `${path} ${one.name()}`)
  }
  for (const command of program.commands)
    if (command.name() !== 'help') walk(command, `yori ${command.name()}`)
  parts.push('.SH EXIT STATUS')
  for (const [code, means] of EXIT_STATUS)
    parts.push('.TP', `.B ${code}`, sentence(means))
  return `${parts.join('\n')}\n`
}

const sentence = (text: string): string => escaped(`${text.replace(/[.\s]+$/, '')}.`)

/** What roff would take for its own: groff_char(7). */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/[^\u0000-\u007e]/gu, (character) => {
      const code = character.codePointAt(0) ?? 0
      return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`
    })
    .replace(/^([.'])/, '\\&$1')
}
