import assert from 'node:assert/strict'
import { latencies, medians, quantile } from '../../../tools/bench/bench.js'
import type { Figures } from '../../../tools/bench/bench.js'
import { rate } from '../../../tools/bench/benches/rate.js'
import { budgets, tableOf } from '../../../tools/bench/table.js'

const results = (yori: Figures): Map<string, Map<string, Figures>> =>
  new Map([
    [
      'rate',
      new Map([
        ['direct', { p50: 1, p95: 2 }],
        ['yori', yori],
      ]),
    ],
  ])

describe('tools/bench', () => {
  it('takes the value at a share of a sorted list', () => {
    const list = Array.from({ length: 100 }, (_, i) => i)
    assert.equal(quantile(list, 0.5), 50)
    assert.equal(quantile(list, 0.95), 95)
    assert.equal(quantile([7], 0.99), 7)
    assert.equal(quantile([], 0.5), undefined)
    const { p50, p95, errors } = latencies({
      count: 100,
      errors: 2,
      seconds: 1,
      latenciesMs: list,
    })
    assert.deepEqual({ p50, p95, errors }, { p50: 50, p95: 95, errors: 2 })
  })

  it('takes the middle of several rounds, key by key', () => {
    const rounds = [{ a: 3, b: 1 }, { a: 1 }, { a: 2, b: 5, c: undefined }]
    assert.deepEqual(medians(rounds), { a: 2, b: 5, c: undefined })
  })

  it('sets what a proxy adds beside what it takes', () => {
    const figures = results({ p50: 1.5, p95: 4.25, errors: 0 }).get('rate')
    const row = tableOf(rate, figures ?? new Map())
      .split('\n')
      .find((line) => line.includes('yori'))
    assert.equal(row, '| yori | 1.50 | 0.50 | 4.25 | 2.25 | - | - | 0 |')
  })

  it('passes a budget that is kept and names one that is missed', () => {
    assert.match(budgets(results({ p95: 11.9 })), /^pass {2}added latency .*: 9\.90 ms$/)
    assert.match(budgets(results({ p95: 12 })), /^MISS {2}added latency .*: 10\.00 ms$/)
    assert.equal(budgets(new Map()), '')
  })

  it('holds memory to megabytes, and the rate to no errors', () => {
    const memory = (figures: Figures): string =>
      budgets(new Map([['memory', new Map([['yori', figures]])]]))
    assert.match(memory({ perSecond: 100, errors: 0, loaded: 95 }), /^pass.*\npass/)
    assert.match(memory({ perSecond: 100, errors: 1, loaded: 95.4 }), /^MISS.*\nMISS/)
  })
})
