// Usage: mocha --reporter dist/tools/check/reporter.js
// mocha's `spec` output, then `N passed, N failed, N skipped` alone on the last line.
import Mocha from 'mocha'

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
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      process.stdout.write(`${closingLine(this.stats)}\n`)
    })
  }
}
