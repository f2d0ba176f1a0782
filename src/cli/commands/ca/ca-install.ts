/**
 * `yori ca export --install` and `--uninstall`: this machine trusts the root, or no longer.
 * Every step is shown before any is taken.
 */
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { describeStep, installSteps, uninstallSteps } from '../../../../ca/install.js'
import type { StoreSteps } from '../../../../ca/install.js'
import { YoriError } from '../../../core/errors.js'
import { askYesNo } from '../../ask.js'
import { findStores, take } from '../../../service/machine-stores.js'
import type { Machine } from '../../../service/machine-stores.js'
import { printJson } from './ca-shared.js'
import { usageError } from '../../usage.js'
import type { CaCommandDeps, CommonFlags } from './ca-shared.js'
import { writeTrustFiles } from '../../../../ca/trust-files.js'

export interface InstallFlags extends CommonFlags {
  readonly install?: true
  readonly uninstall?: true
  readonly yes?: true
  readonly dryRun?: true
  readonly sysroot?: string
}

export interface InstallDeps extends CaCommandDeps {
  /** This machine unless given. */
  readonly machine?: Machine
  readonly isRoot?: boolean
  /** Asks a person; undefined when nobody is there. The terminal's when left out. */
  readonly confirm?: (question: string) => Promise<boolean | undefined>
}

/** `root` is undefined when everything of ours is to be taken out. */
export async function installRoot(
  deps: InstallDeps,
  flags: InstallFlags,
  root: { pem: string; sha256: string; directory: string } | undefined,
): Promise<void> {
  const machine = { ...(deps.machine ?? thisMachine()), sysroot: flags.sysroot ?? '' }
  const { stores, notes } = await findStores(machine)
  const file = root === undefined ? '' : join(root.directory, 'trust', 'yori-root.pem')
  const all = stores
    .map((store) =>
      root === undefined ? uninstallSteps(store) : installSteps(store, { ...root, file }),
    )
    .filter(({ steps }) => steps.length > 0)
  const isRoot = (deps.isRoot ?? process.geteuid?.() === 0) || machine.sysroot !== ''
  const mine = all.filter(({ needsRoot }) => isRoot || !needsRoot)
  const others = all.filter((steps) => !mine.includes(steps))
  if (flags.json === true && flags.dryRun === true) {
    printJson(deps, { steps: mine, needRoot: others, notes })
    return
  }
  show(deps, mine, '')
  if (others.length > 0) show(deps, others, ' (left out: run this as root)')
  for (const note of notes) deps.note(`${note}\n`)
  if (flags.dryRun === true) return
  if (mine.length === 0) {
    if (others.length > 0)
      throw new YoriError('YORI_CA_UNUSABLE', 'these steps need root: run it with sudo')
    deps.print(root === undefined ? 'Nothing of YORI is in any store here.\n' : NO_STORE)
    return
  }
  if (!(await agreed(deps, flags))) {
    deps.print('Nothing was done.\n')
    return
  }
  if (root !== undefined) await writeTrustFiles(join(root.directory, 'trust'), root.pem)
  await takeAll(deps, machine, mine)
  const done = mine.map(({ store }) => store)
  if (flags.json === true) printJson(deps, { done, notes })
  else deps.print(root === undefined ? UNDONE : DONE)
}

const NO_STORE =
  'No store was found here that is known. `yori exec -- COMMAND` needs none; `yori ca export` writes the certificate.\n'
const DONE =
  'Done. Start browsers anew; `yori ca trust-check` shows whether it works, `yori ca export --uninstall` undoes it.\n'
const UNDONE = 'Done: this machine does not trust YORI any more. Start browsers anew.\n'

function show(deps: CaCommandDeps, all: readonly StoreSteps[], remark: string): void {
  for (const { store, steps } of all) {
    deps.note(`${store}${remark}\n`)
    for (const step of steps) deps.note(`  ${describeStep(step)}\n`)
  }
}

async function agreed(deps: InstallDeps, flags: InstallFlags): Promise<boolean> {
  if (flags.yes === true) return true
  const answer = await (deps.confirm ?? askYesNo)('Do this? [y/N] ')
  if (answer !== undefined) return answer
  throw usageError('nobody is there to ask: --yes takes these steps')
}

/** A store that fails does not keep the others from being served. */
async function takeAll(
  deps: CaCommandDeps,
  machine: Machine,
  all: readonly StoreSteps[],
): Promise<void> {
  const failed: string[] = []
  for (const { store, steps } of all) {
    try {
      for (const step of steps) await take(machine, step)
      deps.note(`${store}: done\n`)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      deps.note(`${store}: ${why}\n`)
      failed.push(store)
    }
  }
  if (failed.length > 0)
    throw new YoriError('YORI_CA_UNUSABLE', `failed for ${failed.join(', ')}`)
}

/** Where no HOME is set, as in a service: that of the user database. Some users have none. */
function homeFolder(): string {
  const { HOME: home } = process.env
  if (home !== undefined && home !== '') return home
  try {
    return userInfo().homedir
  } catch {
    return '/nonexistent'
  }
}

function thisMachine(): Machine {
  return {
    platform: process.platform,
    home: homeFolder(),
    // A plain user's PATH often lacks what administers the system.
    path: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
    sysroot: '',
  }
}
