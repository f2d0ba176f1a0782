/** `yori ca rotate`: a new issuing CA, or with `--root` a new root in two steps. */
import type { Command } from 'commander'
import { activateStagedRoot, cancelStagedRoot } from '../../../ca/manage.js'
import { rotateIssuing, stageNewRoot } from '../../../ca/manage.js'
import type { GivenKey, ManageSettings } from '../../../ca/manage.js'
import { findCa, summarise } from '../../../ca/show.js'
import type { CaSummary } from '../../../ca/show.js'
import { YoriError } from '../../core/errors.js'
import { common, keyIn, printJson, settingsFor } from './ca-shared.js'
import type { CaCommandDeps, KeyFlags } from './ca-shared.js'

interface RotateFlags extends KeyFlags {
  readonly root?: true
  readonly activate?: true
  readonly cancel?: true
  readonly status?: true
  readonly at?: string
}

export function addRotate(ca: Command, deps: CaCommandDeps): void {
  common(ca.command('rotate'))
    .description('a new issuing CA; devices need to do nothing')
    .option('--root-key <file>', 'the root key, when it is not on this machine')
    .option('--passphrase-file <file>', 'its first line opens the root key')
    .option('--root', 'stage a new root, which every device must trust')
    .option('--at <date>', '--root: when the new root takes over by itself')
    .option('--status', '--root: is one staged, and until when')
    .option('--activate', '--root: the staged root takes over now')
    .option('--cancel', '--root: forget the staged root')
    .action((flags: RotateFlags) =>
      flags.root === true ? rotateRoot(deps, flags) : rotate(deps, flags),
    )
}

async function rotate(deps: CaCommandDeps, flags: RotateFlags): Promise<void> {
  if (flags.activate ?? flags.cancel ?? flags.status ?? flags.at)
    throw new YoriError('YORI_CA_UNUSABLE', 'this flag goes with --root')
  const settings = await settingsOf(deps, flags)
  const rotation = await rotateIssuing(settings, await givenKey(flags, settings))
  const summary = summarise(rotation.ca, settings, deps.clock.now())
  if (flags.json === true) {
    printJson(deps, { kind: rotation.kind, ...summary })
    return
  }
  const { issuing, names } = summary
  deps.print(
    rotation.kind === 'made'
      ? `There was no CA: made one in ${settings.directory}. Devices must trust its root: \`yori ca export\`.\n`
      : 'Made a new issuing CA. Devices need to do nothing; a running YORI takes it within seconds.\n',
  )
  deps.print(`  SHA-256     ${issuing.sha256}\n  Valid until ${issuing.notAfter}\n`)
  deps.print(`  Serves      ${names.served.length} names\n`)
  if (names.needNewRoot.length > 0)
    deps.print(
      `  Not possible under this root: ${names.needNewRoot.join(', ')} (\`yori ca rotate --root\`)\n`,
    )
}

async function rotateRoot(deps: CaCommandDeps, flags: RotateFlags): Promise<void> {
  if (flags.status === true) {
    await status(deps, flags)
    return
  }
  const settings = await settingsOf(deps, flags)
  const nowMs = deps.clock.now()
  if (flags.activate === true) {
    const ca = await activateStagedRoot(settings)
    tell(deps, flags, summarise(ca, settings, nowMs), [
      'The new root has taken over; the old root and its key are gone.',
      'Devices that do not trust the new root are refused from now on.',
    ])
    return
  }
  if (flags.cancel === true) {
    const ca = await cancelStagedRoot(settings)
    tell(deps, flags, summarise(ca, settings, nowMs), [
      'The staged root is forgotten. Take it off the devices that trust it already.',
    ])
    return
  }
  const ca = await stageNewRoot(settings, dateOf(flags.at, nowMs))
  tell(deps, flags, summarise(ca, settings, nowMs), [
    'Staged a new root. Nothing changes yet: devices that trust either root are served.',
    `  SHA-256     ${ca.next?.x509.fingerprint256 ?? ''}`,
    'Next: `yori ca export --next --out new-root.pem`, trust it on every device, then',
    '`yori ca rotate --root --activate`; `--cancel` forgets it.',
    ...(ca.switchAtMs === undefined
      ? []
      : [`It takes over by itself at ${new Date(ca.switchAtMs).toISOString()}.`]),
  ])
}

async function status(deps: CaCommandDeps, flags: RotateFlags): Promise<void> {
  const options = await deps.caOptions(flags.config)
  const ca = await findCa(options.directory, deps.clock)
  const next = ca?.next
  const switchAt =
    ca?.switchAtMs === undefined ? null : new Date(ca.switchAtMs).toISOString()
  if (flags.json === true) {
    const sha256 = next?.x509.fingerprint256
    printJson(deps, { staged: next !== undefined, sha256: sha256 ?? null, switchAt })
    return
  }
  if (next === undefined) {
    deps.print('No root is staged.\n')
    return
  }
  deps.print(`A root is staged, SHA-256 ${next.x509.fingerprint256}.\n`)
  deps.print(
    switchAt === null
      ? 'It takes over by `yori ca rotate --root --activate`.\n'
      : `It takes over at ${switchAt}, or by \`yori ca rotate --root --activate\`.\n`,
  )
  if (ca?.cross === undefined)
    deps.print('Its path length is too short to serve devices that trust it alone yet.\n')
}

function tell(
  deps: CaCommandDeps,
  flags: RotateFlags,
  summary: CaSummary,
  lines: readonly string[],
): void {
  if (flags.json === true) printJson(deps, summary)
  else deps.print(`${lines.join('\n')}\n`)
}

function settingsOf(deps: CaCommandDeps, flags: RotateFlags): Promise<ManageSettings> {
  return settingsFor(deps, flags, async (options) => {
    const ca = await findCa(options.directory, deps.clock)
    return ca?.rootKey === 'sealed'
  })
}

/** A root key that is given for this once is used and not kept. */
async function givenKey(
  flags: RotateFlags,
  settings: ManageSettings,
): Promise<GivenKey | undefined> {
  if (flags.rootKey === undefined) return undefined
  const { passphrase } = settings
  return { pem: await keyIn(flags.rootKey), path: flags.rootKey, passphrase }
}

function dateOf(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  const ms = Date.parse(text)
  if (Number.isNaN(ms) || ms <= nowMs)
    throw new YoriError(
      'YORI_CA_UNUSABLE',
      `--at wants a date to come, such as 2027-03-01: ${JSON.stringify(text)} is none`,
    )
  return ms
}
