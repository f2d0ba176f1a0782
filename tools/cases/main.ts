// Usage: node dist/tools/cases/main.js KIND FILE...
// Runs every row of JSON Lines files through the real code. Prints each wrong row with what was
// expected and what came, a table by category, and last `N right, N wrong, N skipped of N`.
// Exit code 0 when nothing is wrong, 1 when a row is, 2 when the command cannot run.
import { kinds } from './kinds.js'
import { runFiles, UsageError } from './run.js'

const [name, ...files] = process.argv.slice(2)
const kind = kinds.find((each) => each.name === name)

if (kind === undefined || files.length === 0) {
  const known = kinds.map((each) => `  ${each.name.padEnd(10)}${each.about}`).join('\n')
  process.stderr.write(`usage: npm run cases -- KIND FILE...\n${known}\n`)
  process.exitCode = 2
} else {
  try {
    const tally = await runFiles(kind, files, (line) => process.stdout.write(`${line}\n`))
    process.exitCode = tally.wrong > 0 ? 1 : 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
  }
}
