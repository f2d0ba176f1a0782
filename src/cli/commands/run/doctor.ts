/**
 * `yori doctor`: looks at what is really there, thing by thing, and says of each that is wrong
 * what it is and what mends it. Changes nothing, but for what `--probe` makes and removes.
 */
import { formatProblem } from '../../../../config/problem.js'
import { jsonLine } from '../../../audit/printable.js'
import type { Clock } from '../../../core/clock.js'
import { caProblems } from '../../ca-problems.js'
import { Command } from '../../commander.js'
import type { Loaded } from '../../context.js'
import { bad, thisMachine } from '../../../doctor/doctor-check.js'
import type { Check, Finding, Machine } from '../../../doctor/doctor-check.js'
import { hintsCheck, resolverCheck } from '../../../doctor/doctor-names.js'
import {
  caCheck,
  clockCheck,
  diskCheck,
  listenCheck,
} from '../../../doctor/doctor-own.js'
import {
  bypassCheck,
  letInCheck,
  forwardingCheck,
  interfacesCheck,
  rulesCheck,
  steeringCheck,
  tableCheck,
} from '../../../doctor/doctor-steering.js'
import { wafCheck } from '../../../doctor/doctor-waf.js'
import { EXIT } from '../../exit.js'

/** In the order in which one hangs on the other. */
export const CHECKS: readonly Check[] = [
  clockCheck,
  diskCheck,
  caCheck,
  listenCheck,
  wafCheck,
  resolverCheck,
  interfacesCheck,
  forwardingCheck,
  tableCheck,
  steeringCheck,
  rulesCheck,
  bypassCheck,
  letInCheck,
  hintsCheck,
]

export interface DoctorDeps {
  readonly load: (path: string | undefined) => Loaded
  readonly clock: Clock
  readonly print: (text: string) => void
  readonly exit: (code: number) => void
  readonly machine?: Machine
}

interface Flags {
  readonly config?: string
  readonly json?: true
  readonly probe?: true
}

export function doctorCommand(deps: DoctorDeps): Command {
  return new Command('doctor')
    .description('look at what is really there, and say what is wrong and what mends it')
    .option('-c, --config <file>', 'configuration file')
    .option('--probe', 'also send a connection on the way of clients (Linux, root)')
    .option('--json', 'for programs')
    .action((flags: Flags) => examine(deps, flags))
}

async function examine(deps: DoctorDeps, flags: Flags): Promise<void> {
  const loaded = deps.load(flags.config)
  const { config, source } = loaded
  const machine = deps.machine ?? thisMachine
  const patient = { config, source, clock: deps.clock, machine }
  const all: { check: string; findings: readonly Finding[] }[] = []
  const say = (check: string, findings: readonly Finding[]): void => {
    all.push({ check, findings })
    if (flags.json === true) return
    for (const finding of findings) deps.print(textOf(check, finding))
  }
  say('configuration', await configuration(deps, loaded))
  // At once, since some wait for servers that may be silent; told in their order.
  const looks = CHECKS.map((check) => lookBy(check, patient))
  for (const [index, look] of looks.entries()) say(CHECKS[index]?.name ?? '', await look)
  if (flags.probe === true) {
    const { probeCheck } = await import('../../../doctor/doctor-probe.js')
    say(probeCheck.name, await lookBy(probeCheck, patient))
  }
  const count = (level: Finding['level']): number =>
    all.flatMap(({ findings }) => findings).filter((finding) => finding.level === level)
      .length
  const wrong = count('bad')
  if (flags.json === true) deps.print(`${jsonLine({ ok: wrong === 0, checks: all })}\n`)
  else
    deps.print(`\n${wrong} wrong, ${count('notice')} to look at, ${count('good')} good\n`)
  if (wrong > 0) deps.exit(EXIT.no)
}

async function configuration(deps: DoctorDeps, loaded: Loaded): Promise<Finding[]> {
  const { problems, warnings } = await caProblems(loaded, deps.clock)
  const said = [...loaded.warnings, ...warnings].map((problem): Finding => ({
    level: 'notice',
    what: formatProblem(problem),
    mend: problem.right,
  }))
  const wrong = problems.map((problem) => bad(formatProblem(problem), problem.right))
  const from = loaded.source === 'defaults' ? 'built-in defaults' : loaded.source
  return [{ level: 'good', what: `${from} can be read` }, ...wrong, ...said]
}

/** A check that fails has found something, too. */
async function lookBy(
  check: Check,
  patient: Parameters<Check['look']>[0],
): Promise<readonly Finding[]> {
  try {
    return await check.look(patient)
  } catch (cause) {
    return [
      bad(`cannot be told: ${cause instanceof Error ? cause.message : String(cause)}`),
    ]
  }
}

const MARK = { good: 'ok   ', notice: 'look ', bad: 'WRONG' } as const

function textOf(check: string, { level, what, mend }: Finding): string {
  const line = `${MARK[level]} ${check.padEnd(14)} ${what}\n`
  return mend === undefined ? line : `${line}${' '.repeat(21)}-> ${mend}\n`
}
