/** Runs the `test_` rules of policies and counts which rules they reached. */
import type { Policy, PreparedQuery } from '@yori/rego'

export type TestVerdict = 'pass' | 'fail' | 'error' | 'skipped'

export interface TestResult {
  /** `data.yori.bedtime_test.test_late`. */
  readonly name: string
  readonly file: string
  readonly line: number
  readonly verdict: TestVerdict
  /** Why it did not pass. */
  readonly reason?: string
  /** What `print` said. */
  readonly output: readonly string[]
  readonly milliseconds: number
}

export interface Coverage {
  readonly covered: number
  readonly total: number
  /** Bodies that no test reached, by file. */
  readonly missing: ReadonlyMap<string, readonly number[]>
}

export interface TestReport {
  readonly results: readonly TestResult[]
  readonly coverage: Coverage
}

/** A test may do a hundred times what a decision may. */
const MAX_STEPS = 10_000_000

interface TestRule {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly skipped: boolean
}

export function runTests(
  policy: Policy,
  data: unknown,
  monotonic: () => number,
): TestReport {
  const reached = new Set<string>()
  const covered = (file: string, line: number): void =>
    void reached.add(`${file}:${line}`)
  const results = testRules(policy).map((rule): TestResult => {
    const { name, file, line } = rule
    if (rule.skipped) {
      return { name, file, line, verdict: 'skipped', output: [], milliseconds: 0 }
    }
    const output: string[] = []
    const started = monotonic()
    const ended = verdictOf(policy.prepareQuery(name, data), {
      maxSteps: MAX_STEPS,
      deadlineMs: Infinity,
      covered,
      print: (message: string) => void output.push(message),
    })
    return { name, file, line, output, milliseconds: monotonic() - started, ...ended }
  })
  return { results, coverage: coverageOf(policy, reached) }
}

function verdictOf(
  ask: PreparedQuery,
  options: Parameters<PreparedQuery>[1],
): Pick<TestResult, 'verdict' | 'reason'> {
  const result = ask(undefined, options)
  if (result.kind === 'error') {
    return { verdict: 'error', reason: `${result.code}: ${result.message}` }
  }
  if (result.kind === 'undefined') return { verdict: 'fail', reason: 'undefined' }
  return result.value === false
    ? { verdict: 'fail', reason: 'false' }
    : { verdict: 'pass' }
}

/** Rules of one name are one test. */
function testRules(policy: Policy): TestRule[] {
  const found = new Map<string, TestRule>()
  for (const module of policy.modules) {
    for (const { head, at } of module.rules) {
      const { name } = head.name
      const skipped = name.startsWith('todo_test_')
      if (!skipped && !name.startsWith('test_')) continue
      if (head.args !== undefined || head.path.length > 0) continue
      const full = ['data', ...module.package, name].join('.')
      if (!found.has(full)) {
        found.set(full, { name: full, file: module.file, line: at.line, skipped })
      }
    }
  }
  return [...found.values()]
}

/** Every body of a rule that is no test and stands in no `_test.rego` file counts once. */
function coverageOf(policy: Policy, reached: ReadonlySet<string>): Coverage {
  const missing = new Map<string, number[]>()
  let covered = 0
  let total = 0
  for (const module of policy.modules) {
    if (module.file.endsWith('_test.rego')) continue
    for (const rule of module.rules) {
      if (/^(?:todo_)?test_/.test(rule.head.name.name)) continue
      for (const { line } of [rule.at, ...rule.elses.map((branch) => branch.at)]) {
        total++
        if (reached.has(`${module.file}:${line}`)) covered++
        else missing.set(module.file, [...(missing.get(module.file) ?? []), line])
      }
    }
  }
  return { covered, total, missing }
}
