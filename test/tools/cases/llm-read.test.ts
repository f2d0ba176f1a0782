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

describe('a file of recorded exchanges', () => {
  const rows = fixtureRows<Row & { request: Row; provider: string }>(
    'llm',
    'exchanges.jsonl',
  )

  it('is played on behind a name that the CA may not sign', async () => {
    const wide = ['https://googleapis.com/v1/x', 'https://co.uk/v1', 'https://a_b/v1/y']
    const urls = [...wide, 'https://a_b.example.com/v1/chat/completions']
    await using folder = await tempFolder()
    const file = folder.file('names.jsonl')
    const [row] = rows
    assert.ok(row)
    const named = urls.map((url) => ({ ...row, request: { ...row.request, url } }))
    await writeFile(file, [...named, row].map((one) => JSON.stringify(one)).join('\n'))
    const { tally, said } = await play(file)
    assert.equal(tally.right + tally.wrong + tally.skipped, urls.length + 1, said)
    assert.ok(tally.right >= 1, said)
    for (const name of ['googleapis.com', 'co.uk'])
      assert.match(said, new RegExp(`expected "one that the CA may sign"\n.*"${name}: `))
  })

  it('is played by the shape of its answers where it names no URL', async () => {
    await using folder = await tempFolder()
    const file = folder.file('bare.jsonl')
    const events = [
      '{"type":"message_start","message":{"id":"m","model":"claude-x","content":[]}}',
      '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}',
      '{"type":"message_stop"}',
    ]
    const chunk = (more: object): string =>
      JSON.stringify({ object: 'chat.completion.chunk', model: 'm', ...more })
    const chat = [
      chunk({ choices: [{ index: 0, delta: { content: 'x' } }] }),
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
      '[DONE]',
    ]
    const lines = [
      { id: 'a', provider: 'somebody', events },
      { id: 'b', events: chat },
      { id: 'c', provider: 'somebody', events: ['{"x":1}'] },
    ]
    await writeFile(file, lines.map((line) => JSON.stringify(line)).join('\n'))
    const { tally, said } = await play(file)
    assert.deepEqual(tally, { right: 2, wrong: 0, skipped: 1 }, said)
    assert.match(said, /skipped 1: no URL, and nobody knows the shape of somebody/)
  })

  it('is played where a whole exchange has lost its URL', async () => {
    await using folder = await tempFolder()
    const file = folder.file('lost.jsonl')
    const row = rows.find(({ request }) => String(request['url']).includes('chat/compl'))
    assert.ok(row)
    const { url: _url, ...request } = row.request
    await writeFile(file, `${JSON.stringify({ ...row, request })}\n`)
    const { tally, said } = await play(file)
    assert.deepEqual(tally, { right: 1, wrong: 0, skipped: 0 }, said)
  })
})
