/** `yori config migrate`: an older configuration file, written anew. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { findFile } from '../../../../config/find-file.js'
import { migrateText, replaceKeeping } from '../../../../config/migrate-file.js'
import type { MigratedText } from '../../../../config/migrate-file.js'
import { FORMAT } from '../../../../config/migrations.js'
import { formatProblem } from '../../../../config/problem.js'

export interface MigrateOptions {
  readonly config?: string
  readonly out?: string
  readonly dryRun?: true
  readonly json?: true
}

/** What came of it: lines for people, the rest for programs. */
export interface MigrateOutcome {
  readonly ok: boolean
  readonly file?: string
  readonly from?: number
  readonly to?: number
  readonly changes: readonly string[]
  readonly written?: string
  /** Where the old one is now. */
  readonly kept?: string
  readonly lines: readonly string[]
}

export function configMigrateCommand(): Command {
  return new Command('migrate')
    .option('--config <file>', 'the configuration file')
    .option('--out <file>', 'write there instead, and leave the file as it is')
    .option('--dry-run', 'say what would change, and write nothing')
    .option('--json', 'print JSON for programs')
    .description('write a file of an older version anew; the old one stays beside it')
    .action((options: MigrateOptions) => {
      const { lines, ...outcome } = migrate(options)
      const stream = outcome.ok ? process.stdout : process.stderr
      if (options.json) console.log(JSON.stringify({ ...outcome, lines }, null, 2))
      else stream.write(lines.map((line) => `${line}\n`).join(''))
      if (!outcome.ok) process.exitCode = 1
    })
}

/** Never throws for what an operator can get wrong. `format` and `cwd` are for tests. */
export function migrate(
  options: MigrateOptions,
  { format = FORMAT, cwd = process.cwd() } = {},
): MigrateOutcome {
  const found = findFile(options.config, cwd)
  if (found.kind === 'unreadable') return refused(formatProblem(found.problem))
  if (found.kind === 'none') {
    const line = 'there is no configuration file: the built-in defaults need no migration'
    return { ok: true, changes: [], lines: [line] }
  }
  const { path: file, text } = found
  const migrated = migrateText(text, format)
  switch (migrated.kind) {
    case 'current': {
      const to = format.version
      const line = `${file}: is of version ${to} already; nothing to do`
      return { ok: true, file, from: to, to, changes: [], lines: [line] }
    }
    case 'newer':
      return refused(
        `${file}: config_version ${migrated.version} is newer than this YORI, which ` +
          `reads up to ${format.version}; install the YORI that wrote it`,
      )
    case 'unread':
      return refused(
        ...migrated.faults.map((fault) => formatProblem({ file, ...fault })),
        'nothing was written',
      )
    case 'ok':
      return put(file, migrated, { ...options, cwd, to: format.version })
  }
}

function refused(...lines: string[]): MigrateOutcome {
  return { ok: false, changes: [], lines }
}

function put(
  file: string,
  { text, done }: MigratedText & { kind: 'ok' },
  { out, dryRun, to, cwd }: MigrateOptions & { to: number; cwd: string },
): MigrateOutcome {
  const { from, changes } = done
  const target = out === undefined ? file : resolve(cwd, out)
  const heading = (verb: string): string =>
    `${file}: ${verb} from version ${from} to ${to}, ${tally(changes.length)}`
  const what = changes.map((change) => `  ${change}`)
  const base = { ok: true, file, from, to, changes }
  if (dryRun) {
    const lines = [heading('would go'), ...what, `would be written to ${target}`]
    return { ...base, lines }
  }
  try {
    if (out !== undefined) {
      writeFileSync(target, text, { mode: 0o600, flag: 'wx' })
      const lines = [heading('goes'), ...what, `wrote ${target}; ${file} is as it was`]
      return { ...base, written: target, lines }
    }
    const kept = replaceKeeping(file, text, from)
    const next = `wrote ${file}; the old one is ${kept}; next: yori config check`
    return {
      ...base,
      written: file,
      kept,
      lines: [heading('went'), ...what, next],
    }
  } catch (cause) {
    return refused(
      unwritten(cause, out === undefined ? `${file}.v${from}` : target, file),
    )
  }
}

function unwritten(cause: unknown, taken: string, file: string): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (code === 'EEXIST')
    return `${taken} exists; move it away first. ${file} is as it was`
  return `cannot be written (${code === '' ? String(cause) : code}); ${file} is as it was`
}

function tally(count: number): string {
  return count === 1 ? '1 change' : `${count} changes`
}
