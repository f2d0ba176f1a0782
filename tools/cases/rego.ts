/**
 * Rego conformance cases: modules, data, input and a query with the bindings that it must
 * give, or the error that it must end in. A row with an error is right when phase and code
 * agree; a good row that does not load is wrong as `not loaded`. `core` rows are the ones
 * without network, cryptography and rare built-ins. A row that was recorded while OPA had a bug
 * which it has mended since is skipped, when its answer is the bug's (`rego-former.ts`).
 */
import {
  compileModules,
  fromJson,
  fromJsonText,
  keyOf,
  toJson,
  yamlBuiltins,
} from '@yori/rego'
import { formerBuiltins } from './rego-former.js'
import { parseTerm } from './rego-term.js'
import { yamlCodec } from './rego-yaml.js'
import type { Builtin, QueryResult, Row as Answer, Value } from '@yori/rego'
import {
  outcomeOf,
  type CaseKind,
  type Difference,
  type Outcome,
  type Row,
} from './kind.js'

export const regoCases: CaseKind = {
  name: 'rego',
  about: 'policies: the bindings of a query, or the error it ends in',
  open: async () => ({
    categoryOf: (row) => `${row['core'] === true ? 'core' : 'more'} ${noteOf(row)}`,
    run: async (row) => runRow(row),
    [Symbol.asyncDispose]: async () => undefined,
  }),
}

/** Far above what any row needs; the rows are not about budgets. */
const LIMITS = { maxSteps: 20_000_000, deadlineMs: Infinity }

function noteOf(row: Row): string {
  return String(row['note']).split('/')[0] ?? ''
}

function runRow(row: Row): Outcome {
  if (row['ignore'] === true) return { kind: 'skipped', why: 'marked as to be ignored' }
  const outcome = outcomeWith(row, [])
  if (outcome.kind !== 'wrong' || !callsFormer(row)) return outcome
  const isFormer = outcomeWith(row, formerBuiltins).kind === 'right'
  return isFormer
    ? { kind: 'skipped', why: 'expects a bug that OPA has mended' }
    : outcome
}

/** Only such rows may be judged again: no other answer differs from what OPA says today. */
function callsFormer(row: Row): boolean {
  const text = JSON.stringify([row['modules'], row['query']])
  return formerBuiltins.some(({ name }) => text.includes(name))
}

function outcomeWith(row: Row, more: readonly Builtin[]): Outcome {
  const texts = Array.isArray(row['modules']) ? (row['modules'] as string[]) : []
  const files = texts.map((text, index) => ({ name: `test-${index}.rego`, text }))
  const compiled = compileModules(files, {
    builtins: [...yamlBuiltins(yamlCodec), ...more],
  })
  if (compiled.kind === 'invalid') return notLoaded(row, compiled.errors[0])
  const input = inputOf(row)
  const data =
    row['data'] === undefined ? undefined : fromJsonText(JSON.stringify(row['data']))
  const options = { ...LIMITS, strict: row['strict_error'] === true }
  const result = compiled.policy.query(String(row['query']), input, data, options)
  if (result.kind === 'invalid') return notLoaded(row, result.errors[0])
  return outcomeOf(differences(row, result))
}

function inputOf(row: Row): Value | undefined {
  if (typeof row['input_term'] === 'string') return parseTerm(row['input_term'])
  return row['input'] === undefined ? undefined : fromJson(row['input'])
}

function notLoaded(
  row: Row,
  error: { code: string; message: string } | undefined,
): Outcome {
  const expected = expectedError(row)
  const got = `${error?.code ?? ''}: ${error?.message ?? ''}`
  if (expected?.phase === 'load' && expected.code === error?.code)
    return { kind: 'right' }
  return outcomeOf([{ what: 'not loaded', expected: expected ?? 'to load', got }])
}

/** The code, also where only a message holds it; what evaluation ends in starts with `eval_`. */
function expectedError(
  row: Row,
): { phase: 'load' | 'evaluation'; code: string } | undefined {
  const message = typeof row['want_error'] === 'string' ? row['want_error'] : ''
  const code =
    typeof row['want_error_code'] === 'string'
      ? row['want_error_code']
      : /\b(?:eval|rego)_[a-z_]+_error\b/.exec(message)?.[0]
  if (code === undefined) return undefined
  return { phase: code.startsWith('eval_') ? 'evaluation' : 'load', code }
}

function differences(row: Row, result: QueryResult): Difference[] {
  const error = expectedError(row)
  if (result.kind === 'error') {
    const got = `${result.code}: ${result.message}`
    if (error?.phase === 'evaluation' && error.code === result.code) return []
    return [{ what: 'error', expected: error ?? row['want_result'], got }]
  }
  const got = result.rows.map(shownBindings)
  if (error !== undefined) return [{ what: 'no error', expected: error, got }]
  if (!Array.isArray(row['want_result'])) return []
  const expected = row['want_result'] as unknown[]
  return sameRows(expected, result.rows, row['sort_bindings'] === true)
    ? []
    : [{ what: 'result', expected, got }]
}

function shownBindings(row: Answer): unknown {
  return Object.fromEntries(
    [...row.bindings].map(([name, value]) => [name, toJson(value)]),
  )
}

/** As multisets of rows: the order of answers means nothing. */
function sameRows(
  expected: readonly unknown[],
  got: readonly Answer[],
  sorted: boolean,
): boolean {
  const keys = (rows: readonly unknown[]): string[] =>
    rows
      .map((row) => String(keyOf(fromJsonText(JSON.stringify(normal(row, sorted))))))
      .sort()
  const mine = keys(got.map(shownBindings))
  const theirs = keys(expected)
  return (
    mine.length === theirs.length && mine.every((key, index) => key === theirs[index])
  )
}

/** With `sort_bindings` an array stands for a set or for values in no order. */
function normal(row: unknown, sorted: boolean): unknown {
  if (!sorted || typeof row !== 'object' || row === null) return row
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      Array.isArray(value)
        ? [...(value as unknown[])].sort((a, b) =>
            JSON.stringify(a) < JSON.stringify(b) ? -1 : 1,
          )
        : (value as unknown),
    ]),
  )
}
