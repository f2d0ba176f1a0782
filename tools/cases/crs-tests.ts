// Usage: node dist/tools/cases/crs-tests.js FOLDER > rows.jsonl
// The regression tests that a Core Rule Set brings (`tests/regression/tests`, YAML in either form of
// their runner), as rows for `npm run cases -- waf rows.jsonl`: a set is held to its own tests. What
// has no answer to look for, or is told as raw bytes, is left out, and counted on standard error.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { isProgram } from '../check/finding.js'

type Read = Readonly<Record<string, unknown>>

export interface CrsRow {
  readonly rule_id: number
  readonly test_id: string
  readonly stages: readonly unknown[]
}

const RULE = /\bid:?\s*"?(\d{6})|^"?(\d{6})"?$/g

/** Rules that a line of a log is looked through for: `id "942100"`. */
function rulesIn(said: unknown): number[] {
  if (typeof said !== 'string') return []
  return [...said.matchAll(RULE)].map(([, named, alone]) => Number(named ?? alone))
}

function listOf(value: unknown): readonly Read[] {
  return Array.isArray(value) ? (value as Read[]) : []
}

/** Both forms: rules stand in `log`, or in lines that the log contains or not. */
function expectedOf(output: Read): { expect_ids: number[]; no_expect_ids: number[] } {
  const log = (output['log'] ?? {}) as Read
  const ids = (value: unknown): number[] =>
    (Array.isArray(value) ? value : []).map(Number)
  return {
    expect_ids: [...ids(log['expect_ids']), ...rulesIn(output['log_contains'])],
    no_expect_ids: [...ids(log['no_expect_ids']), ...rulesIn(output['no_log_contains'])],
  }
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** The runner's `stop_magic`: what is sent is what stands there, and no more. */
function inputOf({ stop_magic: isPlain, data, ...input }: Read): Read {
  const lines = Array.isArray(data) ? data : [data]
  const text = lines.map(wordsOf).join('\r\n')
  return {
    ...input,
    ...(text === '' ? {} : { data: text }),
    ...(isPlain === true ? { autocomplete_headers: false } : {}),
  }
}

/** One request each; `undefined`: it tells of no rule, or in another form. */
function rowOf(rule: number, test: Read, at: number): CrsRow | undefined {
  const stages = listOf(test['stages'])
  const given = (stages[0]?.['stage'] ?? stages[0]) as Read | undefined
  const input = given?.['input'] as Read | undefined
  if (stages.length !== 1 || input === undefined) return undefined
  if (input['raw_request'] !== undefined || input['encoded_request'] !== undefined)
    return undefined
  const log = expectedOf((given?.['output'] ?? {}) as Read)
  if (log.expect_ids.length + log.no_expect_ids.length === 0) return undefined
  return {
    rule_id: rule,
    test_id: wordsOf(test['test_title'] ?? test['test_id'] ?? at + 1),
    stages: [{ input: inputOf(input), output: { log } }],
  }
}

export interface CrsTests {
  readonly rows: readonly CrsRow[]
  readonly leftOut: number
}

/** Of one file, `942100.yaml`. Throws where it is no YAML. */
export function rowsOf(text: string, name: string): CrsTests {
  const read = parse(text) as Read
  const rule = Number(read['rule_id'] ?? /(\d{6})/.exec(name)?.[1])
  const tests = listOf(read['tests']).map((one) => (one['test'] ?? one) as Read)
  const rows = tests.map((test, at) => rowOf(rule, test, at))
  const known = rows.filter((row) => row !== undefined)
  return { rows: known, leftOut: rows.length - known.length }
}

async function main(folder: string | undefined): Promise<void> {
  if (folder === undefined) {
    process.stderr.write(
      'Usage: node dist/tools/cases/crs-tests.js FOLDER > rows.jsonl\n',
    )
    process.exitCode = 2
    return
  }
  let leftOut = 0
  const files = await readdir(folder, { recursive: true })
  for (const file of files.filter((one) => /\.ya?ml$/.test(one)).toSorted()) {
    const tests = rowsOf(await readFile(join(folder, file), 'utf8'), file)
    leftOut += tests.leftOut
    for (const row of tests.rows) process.stdout.write(`${JSON.stringify(row)}\n`)
  }
  process.stderr.write(`${leftOut} left out\n`)
}

if (isProgram(import.meta.url)) await main(process.argv[2])
