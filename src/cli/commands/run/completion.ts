/**
 * `yori completion`: what a shell offers after Tab, and `yori man`: the manual page; both made from
 * the commands as they are.
 */
import { Argument } from 'commander'
import type { Option } from 'commander'
import { Command } from '../../commander.js'
import { manPage } from './man-page.js'

const SHELLS = ['bash', 'zsh', 'fish'] as const
export type CompletedShell = (typeof SHELLS)[number]

export interface CompletionDeps {
  /** Every command, loaded. */
  readonly program: () => Promise<Command>
  print(text: string): void
}

export function completionCommand(deps: CompletionDeps): Command {
  return new Command('completion')
    .description('print what makes a shell complete commands of yori')
    .addArgument(new Argument('<shell>', 'for which').choices(SHELLS))
    .action(async (shell: CompletedShell) => {
      deps.print(completionText(await deps.program(), shell))
    })
}

export function manCommand(deps: CompletionDeps & { readonly version: string }): Command {
  return new Command('man')
    .description('print the manual page')
    .action(async () => deps.print(manPage(await deps.program(), deps.version)))
}

interface Node {
  /** As it is typed, without `yori`; empty for the top. */
  readonly path: string
  readonly words: readonly (readonly [word: string, does: string])[]
  /** Options whose value is one of these. */
  readonly choices: readonly (readonly [option: string, values: readonly string[]])[]
}

function nodesOf(program: Command): Node[] {
  const nodes: Node[] = []
  const walk = (command: Command, path: readonly string[]): void => {
    const inner = command.commands.filter((one) => one.name() !== 'help')
    const options = [...command.options, HELP]
    nodes.push({
      path: path.join(' '),
      words: [
        ...inner.map((one) => [one.name(), firstOf(one.description())] as const),
        ...command.registeredArguments.flatMap(({ argChoices }) =>
          (argChoices ?? []).map((choice) => [choice, ''] as const),
        ),
        ...options.flatMap(({ long, description }) =>
          long === undefined || long === null
            ? []
            : [[long, firstOf(description)] as const],
        ),
      ],
      choices: command.options.flatMap(({ long, argChoices }) =>
        typeof long === 'string' && argChoices !== undefined
          ? [[long, argChoices] as const]
          : [],
      ),
    })
    for (const one of inner) walk(one, [...path, one.name()])
  }
  walk(program, [])
  return nodes
}

const HELP: Pick<Option, 'long' | 'description'> = {
  long: '--help',
  description: 'display help for command',
}

/** One line, without what a shell's quotes would end. */
const firstOf = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/['"`$\\:[\]]/g, '')
    .slice(0, 60)

export function completionText(program: Command, shell: CompletedShell): string {
  const nodes = nodesOf(program)
  switch (shell) {
    case 'bash':
      return bashText(nodes)
    case 'zsh':
      return `#compdef yori\nautoload -U +X bashcompinit && bashcompinit\n${bashText(nodes)}`
    case 'fish':
      return fishText(nodes)
  }
}

/** Files are offered where nothing else is known. */
function bashText(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, words }) => {
    const list = words.map(([word]) => word).join(' ')
    return `    '${path}') words='${list}' ;;\n`
  })
  const values = nodes.flatMap(({ path, choices }) =>
    choices.map(
      ([option, list]) => `    '${path} ${option}') words='${list.join(' ')}' ;;\n`,
    ),
  )
  const paths = nodes.map(({ path }) => `'${path}'`).join(' | ')
  return `_yori() {
  local current previous path='' word words='' i
  current=\${COMP_WORDS[COMP_CWORD]}
  previous=\${COMP_WORDS[COMP_CWORD-1]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [ "$word" = -- ] && return
    case "\${path:+$path }$word" in
    ${paths}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $previous" in
${values.join('')}    *)
    case "$path" in
${cases.join('')}    esac
    ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _yori yori
`
}

function fishText(nodes: readonly Node[]): string {
  const lines = ['complete -c yori -f\n']
  for (const { path, words, choices } of nodes) {
    const parts = path.split(' ').filter((part) => part !== '')
    const below = nodes
      .filter(
        (one) => one.path.startsWith(path === '' ? '' : `${path} `) && one.path !== path,
      )
      .map((one) => one.path.split(' ')[parts.length] ?? '')
    const seen = parts.map((part) => `__fish_seen_subcommand_from ${part}`)
    const notYet =
      below.length === 0
        ? []
        : [`not __fish_seen_subcommand_from ${[...new Set(below)].join(' ')}`]
    const when = [...seen, ...notYet].join('; and ')
    const condition = when === '' ? '' : ` -n '${when}'`
    for (const [word, does] of words) {
      const values = choices.find(([option]) => option === word)?.[1]
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`
      const takes = values === undefined ? '' : ` -x -a '${values.join(' ')}'`
      lines.push(`complete -c yori${condition} ${what}${takes} -d '${does}'\n`)
    }
  }
  return lines.join('')
}
