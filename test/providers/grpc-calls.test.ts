/** Known calls of gRPC as the requests and answers of their providers; bytes by protobufjs. */
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { atOnce } from '../../src/core/resting.js'
import { frameOf } from '../../src/http/grpc-frames.js'
import { recognise } from '../../src/providers/index.js'
import type { Recognised } from '../../src/providers/index.js'
import { NamedInBody } from '../../src/providers/named-in-body.js'
import type { ResponseFacts } from '../../src/providers/provider.js'
import { encoded, GEMINI_SERVICE, VERTEX_SERVICE } from '../support/llm-protos.js'
import { everySplit } from '../support/splits.js'

const LIMITS = { maxDepth: 64, maxFields: 1000 }

function known(path: string, host = 'generativelanguage.googleapis.com'): Recognised {
  const found = recognise({ host, method: 'POST', path, contentType: 'application/grpc' })
  assert.ok(found?.call !== undefined)
  return found
}

function asked(path: string, ...messages: readonly Buffer[]) {
  const { call, api, provider } = known(path)
  assert.ok(call !== undefined)
  const values = messages.map((bytes) => {
    const read = atOnce(call.message(bytes, LIMITS))
    assert.equal(read.kind, 'whole')
    return read.kind === 'whole' ? read.value : {}
  })
  const body = call.body(values)
  return { body, facts: provider.readRequest(body, { api, path }) }
}

function answered(
  path: string,
  pieces: readonly Uint8Array[],
  header: (name: string) => string | undefined = () => undefined,
): ResponseFacts {
  const { api, provider } = known(path)
  const contentType = 'application/grpc'
  const reader = provider.reader({ api, path, status: 200, contentType, header })
  for (const piece of pieces) reader.push(piece)
  return reader.end()
}

const request = {
  model: 'models/gemini-2.5-flash',
  systemInstruction: { parts: [{ text: 'be brief' }] },
  contents: [
    { role: 'user', parts: [{ text: 'hello' }, { text: 'there' }] },
    {
      role: 'model',
      parts: [
        {
          functionCall: {
            name: 'look',
            args: { fields: { at: { stringValue: 'home' }, n: { numberValue: 3 } } },
          },
        },
      ],
    },
  ],
  tools: [{ functionDeclarations: [{ name: 'look', description: 'Looks.' }] }],
  generationConfig: { maxOutputTokens: 99, candidateCount: 2 },
}

const answer = encoded('gemini.Answer', {
  candidates: [{ content: { role: 'model', parts: [{ text: 'hi' }] }, finishReason: 1 }],
  usageMetadata: {
    promptTokenCount: 7,
    candidatesTokenCount: 2,
    totalTokenCount: 14,
    thoughtsTokenCount: 5,
  },
  modelVersion: 'gemini-2.5-flash-001',
  responseId: 'r1',
})

/** Tools of the provider's own, by their numbers in @google-ai/generativelanguage 3.7.1 and @google-cloud/aiplatform 6.11.0. */
const OWN_TOOLS: readonly (readonly [string, number, number, string])[] = [
  [GEMINI_SERVICE, 5, 3, 'codeExecution'],
  [GEMINI_SERVICE, 5, 4, 'googleSearch'],
  [GEMINI_SERVICE, 5, 6, 'computerUse'],
  [GEMINI_SERVICE, 5, 8, 'urlContext'],
  [GEMINI_SERVICE, 5, 9, 'fileSearch'],
  [GEMINI_SERVICE, 5, 11, 'googleMaps'],
  [VERTEX_SERVICE, 6, 4, 'codeExecution'],
  [VERTEX_SERVICE, 6, 5, 'googleMaps'],
  [VERTEX_SERVICE, 6, 6, 'enterpriseWebSearch'],
  [VERTEX_SERVICE, 6, 7, 'googleSearch'],
  [VERTEX_SERVICE, 6, 10, 'urlContext'],
  [VERTEX_SERVICE, 6, 11, 'computerUse'],
  [VERTEX_SERVICE, 6, 13, 'parallelAiSearch'],
]

describe('calls of gRPC that are known', () => {
  for (const [service, list, tool, name] of OWN_TOOLS)
    it(`offer ${name} to ${service}`, () => {
      // Both of wire type 2; the tool is an empty message (Protocol Buffers, encoding).
      const bytes = Buffer.of((list << 3) | 2, 2, (tool << 3) | 2, 0)
      const { body } = asked(`${service}/GenerateContent`, bytes)
      const named = new NamedInBody()
      atOnce(named.add(body))
      assert.deepEqual([...named.tools], [name])
    })

  it('to Gemini ask as the same over REST', () => {
    const path = `${GEMINI_SERVICE}/GenerateContent`
    assert.equal(known(path).api, 'generate')
    const { body, facts } = asked(path, encoded('gemini.Request', request))
    assert.equal(facts.model, 'gemini-2.5-flash')
    assert.equal(facts.stream, false)
    assert.equal(facts.system, 'be brief')
    assert.deepEqual(facts.messages, [
      { role: 'user', text: 'hello\nthere' },
      { role: 'assistant', text: '{"at":"home","n":3}' },
    ])
    assert.deepEqual(facts.toolsOffered, ['look'])
    assert.equal(facts.maxTokens, 99)
    assert.equal(facts.choices, 2)
    assert.deepEqual((body.contents as unknown[])[0], request.contents[0])
  })

  it('keep what their description does not have', () => {
    const bytes = encoded('gemini.Request', { ...request, novelty: 'a new field' })
    const { body } = asked(`${GEMINI_SERVICE}/GenerateContent`, bytes)
    assert.deepEqual(body.unknown_fields, ['a new field'])
  })

  it('keep a text that a second one takes the place of', () => {
    const bytes = Buffer.concat([
      encoded('gemini.Request', { model: 'the first' }),
      encoded('gemini.Request', { model: 'the second' }),
    ])
    const { body } = asked(`${GEMINI_SERVICE}/GenerateContent`, bytes)
    assert.equal(body.model, 'the second')
    assert.deepEqual(body.unknown_fields, ['the first'])
  })

  it('to Gemini answer with its words and what they cost, at every cut', () => {
    const path = `${GEMINI_SERVICE}/StreamGenerateContent`
    for (const pieces of everySplit(frameOf(answer))) {
      const facts = answered(path, pieces)
      assert.equal(facts.text, 'hi')
      assert.equal(facts.model, 'gemini-2.5-flash-001')
      assert.equal(facts.responseId, 'r1')
      assert.equal(facts.finishReason, 'STOP')
      assert.equal(facts.usage.inputTokens, 7)
      assert.equal(facts.usage.outputTokens, 7)
      assert.equal(facts.usage.reasoningTokens, 5)
    }
  })

  it('may answer in compressed messages', () => {
    const coded = frameOf(gzipSync(answer))
    coded[0] = 1
    const path = `${GEMINI_SERVICE}/GenerateContent`
    const facts = answered(path, [coded], (name) =>
      name === 'grpc-encoding' ? 'gzip' : undefined,
    )
    assert.equal(facts.text, 'hi')
    const other = answered(path, [coded], () => 'snappy')
    assert.equal(other.unread, 1)
  })

  it('to Vertex have numbers of their own, and the model in its place', () => {
    const bytes = encoded('vertex.Request', {
      model: 'projects/p/locations/l/publishers/google/models/gemini-2.5-pro',
      contents: [{ role: 'user', parts: [{ text: 'hello' }] }],
    })
    const path = `${VERTEX_SERVICE}/StreamGenerateContent`
    const { facts } = asked(path, bytes)
    assert.equal(facts.model, 'gemini-2.5-pro')
    assert.equal(facts.promptText, 'hello')
    assert.equal(facts.stream, true)
    const said = encoded('vertex.Answer', {
      candidates: [{ content: { parts: [{ text: 'hi' }] }, finishReason: 6 }],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 1 },
    })
    const answer = answered(path, [frameOf(said)])
    assert.equal(answer.finishReason, 'BLOCKLIST')
    assert.equal(answer.usage.inputTokens, 3)
  })

  it('to xAI are chat completions', () => {
    const bytes = encoded('xai.Request', {
      model: 'grok-4',
      maxTokens: 5,
      messages: [
        { role: 3, content: [{ text: 'be brief' }] },
        { role: 1, content: [{ text: 'hello' }] },
        { role: 2, toolCalls: [{ id: 'c', function: { name: 'f', arguments: '{}' } }] },
        { role: 5, content: [{ text: 'the result' }] },
      ],
      tools: [{ function: { name: 'f', description: 'Does.' } }, { webSearch: {} }],
    })
    const path = '/xai_api.Chat/GetCompletionChunk'
    assert.equal(known(path, 'api.x.ai').provider.name, 'xai')
    const { facts } = asked(path, bytes)
    assert.equal(facts.model, 'grok-4')
    assert.equal(facts.stream, true)
    assert.deepEqual(
      facts.messages.map(({ role }) => role),
      ['system', 'user', 'assistant', 'tool'],
    )
    assert.equal(facts.lastUserText, 'hello')
    assert.deepEqual(facts.toolsOffered, ['f', 'web_search'])
    const chunks = ['h', 'i'].map((content, i) =>
      frameOf(
        encoded('xai.Chunk', {
          id: 'x1',
          model: 'grok-4-0709',
          outputs: [{ delta: { content, role: 2 }, finishReason: i * 3 }],
          usage: { completionTokens: i + 1, promptTokens: 9, totalTokens: i + 10 },
        }),
      ),
    )
    const said = answered(path, chunks)
    assert.equal(said.text, 'hi')
    assert.equal(said.model, 'grok-4-0709')
    assert.equal(said.finishReason, 'REASON_STOP')
    assert.deepEqual([said.usage.inputTokens, said.usage.outputTokens], [9, 2])
  })

  it('to a live conversation are one request of many messages', () => {
    const { facts } = asked(
      `${GEMINI_SERVICE}/BidiGenerateContent`,
      encoded('gemini.Client', { setup: { model: 'models/gemini-live' } }),
      encoded('gemini.Client', {
        clientContent: { turns: [{ role: 'user', parts: [{ text: 'one' }] }] },
      }),
      encoded('gemini.Client', { realtimeInput: { text: 'two' } }),
    )
    assert.equal(facts.model, 'gemini-live')
    assert.equal(facts.promptText, 'one\ntwo')
  })

  it('are refused where a message is nested too deep, or has too many fields', () => {
    const { call } = known(`${GEMINI_SERVICE}/GenerateContent`)
    const bytes = encoded('gemini.Request', request)
    const kind = (limits: Partial<typeof LIMITS>) => {
      const read = call && atOnce(call.message(bytes, { ...LIMITS, ...limits }))
      return read?.kind === 'over-limit' ? read.limit : read?.kind
    }
    // Request, content, part, call, arguments.
    assert.equal(kind({ maxDepth: 5 }), 'whole')
    assert.equal(kind({ maxDepth: 4 }), 'depth')
    let least = 0
    while (kind({ maxFields: least }) !== 'whole') least++
    assert.equal(kind({ maxFields: least - 1 }), 'values')
    assert.equal(kind({ maxFields: least + 1 }), 'whole')
  })
})
