/**
 * `yori policy bundle list | show | install`: ready-made sets of policies for a home, a school,
 * an office, agents. Each is explained, and agreed to, before it is put in force.
 */
import { Command } from 'commander'
import { readBundles } from '../../../../config/bundles.js'
import type { Bundle } from '../../../../config/bundles.js'
import { blocks, bundleChanges, wakened } from '../../../../config/bundle-changes.js'
import { nearest } from '../../../../config/schema-suggest.js'
import type { LoadedConfig } from '../../../../config/load.js'
import { jsonLine } from '../../../audit/printable.js'
import type { Clock } from '../../../core/clock.js'
import type { Loaded } from '../../context.js'
import { EXIT } from '../../exit.js'
import { table } from '../../print-table.js'
import { usage } from '../../usage.js'
import { bundleText, inForce, planText } from './bundle-text.js'
import type { Target, Written } from './bundle-write.js'

export interface BundleDeps {
  readonly load: (configPath: string | undefined) => Loaded
  /** The same, without throwing. */
  readonly find: (configPath: string) => LoadedConfig
  readonly print: (text: string) => void
  readonly note: (text: string) => void
  readonly clock: Clock
  readonly exit: (code: number) => void
  /** Undefined when there is no terminal to ask on. */
  readonly confirm: (question: string) => Promise<boolean | undefined>
  /** Who is at the keyboard. */
  readonly actor: () => string
}

interface Flags {
  readonly config?: string
  readonly json?: true
}

interface InstallFlags extends Flags {
  readonly yes?: true
}

export function bundleCommand(deps: BundleDeps): Command {
  const command = new Command('bundle').description(
    'ready-made sets of policies, explained before they are put in force',
  )
  common(command.command('list'))
    .description('which there are, and which are in force')
    .action((flags: Flags) => list(deps, flags))
  common(command.command('show'))
    .description('what one does, and what it would change here')
    .argument('<name>', 'such as family')
    .action((name: string, flags: Flags) => show(deps, name, flags))
  common(command.command('install'))
    .description('put one in force, after a yes')
    .argument('<name>', 'such as family')
    .option('--yes', 'consent, without being asked')
    .action((name: string, flags: InstallFlags) => install(deps, name, flags))
  return command
}

function common(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration')
    .option('--json', 'for programs')
}

async function list(deps: BundleDeps, flags: Flags): Promise<void> {
  const { config } = deps.load(flags.config)
  const bundles = await readBundles()
  const all = bundles.map((bundle) => {
    const { name, title, about, policies } = bundle
    const in_force = inForce(bundle, config)
    return { name, title, about, in_force, policies: Object.keys(policies) }
  })
  if (flags.json === true) return deps.print(`${jsonLine({ bundles: all })}\n`)
  const rows = all.map((one) => [
    one.name,
    one.in_force,
    one.policies.join(', '),
    one.about,
  ])
  for (const line of table(['bundle', 'in force', 'policies', 'what for'], rows))
    deps.print(line)
}

async function show(deps: BundleDeps, name: string, flags: Flags): Promise<void> {
  const bundle = await bundleOf(name)
  const { config } = deps.load(flags.config)
  const changes = bundleChanges(bundle, config)
  if (flags.json === true) {
    const in_force = inForce(bundle, config)
    return deps.print(`${jsonLine({ ...bundle, in_force, changes })}\n`)
  }
  deps.print(`${bundleText(bundle)}\n`)
  if (changes.length === 0) return deps.print('It is in force.\n')
  deps.print(`\`yori policy bundle install ${name}\` would set:\n`)
  deps.print(planText(bundle, config, changes))
}

async function install(
  deps: BundleDeps,
  name: string,
  flags: InstallFlags,
): Promise<void> {
  const bundle = await bundleOf(name)
  const { targetOf } = await import('./bundle-write.js')
  const target = await targetOf({ ...deps, actor: deps.actor() }, flags.config)
  const { file, loaded } = target
  const changes = bundleChanges(bundle, loaded.config)
  const answer = { bundle: name, file, consent: blocks(bundle), changes }
  const isJson = flags.json === true
  const tell = isJson ? deps.note : deps.print
  if (changes.length === 0) {
    if (isJson) deps.print(`${jsonLine({ ...answer, installed: true })}\n`)
    else deps.print(`${name} is in force already: nothing was changed.\n`)
    return
  }
  if (!isJson || flags.yes !== true) {
    tell(`${bundleText(bundle)}\nIn ${file} this is set:\n`)
    tell(planText(bundle, loaded.config, changes))
  }
  if (!(await agreed(deps, bundle, flags))) {
    if (isJson) deps.print(`${jsonLine({ ...answer, installed: false })}\n`)
    return deps.exit(EXIT.no)
  }
  const written = await target.write(
    Object.fromEntries(changes.map(({ key, to }) => [key, to])),
  )
  const overruled = bundleChanges(bundle, deps.load(file).config).map(({ key }) => key)
  if (isJson) {
    const { isRunning: running } = target
    const woken = wakened(bundle, loaded.config)
    const done = { installed: true, running, before: written.before ?? null }
    return deps.print(`${jsonLine({ ...answer, ...done, woken, overruled })}\n`)
  }
  deps.print(doneText(name, target, written))
  if (overruled.length > 0)
    deps.note(`yori: the environment says otherwise of ${overruled.join(', ')}\n`)
}

async function agreed(
  { confirm, note }: BundleDeps,
  bundle: Bundle,
  flags: InstallFlags,
): Promise<boolean> {
  if (flags.yes === true) return true
  const question = blocks(bundle)
    ? 'Do you consent to that, and put it in force? [y/N] '
    : 'Put it in force? [y/N] '
  const answer = await confirm(question)
  if (answer === true) return true
  note(
    answer === undefined
      ? 'yori: nobody is there to ask, and nothing was changed: --yes consents\n'
      : 'yori: nothing was changed\n',
  )
  return false
}

function doneText(name: string, target: Target, { before }: Written): string {
  const { file, isRunning } = target
  const taken = isRunning
    ? `${name} is in force.\n`
    : `${name} is in ${file}; no YORI runs, and the next one goes by it.\n`
  if (before === undefined) return taken
  const again = isRunning ? ', then SIGHUP to YORI' : ''
  return `${taken}The file of before is ${before}; back: cp ${before} ${file}${again}.\n`
}

/** @throws usageError that names those that there are */
async function bundleOf(name: string): Promise<Bundle> {
  const bundles = await readBundles()
  const found = bundles.find((bundle) => bundle.name === name)
  if (found !== undefined) return found
  const names = bundles.map((bundle) => bundle.name)
  const meant = nearest(name, names)
  usage(
    `there is no bundle ${JSON.stringify(name)}` +
      (meant === undefined ? `: there are ${names.join(', ')}` : `: ${meant} is meant?`),
  )
}
