/**
 * The CA's files: who may read them, and how they change. Knows names, owners, modes and
 * crash safety; what is inside them is `authority.ts`'s.
 *
 * A change is one transaction however many files it has. They are written and synced in a
 * folder `staged-*`; renaming that to `ready` is the moment of truth; then each moves to its
 * place. A process that dies before leaves rubbish that the next one removes, after it leaves
 * a `ready` that the next one completes.
 */
import { makeFolder } from '../src/core/make-folder.js'
import { randomBytes } from 'node:crypto'
import { chown, lstat, mkdir, open, readdir, readFile } from 'node:fs/promises'
import { rename, rm, rmdir, unlink } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { YoriError } from '../src/core/errors.js'
import { withStoreLock } from './store-lock.js'

/**
 * Keys end in `.key` and are 0600; the others are 0644 in a folder that is 0700. `next-root`
 * is a root that is staged, `cross.crt` the present root under it, `switch-at` the time when
 * it takes over.
 */
export const caFiles = [
  'root.crt',
  'root.key',
  'issuing.crt',
  'issuing.key',
  'cross.crt',
  'next-root.crt',
  'next-root.key',
  'switch-at',
] as const
export type CaFile = (typeof caFiles)[number]

/** New text by file; undefined takes the file away. */
export type CaChange = ReadonlyMap<CaFile, string | undefined>

const READY = 'ready'
/** In a transaction an empty file `x.gone` stands for taking `x` away. */
const GONE = '.gone'
const MAX_FILE_BYTES = 262_144
/** A change takes far less than a second, key encryption included. */
const LOCK_WAIT_MS = 15_000

export interface KeyStoreOptions {
  readonly directory: string
  /** Told before each step that a crash could interrupt. */
  readonly onStep?: (step: string) => void
}

export class KeyStore {
  readonly directory: string
  readonly #onStep: (step: string) => void

  constructor({ directory, onStep }: KeyStoreOptions) {
    this.directory = directory
    this.#onStep = onStep ?? (() => undefined)
  }

  path(name: CaFile): string {
    return join(this.directory, name)
  }

  async exists(): Promise<boolean> {
    return (await statsOf(this.directory)) !== undefined
  }

  /** Makes the folder, 0700, when there is none. */
  async prepare(): Promise<void> {
    try {
      makeFolder(this.directory, 0o700)
    } catch (cause) {
      const why = (cause as Error).message
      throw new YoriError('YORI_CA_UNUSABLE', `no CA folder: ${why}`, { cause })
    }
  }

  /**
   * Runs `action` as the only process that works on the folder, which is refused when others
   * may enter it. YORI_CA_MISSING, YORI_CA_KEY_EXPOSED, YORI_CA_BUSY.
   */
  async exclusively<T>(action: () => Promise<T>): Promise<T> {
    await this.#checkFolder()
    return withStoreLock(this.directory, LOCK_WAIT_MS, async () => {
      await this.#recover()
      return action()
    })
  }

  /**
   * The text of a file; undefined when there is none. Only inside `exclusively`. A key that
   * others may read is YORI_CA_KEY_EXPOSED, and is not read.
   */
  async read(name: CaFile): Promise<string | undefined> {
    const path = this.path(name)
    const stats = await statsOf(path)
    if (stats === undefined) return undefined
    if (!stats.isFile()) throw new YoriError('YORI_CA_UNUSABLE', `${path} is no file`)
    if (stats.size > MAX_FILE_BYTES)
      throw new YoriError('YORI_CA_UNUSABLE', `${path} is too large for its purpose`)
    await this.#checkOwner(path, stats)
    checkMode(path, stats, name.endsWith('.key') ? 'key' : 'certificate')
    return readFile(path, 'utf8')
  }

  /** Makes the whole change, or nothing of it. Only inside `exclusively`. */
  async replace(change: CaChange): Promise<void> {
    const staged = join(this.directory, `staged-${randomBytes(8).toString('hex')}`)
    this.#onStep('stage')
    await mkdir(staged, { mode: 0o700 })
    for (const [name, text] of change) {
      this.#onStep(`write ${name}`)
      const mode = name.endsWith('.key') ? 0o600 : 0o644
      if (text === undefined) await this.#write(join(staged, name + GONE), '', mode)
      else await this.#write(join(staged, name), text, mode)
    }
    await syncFolder(staged)
    this.#onStep('commit')
    await rename(staged, join(this.directory, READY))
    await syncFolder(this.directory)
    await this.#complete()
  }

  async #recover(): Promise<void> {
    for (const name of await readdir(this.directory)) {
      if (name.startsWith('staged-'))
        await rm(join(this.directory, name), { recursive: true })
    }
    await this.#complete()
  }

  async #complete(): Promise<void> {
    const ready = join(this.directory, READY)
    if ((await statsOf(ready)) === undefined) return
    for (const name of caFiles) {
      if ((await statsOf(join(ready, name))) !== undefined) {
        this.#onStep(`place ${name}`)
        await rename(join(ready, name), join(this.directory, name))
      }
      if ((await statsOf(join(ready, name + GONE))) !== undefined) {
        this.#onStep(`remove ${name}`)
        await rm(join(this.directory, name), { force: true })
        await unlink(join(ready, name + GONE))
      }
    }
    this.#onStep('finish')
    await rmdir(ready)
    await syncFolder(this.directory)
  }

  /** As root we work for the folder's owner: the service may run as somebody else. */
  async #write(path: string, text: string, mode: number): Promise<void> {
    const file = await open(path, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.chmod(mode)
      await file.sync()
    } finally {
      await file.close()
    }
    const { uid, gid } = await lstat(this.directory)
    if (process.geteuid?.() === 0 && uid !== 0) await chown(path, uid, gid)
  }

  async #checkFolder(): Promise<void> {
    const stats = await statsOf(this.directory)
    if (stats === undefined)
      throw new YoriError('YORI_CA_MISSING', `there is no CA in ${this.directory}`)
    if (!stats.isDirectory())
      throw new YoriError('YORI_CA_UNUSABLE', `${this.directory} is no folder`)
    const self = process.geteuid?.()
    if (self !== undefined && self !== 0 && stats.uid !== self)
      throw exposed(this.directory, 'belongs to another user', `chown ${self}`)
    checkMode(this.directory, stats, 'folder')
  }

  async #checkOwner(path: string, stats: Stats): Promise<void> {
    const { uid } = await lstat(this.directory)
    if (stats.uid !== uid && stats.uid !== 0)
      throw exposed(path, 'belongs to another user than its folder', `chown ${uid}`)
  }
}

function checkMode(
  path: string,
  stats: Stats,
  what: 'folder' | 'key' | 'certificate',
): void {
  const mode = stats.mode & 0o777
  const shown = `has mode ${mode.toString(8).padStart(4, '0')}`
  if (what === 'folder' && (mode & 0o077) !== 0) throw exposed(path, shown, 'chmod 0700')
  if (what === 'key' && (mode & 0o077) !== 0) throw exposed(path, shown, 'chmod 0600')
  if (what === 'certificate' && (mode & 0o022) !== 0)
    throw exposed(path, shown, 'chmod 0644')
}

function exposed(path: string, shown: string, command: string): YoriError {
  const quoted = `'${path.replaceAll("'", `'\\''`)}'`
  return new YoriError(
    'YORI_CA_KEY_EXPOSED',
    `${path} ${shown}, so that others could read or change a private key. Mend it with: ${command} ${quoted}`,
  )
}

async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
