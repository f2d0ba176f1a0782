/** What the checks beyond the schema are given: what was written, and where to say what is wrong. */
import type { Path } from './problem.js'

export interface Judgement {
  /** Was the key given (not a default)? */
  readonly given: (path: Path) => boolean
  /** Does the text itself stand in the file, and not a `${VAR}`? */
  readonly inPlain: (path: Path) => boolean
  readonly report: (path: Path, wrong: string, right: string) => void
  readonly warn: (path: Path, wrong: string, right: string) => void
}
