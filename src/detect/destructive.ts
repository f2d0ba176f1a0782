/**
 * What a tool is told to do that cannot be undone: by the programs that a shell's text runs, and
 * by statements of SQL. Text that only speaks of such a command (an `echo`, a search, a message of
 * a commit) is none. Bounded, no backtracking; pure.
 */
import { BY_PROGRAM, DEVICE } from './destructive-programs.js'
import type { DestructiveKind } from './destructive-programs.js'
import { MAX_SHELL_CHARS, nameOf, shellCommands } from './shell-words.js'
import type { ShellCommand } from './shell-words.js'

export interface Destructive {
  readonly kind: DestructiveKind
  /** The command, in printable ASCII, at most 120 characters. */
  readonly shown: string
}

/** Of one text. */
const MAX_FOUND = 16
const MAX_SHOWN = 120
/** Commands of one text that are told apart. */
const MAX_TOLD = 64
/** Shells within shells: `bash -c "ssh host 'sh -c ...'"`. */
const MAX_DEPTH = 4

export function destructiveIn(text: string): readonly Destructive[] {
  const found: Destructive[] = []
  if (text.length > MAX_SHELL_CHARS && text.slice(MAX_SHELL_CHARS).trim() !== '')
    add(found, 'too_long', [text.slice(0, MAX_SHOWN)])
  lookAt(text.slice(0, MAX_SHELL_CHARS), found, 0)
  return found
}

function lookAt(text: string, found: Destructive[], depth: number): void {
  if (depth > MAX_DEPTH) return
  const commands = shellCommands(text)
  let left = MAX_TOLD
  for (const [at, command] of commands.entries()) {
    if (found.length >= MAX_FOUND) return
    const words = unwrapped(command.words)
    const kind = kindOf(words, command, commands[at - 1])
    if (kind !== undefined && left-- > 0) add(found, kind, [...words, ...command.writes])
    for (const inner of textsRunBy(words)) lookAt(inner, found, depth + 1)
  }
  for (const statement of statementsIn(text)) {
    const kind = sqlKind(statement)
    if (kind !== undefined) add(found, kind, [statement])
  }
}

function add(
  found: Destructive[],
  kind: DestructiveKind,
  words: readonly string[],
): void {
  if (found.length >= MAX_FOUND) return
  const shown = words
    .join(' ')
    .slice(0, 4 * MAX_SHOWN)
    .replace(/\s+/g, ' ')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_SHOWN)
  if (!found.some((one) => one.kind === kind && one.shown === shown))
    found.push({ kind, shown })
}

/** Programs that run what stands behind them, with those options that take a word. */
const WRAPPERS: Readonly<Record<string, ReadonlySet<string>>> = {
  sudo: new Set(['-u', '-g', '-h', '-p', '-C', '-D']),
  doas: new Set(['-u', '-C']),
  env: new Set(['-u', '-C', '-S']),
  nohup: new Set(),
  time: new Set(['-f', '-o']),
  nice: new Set(['-n']),
  ionice: new Set(['-c', '-n']),
  timeout: new Set(['-k', '-s']),
  xargs: new Set(['-n', '-I', '-P', '-L', '-d', '-s']),
  exec: new Set(['-a']),
  command: new Set(),
  builtin: new Set(),
  stdbuf: new Set(['-i', '-o', '-e']),
  setsid: new Set(),
  busybox: new Set(),
  watch: new Set(['-n']),
  then: new Set(),
  do: new Set(),
  else: new Set(),
  if: new Set(),
  while: new Set(),
  '!': new Set(),
}

/** Of `timeout` the first word behind its options is how long. */
const TAKES_FIRST: ReadonlySet<string> = new Set(['timeout'])

function unwrapped(words: readonly string[]): readonly string[] {
  let at = 0
  for (let turns = 0; turns < 8; turns++) {
    while (/^[A-Za-z_]\w*=/.test(words[at] ?? '')) at++
    const options = WRAPPERS[nameOf(words[at] ?? '')]
    if (options === undefined || !Object.hasOwn(WRAPPERS, nameOf(words[at] ?? ''))) break
    const isFirstTaken = TAKES_FIRST.has(nameOf(words[at] ?? ''))
    at++
    while ((words[at] ?? '').startsWith('-')) at += options.has(words[at] ?? '') ? 2 : 1
    if (isFirstTaken) at++
  }
  return words.slice(at)
}

const SHELLS: ReadonlySet<string> = new Set('sh bash zsh dash ksh fish ash'.split(' '))
const RUNNERS: ReadonlySet<string> = new Set([
  ...SHELLS,
  ...'python python3 node perl ruby php iex invoke-expression'.split(' '),
])
const FETCHERS: ReadonlySet<string> = new Set(
  'curl wget fetch iwr irm invoke-webrequest invoke-restmethod aria2c'.split(' '),
)
const DATABASES: ReadonlySet<string> = new Set(
  'psql mysql mariadb sqlite3 sqlcmd clickhouse-client duckdb cockroach'.split(' '),
)

/** Words of it that are commands, or statements, of their own. */
function textsRunBy(words: readonly string[]): readonly string[] {
  const [program = '', ...rest] = words
  const name = nameOf(program).toLowerCase()
  if (SHELLS.has(name)) return afterOption(rest, /^-[a-z]*c$/)
  if (name === 'cmd') return afterAll(rest, /^\/c$/i)
  if (name === 'powershell' || name === 'pwsh') return afterAll(rest, /^-c(?:ommand)?$/i)
  if (name === 'eval') return [rest.join(' ')]
  if (name === 'ssh') return sshCommand(rest)
  if (name === 'su') return afterOption(rest, /^(?:-c|--command)$/)
  if (name === 'docker' || name === 'podman' || name === 'kubectl') {
    const isExec = rest[0] === 'exec' || rest[0] === 'run'
    const at = rest.findIndex((word) => SHELLS.has(nameOf(word)))
    return isExec && at >= 0 ? afterOption(rest.slice(at + 1), /^-[a-z]*c$/) : []
  }
  if (DATABASES.has(name)) return rest.filter((word) => /\s/.test(word))
  return []
}

function afterOption(words: readonly string[], option: RegExp): readonly string[] {
  const at = words.findIndex((word) => option.test(word))
  const next = at < 0 ? undefined : words[at + 1]
  return next === undefined ? [] : [next]
}

function afterAll(words: readonly string[], option: RegExp): readonly string[] {
  const at = words.findIndex((word) => option.test(word))
  return at < 0 ? [] : [words.slice(at + 1).join(' ')]
}

/** Behind the options and the host. */
function sshCommand(words: readonly string[]): readonly string[] {
  let at = 0
  while ((words[at] ?? '').startsWith('-'))
    at += /^-[bcDEeFIiJLlmOopQRSWw]$/.test(words[at] ?? '') ? 2 : 1
  const command = words.slice(at + 1)
  return command.length === 0 ? [] : [command.join(' ')]
}

function kindOf(
  words: readonly string[],
  command: ShellCommand,
  before: ShellCommand | undefined,
): DestructiveKind | undefined {
  const { writes } = command
  if (writes.some((file) => DEVICE.test(file))) return 'disk'
  const [program = '', ...rest] = words
  const name = nameOf(program).toLowerCase()
  const runs = RUNNERS.has(name)
  const isFed =
    command.isPiped && before !== undefined && fetches(unwrapped(before.words))
  if (runs && isFed) return 'piped_shell'
  if (SHELLS.has(name) || name === 'eval' || name === 'source' || name === '.')
    if (rest.some((word) => FETCHED.test(word))) return 'piped_shell'
  return BY_PROGRAM[name]?.(rest) ?? byBeginning(name)
}

/** What a fetcher writes is run. */
const FETCHED = /[$<]\(\s*(?:sudo\s+)?(?:curl|wget|fetch)\s/

function fetches(words: readonly string[]): boolean {
  return FETCHERS.has(nameOf(words[0] ?? '').toLowerCase())
}

function byBeginning(name: string): DestructiveKind | undefined {
  return /^(?:mkfs(?:\..+)?|mke2fs|newfs)$/.test(name) ? 'disk' : undefined
}

const MAX_STATEMENTS = 64

/** Parts between semicolons that could be statements; comments and texts of theirs taken out. */
function statementsIn(text: string): readonly string[] {
  if (!SQL.test(text) || !STARTS.test(text)) return []
  return text.split(';', MAX_STATEMENTS).map((part) =>
    part
      .replace(/--[^\n]*/g, ' ')
      .replace(/'[^']*'/g, "''")
      .trim(),
  )
}

/** Statements, not a shell's text that speaks of some. */
const STARTS =
  /^[\s(]*(?:--|\/\*|select|with|insert|update|delete|drop|truncate|alter|begin|start|set|use|create|explain|pragma)/i
const SQL = /\b(?:drop|truncate|delete|update|alter)\b/i

function sqlKind(statement: string): DestructiveKind | undefined {
  const words = statement
    .replace(/\/\*[^*]*\*\//g, ' ')
    .trim()
    .split(/\s+/, 40)
  const [first = '', second = '', third = ''] = words.map((word) => word.toLowerCase())
  const isName = (word: string): boolean => /^["'`[]?[a-z_][\w$."'`\]-]*[,)]?$/.test(word)
  if (first === 'drop' && DROPPED.has(second)) {
    const name = third === 'if' ? words[4] : words[2]
    const rest = words.slice(third === 'if' ? 5 : 3)
    const ends = rest.every((word) =>
      /^(?:cascade|restrict|,|[\w."`]+,?|force|with|\(force\))$/i.test(word),
    )
    return name !== undefined && isName(name.toLowerCase()) && ends && rest.length < 8
      ? 'sql_drop'
      : undefined
  }
  if (first === 'truncate') {
    const name = second === 'table' ? third : second
    return isName(name) && words.length <= 6 ? 'sql_all_rows' : undefined
  }
  const lower = statement.toLowerCase()
  if (first === 'delete' && second === 'from' && isName(third))
    return /\bwhere\b|\blimit\b/.test(lower) || words.length > 8
      ? undefined
      : 'sql_all_rows'
  if (first === 'update' && isName(second) && third === 'set')
    return /\bwhere\b|\blimit\b/.test(lower) || !statement.includes('=')
      ? undefined
      : 'sql_all_rows'
  if (first === 'alter' && second === 'table')
    return /\bdrop\s+column\b/.test(lower) ? 'sql_drop' : undefined
  return undefined
}

const DROPPED: ReadonlySet<string> = new Set(
  'table database schema view index user role collection keyspace'.split(' '),
)
