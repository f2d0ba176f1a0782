/** What the renderers share: the outcome of a text, and comments in it. Pure. */
import type { SteerProblem } from './rules.js'

export type Rendered =
  | { readonly kind: 'ok'; readonly text: string }
  | { readonly kind: 'invalid'; readonly problems: readonly SteerProblem[] }

/** A comment of its own line: the configuration entries behind the lines that follow. */
export function comment(text: string): string {
  // Keys of the configuration are plain, but a comment must never end early.
  return `# ${text.replace(/[^\x20-\x7e]/g, '?').replace(/\\+$/, '')}`
}

export function page(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
