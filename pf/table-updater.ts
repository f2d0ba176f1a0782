/**
 * Keeps the file of steered addresses: looks the names up by the resolver that clients use,
 * and writes what the table then holds, whole or not at all. Runs without rights; the
 * supervisor judges each line again before a packet filter is told.
 */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import type { Clock } from '../src/core/clock.js'
import type { Log } from '../src/core/log.js'
import { LlmTable, tableText } from './table.js'
import type { TablePlan } from './table.js'

export interface TableUpdaterOptions {
  readonly path: string
  readonly plan: TablePlan
  /** How long an address stays after it was last answered. */
  readonly keptMs: number
  /** Canonical addresses; rejects when there is no answer, and never gives an old one. */
  readonly lookup: (name: string) => Promise<readonly string[]>
  /** Is it an address of this machine? */
  readonly own: (address: string) => boolean
  readonly clock: Clock
  readonly log: Log
}

const LOOKUPS_AT_ONCE = 8
/** A file that is longer was not written by us. */
const MAX_FILE_BYTES = 1024 * 1024
const MAX_LOGGED = 10

export class TableUpdater {
  readonly #options: TableUpdaterOptions
  readonly #table: LlmTable
  #written: string | undefined
  #told = ''

  constructor(options: TableUpdaterOptions) {
    this.#options = options
    this.#table = new LlmTable(options.keptMs)
  }

  /** Takes over what an earlier run had found, as old as its file. */
  async open(): Promise<void> {
    const { path, own, clock } = this.#options
    try {
      const { mtimeMs, size } = await stat(path)
      if (size > MAX_FILE_BYTES) return
      const lines = (await readFile(path, 'utf8')).split('\n')
      const addresses = lines.filter((line) => line !== '' && !line.includes('/'))
      const nowMs = Math.min(mtimeMs, clock.now())
      this.#table.answered('before', addresses, { nowMs, own })
    } catch {
      // None was there, or none that can be read: the look-ups will tell.
    }
  }

  /** Asks for every name and writes the file when it has changed. Never rejects. */
  async refresh(): Promise<void> {
    const { plan } = this.#options
    const names = plan.names.map(({ name }) => name)
    const failed: string[] = []
    // A resolver that is slow holds up what is known already as little as possible.
    if (this.#written === undefined) await this.#write()
    const next = async (): Promise<void> => {
      for (let name = names.shift(); name !== undefined; name = names.shift())
        await this.#ask(name).catch(() => failed.push(name))
    }
    await Promise.all(Array.from({ length: LOOKUPS_AT_ONCE }, next))
    await this.#write()
    this.#tell(failed.sort())
  }

  async #ask(name: string): Promise<void> {
    const { lookup, clock, own } = this.#options
    const addresses = await lookup(name)
    this.#table.answered(name, addresses, { nowMs: clock.now(), own })
  }

  async #write(): Promise<void> {
    const { path, plan, clock, log } = this.#options
    const text = tableText(this.#table.content(plan, clock.now()))
    if (text === this.#written) return
    const draft = `${path}.new`
    try {
      await rm(draft, { force: true })
      await writeFile(draft, text, { mode: 0o644, flag: 'wx' })
      await rename(draft, path)
      this.#written = text
    } catch (err) {
      log.warn({ err, path }, 'the table of steered addresses could not be written')
    }
  }

  /** Once for each change: names without an answer, and answers that may not be steered. */
  #tell(failed: readonly string[]): void {
    const { log, plan, clock } = this.#options
    const { refused } = this.#table.content(plan, clock.now())
    const facts = JSON.stringify([failed, refused])
    if (facts === this.#told) return
    this.#told = facts
    if (failed.length > 0)
      log.warn(
        { names: failed.slice(0, MAX_LOGGED), count: failed.length },
        'names of steered hosts do not resolve; known addresses stay for a while',
      )
    if (refused.length > 0)
      log.warn(
        { refused: refused.slice(0, MAX_LOGGED), count: refused.length },
        'addresses that are never steered were left out',
      )
  }
}
