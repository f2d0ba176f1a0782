import assert from 'node:assert/strict'
import { regoCases } from '../../tools/cases/rego.js'
import { runFiles } from '../../tools/cases/run.js'
import { recordedCases } from '../support/needs.js'

/** Rows that call built-ins that are not supported do not load; 97 of 100 must. */
const MAX_NOT_LOADED = 0.03

describe('Rego on recorded conformance cases', () => {
  it('is right on every core row that loads', async function () {
    const file = recordedCases(this, 'rego', 'opa-cases.jsonl')
    const said: string[] = []
    await runFiles(regoCases, [file], (line) => void said.push(line))
    const core = said
      .filter((line) => line.startsWith('core '))
      .map((line) => line.trim().split(/\s+/).slice(-3).map(Number))
    const right = core.reduce((sum, [count = 0]) => sum + count, 0)
    const wrong = core.reduce((sum, [, count = 0]) => sum + count, 0)
    assert.ok(right > 0)
    assert.ok(wrong / (right + wrong) <= MAX_NOT_LOADED, said.join('\n'))
    const results = said.filter((line) => /^ {2}(?:result|error|no error)$/.test(line))
    assert.deepEqual(results, [])
  })
})
