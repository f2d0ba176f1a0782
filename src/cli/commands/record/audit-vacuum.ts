/**
 * `yori audit vacuum`: gives back what the file has of free pages, and repacks it where no YORI
 * runs. Beside one it takes short steps only: a whole repacking would keep it from writing.
 */
import { statSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Database } from 'better-sqlite3'
import type { Command } from 'commander'
import { printable } from '../../../audit/printable.js'
import { openDatabase, unavailable } from '../../../audit/queries.js'
import { EXIT } from '../../exit.js'
import { runningInstance } from '../../instance.js'
import type { AuditFileDeps, CommonFlags } from './record-deps.js'

/** Pages that one step gives back; a YORI beside it waits for one such step. */
const STEP_PAGES = 256
const MIB = 1024 * 1024
/** A repacking writes a copy, and that again into the log, before either is cut back. */
const ROOM_FACTOR = 2

interface Won {
  readonly before: number
  readonly after: number
  readonly repacked: boolean
  /** What it could not do, and what would help. */
  readonly left?: string
}

export function addVacuum(command: Command, deps: AuditFileDeps): void {
  command
    .command('vacuum')
    .description('give back what the file has of free room; whole while YORI is stopped')
    .option('--config <file>', 'the configuration that names the database')
    .option('--json', 'for programs')
    .action((flags: CommonFlags) => vacuum(deps, flags))
}

async function vacuum(deps: AuditFileDeps, flags: CommonFlags): Promise<void> {
  const { database } = await deps.auditOptions(flags.config)
  const running = runningInstance(deps.places(flags.config).stateDir) !== undefined
  const db = openDatabase(database, false)
  try {
    const before = bytesOf(database)
    const left = (await freed(db, deps)) ?? repack(db, database, running, deps)
    db.pragma('wal_checkpoint(TRUNCATE)')
    const repacked = left === undefined
    const after = bytesOf(database)
    const won: Won = { before, after, repacked, ...(repacked ? {} : { left }) }
    deps.stdout.write(flags.json === true ? `${JSON.stringify(won)}\n` : textOf(won))
    if (left === BUSY) deps.exit?.(EXIT.no)
  } catch (cause) {
    throw unavailable(database, cause)
  } finally {
    db.close()
  }
}

const BUSY = 'another program holds the database; ask again later'

/** Page by page from the end of the file. Returns what kept it from going on. */
async function freed(db: Database, deps: AuditFileDeps): Promise<string | undefined> {
  const total = free(db)
  for (let rest = total; rest > 0;) {
    const isFree = orBusy(() => db.pragma(`incremental_vacuum(${STEP_PAGES})`))
    if (!isFree) return BUSY
    const now = free(db)
    // A file of before has no map of its pages: it can only be repacked.
    if (now >= rest) return undefined
    rest = now
    deps.progress?.(total - rest, total)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return undefined
}

/** Returns why not. */
function repack(
  db: Database,
  database: string,
  running: boolean,
  deps: AuditFileDeps,
): string | undefined {
  if (running)
    return 'YORI runs, so pages that are partly empty stay: stop it and ask again to have them repacked'
  const needed = bytesOf(database) * ROOM_FACTOR
  const folder = dirname(database)
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < needed)
    return `pages that are partly empty stay: repacking needs ${mib(needed)} of room in ${folder}, there are ${mib(bavail * bsize)}`
  deps.note?.(`yori: repacking ${mib(bytesOf(database))}\n`)
  // Beside the database, not in a /tmp that may be memory.
  process.env['SQLITE_TMPDIR'] = folder
  db.pragma('auto_vacuum = INCREMENTAL')
  return orBusy(() => db.exec('VACUUM')) ? undefined : BUSY
}

/** False when somebody held the lock for longer than one waits. */
function orBusy(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    if (!code.startsWith('SQLITE_BUSY') && !code.startsWith('SQLITE_LOCKED')) throw cause
    return false
  }
}

const free = (db: Database): number =>
  db.pragma('freelist_count', { simple: true }) as number

const bytesOf = (database: string): number =>
  ['', '-wal'].reduce(
    (sum, end) =>
      sum + (statSync(`${database}${end}`, { throwIfNoEntry: false })?.size ?? 0),
    0,
  )

const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`

function textOf({ before, after, left }: Won): string {
  const won = `${mib(Math.max(0, before - after))} given back: ${mib(before)} before, ${mib(after)} now\n`
  return left === undefined ? won : `${won}${printable(left)}\n`
}
