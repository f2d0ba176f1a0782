// Usage: mocha --reporter dist/tools/check/reporter.js
// mocha's `spec` output, what was skipped for want of what, then `N passed, N failed, N skipped`
// alone on the last line.
import Mocha from 'mocha'
import { lackLines } from './lacks.js'

export function closingLine(stats: {
  readonly passes: number
  readonly failures: number
  readonly pending: number
}): string {
  return `${stats.passes} passed, ${stats.failures} failed, ${stats.pending} skipped`
}

/** mocha loads a reporter by its default export. */
export default class ClosingLineReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    const skipped: Mocha.Test[] = []
    const { EVENT_RUN_END, EVENT_TEST_PENDING } = Mocha.Runner.constants
    runner.on(EVENT_TEST_PENDING, (test: Mocha.Test) => skipped.push(test))
    runner.once(EVENT_RUN_END, () => {
      for (const line of lackLines(skipped)) process.stdout.write(`${line}\n`)
      process.stdout.write(`${closingLine(this.stats)}\n`)
    })
  }
}
