import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { packageFile } from '../../src/core/package-root.js'
import { Controlled } from '../support/control.js'
import { scrape } from '../support/prometheus.js'
import type { Scraped } from '../support/prometheus.js'

interface Panel {
  readonly title: string
  readonly gridPos: {
    readonly h: number
    readonly w: number
    readonly x: number
    readonly y: number
  }
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly annotations: Readonly<Record<string, string>>
}

const read = (name: string): string =>
  readFileSync(packageFile('config', 'grafana', name), 'utf8')
const { panels } = JSON.parse(read('yori.json')) as { panels: readonly Panel[] }
const { groups } = parse(read('alerts.yaml')) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap(({ rules: all }) => all)
const expressions = [
  ...panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => [title, expr] as const),
  ),
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
]

describe('the files for Grafana', () => {
  let families: ReadonlyMap<string, Scraped>
  before(async () => {
    await using on = await Controlled.start()
    families = scrape((await on.ask('/metrics')).text)
  })

  it('ask for metrics that are there, by the parts that they have', () => {
    for (const [where, expr] of expressions) {
      const names = expr.match(/yori_[a-z_]+/g) ?? []
      assert.ok(names.length > 0, where)
      for (const name of names) {
        const plain = families.get(name)
        const parts = families.get(name.replace(/_(bucket|sum|count)$/, ''))
        const isThere = plain?.type === 'counter' || plain?.type === 'gauge'
        assert.ok(isThere || parts?.type === 'histogram', `${where}: ${name}`)
      }
    }
  })

  it('take rates of counters alone, and quantiles of buckets', () => {
    for (const [where, expr] of expressions) {
      for (const [, name = ''] of expr.matchAll(/(?:rate|increase)\((yori_[a-z_]+)/g)) {
        const type =
          families.get(name)?.type ?? (name.endsWith('_bucket') ? 'counter' : '')
        assert.equal(type, 'counter', `${where}: ${name}`)
      }
      if (expr.includes('histogram_quantile')) assert.match(expr, /_bucket\b.*\[/, where)
      const open = [...expr].filter((letter) => letter === '(').length
      const shut = [...expr].filter((letter) => letter === ')').length
      assert.equal(open, shut, where)
    }
  })

  it('name labels that the metrics have', () => {
    const labelsOf = (name: string): Set<string> => {
      const samples = families.get(name)?.samples ?? []
      return new Set(samples.flatMap(({ labels }) => Object.keys(labels)))
    }
    for (const { title, targets } of panels)
      for (const { legendFormat, expr } of targets) {
        const [name = ''] = expr.match(/yori_[a-z_]+/) ?? []
        const known = labelsOf(name)
        if (known.size === 0) continue // nothing has passed yet
        for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          assert.ok(known.has(label), `${title}: ${label}`)
      }
  })

  it('cover no panel with another, and tell people what to do', () => {
    const cells = new Set<string>()
    for (const { title, gridPos } of panels)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(x < 24 && !cells.has(`${x} ${y}`), title)
          cells.add(`${x} ${y}`)
        }
    for (const { alert, annotations } of rules)
      for (const word of ['summary', 'description'])
        assert.ok((annotations[word] ?? '').length > 10, `${alert}: ${word}`)
  })
})
