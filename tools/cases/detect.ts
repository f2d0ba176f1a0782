/**
 * What detectors find in texts whose writers say what is in them: personal data by entity,
 * secrets, orders to a model. A row is right when it is found where one is, and not where none
 * is; the table at the end has recall and false findings of each class.
 */
import { loadRules } from '../../config/read-detect.js'
import { inSlices } from '../../src/core/resting.js'
import type { Detector } from '../../src/detect/detector.js'
import { lookedAt } from '../../src/detect/look.js'
import { ENTITY_OF } from '../../src/detect/personal-kinds.js'
import type { DetectClass, Finding } from '../../src/detect/rule.js'
import type { CaseKind, Outcome, Row } from './kind.js'

interface Asked {
  readonly category: string
  readonly said: 'person' | 'tool'
  /** At least so many; 0: none. */
  readonly expected: number
  readonly counts: (finding: Finding) => boolean
}

type Ask = (row: Row, claimed: ReadonlySet<string>) => Asked | string

function kindOf(name: string, about: string, ask: Ask): CaseKind {
  return {
    name,
    about,
    open: () => {
      const loaded = loadRules()
      if (loaded.kind === 'invalid') throw new Error('the catalogue does not hold')
      const { detector, rules } = loaded
      const claimed = new Set([
        ...rules.map(({ kind }) => kind),
        ...Object.values(ENTITY_OF).map(([kind]) => kind),
      ])
      const table = new RecallTable()
      return Promise.resolve({
        categoryOf: (row) => {
          const asked = ask(row, claimed)
          return typeof asked === 'string' ? 'not asked' : asked.category
        },
        run: (row) => ran(row, ask(row, claimed), detector, table),
        table: () => table.lines(),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      })
    },
  }
}

async function ran(
  row: Row,
  asked: Asked | string,
  detector: Detector,
  table: RecallTable,
): Promise<Outcome> {
  if (typeof asked === 'string') return { kind: 'skipped', why: asked }
  const { category, said, expected, counts } = asked
  const text = String(row['text'])
  const found = (await inSlices(lookedAt(text, detector, { said }))) ?? []
  const got = found.filter(counts)
  table.add(category, expected, got.length)
  const isRight = expected === 0 ? got.length === 0 : got.length >= expected
  if (isRight) return { kind: 'right' }
  const shown = found.map(({ kind, rule, confidence }) => ({ kind, rule, confidence }))
  return { kind: 'wrong', differences: [{ what: category, expected, got: shown }] }
}

interface Counts {
  wanted: number
  found: number
  none: number
  false: number
}

class RecallTable {
  readonly #counts = new Map<string, Counts>()

  add(category: string, expected: number, got: number): void {
    for (const name of [category, 'all']) {
      const counts = this.#counts.get(name) ?? { wanted: 0, found: 0, none: 0, false: 0 }
      this.#counts.set(name, counts)
      if (expected > 0) {
        counts.wanted++
        if (got >= expected) counts.found++
      } else {
        counts.none++
        if (got > 0) counts.false++
      }
    }
  }

  lines(): string[] {
    const head = [
      '| class | rows with | recall | rows without | false |',
      '| --- | --: | --: | --: | --: |',
    ]
    const rows = [...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1))
    return [
      ...head,
      ...rows.map(([name, { wanted, found, none, false: wrong }]) => {
        const cells = [name, wanted, share(found, wanted), none, share(wrong, none)]
        return `| ${cells.join(' | ')} |`
      }),
    ]
  }
}

function share(part: number, whole: number): string {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`
}

const isOf = (of: DetectClass) => (finding: Finding) => finding.class === of

export const piiCases = kindOf('pii', 'personal data by entity', (row, claimed) => {
  const { entities, expected_matches: expected } = row
  if (!Array.isArray(entities) || entities.length !== 1) return 'no entity of its own'
  if (typeof expected !== 'number') return 'how many is not said'
  const entity = String(entities[0])
  if (!claimed.has(entity)) return 'an entity that is not claimed'
  const counts = (finding: Finding): boolean => finding.kind === entity
  return { category: entity, said: 'person', expected, counts }
})

export const secretCases = kindOf('secrets', 'keys, tokens, passwords', (row) => {
  const { expected_secret: expected } = row
  if (typeof expected !== 'boolean') return 'whether it is one is not said'
  return {
    ...{ category: String(row['rule']), said: 'person', expected: expected ? 1 : 0 },
    counts: isOf('secret'),
  }
})

/** `indirect-injection`: what a tool gave. */
export const injectionCases = kindOf('injection', 'orders to a model', (row) => {
  const label = String(row['label'])
  const said =
    row['said'] === 'tool' || label === 'indirect-injection' ? 'tool' : 'person'
  const way = typeof row['kind'] === 'string' && label === 'injection' ? row['kind'] : ''
  const expected = label.includes('injection') ? 1 : 0
  return { category: `${label} ${way}`.trim(), said, expected, counts: isOf('injection') }
})
