import assert from 'node:assert/strict'
import { regoCases } from '../../../tools/cases/rego.js'
import type { Outcome } from '../../../tools/cases/kind.js'

async function outcomeOf(graph: unknown, paths: unknown): Promise<Outcome> {
  await using runner = await regoCases.open()
  return runner.run({
    note: 'reachable_paths/here',
    query: 'data.test.p = x',
    modules: ['package test\n\np := graph.reachable_paths(input.graph, ["start"])'],
    input: { graph },
    want_result: [{ x: paths }],
  })
}

describe('The cases of Rego', () => {
  // The graph of OPA's issue 5871: what 1.16 answers, what came before, and neither.
  const graph = { start: ['4'], '1': [], '2': ['1'], '3': ['2'], '4': ['3', '2'] }
  const long = ['start', '4', '3', '2', '1']
  const short = ['start', '4', '2', '1']

  it('take the answer of today as right', async () => {
    assert.equal((await outcomeOf(graph, [short, long])).kind, 'right')
  })

  it('skip a row that expects what OPA has mended', async () => {
    const outcome = await outcomeOf(graph, [['start', '4'], long])
    assert.deepEqual(outcome, {
      kind: 'skipped',
      why: 'expects a bug that OPA has mended',
    })
  })

  // OPA's issue 6128: two paths run together.
  it('know that bug in all its forms', async () => {
    const outcome = await outcomeOf(
      { start: ['b'], b: ['c', 'd', 'e'], c: ['e', 'd'], d: ['f'], e: ['f'], f: [] },
      [
        ['start', 'b'],
        ['start', 'b', 'c', 'd', 'f'],
        ['start', 'b', 'c', 'e', 'f'],
        ['start', 'b', 'start', 'b'],
      ],
    )
    assert.equal(outcome.kind, 'skipped')
  })

  it('find any other answer wrong', async () => {
    assert.equal((await outcomeOf(graph, [long])).kind, 'wrong')
  })
})
