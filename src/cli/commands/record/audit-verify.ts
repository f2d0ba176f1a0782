/**
 * `yori audit verify`: is the record what was written? Reads the file, on a snapshot, beside a
 * running YORI. Ends with 1 when something is altered, gone, added or in another place.
 */
import { momentText, recordedMs } from '../../../core/moment-text.js'
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import {
  headsFileOf,
  keyFileOf,
  readHeads,
  verifyingKey,
} from '../../../audit/evidence/heads.js'
import type { Head } from '../../../audit/evidence/heads.js'
import { hasChain } from '../../../audit/evidence/chain-writer.js'
import { verifyRecord } from '../../../audit/evidence/verify.js'
import type { Finding, Verdict } from '../../../audit/evidence/verify.js'
import { jsonLine, printable } from '../../../audit/printable.js'
import { openDatabase, unavailable } from '../../../audit/queries.js'
import { YoriError } from '../../../core/errors.js'
import { EXIT } from '../../exit.js'
import type { AuditCommandDeps, CommonFlags } from './record-deps.js'

interface VerifyFlags extends CommonFlags {
  readonly heads?: string
  readonly publicKey?: string
}

export function addVerify(command: Command, deps: AuditCommandDeps): void {
  command
    .command('verify')
    .description('is the record what was written; 1: rows are altered, gone or added')
    .option('--config <file>', 'the configuration that names the database')
    .option('--json', 'for programs')
    .option(
      '--heads <file>',
      'signed heads that were kept elsewhere, a JSON document a line',
    )
    .option(
      '--public-key <file>',
      "the record's public key (PEM), instead of the one beside it",
    )
    .action((flags: VerifyFlags) => verify(deps, flags))
}

async function verify(deps: AuditCommandDeps, flags: VerifyFlags): Promise<void> {
  const { database } = await deps.auditOptions(flags.config)
  const keyFile = flags.publicKey ?? keyFileOf(database)
  const key = keyOf(keyFile)
  const beside = readHeads(headsFileOf(database))
  const elsewhere = flags.heads === undefined ? [] : headsIn(flags.heads)
  const db = openDatabase(database, true)
  try {
    if (!hasChain(db))
      throw unavailable(database, 'has no chain yet: it is of an earlier YORI')
    const heads = [...beside.heads, ...elsewhere]
    const steps = verifyRecord(db, { heads, ...(key === undefined ? {} : { key }) })
    let step = steps.next()
    while (step.done !== true) {
      const { done, total } = step.value
      deps.progress?.(done, total)
      await new Promise((resolve) => setImmediate(resolve))
      step = steps.next()
    }
    if (step.value === undefined)
      throw unavailable(database, 'has no chain yet: it is of an earlier YORI')
    const verdict = step.value
    const missing = key === undefined ? keyFile : undefined
    const lines =
      flags.json === true
        ? [
            `${jsonLine({ ...verdict, ...(missing === undefined ? {} : { noKey: missing }) })}\n`,
          ]
        : verdictText(verdict, {
            noKey: missing,
            unreadable: beside.unreadable,
            zone: deps.zone?.(flags.config),
          })
    deps.stdout.write(lines.join(''))
    if (verdict.wrong > 0 || missing !== undefined) deps.exit?.(EXIT.no)
  } catch (cause) {
    throw unavailable(database, cause)
  } finally {
    db.close()
  }
}

function keyOf(file: string) {
  try {
    return verifyingKey(file)
  } catch (cause) {
    throw new YoriError('YORI_CONFIG_INVALID', `${file} is no key: ${String(cause)}`, {
      cause,
    })
  }
}

/** @throws when there is no such file, or nothing in it that is a head */
function headsIn(file: string): readonly Head[] {
  readFileSync(file)
  const { heads } = readHeads(file)
  if (heads.length === 0)
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      `--heads ${printable(file)}: holds no head`,
    )
  return heads
}

/** What stands beside a verdict. */
interface Beside {
  readonly noKey: string | undefined
  /** Lines of the kept heads. */
  readonly unreadable: number
  /** Of the times that people read. */
  readonly zone: string | undefined
}

function verdictText(verdict: Verdict, { noKey, unreadable, zone }: Beside): string[] {
  const at = (text: string): string => {
    const ms = recordedMs(text)
    return Number.isNaN(ms) ? text : momentText(ms, zone)
  }
  const {
    findings,
    wrong,
    rows,
    earlier,
    open,
    links,
    since,
    signedAt,
    unsigned,
    others,
  } = verdict
  const lines = findings.map((finding) => `${findingLine(finding)}\n`)
  if (wrong > findings.length) lines.push(`and ${wrong - findings.length} more\n`)
  if (noKey !== undefined)
    lines.push(`there is no key at ${printable(noKey)}: signatures were not looked at\n`)
  lines.push(
    `${plural(rows, 'row')} as written, vouched for by ${plural(links, 'link')} since ${at(since)}\n`,
    signedAt === undefined
      ? 'never signed\n'
      : `last signed ${at(signedAt)}, ${plural(unsigned, 'link')} since\n`,
  )
  if (open > 0) lines.push(`${plural(open, 'exchange')} without an end yet\n`)
  if (earlier > 0)
    lines.push(
      `${plural(earlier, 'row')} of before the chain, which nothing vouches for\n`,
    )
  if (others !== undefined)
    lines.push(
      `an earlier record was at link ${others.seq} on ${at(others.at)}: its file was replaced or set aside\n`,
    )
  if (unreadable > 0)
    lines.push(`${plural(unreadable, 'line')} of the kept heads cannot be read\n`)
  lines.push(
    wrong === 0 && noKey === undefined
      ? 'the record is what was written\n'
      : `THE RECORD IS NOT WHAT WAS WRITTEN: ${plural(wrong, 'finding')}\n`,
  )
  return lines
}

const plural = (count: number, word: string): string =>
  `${count} ${word}${count === 1 ? '' : 's'}`

const ROW = { exchanges: 'exchange', connections: 'connection', events: 'event' } as const

function findingLine({ kind, table, id, name, says }: Finding): string {
  const row = table === undefined ? '' : ` ${ROW[table]} ${name ?? id ?? ''}`
  return printable(`${kind}:${row}${row === '' ? '' : ':'} ${says}`)
}
