/**
 * `yori policy eval | test | check`: asks, tries and checks Rego policies without a running
 * YORI. `eval` answers in the JSON of `opa eval`. What concerns a household is beside it
 * (`policy-household.ts`).
 */
import { Command } from 'commander'
import { compileModules, describeLoadError, toJsonText } from '@yori/rego'
import { EXIT } from '../../exit.js'
import { readDocument, readPolicies } from './policy-command-files.js'
import { addHouseholdCommands } from './policy-household.js'
import type { PolicyHouseholdDeps } from './policy-household.js'
import { runTests } from './policy-test.js'
import type { EvaluationFailure, Policy, RegoError, Row } from '@yori/rego'
import type { TestReport, TestResult } from './policy-test.js'

export interface PolicyCommandDeps extends PolicyHouseholdDeps {
  readonly monotonic: () => number
}

interface EvalFlags {
  readonly query: string
  readonly input?: string
  readonly data?: string
  readonly strict?: true
  readonly fail?: true
}

interface TestFlags {
  readonly data?: string
  readonly json?: true
  readonly verbose?: true
}

/** What one question on the command line may spend. */
const MAX_STEPS = 100_000_000

export function policyCommand(deps: PolicyCommandDeps): Command {
  const command = new Command('policy').description('ask, try and check Rego policies')
  command
    .command('eval')
    .description('answer a query, in the JSON of `opa eval`')
    .argument('[files...]', 'policies, or folders of them')
    .requiredOption('--query <query>', 'such as data.yori.bedtime.deny')
    .option('--input <file>', 'JSON for `input`; - is standard input')
    .option('--data <file>', 'JSON for `data`')
    .option('--strict', 'report errors of built-ins instead of taking them as undefined')
    .option('--fail', 'exit 1 when there is no answer')
    .action((files: string[], flags: EvalFlags) => evaluate(deps, files, flags))
  command
    .command('test')
    .description('run the rules whose names start with test_')
    .argument('<paths...>', 'policies and tests, or folders of them')
    .option('--data <file>', 'JSON for `data`')
    .option('--json', 'print JSON for programs')
    .option('--verbose', 'show tests that pass, and what they print')
    .action((paths: string[], flags: TestFlags) => test(deps, paths, flags))
  command
    .command('check')
    .description('print every problem; exit 0 when there is none, else 1')
    .argument('<paths...>', 'policies, or folders of them')
    .option('--json', 'print JSON for programs')
    .action((paths: string[], flags: { json?: true }) => check(deps, paths, flags))
  addHouseholdCommands(command, deps)
  return command
}

function evaluate(
  deps: PolicyCommandDeps,
  files: readonly string[],
  flags: EvalFlags,
): void {
  const compiled = compileModules(readPolicies(files))
  if (compiled.kind === 'invalid') return answerErrors(deps, compiled.errors)
  const input = flags.input === undefined ? undefined : readDocument(flags.input)
  const data = flags.data === undefined ? undefined : readDocument(flags.data)
  const result = compiled.policy.query(flags.query, input, data, {
    maxSteps: MAX_STEPS,
    deadlineMs: Infinity,
    strict: flags.strict === true,
    print: (message) => deps.note(`${message}\n`),
  })
  switch (result.kind) {
    case 'invalid':
      return answerErrors(deps, result.errors)
    case 'error':
      return answerErrors(deps, [asError(result)])
    default:
      deps.print(`${rowsText(result.rows)}\n`)
      if (flags.fail === true && result.rows.length === 0) deps.exit(EXIT.no)
  }
}

function asError({ code, message, place }: EvaluationFailure): ShownError {
  return {
    code,
    message,
    file: place?.file ?? '',
    line: place?.line ?? 1,
    column: place?.column ?? 1,
  }
}

type ShownError = Omit<RegoError, 'code'> & { readonly code: string }

function answerErrors(deps: PolicyCommandDeps, errors: readonly ShownError[]): void {
  const shown = errors.map(({ message, code, file, line, column }) => ({
    message,
    code,
    location: { file, row: line, col: column },
  }))
  deps.print(`${JSON.stringify({ errors: shown }, undefined, 2)}\n`)
  deps.exit(EXIT.usage)
}

/** Written here because JSON.stringify would shorten large numbers. */
function rowsText(rows: readonly Row[]): string {
  if (rows.length === 0) return '{}'
  const results = rows.map(({ expressions, bindings }) => {
    const shown = expressions.map(({ value, text, line, column }) => {
      const where = `{"row":${line},"col":${column}}`
      return `{"value":${toJsonText(value)},"text":${JSON.stringify(text)},"location":${where}}`
    })
    const bound = [...bindings].map(
      ([name, value]) => `${JSON.stringify(name)}:${toJsonText(value)}`,
    )
    const tail = bound.length === 0 ? '' : `,"bindings":{${bound.join(',')}}`
    return `{"expressions":[${shown.join(',')}]${tail}}`
  })
  return `{"result":[${results.join(',')}]}`
}

function test(deps: PolicyCommandDeps, paths: readonly string[], flags: TestFlags): void {
  const policy = load(deps, paths)
  if (policy === undefined) return
  const data = flags.data === undefined ? {} : readDocument(flags.data)
  const report = runTests(policy, data, deps.monotonic)
  if (report.results.some(({ verdict }) => verdict === 'fail' || verdict === 'error')) {
    deps.exit(EXIT.no)
  }
  if (flags.json === true) {
    const missing = Object.fromEntries(report.coverage.missing)
    const coverage = { ...report.coverage, missing }
    deps.print(`${JSON.stringify({ results: report.results, coverage }, undefined, 2)}\n`)
  } else {
    deps.print(reportText(report, flags.verbose === true))
  }
}

function reportText({ results, coverage }: TestReport, verbose: boolean): string {
  const lines: string[] = []
  for (const result of results) {
    if (result.verdict === 'pass' && !verbose) continue
    lines.push(resultLine(result), ...result.output.map((line) => `    ${line}`))
  }
  for (const [file, missing] of coverage.missing) {
    lines.push(`not reached: ${file}, line ${missing.join(', ')}`)
  }
  const count = (verdict: string): number =>
    results.filter((result) => result.verdict === verdict).length
  const share = coverage.total === 0 ? 100 : (100 * coverage.covered) / coverage.total
  lines.push(
    `${count('pass')} passed, ${count('fail')} failed, ${count('error')} errors, ${count('skipped')} skipped`,
    `coverage ${share.toFixed(1)} % (${coverage.covered} of ${coverage.total} rule bodies)`,
  )
  return `${lines.join('\n')}\n`
}

function resultLine({
  name,
  file,
  line,
  verdict,
  reason,
  milliseconds,
}: TestResult): string {
  const why = reason === undefined ? '' : `: ${reason}`
  return `${verdict.toUpperCase().padEnd(7)} ${name}${why} (${file}:${line}, ${milliseconds.toFixed(2)} ms)`
}

function check(
  deps: PolicyCommandDeps,
  paths: readonly string[],
  flags: { readonly json?: true },
): void {
  const files = readPolicies(paths)
  const compiled = compileModules(files)
  const errors = compiled.kind === 'invalid' ? compiled.errors : []
  if (errors.length > 0) deps.exit(EXIT.no)
  if (flags.json === true) {
    deps.print(`${JSON.stringify({ files: files.length, errors }, undefined, 2)}\n`)
    return
  }
  for (const error of errors) deps.print(`${describeLoadError(error)}\n`)
  if (errors.length === 0) {
    deps.print(`${files.length} ${files.length === 1 ? 'file' : 'files'}: ok\n`)
  }
}

function load(deps: PolicyCommandDeps, paths: readonly string[]): Policy | undefined {
  const compiled = compileModules(readPolicies(paths))
  if (compiled.kind === 'ok') return compiled.policy
  for (const error of compiled.errors) deps.note(`${describeLoadError(error)}\n`)
  deps.exit(EXIT.no)
  return undefined
}
