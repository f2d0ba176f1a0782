// Called by after-tsc: the provider catalogue as JSON, judged here once, so that the running
// process parses no YAML of ours and checks nothing that cannot have changed.
import { readFileSync } from 'node:fs'
import { CATALOGUE_FILE, parseCatalogue } from '../../config/read-catalogue.js'
import { formatProblem } from '../../config/problem.js'
import type { Problem } from '../../config/problem.js'

/** The text of `dist/config/providers.json`; throws when the file does not fit its schema. */
export function compileCatalogue(): string {
  const problems: Problem[] = []
  const source = readFileSync(CATALOGUE_FILE, 'utf8')
  const file = parseCatalogue(source, CATALOGUE_FILE, problems)
  if (file === undefined) throw new Error(problems.map(formatProblem).join('\n'))
  return JSON.stringify(file)
}
