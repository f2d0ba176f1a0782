// Usage: mocha --reporter dist/tools/check/reporter.js
// mocha's `spec` output, what was skipped for want of what, then `N passed, N failed, N skipped`
// alone on the last line.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Mocha from 'mocha'
import { LACKS_FILE, lackLines, notedIn } from './lacks.js'

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
    // Before the run begins: processes that it starts have this environment.
    const folder = mkdtempSync(join(tmpdir(), 'yori-lacks-'))
    const file = join(folder, 'noted')
    writeFileSync(file, '')
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    process.env[LACKS_FILE] = file
    const skipped: Mocha.Test[] = []
    const { EVENT_RUN_END, EVENT_TEST_PENDING } = Mocha.Runner.constants
    runner.on(EVENT_TEST_PENDING, (test: Mocha.Test) => skipped.push(test))
    runner.once(EVENT_RUN_END, () => {
      const noted = notedIn(file)
      for (const line of lackLines(skipped, noted)) process.stdout.write(`${line}\n`)
      process.stdout.write(`${closingLine(this.stats)}\n`)
    })
  }
}
