/**
 * What a kind of case is: one file beside this one, and one line in `kinds.ts`. A kind runs
 * rows of its shape through the product's real code and says where they differ.
 */
export type Row = Readonly<Record<string, unknown>>

export interface Difference {
  /** Which value, and how the row was played: `sni, 1 byte at a time`. */
  readonly what: string
  readonly expected: unknown
  readonly got: unknown
}

export type Outcome =
  | { readonly kind: 'right' }
  /** At least one difference. */
  | { readonly kind: 'wrong'; readonly differences: readonly Difference[] }
  | { readonly kind: 'skipped'; readonly why: string }

/** What plays the rows: opened once a run, with whatever servers it needs. */
export interface CaseRunner extends AsyncDisposable {
  /** Groups rows in the table. */
  categoryOf(row: Row): string
  /** A rejection counts as a wrong row: the code under trial must not throw. */
  run(row: Row): Promise<Outcome>
  /** More to say of all rows, at the end. */
  table?(): readonly string[]
}

export interface CaseKind {
  /** The first argument of the command. */
  readonly name: string
  readonly about: string
  /** `files` are those that will be played, for what must be known before the first row. */
  open(files?: readonly string[]): Promise<CaseRunner>
}

export function outcomeOf(differences: readonly Difference[]): Outcome {
  return differences.length === 0 ? { kind: 'right' } : { kind: 'wrong', differences }
}
