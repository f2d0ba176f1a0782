/** `bedrock-agent-runtime`, by the shapes of docs.aws.amazon.com/bedrock/latest/APIReference. */
import assert from 'node:assert/strict'
import { bedrock } from '../../src/providers/bedrock.js'
import { bedrockEvent } from '../support/event-stream.js'

const host = 'bedrock-agent-runtime.us-east-1.amazonaws.com'
const AGENT = '/agents/A1/agentAliases/B2/sessions/C3/text'

describe("Bedrock's agents and knowledge bases", () => {
  for (const [path, api] of [
    [AGENT, 'invoke'],
    ['/agents/inline-session', 'invoke'],
    ['/flows/F1/aliases/T1', 'invoke'],
    ['/retrieveAndGenerate', 'invoke'],
    ['/retrieveAndGenerateStream', 'invoke'],
    ['/rerank', 'rerank'],
    ['/knowledgebases/K1/retrieve', 'other'],
    ['/sessions/', 'other'],
  ] as const)
    it(`are recognised: ${path}`, () => {
      assert.equal(bedrock.recognises({ host, method: 'POST', path }), api)
    })

  it('are asked by inputText, and answer in a stream of chunks', () => {
    const asked = { inputText: 'What is due?', enableTrace: true }
    const facts = bedrock.readRequest(asked, { api: 'invoke', path: AGENT })
    assert.equal(facts.promptText, 'What is due?')
    assert.equal(facts.lastUserText, 'What is due?')
    const reader = bedrock.reader({
      ...{ api: 'invoke', path: AGENT, status: 200 },
      contentType: 'application/vnd.amazon.eventstream',
    })
    const model = { metadata: { usage: { inputTokens: 30, outputTokens: 5 } } }
    const orchestrationTrace = {
      modelInvocationInput: { foundationModel: 'amazon.nova-pro-v1:0' },
      modelInvocationOutput: model,
    }
    reader.push(bedrockEvent('trace', { trace: { orchestrationTrace } }))
    reader.push(bedrockEvent('trace', { trace: { orchestrationTrace } }))
    const bytes = Buffer.from('Two bills.').toString('base64')
    reader.push(bedrockEvent('chunk', { bytes }))
    const said = reader.end()
    assert.equal(said.text, 'Two bills.')
    assert.equal(said.model, 'amazon.nova-pro-v1:0')
    assert.equal(said.usage.inputTokens, 60)
    assert.equal(said.usage.outputTokens, 10)
    assert.equal(said.usage.inputEstimated, false)
    assert.equal(said.usage.outputEstimated, false)
  })

  it('have no usage without traces, which is estimated', () => {
    const reader = bedrock.reader({
      ...{ api: 'invoke', path: AGENT, status: 200, promptChars: 400 },
      contentType: 'application/vnd.amazon.eventstream',
    })
    const bytes = Buffer.from('x'.repeat(40)).toString('base64')
    reader.push(bedrockEvent('chunk', { bytes }))
    const { usage } = reader.end()
    assert.equal(usage.inputTokens, 100)
    assert.equal(usage.outputTokens, 10)
    assert.equal(usage.inputEstimated, true)
    assert.equal(usage.outputEstimated, true)
  })

  it('retrieve and generate', () => {
    const modelArn = 'arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0'
    const knowledgeBaseConfiguration = { knowledgeBaseId: 'K1', modelArn }
    const type = 'KNOWLEDGE_BASE'
    const retrieveAndGenerateConfiguration = { type, knowledgeBaseConfiguration }
    const asked = { input: { text: 'Who pays?' }, retrieveAndGenerateConfiguration }
    const path = '/retrieveAndGenerate'
    const facts = bedrock.readRequest(asked, { api: 'invoke', path })
    assert.equal(facts.model, 'amazon.nova-lite-v1:0')
    assert.equal(facts.promptText, 'Who pays?')
    const contentType = 'application/json'
    const reader = bedrock.reader({ api: 'invoke', path, status: 200, contentType })
    const said = { output: { text: 'You do.' }, citations: [], sessionId: 's' }
    reader.push(Buffer.from(JSON.stringify(said)))
    assert.equal(reader.end().text, 'You do.')
  })

  it('run flows, whose documents are what is said', () => {
    const inputs = [
      { nodeName: 'in', nodeOutputName: 'document', content: { document: 'Hello' } },
      { nodeName: 'in', nodeOutputName: 'document', content: { document: { a: 'b' } } },
    ]
    const path = '/flows/F1/aliases/T1'
    const facts = bedrock.readRequest({ inputs }, { api: 'invoke', path })
    assert.equal(facts.promptText, 'Hello\n{"a":"b"}')
    // By the path, whatever it is announced as.
    const reader = bedrock.reader({ api: 'invoke', path, status: 200 })
    reader.push(bedrockEvent('flowOutputEvent', { content: { document: 'Hi' } }))
    reader.push(bedrockEvent('flowCompletionEvent', { completionReason: 'SUCCESS' }))
    const said = reader.end()
    assert.equal(said.text, 'Hi')
    assert.equal(said.finishReason, 'SUCCESS')
  })
})
