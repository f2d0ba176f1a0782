import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import type { Row } from '../../../tools/cases/kind.js'
import { llmCases } from '../../../tools/cases/llm-read.js'
import { runFiles } from '../../../tools/cases/run.js'
import { countLines, fixtureFile, fixtureRows } from '../../support/fixtures.js'
import { tempFolder } from '../../support/temp-folder.js'
import { recordedCases } from '../../support/needs.js'

async function play(file: string) {
  const said: string[] = []
  const tally = await runFiles(llmCases, [file], (line) => said.push(line))
  return { tally, said: said.join('\n') }
}

describe('exchanges with providers', () => {
  it('are read as their references say', async () => {
    const file = fixtureFile('llm', 'exchanges.jsonl')
    const { tally, said } = await play(file)
    const right = await countLines(file)
    assert.deepEqual(tally, { right, wrong: 0, skipped: 0 }, said)
  })

  for (const name of ['pairs', 'sse-chunks', 'websocket-sessions']) {
    it(`are read right in recorded traffic: ${name}`, async function () {
      const file = recordedCases(this, 'llm', `${name}.jsonl`)
      const { tally, said } = await play(file)
      const right = await countLines(file)
      assert.deepEqual(tally, { right, wrong: 0, skipped: 0 }, said)
    })
  }
})

describe('a recorded exchange whose expectation is wrong', () => {
  const rows = fixtureRows<Row & { expected: Row }>('llm', 'exchanges.jsonl')
  const bent: readonly (readonly [string, unknown])[] = [
    ['request_model', 'other'],
    ['response_model', 'other'],
    ['stream', true],
    ['text', 'other'],
    ['tool_calls', [{ name: 'f', arguments: '{}' }]],
    ['input_tokens', 1],
    ['output_tokens', 1],
    ['finish', 'length'],
    ['error', { message: 'other' }],
    ['sse_events', 1],
  ]
  for (const [key, value] of bent) {
    it(`is called wrong: ${key}`, async () => {
      const [row] = rows
      assert.ok(row)
      await using folder = await tempFolder()
      const file = folder.file('bent.jsonl')
      const changed = { ...row, expected: { ...row.expected, [key]: value } }
      await writeFile(file, `${JSON.stringify(changed)}\n`)
      assert.deepEqual((await play(file)).tally, { right: 0, wrong: 1, skipped: 0 })
    })
  }
})

describe('a recorded exchange over the wire', () => {
  it('is called wrong where the record says something else', async () => {
    const file = fixtureFile('llm', 'exchanges.jsonl')
    const [row] = fixtureRows<Row & { expected: Row }>('llm', 'exchanges.jsonl')
    assert.ok(row)
    await using runner = await llmCases.open([file])
    const expected = { ...row.expected, output_tokens: 987_654 }
    const outcome = await runner.run({ ...row, expected })
    assert.equal(outcome.kind, 'wrong')
    const found = outcome.differences.map(({ what }) => what)
    assert.ok(found.includes('recorded output tokens'), found.join(', '))
  })
})
