/** Long JSON that is shortened as it comes, and JSON that is measured, at their bounds. */
import assert from 'node:assert/strict'
import { measureJson } from '../../src/json/json-bounds.js'
import { JSON_LIMITS } from '../../src/json/json-scanner.js'
import type { JsonLimits } from '../../src/json/json-scanner.js'
import { JsonSkimmer, SKIM_LIMITS } from '../../src/json/json-skim.js'
import type { SkimLimits } from '../../src/json/json-skim.js'
import { boundTable } from '../support/bound-table.js'
import type { BoundRow } from '../support/bound-table.js'

const repeated = (text: string, count: number): string =>
  Array<string>(count).fill(text).join(',')

function skim(limits: Partial<SkimLimits>): BoundRow['read'] {
  return (pieces) => {
    const skimmer = new JsonSkimmer({ ...SKIM_LIMITS, ...limits })
    for (const piece of pieces) skimmer.push(piece)
    return [skimmer.end()?.toString(), skimmer.elided]
  }
}

const skimmed = (
  bound: string,
  limits: Partial<SkimLimits>,
  text: (over: number) => string,
  above: string | undefined,
): BoundRow => ({
  bound,
  bytes: (over) => Buffer.from(text(over)),
  read: skim(limits),
  gives: [
    [text(-1), false],
    [text(0), false],
    [above, above !== undefined],
  ],
})

const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

boundTable({
  'JSON that is shortened': [
    skimmed(
      'maxStringBytes',
      { maxStringBytes: 8 },
      (over) => `{"a":"${'x'.repeat(8 + over)}","b":1}`,
      '{"a":"xxxxxxxx","b":1}',
    ),
    skimmed(
      'maxStringBytes of characters of several bytes',
      { maxStringBytes: 8 },
      (over) => `["€${'x'.repeat(5 + over)}","é"]`,
      '["€xxxxx","é"]',
    ),
    skimmed(
      'maxNumbers',
      { maxNumbers: 4 },
      (over) => `[[${repeated('-1.5e3', 4 + over)}],7]`,
      '[[-1.5e3,-1.5e3,-1.5e3,-1.5e3],7]',
    ),
    skimmed(
      'maxValues behind commas',
      { maxValues: 5 },
      (over) => `[${repeated('null', 6 + over)}]`,
      undefined,
    ),
    skimmed(
      'maxOutputBytes',
      { maxOutputBytes: 40 },
      (over) => `{"a":"${'x'.repeat(18 + over)}","b":[true,{}]}`,
      undefined,
    ),
    skimmed('a depth of 64', {}, (over) => deep(64 + over), undefined),
    {
      bound: 'blanks around what is kept behind a comma out of the account',
      bytes: (over) => Buffer.from(`[null ,${' '.repeat(3 + over)}"a" , 3 ,\n{"b" : 1}]`),
      read: skim({ maxNumbers: 1 }),
      gives: Array(3).fill([
        '[null ,"a" ,{"b" : 1}]',
        true,
      ]) as unknown as BoundRow['gives'],
    },
  ],
})

interface MeasureRow {
  readonly bound: string
  readonly limits: Partial<JsonLimits>
  readonly text: (over: number) => string
  /** Above the bound. */
  readonly kind: string
}

const MEASURED: readonly MeasureRow[] = [
  {
    bound: 'maxDepth',
    limits: { maxDepth: 5 },
    text: (over) => deep(5 + over),
    kind: 'too-deep',
  },
  {
    bound: 'maxValues',
    limits: { maxValues: 6 },
    text: (over) => `[${repeated('"a"', 5 + over)}]`,
    kind: 'too-many',
  },
  {
    bound: 'maxValues of numbers',
    limits: { maxValues: 6 },
    text: (over) => `[ ${repeated(' 1', 5 + over)} ]`,
    kind: 'too-many',
  },
  {
    bound: 'maxKeys',
    limits: { maxKeys: 3 },
    text: (over) =>
      `{${Array.from({ length: 3 + over }, (_, i) => `"k${i}":{}`).join(',')}}`,
    kind: 'too-many',
  },
  {
    bound: 'maxBytes',
    limits: { maxBytes: 20 },
    text: (over) => `{"a":"${'x'.repeat(12 + over)}"}`,
    kind: 'too-large',
  },
]

describe('the bounds of JSON that is measured', () => {
  for (const { bound, limits, text, kind } of MEASURED)
    for (const [over, expected] of [
      [-1, 'ok'],
      [0, 'ok'],
      [1, kind],
    ] as const)
      it(`YORI keeps ${bound}: ${expected} with ${over}, and a beginning says no more`, () => {
        const all = { ...JSON_LIMITS, ...limits }
        const bytes = Buffer.from(text(over))
        const whole = measureJson(bytes, all)
        assert.equal(whole.kind, expected)
        for (let size = 0; size < bytes.length; size++) {
          const begun = measureJson(bytes.subarray(0, size), all)
          if (begun.kind !== 'truncated') assert.deepEqual(begun, whole, `${size} bytes`)
        }
      })
})
