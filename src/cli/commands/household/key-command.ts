/** `yori key`: keys of our own for programs. A key is printed once, alone, and kept as a digest. */
import { Command } from 'commander'
import { readCounters } from '../../../audit/usage-rows.js'
import { createKey, isKeyWord, revokeKey, rotateKey } from '../../../household/keys.js'
import type { KeyWish, MadeKey } from '../../../household/keys.js'
import { subjectName } from '../../../policy/access-gate.js'
import type { AccessKey } from '../../../policy/access-keys.js'
import { LocalTimes } from '../../../policy/local-time.js'
import { usage } from '../../usage.js'
import {
  common,
  commaList,
  momentOf,
  wallText,
  openListing,
  openSession,
  printJson,
  tableText,
} from './household-database.js'
import type { CommonFlags, PolicyStateDeps, Session } from './household-database.js'
import { authorOf, orDecline } from './target.js'

interface CreateFlags extends CommonFlags {
  readonly for: string
  readonly models?: readonly string[]
  readonly monthlyUsd?: string
  readonly rpm?: string
  readonly tpm?: string
  readonly expires?: string
  readonly app?: string
  readonly person?: string
  readonly group?: string
  readonly tag?: readonly string[]
}

export function keyCommand(deps: PolicyStateDeps): Command {
  const command = new Command('key').description(
    'keys of our own for programs: which models, how often, how much',
  )
  common(command.command('create'))
    .description('make one; it is printed once, and kept nowhere')
    .requiredOption('--for <name>', 'the program that has it; `revoke` takes this name')
    .option(
      '--models <names...>',
      'which models; one * stands for any text. All unless set',
    )
    .option('--monthly-usd <number>', 'US dollars a month')
    .option('--rpm <number>', 'requests a minute')
    .option('--tpm <number>', 'tokens a minute, of prompts and answers')
    .option('--expires <when>', 'a span such as 90d, or a date in enforcement.timezone')
    .option('--app <name>', 'counted with the other keys of it; --for unless set')
    .option('--person <name>', 'counted with the other keys of them')
    .option('--group <name>', 'counted with the other keys of it')
    .option('--tag <tags...>', 'NAME or NAME:VALUE, for limits and for the record')
    .action((flags: CreateFlags) => orDecline(deps, () => create(deps, flags)))
  common(command.command('list'))
    .description(
      'whose there are, and what this month has cost; the keys are kept nowhere',
    )
    .action((flags: CommonFlags) => list(deps, flags))
  common(command.command('revoke'))
    .description('good for nothing from now on')
    .argument('<name>', 'as --for said')
    .action((name: string, flags: CommonFlags) =>
      orDecline(deps, () => revoke(deps, name, flags)),
    )
  common(command.command('rotate'))
    .description('another key with the same limits; the one before is good for nothing')
    .argument('<name>', 'as --for said')
    .action((name: string, flags: CommonFlags) =>
      orDecline(deps, () => rotate(deps, name, flags)),
    )
  return command
}

function create(deps: PolicyStateDeps, flags: CreateFlags): void {
  using session = openSession(deps, flags)
  const wish = wishOf(flags, session)
  const made = createKey(session.database, wish, authorOf(session))
  session.audit({ kind: 'key_created', details: shown(made.made, session) })
  tell(deps, made, session, flags)
}

function rotate(deps: PolicyStateDeps, name: string, flags: CommonFlags): void {
  using session = openSession(deps, flags)
  const made = rotateKey(session.database, name, authorOf(session))
  session.audit({ kind: 'key_rotated', details: shown(made.made, session) })
  tell(deps, made, session, flags)
}

function revoke(deps: PolicyStateDeps, name: string, flags: CommonFlags): void {
  using session = openSession(deps, flags)
  const gone = revokeKey(session.database, name)
  session.audit({ kind: 'key_revoked', details: { name: gone.name } })
  if (flags.json === true) printJson(deps, { revoked: gone.name })
  else deps.print(`revoked ${gone.name}\n`)
}

function list(deps: PolicyStateDeps, flags: CommonFlags): void {
  using session = openListing(deps, flags)
  const spent = spentThisMonth(session)
  const lines = session.database.list('key').map(({ value, addedAt, addedBy }) => ({
    ...shown(value, session),
    ...{ createdAt: wallText(addedAt, session), createdBy: addedBy },
    isExpired: value.expiresAt !== undefined && value.expiresAt <= session.nowMs,
    spentUsd: spent.get(subjectName({ kind: 'key', name: value.name })) ?? 0,
  }))
  if (flags.json === true) {
    printJson(deps, lines)
    return
  }
  const rows = lines.map((line) => [
    line.name,
    line.models.join(', ') || 'all',
    limitsText(line),
    `$${line.spentUsd.toFixed(2)}`,
    whomText(line),
    line.isExpired ? 'expired' : (line.expires ?? ''),
  ])
  const head = ['FOR', 'MODELS', 'LIMITS', 'THIS MONTH', 'COUNTS FOR', 'UNTIL']
  deps.print(rows.length === 0 ? 'no keys yet\n' : tableText([head, ...rows]))
}

/** Alone on the standard output: what is said beside it goes where people read. */
function tell(
  deps: PolicyStateDeps,
  { key, made }: MadeKey,
  session: Pick<Session, 'loaded'>,
  flags: CommonFlags,
): void {
  const about = shown(made, session)
  if (flags.json === true) {
    printJson(deps, { key, ...about })
    return
  }
  deps.print(`${key}\n`)
  const until = about.expires === undefined ? '' : `, until ${about.expires}`
  const limits = limitsText(about) || 'no limits'
  deps.note(`yori: for ${made.name}: ${limits}${until}; it is not shown again\n`)
}

type Shown = Omit<AccessKey, 'digest' | 'expiresAt'> & { readonly expires?: string }

/** Neither the key nor its digest. */
function shown(
  { digest: _digest, expiresAt, ...about }: AccessKey,
  session: Pick<Session, 'loaded'>,
): Shown {
  return {
    ...about,
    ...(expiresAt === undefined ? {} : { expires: wallText(expiresAt, session) }),
  }
}

function limitsText(key: Omit<Shown, 'models' | 'name'>): string {
  const { usdPerMonth, requestsPerMinute, tokensPerMinute } = key
  return [
    ...(usdPerMonth === undefined ? [] : [`$${usdPerMonth.toFixed(2)} a month`]),
    ...(requestsPerMinute === undefined
      ? []
      : [`${requestsPerMinute} requests a minute`]),
    ...(tokensPerMinute === undefined ? [] : [`${tokensPerMinute} tokens a minute`]),
  ].join(', ')
}

function whomText({ app, person, group, tags = [] }: Shown): string {
  const whom = [app, person, group, ...tags]
  return whom.filter((one) => one !== undefined).join(', ')
}

/** Dollars by subject, as far as it has been counted and written. */
function spentThisMonth({ loaded, nowMs }: Session): ReadonlyMap<string, number> {
  const { audit, enforcement } = loaded.config
  const { date } = new LocalTimes().at(nowMs, enforcement.timezone)
  const spent = new Map<string, number>()
  try {
    for (const row of readCounters(audit.database, date))
      if (row.scope === 'access' && row.period === date.slice(0, 7))
        spent.set(row.name, (row.microUsd + row.atMostMicroUsd) / 1e6)
  } catch {
    // There is no record yet.
  }
  return spent
}

function wishOf(flags: CreateFlags, session: Session): KeyWish {
  const { app, person, group } = flags
  const usdPerMonth = amount('--monthly-usd', flags.monthlyUsd, /^\d{1,7}(\.\d{1,4})?$/)
  const requestsPerMinute = amount('--rpm', flags.rpm, /^[1-9]\d{0,6}$/)
  const tokensPerMinute = amount('--tpm', flags.tpm, /^[1-9]\d{0,8}$/)
  const tags = listed(flags.tag)
  for (const name of [flags.for, app, person, group, ...tags])
    if (name !== undefined && !isKeyWord(name))
      usage(`${name} is no name of 1 to 64 letters, digits, blanks and ._:@/+=-`)
  return {
    name: flags.for,
    models: listed(flags.models),
    ...(usdPerMonth === undefined ? {} : { usdPerMonth }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
    ...(flags.expires === undefined
      ? {}
      : { expiresAt: momentOf(flags.expires, session) }),
    ...(app === undefined ? {} : { app }),
    ...(person === undefined ? {} : { person }),
    ...(group === undefined ? {} : { group }),
    ...(tags.length === 0 ? {} : { tags }),
  }
}

/** `a b`, `a,b`, or both; more than a household has are none. */
function listed(texts: readonly string[] = []): string[] {
  const all = [...new Set(texts.flatMap(commaList))]
  if (all.length > MAX_LISTED) usage(`At most ${MAX_LISTED} models or tags.`)
  return all
}

const MAX_LISTED = 64

function amount(
  name: string,
  text: string | undefined,
  form: RegExp,
): number | undefined {
  if (text === undefined) return undefined
  if (!form.test(text)) usage(`${name} takes a number, such as 20; ${text} is none.`)
  return Number(text)
}
