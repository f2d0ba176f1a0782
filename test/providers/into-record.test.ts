import assert from 'node:assert/strict'
import { Catalogue } from '../../src/providers/catalogue.js'
import { answeredFields, askedFields } from '../../src/providers/into-record.js'
import { ExchangeLog } from '../../src/proxy/words/exchange-log.js'
import { readAnswer, readRequest, sse } from '../support/exchanges.js'

const url = 'https://api.openai.com/v1/chat/completions'
const model = { id: 'gpt-4o', pricedOn: '2025-01-01', price: { input: 2e6, output: 8e6 } }
const catalogue = new Catalogue([
  {
    name: 'openai',
    speaks: 'openai',
    hosts: [],
    resolve: [],
    ranges: [],
    route: 'intercept',
    shared: 'broad',
    upstream: 'h1',
    pinnedApps: [],
    models: [model],
  },
])

function opened(): ExchangeLog {
  return new ExchangeLog({
    requestId: 'r',
    connectionId: 'c',
    device: { ip: '192.0.2.1' },
    startedAt: 0,
    endpointDomain: 'api.openai.com',
    httpVersion: '1.1',
    method: 'POST',
    path: '/v1/chat/completions',
    provider: 'openai',
  })
}

const ASKED = { provider: 'openai', host: 'api.openai.com', api: 'chat' }
const UNKNOWN = { ...ASKED, model: undefined }

describe('what readers found', () => {
  it('YORI records who answered, what it took and what it cost', () => {
    const log = opened()
    const { record: row } = log
    const messages = [{ role: 'user', content: 'Hello 😀' }]
    const body = { model: 'gpt-4o', stream: true, messages }
    log.asked(askedFields(readRequest({ url, body }).facts, 7))
    assert.equal(row.promptPreview, 'ello 😀')
    assert.equal(row.model, 'gpt-4o')
    assert.equal(row.stream, true)
    const message = {
      tool_calls: [{ index: 0, function: { name: 'f', arguments: '{}' } }],
    }
    const answer = sse(
      { model: 'gpt-4o-2024-08-06', choices: [{ index: 0, delta: message }] },
      { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
      { choices: [], usage: { prompt_tokens: 10, completion_tokens: 5 } },
      '[DONE]',
    )
    const facts = readAnswer({ url, contentType: 'text/event-stream', answer })
    log.answered(answeredFields(facts, catalogue, { ...ASKED, model: 'gpt-4o' }))
    assert.equal(row.model, 'gpt-4o')
    assert.equal(row.inputTokens, 10)
    assert.equal(row.outputTokens, 5)
    assert.equal(row.inputEstimated, false)
    assert.equal(row.outputEstimated, false)
    assert.equal(row.costMicroUsd, 60)
    assert.equal(row.finishReason, 'tool_calls')
    assert.deepEqual(row.toolCalls, ['f'])
    assert.equal(row.truncated, undefined)
  })

  it('YORI records an answer that broke off as such, and no cost that it does not know', () => {
    const log = opened()
    const { record: row } = log
    const answer = sse({
      model: 'other',
      choices: [{ index: 0, delta: { content: 'abcd' } }],
    })
    const contentType = 'text/event-stream'
    const facts = readAnswer({ url, contentType, answer, whole: false, promptChars: 4 })
    log.answered(answeredFields(facts, catalogue, UNKNOWN))
    assert.equal(row.truncated, true)
    assert.equal(row.inputEstimated, true)
    assert.equal(row.outputEstimated, true)
    assert.equal(row.costMicroUsd, undefined)
    assert.equal(row.model, 'other')
  })

  it('YORI records why a provider refused', () => {
    const log = opened()
    const { record: row } = log
    const answer = '{"error":{"message":"no such model"}}'
    const contentType = 'application/json'
    const facts = readAnswer({ url, contentType, status: 404, answer })
    log.answered(answeredFields(facts, catalogue, UNKNOWN))
    assert.equal(row.reason, 'no such model')
  })
})
