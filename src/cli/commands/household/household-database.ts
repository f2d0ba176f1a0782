/**
 * What the commands that change the policy database share: the configuration, the database
 * beside it, who is at the keyboard, and the audit of every change.
 */
import type { Command } from 'commander'
import { actorOf } from '../../actor.js'
import type { Loaded } from '../../context.js'
import { usage } from '../../usage.js'
import { appendEvent } from '../../../audit/append-event.js'
import type { Instance } from '../../instance.js'
import { PolicyDatabase, policyDatabasePath } from '../../../household/policy-database.js'
import { jsonLine, printable } from '../../../audit/printable.js'
import { parseSince } from '../../../audit/since.js'
import { canonicalAddress } from '../../../core/address.js'
import type { Asked, Question } from '../../../control/ask.js'
import type { Clock } from '../../../core/clock.js'
import { YoriError } from '../../../core/errors.js'
import { momentText } from '../../../core/moment-text.js'
import { macText } from '../../../core/mac.js'
import type { Neighbours } from '../../../net/neighbours.js'

export interface PolicyStateDeps {
  readonly load: (configPath: string | undefined) => Loaded
  readonly print: (text: string) => void
  readonly note: (text: string) => void
  readonly clock: Clock
  readonly env: NodeJS.ProcessEnv
  /** What MAC each address on the link has. */
  readonly neighbours: () => Promise<Neighbours>
  /** Asks on the terminal; undefined when there is none. */
  readonly askSecret: (question: string) => Promise<string | undefined>
  /** The YORI that runs on that state, if one does; undefined: nobody asks. */
  readonly running?: (stateDir: string) => Pick<Instance, 'pid'> | undefined
  /** Asks the YORI that runs on that state folder; absent: only files are changed. */
  readonly ask?: (stateDir: string, question: Question) => Promise<Asked>
  readonly exit: (code: number) => void
}

export interface CommonFlags {
  readonly config?: string
  readonly json?: boolean
}

export const common = (command: Command): Command =>
  command
    .option('--config <file>', 'the configuration that names the state folder')
    .option('--json', 'for programs')

export interface Change {
  readonly kind: string
  readonly details: Readonly<Record<string, unknown>>
}

export interface Session extends Disposable {
  readonly loaded: Loaded
  readonly database: PolicyDatabase
  readonly actor: string
  readonly nowMs: number
  /** Into the audit record: who, when, from where. A change stands also when this fails. */
  audit(change: Change): void
}

/** @throws YORI_CONFIG_INVALID, YORI_STATE_UNUSABLE */
export function openSession(deps: PolicyStateDeps, flags: CommonFlags): Session {
  const loaded = deps.load(flags.config)
  const database = new PolicyDatabase(policyDatabasePath(loaded.config.state_dir))
  const actor = actorOf(deps.env)
  const fromIp = canonicalAddress(deps.env['SSH_CONNECTION']?.split(' ', 1)[0] ?? '')
  return {
    loaded,
    database,
    actor,
    nowMs: deps.clock.now(),
    audit: ({ kind, details }) => {
      try {
        appendEvent(loaded.config.audit.database, {
          at: deps.clock.now(),
          kind,
          actor,
          ...(fromIp === undefined ? {} : { fromIp }),
          details: { ...details, via: 'command line' },
        })
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause)
        deps.note(`yori: changed, but not recorded in the audit database: ${why}\n`)
      }
    },
    [Symbol.dispose]: () => {
      if (database.wasChanged) tellTaken(deps, loaded.config.state_dir, database)
      database[Symbol.dispose]()
    },
  }
}

/**
 * As `openSession`, for whoever only reads. A running YORI keeps nothing of the household but what
 * stands in the files: they tell, and it is said whether one runs beside them.
 */
export function openListing(deps: PolicyStateDeps, flags: CommonFlags): Session {
  const session = openSession(deps, flags)
  const instance = deps.running?.(session.loaded.config.state_dir)
  if (deps.running !== undefined)
    deps.note(
      instance === undefined
        ? 'yori: told from the files: no YORI runs on that state folder\n'
        : `yori: told from the files of the running YORI, process ${instance.pid}\n`,
    )
  return session
}

/** A running YORI looks twice a second. */
const TAKEN_MS = 3000
const LOOK_MS = 25

/** Does it hold now? It is asked for, and waited for: nothing else is to be done here. */
function tellTaken(
  { running, note }: PolicyStateDeps,
  stateDir: string,
  database: PolicyDatabase,
): void {
  if (running === undefined) return
  const instance = running(stateDir)
  if (instance === undefined) {
    note(`yori: no YORI runs on ${stateDir}: it holds once one does\n`)
    return
  }
  const wanted = database.revision
  for (let waited = 0; waited < TAKEN_MS; waited += LOOK_MS) {
    if (database.taken >= wanted) {
      note('yori: the running YORI has taken it: it holds now\n')
      return
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS)
  }
  note(
    `yori: the running YORI (process ${instance.pid}) has not taken it within ` +
      `${TAKEN_MS / 1000} s: its log and \`yori status\` say why\n`,
  )
}

/** The command ran, and its answer is no. */
export function decline(
  deps: Pick<PolicyStateDeps, 'note' | 'exit'>,
  message: string,
): void {
  deps.note(`yori: ${message}\n`)
  deps.exit(1)
}

/** `192.0.2.10`, `2001:db8::1` or a MAC address in any spelling. */
export function deviceOf(text: string): { ip: string } | { mac: string } {
  const ip = canonicalAddress(text)
  if (ip !== undefined) return { ip }
  const mac = macText(text)
  return mac === undefined
    ? usage(`${text} is neither an IP nor a MAC address.`)
    : { mac }
}

export function macOf(text: string): string {
  return macText(text) ?? usage(`${text} is not a MAC address.`)
}

/** `1h`, `7d`, or a date in the future, on the wall of the household's zone. */
export function momentOf(
  text: string,
  { nowMs, loaded }: Pick<Session, 'nowMs' | 'loaded'>,
): number {
  const isSpan = /^\d{1,6}[smhdw]$/.test(text)
  const since = parseSince(text, isSpan ? 0 : nowMs, loaded.config.enforcement.timezone)
  const moment = since === undefined ? undefined : isSpan ? nowMs - since : since
  if (moment === undefined || moment <= nowMs) {
    return usage(`${text} is neither a span such as 1h or 7d nor a date to come.`)
  }
  return moment
}

export function commaList(text: string | undefined): string[] {
  const parts = text?.split(',').map((part) => part.trim()) ?? []
  return parts.filter((part) => part !== '')
}

/** On the wall of the household's zone. */
export function wallText(atMs: number, { loaded }: Pick<Session, 'loaded'>): string {
  return momentText(atMs, loaded.config.enforcement.timezone)
}

export function printJson(deps: PolicyStateDeps, value: unknown): void {
  deps.print(`${jsonLine(value)}\n`)
}

/** Columns with two spaces between; the first row is the head. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(printable))
  const widths = (clean[0] ?? []).map((_head, column) =>
    Math.max(...clean.map((row) => row[column]?.length ?? 0)),
  )
  return clean
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** The file's own entries are the operator's: they are changed there. */
export function inFile(loaded: Loaded, key: string): YoriError {
  const line = loaded.lineOf(key)
  const where = line === undefined ? loaded.source : `${loaded.source}:${line}`
  return new YoriError(
    'YORI_CONFIG_INVALID',
    `that entry stands in the configuration (${where}, ${key}): remove it there`,
  )
}
