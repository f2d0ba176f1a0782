// Usage: npm run lab [-- --write]
// Asks, in a small internet made of network namespaces (root, Linux), who reaches what without
// steering and with each form of it, and prints the table; with --write docs/ROUTER.md has it.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { packageFile } from '../../src/core/package-root.js'
import { NAMESPACES, whyNot } from '../../test/support/needs.js'
import { runLab } from './run.js'
import { tableText, withTable } from './table.js'

const { values } = parseArgs({ options: { write: { type: 'boolean' } } })
const lack = whyNot(...NAMESPACES)
if (lack !== undefined) {
  console.error(lack)
  process.exit(1)
}
const table = tableText(await runLab({ told: (line) => console.error(line) }))
if (values.write === true) {
  const page = packageFile('docs', 'ROUTER.md')
  writeFileSync(page, withTable(readFileSync(page, 'utf8'), table))
} else console.log(table)
