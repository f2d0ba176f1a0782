// Called by after-tsc: the detection rules as JSON, judged here once.
import { readFileSync } from 'node:fs'
import { DETECT_FILES, parseRules } from '../../config/read-detect.js'
import { formatProblem } from '../../config/problem.js'
import type { Problem } from '../../config/problem.js'

/** The text of `dist/config/detect.json`; throws when a file does not fit its schema. */
export function compileDetect(): string {
  const problems: Problem[] = []
  const rules = DETECT_FILES.flatMap((file) =>
    parseRules(readFileSync(file, 'utf8'), file, problems),
  )
  if (problems.length > 0) throw new Error(problems.map(formatProblem).join('\n'))
  return JSON.stringify(rules)
}
