/** `yori ca rotate`: a new issuing CA, or with `--root` a new root in two steps. */
import type { Command } from 'commander'
import { activateStagedRoot, cancelStagedRoot } from '../../../../ca/manage.js'
import { rotateIssuing, stageNewRoot } from '../../../../ca/manage.js'
import type { GivenKey, ManageSettings } from '../../../../ca/manage.js'
import { findCa, summarise } from '../../../../ca/show-ca.js'
import type { CaSummary } from '../../../../ca/show-ca.js'
import { momentText } from '../../../core/moment-text.js'
import { nameOfDevice, readinessOf } from '../../../core/trust.js'
import type { TrustEntry } from '../../../core/trust.js'
import { printable } from '../../../audit/printable.js'
import { parseMoment } from '../../../audit/since.js'
import { readTrust, trustPath } from '../../../net/trust-file.js'
import { common, keyIn, printJson, settingsFor } from './ca-shared.js'
import { usageError } from '../../usage.js'
import type { CaCommandDeps, KeyFlags } from './ca-shared.js'

const HOW_TO_TRUST =
  '`yori ca export --install` for this machine, the trust page (http://this-machine:8443/) for others'

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
    .option(
      '--at <date>',
      '--root: when the new root takes over by itself, in enforcement.timezone',
    )
    .option('--status', '--root: is one staged, and until when')
    .option('--activate', '--root: the staged root takes over now')
    .option('--cancel', '--root: forget the staged root')
    .action((flags: RotateFlags) =>
      flags.root === true ? rotateRoot(deps, flags) : rotate(deps, flags),
    )
}

async function rotate(deps: CaCommandDeps, flags: RotateFlags): Promise<void> {
  if (flags.activate ?? flags.cancel ?? flags.status ?? flags.at)
    throw usageError('--activate, --cancel, --status and --at go with --root')
  const settings = await settingsOf(deps, flags)
  const rotation = await rotateIssuing(settings, await givenKey(flags, settings))
  const summary = summarise(rotation.ca, settings, deps.clock.now())
  if (flags.json === true) {
    printJson(deps, { kind: rotation.kind, ...summary })
    return
  }
  const { issuing, names } = summary
  const until = momentText(Date.parse(issuing.notAfter), deps.zone?.(flags.config))
  deps.print(
    rotation.kind === 'made'
      ? `There was no CA: made one in ${settings.directory}. Devices must trust its root: ${HOW_TO_TRUST}.\n`
      : 'Made a new issuing CA. Devices need to do nothing; a running YORI takes it within seconds.\n',
  )
  if (rotation.kind === 'made') deps.print(`  Root        ${summary.root.sha256}\n`)
  deps.print(`  Issuing CA  ${issuing.sha256}\n  Valid until ${until}\n`)
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
    const behind = await notReady(deps, flags)
    const ca = await activateStagedRoot(settings)
    tell(deps, flags, summarise(ca, settings, nowMs), [
      'The new root has taken over; the old root and its key are gone.',
      'Devices that do not trust it pass untouched from now on, where nothing blocks them.',
      ...(behind.length === 0
        ? []
        : [`Not ready, as far as is known: ${listed(behind)}.`]),
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
  const ca = await stageNewRoot(
    settings,
    dateOf(flags.at, nowMs, () => deps.zone?.(flags.config)),
  )
  tell(deps, flags, summarise(ca, settings, nowMs), [
    'Staged a new root. Nothing changes yet: devices that trust either root are served.',
    `  SHA-256     ${ca.next?.x509.fingerprint256 ?? ''}`,
    'Next: trust it on every device (the trust page offers it too, or `yori ca export --next',
    '--out new-root.pem`), then `yori ca rotate --root --activate`; `--cancel` forgets it.',
    '`--status` lists who is not ready.',
    ...(ca.switchAtMs === undefined
      ? []
      : [
          `It takes over by itself at ${momentText(ca.switchAtMs, deps.zone?.(flags.config))}.`,
        ]),
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
    const behind = (await notReady(deps, flags)).map(({ device }) => device)
    const facts = { staged: next !== undefined, sha256: sha256 ?? null, switchAt }
    printJson(deps, { ...facts, notReady: behind })
    return
  }
  if (next === undefined) {
    deps.print('No root is staged.\n')
    return
  }
  deps.print(`A root is staged, SHA-256 ${next.x509.fingerprint256}.\n`)
  deps.print(
    ca?.switchAtMs === undefined
      ? 'It takes over by `yori ca rotate --root --activate`.\n'
      : `It takes over at ${momentText(ca.switchAtMs, deps.zone?.(flags.config))}, or by \`yori ca rotate --root --activate\`.\n`,
  )
  if (ca?.cross === undefined)
    deps.print('Its path length is too short to serve devices that trust it alone yet.\n')
  const behind = await notReady(deps, flags)
  if (behind.length > 0) deps.print(`Not ready: ${listed(behind)}.\n`)
  else deps.print('No device is known that is not ready.\n')
}

/** Devices that trust the present root and have not shown that they trust the staged one. */
async function notReady(
  deps: CaCommandDeps,
  flags: RotateFlags,
): Promise<readonly TrustEntry[]> {
  const stateDir = deps.stateDir?.(flags.config)
  if (stateDir === undefined) return []
  const { directory } = await deps.caOptions(flags.config)
  const ca = await findCa(directory, deps.clock)
  const entries = await readTrust(trustPath(stateDir))
  const [root, next] = [ca?.root, ca?.next].map((one) => one?.x509.fingerprint256)
  return readinessOf(entries, root, next).notReady
}

function listed(entries: readonly TrustEntry[]): string {
  return entries.map(nameOfDevice).map(printable).join(', ')
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

/** On the wall of the zone, unless it says an offset. */
function dateOf(
  text: string | undefined,
  nowMs: number,
  zone: () => string | undefined,
): number | undefined {
  if (text === undefined) return undefined
  const ms = parseMoment(text, zone())
  if (ms === undefined || ms <= nowMs)
    throw usageError(
      `--at wants a date to come, such as 2027-03-01: ${JSON.stringify(text)} is none`,
    )
  return ms
}
