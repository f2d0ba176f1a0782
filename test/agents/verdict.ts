/** What each program's four runs come to, check by check. Pure. */
import type { Ran } from '../support/programs.js'
import type { Row } from '../support/yori.js'
import { ANSWER, INPUT_TOKENS, OUTPUT_TOKENS } from './dialects.js'
import type { Agent, Check } from './programs.js'

/** What our answer to the bad prompt says, in whatever shape. */
export const SENTENCE = 'the prompt holds a card number'

export interface Outcome {
  /** Without YORI. */
  readonly direct: Ran
  readonly observed: Ran
  readonly enforced: Ran
  readonly blocked: Ran
  readonly rows: Readonly<Record<'observed' | 'enforced' | 'blocked', readonly Row[]>>
}

export type Verdict = Readonly<Record<Check, boolean>> & { readonly ran: boolean }

export function verdictOf(agent: Agent, outcome: Outcome): Verdict {
  const { direct, observed, enforced, blocked, rows } = outcome
  const said = direct.stdout.toString()
  const isBlock = (row: Row): boolean => row['event_type'] === 'block'
  const harmless = [...rows.observed, ...rows.enforced]
  const told = `${blocked.stdout.toString()}${blocked.stderr}`
  return {
    ran: direct.status === 0,
    answer: [observed, enforced].every(
      ({ status, stdout }) => status === 0 && stdout.toString() === said,
    ),
    harmless: !harmless.some(isBlock),
    row: [rows.observed, rows.enforced].every((list) =>
      agent.model === undefined
        ? list.length > 0
        : list.some((row) => isWhole(row, agent.model)),
    ),
    blocked: rows.blocked.filter(isBlock).length === 1 && !told.includes(ANSWER),
    sentence: told.replace(/\s+/g, ' ').includes(SENTENCE),
  }
}

function isWhole(row: Row, model: string | undefined): boolean {
  return (
    row['model'] === model &&
    row['prompt_tokens'] === INPUT_TOKENS &&
    row['response_tokens'] === OUTPUT_TOKENS &&
    row['tokens_estimated'] === 0
  )
}

/** The end of what a program said when it would not run, in one line. */
export function seenOf({ stdout, stderr, status }: Ran): string {
  const text = `${stdout.toString()} ${stderr}`.replace(/\s+/g, ' ').trim()
  return `exit ${status}: ${text.slice(-160)}`
}
