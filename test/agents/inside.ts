// Usage: by main.ts and agents.test.ts, inside the namespace: inside.js ROOT [NAME...]
// One line of JSON for each program that ran; the page when all were asked for.
import { mkdirSync, writeFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { Matrix } from './matrix.js'
import { AGENTS, installedOf } from './programs.js'
import { page } from './table.js'
import type { Result } from './table.js'
import { seenOf, verdictOf } from './verdict.js'

const [root = '', ...names] = process.argv.slice(2)
const asked = AGENTS.filter(({ name }) => names.length === 0 || names.includes(name))
const results: Result[] = []
{
  await using matrix = await Matrix.start(root, AGENTS)
  for (const agent of asked) {
    const { name, how } = agent
    const installed = installedOf(agent, root)
    const outcome = installed === undefined ? undefined : await matrix.try(agent)
    const verdict = outcome === undefined ? undefined : verdictOf(agent, outcome)
    const seen = outcome === undefined ? 'not installed' : seenOf(outcome.direct)
    results.push({ name, how, installed, verdict, seen })
    const blocked = outcome === undefined ? '' : seenOf(outcome.blocked)
    console.log(JSON.stringify({ name, ...installed, verdict, seen, blocked }))
    if (names.length === 0) write(results)
  }
}
process.exit(0)

/** After each program, so that what broke off leaves what it found. */
function write(found: readonly Result[]): void {
  const rest = AGENTS.slice(found.length).map(({ name, how }) => {
    return { name, how, installed: undefined, verdict: undefined, seen: 'not run' }
  })
  mkdirSync(packageFile('docs'), { recursive: true })
  const madeBy = `Node ${process.versions.node} around YORI, ${process.platform}`
  writeFileSync(packageFile('docs/AGENTS.md'), page([...found, ...rest], madeBy))
}
