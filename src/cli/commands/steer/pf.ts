/** `yori pf`: texts for packet filters, a look at those of pf, and steering on and off. */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { Command, Option } from 'commander'
import { checkPfText } from '../../../../pf/check.js'
import type { PfProblem } from '../../../../pf/check.js'
import { BACKENDS, renderSteering } from '../../../../pf/render.js'
import type { Backend } from '../../../../pf/render.js'
import type { PageAt } from '../../../../pf/render-dns.js'
import type { Steering } from '../../../../pf/rules.js'
import { readSteering, unledFamily } from '../../../../pf/rules-read.js'
import { steerSettings, tableSettings } from '../../../../pf/settings.js'
import { planTable, steeredHosts } from '../../../../pf/table.js'
import { LOADED_BACKENDS } from '../../../../pf/steering-plan.js'
import { EXIT } from '../../exit.js'
import { catalogueEntries, refuse } from './pf-shared.js'
import type { PfCommandDeps } from './pf-shared.js'
import { apply, checkMachine, remove, status } from './pf-steer.js'
import type { ApplyFlags, StateFlags } from './pf-steer.js'

interface GenerateFlags {
  readonly config?: string
  readonly backend: Backend
  readonly lan: readonly string[]
  readonly exempt: readonly string[]
  readonly json?: true
}

interface CheckFlags {
  readonly config?: string
  readonly json?: true
  readonly strict?: true
}

export function pfCommand(deps: PfCommandDeps): Command {
  const command = new Command('pf').description('lead packets to YORI: pf and nftables')
  command
    .command('generate')
    .description('print the rules for a packet filter or resolver; nothing is loaded')
    .addOption(
      new Option('--backend <name>', 'whose text').choices(BACKENDS).default('pf'),
    )
    .option(
      '--lan <interface>',
      'instead of steer.interfaces; may be repeated',
      several,
      [],
    )
    .option('--exempt <device>', 'besides steer.exempt; may be repeated', several, [])
    .option('--config <file>', 'the configuration file')
    .option('--json', 'print JSON for programs')
    .action((flags: GenerateFlags) => generate(deps, flags))
  command
    .command('check')
    .description(
      'print what pf would refuse in a file; exit 0: nothing, 1: something, 5: not all is known',
    )
    .argument(
      '[file]',
      "a text of pf; - is standard input; without one, this machine's rules that steering goes around",
    )
    .option('--config <file>', 'the configuration file')
    .option('--strict', 'warnings count, too')
    .option('--json', 'print JSON for programs')
    .action((file: string | undefined, flags: CheckFlags) =>
      file === undefined ? checkMachine(deps, flags) : check(deps, file, flags),
    )
  command
    .command('apply')
    .description('lead packets to YORI, after the packet filter has read the rules')
    .addOption(
      new Option('--backend <name>', 'whose rules; the usual one of this system').choices(
        LOADED_BACKENDS,
      ),
    )
    .option(
      '--lan <interface>',
      'instead of steer.interfaces; may be repeated',
      several,
      [],
    )
    .option('--exempt <device>', 'besides steer.exempt; may be repeated', several, [])
    .option('--force', 'also where an interface or device has a policy route')
    .option('--config <file>', 'the configuration file')
    .option('--json', 'print JSON for programs')
    .action((flags: ApplyFlags) => apply(deps, flags))
  command
    .command('remove')
    .description('let packets go their own way again')
    .option('--config <file>', 'the configuration file')
    .option('--json', 'print JSON for programs')
    .action((flags: StateFlags) => remove(deps, flags))
  command
    .command('status')
    .description('tell what is steered, and when it could not be')
    .option('--config <file>', 'the configuration file')
    .option('--json', 'print JSON for programs')
    .action((flags: StateFlags) => status(deps, flags))
  return command
}

function several(value: string, before: readonly string[]): string[] {
  return [...before, value]
}

async function generate(deps: PfCommandDeps, flags: GenerateFlags): Promise<void> {
  const config = deps.config(flags.config)
  const steered = steerSettings(config, flags)
  const read = readSteering(steered)
  if (read.kind === 'invalid') return refuse(deps, read.problems, flags)
  const unled = unledFamily(steered, read.steering)
  if (unled !== undefined) deps.note(`yori: ${unled}\n`)
  const { backend } = flags
  const settings = tableSettings(config)
  const catalogue = await catalogueEntries(config)
  const { ranges } = planTable(settings, catalogue)
  const made = renderSteering(backend, {
    steering: read.steering,
    hosts: steeredHosts(settings, catalogue),
    page: pageAt(read.steering),
    elements: {
      inet: ranges.filter((text) => !text.includes(':')),
      inet6: ranges.filter((text) => text.includes(':')),
    },
  })
  if (made.kind === 'invalid') return refuse(deps, made.problems, flags)
  const told = { backend, text: made.text, ...(unled === undefined ? {} : { unled }) }
  deps.print(flags.json ? `${JSON.stringify(told)}\n` : made.text)
}

/** Of each steered interface the first address of either family that a device can ask for. */
function pageAt({ interfaces }: Steering): PageAt[] {
  const there = networkInterfaces()
  return interfaces.map(({ name, from }) => {
    const own = (there[name] ?? [])
      .map(({ address }) => address)
      .filter((address) => !address.startsWith('fe80:'))
    const four = own.find((address) => !address.includes(':'))
    // A unique local one stays when the prefix changes.
    const six =
      own.find((address) => /^f[cd]/.test(address)) ??
      own.find((address) => address.includes(':'))
    return {
      ...{ interface: name, from },
      addresses: [four, six].filter((address) => address !== undefined),
    }
  })
}

function check(deps: PfCommandDeps, file: string, flags: CheckFlags): void {
  const problems = checkPfText(readFileSync(file === '-' ? 0 : file, 'utf8'), {
    readFile: readable,
  })
  const wrong = problems.some(({ kind }) => kind === 'error' || flags.strict === true)
  const unknown = problems.some(({ kind }) => kind === 'unknown')
  const ok = !wrong && !unknown
  if (flags.json) deps.print(`${JSON.stringify({ ok, problems })}\n`)
  else showProblems(deps, file, problems)
  if (!flags.json && ok) deps.print(`${file}: ok\n`)
  if (wrong) deps.exit(EXIT.no)
  else if (unknown) deps.exit(EXIT.unknown)
}

function readable(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function showProblems(
  { note }: PfCommandDeps,
  file: string,
  problems: readonly PfProblem[],
): void {
  for (const { kind, line, wrong } of problems)
    note(`${file}:${line}: ${kind}: ${wrong}\n`)
}
