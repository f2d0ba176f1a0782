/**
 * `yori service install | uninstall`: YORI as a service of this system, by systemd or rc.d.
 * Every step is shown before the first is taken, and uninstalling undoes what was done here.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { starterFile } from '../../../../config/starter.js'
import { jsonLine } from '../../../audit/printable.js'
import { Command } from '../../commander.js'
import { usageError } from '../../usage.js'
import { note } from '../../context.js'
import { EXIT } from '../../exit.js'
import { LAYOUTS, systemOf } from '../../../service/layout.js'
import type { Layout, System } from '../../../service/layout.js'
import { remedyFor, whyOutOfReach } from '../../../service/reach.js'
import { isPlainPath, isUserName } from '../../../service/service-program.js'
import type { Program } from '../../../service/service-program.js'
import {
  describeStep,
  installSteps,
  uninstallSteps,
} from '../../../service/service-steps.js'
import type { Manifest, Step } from '../../../service/service-steps.js'
import { nothingMade, takeStep } from '../../../service/take-steps.js'
import type { Ground, Made } from '../../../service/take-steps.js'

export interface ServiceDeps {
  readonly program: Program
  readonly platform: NodeJS.Platform
  readonly isRoot: boolean
  readonly print: (text: string) => void
  /** Undefined: there is nobody to ask. */
  readonly confirm: (question: string) => Promise<boolean | undefined>
}

interface Flags {
  readonly user: string
  readonly steer: boolean
  readonly system?: string
  readonly root: string
  readonly dryRun?: true
  readonly yes?: true
  readonly json?: true
  readonly purge?: true
}

const USER = 'yori'
/** Of the Debian package (tools/package/deb.ts); a unit in /etc would hide it. */
const PACKAGED_UNIT = '/usr/lib/systemd/system/yori.service'

export function serviceCommand(deps: ServiceDeps): Command {
  const command = new Command('service').description(
    'install YORI as a service of this system, or take it away again',
  )
  common(command.command('install'))
    .description('user, directories, configuration, unit and log rotation; then start it')
    .option('--user <name>', 'the user that YORI runs as', USER)
    .option('--no-steer', 'a proxy only: no supervisor, nothing runs as root')
    .action((flags: Flags) => install(deps, flags))
  common(command.command('uninstall'))
    .description('undo what install did; CA and records stay unless --purge')
    .option('--purge', 'the state directory too: CA, keys and all records')
    .action((flags: Flags) => uninstall(deps, flags))
  return command
}

function common(command: Command): Command {
  return command
    .option('--dry-run', 'show the steps and take none')
    .option('--yes', 'take them without asking')
    .option('--root <dir>', 'prepare an image below that directory', '/')
    .option('--system <name>', 'systemd or rc.d, when it is not that of this machine')
    .option('--json', 'for programs')
}

async function install(deps: ServiceDeps, flags: Flags): Promise<void> {
  const layout = layoutOf(deps, flags)
  const { user, steer } = flags
  const { program } = deps
  if (!isUserName(user))
    throw usageError(`--user ${user}: no name that a system gives a user`)
  for (const path of [program.node, program.script])
    if (!isPlainPath(path))
      throw usageError(
        `${path} cannot stand in a service file.\n${remedyFor(path, program)}`,
      )
  const packaged = join(flags.root, PACKAGED_UNIT)
  if (layout.system === 'systemd' && existsSync(packaged))
    throw usageError(
      `nothing was changed: ${packaged} is there: the Debian package is installed, and is the service already.\n` +
        'systemctl status yori shows it; this command is for an installation by npm.',
      EXIT.environment,
    )
  const asked = { program, user, system: layout.system, platform: deps.platform }
  const steps = installSteps({ layout, user, program, steer }, starterFile())
  const made = nothingMade()
  const before = readManifest(layout, flags)
  const whyNot = (): string | undefined => whyOutOfReach(asked)
  await takeAll(steps, { deps, flags, made, whyNot }, () => {
    const madeUser = made.user || before?.madeUser === true
    writeManifest(layout, flags, {
      version: 1,
      system: layout.system,
      user,
      madeUser,
      directories: union(before?.directories ?? [], made.directories),
      files: [
        ...made.files,
        ...(before?.files ?? []).filter(
          ({ path }) => !made.files.some((file) => file.path === path),
        ),
      ],
      stateDir: layout.stateDir,
    })
  })
}

async function uninstall(deps: ServiceDeps, flags: Flags): Promise<void> {
  const layout = layoutOf(deps, flags)
  const manifest = readManifest(layout, flags)
  if (manifest === undefined)
    throw usageError(
      `${layout.manifest} is not there: nothing was installed by this command`,
    )
  const steps = uninstallSteps(manifest, layout.manifest, flags.purge === true)
  await takeAll(
    steps,
    { deps, flags, made: nothingMade(), whyNot: never },
    () => undefined,
  )
}

interface Taking {
  readonly deps: ServiceDeps
  readonly flags: Flags
  readonly made: Made
  /** Why these steps would be in vain on this machine; asked before the first. */
  readonly whyNot: () => string | undefined
}

const never = (): undefined => undefined

/** Shows all, asks, takes all; `after` each step, so that a failure leaves a true manifest. */
async function takeAll(
  steps: readonly Step[],
  { deps, flags, made, whyNot }: Taking,
  after: () => void,
): Promise<void> {
  const json = flags.json === true
  if (!json) for (const step of steps) deps.print(`  ${describeStep(step)}\n`)
  const inVain = flags.root === '/' && deps.isRoot ? whyNot() : undefined
  if (flags.dryRun === true) {
    if (json) deps.print(`${jsonLine({ steps, taken: false })}\n`)
    if (inVain !== undefined) note(`yori: this would be refused: ${inVain}\n`)
    return
  }
  if (flags.root === '/' && !deps.isRoot)
    throw usageError(
      'a service is installed by root: run it with sudo, or see the steps with --dry-run',
      EXIT.environment,
    )
  if (inVain !== undefined)
    throw usageError(`nothing was changed: ${inVain}`, EXIT.environment)
  if (flags.yes !== true && (await deps.confirm('Take these steps? [y/N] ')) !== true)
    throw usageError('nothing was done; --yes takes the steps without asking')
  const ground: Ground = { root: flags.root, platform: deps.platform }
  const results: { step: string; result: string }[] = []
  for (const step of steps) {
    const result = takeStep(step, ground, made)
    after()
    results.push({ step: describeStep(step), result })
    if (!json) deps.print(`${describeStep(step)}: ${result}\n`)
  }
  if (json) deps.print(`${jsonLine({ steps: results, taken: true })}\n`)
}

function layoutOf(deps: ServiceDeps, flags: Flags): Layout {
  const { system } = flags
  if (system !== undefined && !isSystem(system))
    throw usageError(`--system ${system}: expected systemd or rc.d`)
  const found = system ?? systemOf(deps.platform)
  if (found === undefined)
    throw usageError('no service can be installed on this system: use `yori run`')
  if (!flags.root.startsWith('/')) throw usageError('--root takes an absolute path')
  return LAYOUTS[found]
}

const isSystem = (name: string): name is System => name === 'systemd' || name === 'rc.d'

function readManifest({ manifest }: Layout, { root }: Flags): Manifest | undefined {
  const path = join(root, manifest)
  if (!existsSync(path)) return undefined
  const strange = (): Error =>
    usageError(`${path} was not written by this version of YORI`)
  let found: Partial<Manifest>
  try {
    found = JSON.parse(readFileSync(path, 'utf8')) as Partial<Manifest>
  } catch {
    throw strange()
  }
  const { version, files, directories } = found
  if (version !== 1 || !Array.isArray(files) || !Array.isArray(directories))
    throw strange()
  return found as Manifest
}

function writeManifest({ manifest }: Layout, { root }: Flags, content: Manifest): void {
  const path = join(root, manifest)
  // Before the directory is made there is nothing to remember but the user.
  if (!existsSync(dirname(path))) return
  writeFileSync(`${path}.new`, `${JSON.stringify(content, undefined, 2)}\n`, {
    mode: 0o644,
  })
  renameSync(`${path}.new`, path)
}

const union = (a: readonly string[], b: readonly string[]): string[] => [
  ...new Set([...a, ...b]),
]
