/**
 * Changes to the configuration file through the control plane: keys are set in the file as it
 * stands, comments and all; the whole is judged by the loader; the old one is kept; the new one
 * takes its place by one rename and is taken at once. What the running YORI does not take is put
 * back. Values are never told or logged: some are secrets.
 */
import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type * as Yaml from 'yaml'
import type { LoadedConfig } from '../../config/load.js'
import { FORMAT, migrateDocument } from '../../config/migrations.js'
import { Refusal, badRequest } from './answer.js'

// Required, not imported: see `../cli/commander.ts`.
const yaml = createRequire(import.meta.url)('yaml') as typeof Yaml
const { parseDocument, isMap } = yaml

/** Files of before; the oldest go. */
export const MOST_VERSIONS = 20
const MOST_CHANGES = 100
const FOLDER = 'settings'
const VERSION_NAME = /^(\d{13})-([0-9a-f]{12})\.yaml$/

export interface SettingsPort {
  /** The file; undefined: built-in defaults are in force. */
  readonly source: string | undefined
  readonly stateDir: string
  readonly now: () => number
  /** As the running YORI would load that file: with its flags and environment. */
  readonly load: (path: string) => LoadedConfig
  /** Takes what stands in the file. */
  readonly reload: () => Promise<unknown>
}

export interface Version {
  /** Names it: when it was put aside, and what it was. */
  readonly id: string
  readonly at: string
}

/** Dotted keys, such as `enforcement.enabled`; null takes a key away, lists are given whole. */
export type Changes = Readonly<Record<string, unknown>>

export class Settings {
  readonly #port: SettingsPort
  #busy: Promise<unknown> = Promise.resolve()

  constructor(port: SettingsPort) {
    this.#port = port
  }

  get source(): string | undefined {
    return this.#port.source
  }

  /** What the file is now: changes may name it, so that two people overwrite nothing. */
  async version(): Promise<string | undefined> {
    const { source } = this.#port
    return source === undefined ? undefined : versionOf(await readFile(source, 'utf8'))
  }

  /** Newest first. */
  async versions(): Promise<readonly Version[]> {
    const names = await readdir(this.#folder).catch(() => [])
    return names
      .flatMap((name) => {
        const [, at, hash] = VERSION_NAME.exec(name) ?? []
        if (at === undefined || hash === undefined) return []
        return [{ id: `${at}-${hash}`, at: new Date(Number(at)).toISOString() }]
      })
      .sort((a, b) => (a.id < b.id ? 1 : -1))
  }

  /**
   * One change at a time. `expected`: the version that it was made on.
   * @throws Refusal 400, 409, 422 with every problem by its key; nothing has changed then
   */
  change(changes: Changes, expected?: string): Promise<string> {
    return this.#alone(async () => {
      const text = await this.#read(expected)
      await this.#apply(text, changed(text, changes))
      return (await this.version()) ?? ''
    })
  }

  /** Takes an earlier file again. @throws as `change`, and Refusal 404 */
  rollback(id: string): Promise<string> {
    return this.#alone(async () => {
      const known = (await this.versions()).some((version) => version.id === id)
      if (!known) throw new Refusal(404, 'not_found', 'there is no such version')
      const earlier = await readFile(join(this.#folder, `${id}.yaml`), 'utf8')
      await this.#apply(await this.#read(undefined), earlier)
      return (await this.version()) ?? ''
    })
  }

  get #folder(): string {
    return join(this.#port.stateDir, FOLDER)
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#busy.then(work)
    this.#busy = next.catch(() => undefined)
    return next
  }

  async #read(expected: string | undefined): Promise<string> {
    const { source } = this.#port
    if (source === undefined)
      throw new Refusal(
        409,
        'no_file',
        'built-in defaults are in force: start YORI with a file (`yori config init`)',
      )
    const text = await readFile(source, 'utf8').catch(cannot)
    if (expected !== undefined && expected !== versionOf(text))
      throw new Refusal(409, 'changed', 'the file has been changed meanwhile')
    return text
  }

  async #apply(old: string, text: string): Promise<void> {
    const source = this.#port.source as string
    if (old === text) return
    // Beside it, so that relative paths in it lead to the same places.
    const draft = join(dirname(source), `.yori-${randomBytes(6).toString('hex')}.draft`)
    const { mode } = await stat(source).catch(cannot)
    await write(draft, text, mode & 0o777).catch(cannot)
    try {
      const loaded = this.#port.load(draft)
      if (loaded.kind === 'invalid') throw invalid(loaded, draft, source)
      await this.#keep(old)
      await rename(draft, source).catch(cannot)
    } catch (cause) {
      await unlink(draft).catch(() => undefined)
      throw cause
    }
    await this.#port.reload().catch(async (cause: unknown) => {
      await write(draft, old, mode & 0o777)
      await rename(draft, source)
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Refusal(422, 'not_taken', `the running YORI does not take it: ${why}`)
    })
  }

  async #keep(text: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 }).catch(cannot)
    const name = `${String(this.#port.now()).padStart(13, '0')}-${versionOf(text)}.yaml`
    await write(join(this.#folder, name), text, 0o600).catch(cannot)
    for (const { id } of (await this.versions()).slice(MOST_VERSIONS))
      await unlink(join(this.#folder, `${id}.yaml`)).catch(() => undefined)
  }
}

function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** Whole on the disk before it takes a name that somebody reads. */
async function write(path: string, text: string, mode: number): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC
  const file = await open(path, flags | constants.O_NOFOLLOW, mode)
  try {
    await file.chmod(mode)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

function cannot(cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause)
  throw new Refusal(409, 'not_writable', `the file cannot be changed: ${why}`)
}

function invalid(
  { problems }: LoadedConfig & { kind: 'invalid' },
  draft: string,
  source: string,
): Refusal {
  const told = problems.map(({ key, line, wrong, right, file }) => ({
    key,
    line: line ?? null,
    wrong,
    right,
    file: file === draft ? source : file,
  }))
  return new Refusal(422, 'invalid', 'the configuration would not be valid', {
    problems: told,
  })
}

/** The text with these keys set, in this version of the format: keys have its names. Pure. */
export function changed(text: string, changes: Changes, format = FORMAT): string {
  const entries = Object.entries(changes)
  if (entries.length === 0 || entries.length > MOST_CHANGES)
    throw badRequest(`changes: 1 to ${MOST_CHANGES} keys`)
  const document = parseDocument(text)
  if (
    document.errors.length > 0 ||
    (document.contents !== null && !isMap(document.contents))
  )
    throw new Refusal(409, 'unreadable', 'the file is no configuration now')
  if (migrateDocument(yaml, document, format).kind === 'stuck')
    throw new Refusal(
      409,
      'old',
      'the file is old: `yori config migrate` says what it lacks',
    )
  for (const [key, value] of entries) {
    const path = key.split('.')
    if (path.some((part) => !/^[\w-]{1,128}$/.test(part)))
      throw badRequest(`no key: ${JSON.stringify(key.slice(0, 80))}`)
    if (value === null) document.deleteIn(path)
    else setIn(document, path, value)
  }
  return document.toString()
}

/** A section on the way that is none, such as `audit: 5`, is replaced. */
function setIn(document: Yaml.Document, path: readonly string[], value: unknown): void {
  for (let length = 1; length < path.length; length++) {
    const above = path.slice(0, length)
    if (!isMap(document.getIn(above, true)))
      document.setIn(above, document.createNode({}))
  }
  // A plain value keeps what is written beside it.
  const isPlain = typeof value !== 'object' || value === null
  document.setIn(path, isPlain ? value : document.createNode(value))
}
