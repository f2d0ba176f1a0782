/**
 * `yori backup FILE` and `yori restore FILE`: the state folder in one file, and back. Databases
 * are copied by SQLite while YORI runs; everything else as it is. What a restore would overwrite
 * of another CA, or under a running YORI, it refuses. The file holds keys: 0600.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
} from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Config } from '../../../../config/schema.js'
import { copyDatabase } from '../../../audit/copy-database.js'
import { headsFileOf, keyFileOf } from '../../../audit/evidence/heads.js'
import { YoriError } from '../../../core/errors.js'
import { makeFolder } from '../../../core/make-folder.js'
import { Command } from '../../commander.js'
import { InstanceLock } from '../../instance.js'
import { rootOf } from '../../root-of.js'

const run = promisify(execFile)

const FORMAT = 1
const MANIFEST = 'manifest.json'
/** Of this process alone, or made anew. */
const LEFT = /(?:\.sock|-wal|-shm|-journal|\.tmp)$|^instance\.db$/
const DATABASE = /\.db$/
/** Of a state folder; beyond it something else lies there. */
const MOST_FILES = 10_000
const LONGEST_LIST = 16 * 1024 * 1024

export interface BackupDeps {
  readonly config: (path: string | undefined) => Config
  readonly version: string
  readonly now: () => number
  readonly print: (text: string) => void
}

interface Manifest {
  readonly format: number
  readonly version: string
  readonly at: string
  /** SHA-256 of the root certificate; null: there was no CA. */
  readonly root: string | null
  /** By its path below the folder it came from: `state/…`, `ca/…`, `record/…`. */
  readonly files: Readonly<Record<string, string>>
}

interface Flags {
  readonly config?: string
  readonly force?: true
}

export function backupCommand(deps: BackupDeps): Command {
  return new Command('backup')
    .description('the whole state in one file: CA, record, household; also while it runs')
    .argument('<file>', 'where to, such as yori-backup.tar.gz')
    .option('-c, --config <file>', 'configuration file')
    .option('--force', 'overwrite a file that is there')
    .action((file: string, flags: Flags) => backup(deps, file, flags))
}

export function restoreCommand(deps: BackupDeps): Command {
  return new Command('restore')
    .description('bring a backup back; YORI must not run')
    .argument('<file>', 'a file of yori backup')
    .option('-c, --config <file>', 'configuration file')
    .action((file: string, flags: Flags) => restore(deps, file, flags))
}

/** Where each part of a backup lives. */
function placesOf({ state_dir: state, ca, audit }: Config): Record<string, string> {
  const places: Record<string, string> = { state }
  const isBelow = (path: string): boolean => !relative(state, path).startsWith('..')
  if (!isBelow(ca.directory)) places['ca'] = ca.directory
  if (isBelow(audit.database)) return places
  // What vouches for the record goes with it.
  places['record-heads'] = headsFileOf(audit.database)
  places['record-key'] = keyFileOf(audit.database)
  places['record'] = audit.database
  return places
}

/** Places that are one file. */
const SINGLE: ReadonlySet<string> = new Set(['record', 'record-heads', 'record-key'])

/** Heads first: one that is signed meanwhile would not stand in the record that was copied before. */
function headsFirst(paths: readonly string[]): readonly string[] {
  const isHeads = (path: string): boolean => path.endsWith(headsFileOf(''))
  return [...paths.filter(isHeads), ...paths.filter((path) => !isHeads(path))]
}

async function backup(deps: BackupDeps, to: string, flags: Flags): Promise<void> {
  const config = deps.config(flags.config)
  const target = resolve(to)
  if (existsSync(target) && flags.force !== true)
    throw unusable(`${target} is there already; --force overwrites it`)
  if (!existsSync(config.state_dir))
    throw unusable(`${config.state_dir} does not exist: there is nothing to keep`)
  const folder = await mkdtemp(join(dirname(target), '.yori-backup-'))
  try {
    const files: Record<string, string> = {}
    for (const [part, from] of Object.entries(placesOf(config)))
      for (const path of headsFirst(filesIn(from))) {
        const name = path === from ? basename(from) : relative(from, path)
        const copy = join(folder, part, name)
        await mkdir(dirname(copy), { recursive: true, mode: 0o700 })
        await copied(path, copy)
        await chmod(copy, 0o600)
        files[`${part}/${name}`] = digest(copy)
      }
    const manifest: Manifest = {
      ...{ format: FORMAT, version: deps.version, root: rootOf(config.ca.directory) },
      at: new Date(deps.now()).toISOString(),
      files,
    }
    await writeFile(join(folder, MANIFEST), JSON.stringify(manifest, null, 2))
    const parts = [MANIFEST, ...new Set(Object.keys(files).map((name) => part(name)))]
    const made = join(folder, 'made.tar.gz')
    await run('tar', ['-czf', made, '-C', folder, ...parts])
    await chmod(made, 0o600)
    await rename(made, target)
    deps.print(
      `${Object.keys(files).length} files are in ${target}, the keys of the CA too: keep it safe.\n`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const part = (name: string): string => name.split('/', 1)[0] ?? ''

const copied = (from: string, to: string): Promise<void> =>
  DATABASE.test(from) ? copyDatabase(from, to) : copyFile(from, to)

/** Regular files alone; a link would lead elsewhere. */
function filesIn(from: string, found: string[] = []): string[] {
  const stat = lstatSync(from, { throwIfNoEntry: false })
  if (stat?.isFile() === true) {
    if (!LEFT.test(basename(from))) found.push(from)
  } else if (stat?.isDirectory() === true) {
    for (const name of readdirSync(from).sort()) filesIn(join(from, name), found)
  }
  if (found.length > MOST_FILES) throw unusable(`${from} holds over ${MOST_FILES} files`)
  return found
}

async function restore(deps: BackupDeps, file: string, flags: Flags): Promise<void> {
  const config = deps.config(flags.config)
  const source = resolve(file)
  if (!existsSync(source)) throw unusable(`${source} does not exist`)
  makeFolder(config.state_dir, 0o700)
  // Nobody starts meanwhile, either. @throws where one runs
  using _lock = InstanceLock.take(config.state_dir)
  const folder = await mkdtemp(join(config.state_dir, '.restore-'))
  try {
    const manifest = await unpacked(source, folder)
    const here = rootOf(config.ca.directory)
    if (here !== null && here !== manifest.root)
      throw unusable(
        `${config.ca.directory} has another CA (SHA-256 ${here}): move that folder away first, ` +
          'or restore into another state folder',
      )
    const places = placesOf(config)
    for (const name of Object.keys(manifest.files)) {
      const from = places[part(name)] ?? config.state_dir
      const to = SINGLE.has(part(name))
        ? from
        : join(from, name.slice(part(name).length + 1))
      makeFolder(dirname(to), 0o700)
      // Left of what is replaced, these would be read with what comes.
      for (const rest of ['-wal', '-shm']) await rm(`${to}${rest}`, { force: true })
      await copyFile(join(folder, name), `${to}.restored`)
      await chmod(`${to}.restored`, 0o600)
      await rename(`${to}.restored`, to)
    }
    const { at, version } = manifest
    deps.print(
      `${Object.keys(manifest.files).length} files of ${at} (YORI ${version}) are back in ${config.state_dir}.\n`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Only names that the manifest has, only files that are as it says. */
async function unpacked(source: string, folder: string): Promise<Manifest> {
  const list = await run('tar', ['-tzvf', source], { maxBuffer: LONGEST_LIST }).catch(
    () => {
      throw unusable(`${source} is no backup of yori: tar cannot read it`)
    },
  )
  for (const line of list.stdout.split('\n').filter((one) => one !== ''))
    if (!/^[-d]/.test(line) || / \/|(?:^|[ /])\.\.(?:\/|$)/.test(line))
      throw unusable(
        `${source} holds what no backup of yori holds: ${line.slice(0, 120)}`,
      )
  await run('tar', ['-xzf', source, '-C', folder, '--no-same-owner'])
  const manifest = readManifest(source, join(folder, MANIFEST))
  for (const [name, sha256] of Object.entries(manifest.files)) {
    const path = join(folder, name)
    const isInside = resolve(path).startsWith(`${folder}/`)
    if (!isInside || !existsSync(path) || digest(path) !== sha256)
      throw unusable(`${source} is damaged: ${name} is not what was kept`)
  }
  return manifest
}

function readManifest(source: string, file: string): Manifest {
  try {
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
    if (manifest.format === FORMAT) return manifest
  } catch {
    throw unusable(`${source} is no backup of yori`)
  }
  throw unusable(`${source} is of another version of yori`)
}

/** Piece by piece: a record may be larger than the memory of a router. */
function digest(path: string): string {
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const length = readSync(file, piece)
      if (length === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, length))
    }
  } finally {
    closeSync(file)
  }
}

const PIECE_BYTES = 1024 * 1024

function unusable(says: string): YoriError {
  return new YoriError('YORI_STATE_UNUSABLE', says)
}
