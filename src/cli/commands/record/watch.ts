/** `yori watch`: a line an exchange, as it ends. By the record, so whoever may read it may look. */
import { Option } from 'commander'
import { Command } from '../../commander.js'
import { jsonLine } from '../../../audit/printable.js'
import { Follower, MAX_AWAITED } from '../../../audit/follow.js'
import { openReader } from '../../../audit/queries.js'
import { watchColumns, watchLine } from '../../watch-line.js'
import type { LineOptions } from '../../watch-line.js'
import { filtered, filterOf, print, upTo } from './audit.js'
import type { AuditCommandDeps, FilterFlags } from './audit.js'

/** How often the record is asked whether there is anything new. */
const LOOK_MS = 250
const MOST_LINES = 100_000

interface WatchFlags extends FilterFlags {
  readonly last: number
  readonly colour: 'auto' | 'always' | 'never'
}

export interface WatchDeps extends AuditCommandDeps {
  readonly env: Readonly<Record<string, string | undefined>>
  note(text: string): void
  /** Resolves when nobody wants to look any longer. */
  ended(): Promise<void>
}

export function watchCommand(deps: WatchDeps): Command {
  return filtered(new Command('watch'))
    .description('a line an exchange, as it happens')
    .option('--last <number>', 'begin with so many that were before', upTo(MOST_LINES), 0)
    .addOption(
      new Option('--colour <when>', 'blocks, alerts and failures in colour')
        .choices(['auto', 'always', 'never'])
        .default('auto'),
    )
    .action((flags: WatchFlags) => watch(deps, flags))
}

async function watch(deps: WatchDeps, flags: WatchFlags): Promise<void> {
  const { database } = await deps.auditOptions(flags.config)
  const filter = filterOf(flags, deps)
  const isJson = flags.json === true
  const columns = isJson ? columnsOf(database) : watchColumns
  using follower = new Follower(database, filter, columns)
  deps.note('yori: told from the files, as the record is written\n')
  const looks = options(deps, flags)
  const lineOf = isJson
    ? (row: Parameters<typeof watchLine>[0]) => `${jsonLine(row)}\n`
    : (row: Parameters<typeof watchLine>[0]) => watchLine(row, looks)
  if (flags.last > 0) {
    using reader = openReader(database)
    const before = [...reader.list(filter, flags.last, columns)].reverse()
    await print(deps, before.map(lineOf))
  } else if (!isJson) deps.note('waiting for exchanges; Ctrl-C ends it\n')
  let isOver = false
  const over = deps.ended().then(() => (isOver = true))
  while (!isOver) {
    const { ended, more, lost } = follower.look()
    await print(deps, ended.map(lineOf))
    if (lost > 0)
      deps.note(
        `yori: ${lost} exchanges are told no more: over ${MAX_AWAITED} are open\n`,
      )
    if (!more) await Promise.race([over, pause(LOOK_MS)])
  }
}

function columnsOf(database: string): readonly string[] {
  using reader = openReader(database)
  return reader.columns
}

function options(deps: WatchDeps, { colour, config }: WatchFlags): LineOptions {
  const { stdout, env } = deps
  const isTerminal = stdout.isTTY === true
  const isColoured = isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  const width = 'columns' in stdout ? Number(stdout.columns) : undefined
  return {
    colour: colour === 'always' || (colour === 'auto' && isColoured),
    width: isTerminal ? width : undefined,
    zone: deps.zone?.(config),
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))
