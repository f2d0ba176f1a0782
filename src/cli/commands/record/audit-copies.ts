/**
 * `yori audit backup FILE` and `yori audit restore FILE`: the record alone, as a database that
 * anybody can read, with what vouches for it beside it (`FILE-evidence.pem`, `FILE-heads.jsonl`).
 * What is not of this YORI's CA is not taken, and what was there before stays beside it.
 */
import {
  copyFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { chmod, copyFile, mkdtemp, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { copyDatabase } from '../../../audit/copy-database.js'
import {
  headsFileOf,
  isSigned,
  keyFileOf,
  verifyingKey,
} from '../../../audit/evidence/heads.js'
import { migrations } from '../../../audit/migrations.js'
import { printable } from '../../../audit/printable.js'
import { openDatabase, unavailable } from '../../../audit/queries.js'
import { Sqlite } from '../../../audit/sqlite.js'
import { YoriError } from '../../../core/errors.js'
import { makeFolder } from '../../../core/make-folder.js'
import { InstanceLock } from '../../instance.js'
import { packageVersion } from '../../package-version.js'
import { rootOf } from '../../root-of.js'
import type { AuditFileDeps, CommonFlags } from './record-deps.js'

interface Flags extends CommonFlags {
  readonly force?: true
}

/** What was there before a restore. */
export const keptName = (database: string): string => `${database}.before-restore`

export function addCopies(command: Command, deps: AuditFileDeps): void {
  command
    .command('backup')
    .description('the record in a file, with what vouches for it; also while YORI runs')
    .argument('<file>', 'where to, such as audit-copy.db')
    .option('--config <file>', 'the configuration that names the database')
    .option('--json', 'for programs')
    .option('--force', 'overwrite a file that is there')
    .action((file: string, flags: Flags) => backup(deps, resolve(file), flags))
  command
    .command('restore')
    .description('bring a record back; YORI must not run')
    .argument('<file>', 'a file of yori audit backup')
    .option('--config <file>', 'the configuration that names the database')
    .option('--json', 'for programs')
    .option('--force', 'overwrite what an earlier restore has kept')
    .action((file: string, flags: Flags) => restore(deps, resolve(file), flags))
}

async function backup(deps: AuditFileDeps, target: string, flags: Flags): Promise<void> {
  const { database } = await deps.auditOptions(flags.config)
  const files = partsOf(target)
  if (files.some((file) => partsOf(database).some((part) => isSame(file, part))))
    throw unusable(`${target} is the record itself: choose another file`)
  const there = files.find((file) => existsSync(file))
  if (there !== undefined && flags.force !== true)
    throw unusable(`${there} is there already; --force overwrites it`)
  const db = openDatabase(database, true)
  const bytes =
    Number(db.pragma('page_count', { simple: true })) *
    Number(db.pragma('page_size', { simple: true }))
  db.close()
  const folder = dirname(target)
  if (roomIn(folder) < bytes)
    throw unusable(`${folder} has no room for ${Math.ceil(bytes / MIB)} MiB`)
  const work = await mkdtemp(join(folder, '.yori-audit-'))
  try {
    const copy = join(work, basename(target))
    // Heads first: one that is signed meanwhile would not stand in what was copied before.
    for (const fileOf of [headsFileOf, keyFileOf]) {
      if (!existsSync(fileOf(database))) continue
      await copyFile(fileOf(database), fileOf(copy))
      await chmod(fileOf(copy), 0o600)
    }
    await copyDatabase(database, copy, (done, total) => deps.progress?.(done, total))
    const exchanges = mark(copy, {
      at: new Date(deps.clock.now()).toISOString(),
      version: packageVersion(),
      root: rootOf(deps.places(flags.config).caDirectory),
    })
    for (const [at, file] of partsOf(copy).entries())
      if (existsSync(file)) await rename(file, files[at] as string)
      else await rm(files[at] as string, { force: true })
    const says =
      flags.json === true
        ? `${JSON.stringify({ file: target, exchanges, bytes: statSync(target).size })}\n`
        : `${exchanges} exchanges are in ${printable(target)}; with it belong ${basename(keyFileOf(target))}, which is secret, and ${basename(headsFileOf(target))}\n`
    deps.stdout.write(says)
  } catch (cause) {
    throw unavailable(database, cause)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

const MIB = 1024 * 1024

/** The database last: it is whole only with the others. */
const partsOf = (database: string): readonly string[] => [
  headsFileOf(database),
  keyFileOf(database),
  database,
]

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((file) => statSync(file, { throwIfNoEntry: false }))
  return a !== undefined && a.ino === b?.ino && a.dev === b.dev
}

function roomIn(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** Of whom a copy is; taken out again as it comes back. */
interface Mark {
  readonly at: string
  readonly version: string
  /** SHA-256 of the root certificate; null: there was no CA. */
  readonly root: string | null
}

/** Returns how many exchanges it holds. */
function mark(copy: string, { at, version, root }: Mark): number {
  const db = new Sqlite(copy)
  try {
    // One file, that also a folder that cannot be written serves.
    db.pragma('journal_mode = DELETE')
    db.exec('DROP TABLE IF EXISTS backup_of')
    db.exec('CREATE TABLE backup_of (at TEXT, version TEXT, root TEXT)')
    db.prepare('INSERT INTO backup_of VALUES (?, ?, ?)').run(at, version, root)
    return db.prepare('SELECT count(*) FROM exchanges').pluck().get() as number
  } finally {
    db.close()
  }
}

async function restore(deps: AuditFileDeps, source: string, flags: Flags): Promise<void> {
  const { database } = await deps.auditOptions(flags.config)
  const { stateDir, caDirectory } = deps.places(flags.config)
  if (!existsSync(source)) throw unusable(`${source} does not exist`)
  if (isSame(source, database)) throw unusable(`${source} is the record itself`)
  makeFolder(stateDir, 0o700)
  // Nobody starts meanwhile, either. @throws where one runs
  using _lock = InstanceLock.take(stateDir)
  const kept = keptName(database)
  if (existsSync(kept) && flags.force !== true)
    throw unusable(
      `${kept} is there: an earlier restore kept it; move it away, or --force overwrites it`,
    )
  const exchanges = looked(source, { database, caDirectory })
  makeFolder(dirname(database), 0o700)
  const ready = `${database}.restored`
  try {
    await taken(source, ready, deps)
    setAside(database, kept)
    for (const fileOf of [headsFileOf, keyFileOf])
      if (existsSync(fileOf(ready))) renameSync(fileOf(ready), fileOf(database))
    renameSync(ready, database)
    placesBack(stateDir, newestLink(database))
  } finally {
    for (const file of partsOf(ready)) rmSync(file, { force: true })
  }
  const hasKept = existsSync(kept)
  const says =
    flags.json === true
      ? `${JSON.stringify({ database, exchanges, ...(hasKept ? { kept } : {}) })}\n`
      : `${exchanges} exchanges are back in ${printable(database)}${hasKept ? `; what was there is ${printable(kept)}` : ''}\n`
  deps.stdout.write(says)
}

/** All that is needed, beside its place. */
async function taken(source: string, ready: string, deps: AuditFileDeps) {
  for (const file of partsOf(ready)) rmSync(file, { force: true })
  await copyDatabase(source, ready, (done, total) => deps.progress?.(done, total))
  const db = new Sqlite(ready)
  try {
    db.pragma('journal_mode = DELETE')
    db.exec('DROP TABLE IF EXISTS backup_of')
  } finally {
    db.close()
  }
  for (const fileOf of [headsFileOf, keyFileOf]) {
    if (!existsSync(fileOf(source))) continue
    await copyFile(fileOf(source), fileOf(ready))
    await chmod(fileOf(ready), 0o600)
  }
}

/** With its log, as it is: it may be damaged. Key and heads also stay, for when none come. */
function setAside(database: string, kept: string): void {
  for (const file of [...partsOf(kept), `${kept}-wal`]) rmSync(file, { force: true })
  for (const fileOf of [headsFileOf, keyFileOf])
    if (existsSync(fileOf(database))) copyFileSync(fileOf(database), fileOf(kept))
  for (const end of ['-wal', ''])
    if (existsSync(`${database}${end}`)) renameSync(`${database}${end}`, `${kept}${end}`)
  rmSync(`${database}-shm`, { force: true })
}

/** A sink that was further would wait for links that come again, and miss them. */
function placesBack(stateDir: string, newest: number): void {
  for (const name of readdirSync(stateDir).filter((name) => SINK.test(name))) {
    const file = join(stateDir, name)
    try {
      const place = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
      if (typeof place['seq'] !== 'number' || place['seq'] <= newest) continue
      const head = Math.min(Number(place['head']), newest)
      const back = { ...place, seq: newest, part: 0, head }
      writeFileSync(`${file}.new`, JSON.stringify(back), { mode: 0o600 })
      renameSync(`${file}.new`, file)
    } catch {
      // It cannot be read by the sink either, which then begins anew.
    }
  }
}

const SINK = /^sink-.*\.json$/

function newestLink(database: string): number {
  const db = openDatabase(database, true)
  try {
    if (
      db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'chain'").get() === undefined
    )
      return 0
    return (db.prepare('SELECT max(seq) FROM chain').pluck().get() as number | null) ?? 0
  } finally {
    db.close()
  }
}

interface Here {
  readonly database: string
  readonly caDirectory: string
}

/** Returns how many exchanges it holds. @throws what is not to be taken, and why */
function looked(source: string, { database, caDirectory }: Here): number {
  const db = openDatabase(source, true)
  try {
    const hasTable = (name: string): boolean =>
      db.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(name) !== undefined
    if (!hasTable('exchanges')) throw unusable(`${source} is no record of YORI`)
    const version = Number(db.pragma('user_version', { simple: true }))
    if (version > migrations.length)
      throw unusable(`${source} is of a later YORI than this one`)
    const damage = db.pragma('quick_check(1)', { simple: true })
    if (damage !== 'ok') throw unusable(`${source} is damaged: ${String(damage)}`)
    const root = hasTable('backup_of')
      ? (db.prepare('SELECT root FROM backup_of').pluck().get() as string | null)
      : null
    const here = rootOf(caDirectory)
    if (root !== null && here !== null && root !== here)
      throw unusable(
        `${source} is the record of another CA (SHA-256 ${root}); ${caDirectory} has ${here}`,
      )
    const [came, beside] = [source, database].map((of) => verifyingKey(keyFileOf(of)))
    const isBy = (key: typeof came): boolean =>
      key !== undefined && hasTable('chain') && isSignedBy(db, key)
    if (root === null && !isBy(beside))
      throw unusable(
        `nothing says that ${source} is of this YORI: it is no file of yori audit backup, and ${keyFileOf(database)} did not sign it`,
      )
    if (hasTable('chain') && !isBy(came ?? beside))
      throw unusable(`${keyFileOf(source)}, which signed it, belongs beside ${source}`)
    return db.prepare('SELECT count(*) FROM exchanges').pluck().get() as number
  } catch (cause) {
    throw unavailable(source, cause)
  } finally {
    db.close()
  }
}

type Opened = ReturnType<typeof openDatabase>
type Key = NonNullable<ReturnType<typeof verifyingKey>>

/** Its newest head; a record that was never signed is nobody's. */
function isSignedBy(db: Opened, key: Key): boolean {
  const head = db
    .prepare(
      `SELECT lower(hex(name)) AS chain, chain.seq, chain.at, lower(hex(chain.digest)) AS digest,
         chain.signature FROM chain, chain_head
       WHERE chain.signature IS NOT NULL ORDER BY chain.seq DESC LIMIT 1`,
    )
    .get() as
    | { chain: string; seq: number; at: string; digest: string; signature: Buffer }
    | undefined
  return head !== undefined && isSigned(head, head.signature, key)
}

const unusable = (says: string): YoriError => new YoriError('YORI_STATE_UNUSABLE', says)
