import assert from 'node:assert/strict'
import { SessionReader } from '../../src/providers/live.js'
import { assertFacts } from '../support/exchanges.js'

const frame = (value: object): string => JSON.stringify(value)

describe('a realtime session', () => {
  it("YORI reads OpenAI's turns, both sides, and sums their usage", () => {
    const reader = new SessionReader('openai', 'gpt-realtime')
    reader.fromServer(
      frame({ type: 'session.created', session: { model: 'gpt-realtime-x' } }),
    )
    const settings = {
      instructions: 'Be brief.',
      tools: [{ type: 'function', name: 'f' }],
    }
    assert.equal(
      reader.fromClient(frame({ type: 'session.update', session: settings })),
      'Be brief.',
    )
    const item = {
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: 'Hi' }],
    }
    assert.equal(
      reader.fromClient(frame({ type: 'conversation.item.create', item })),
      'Hi',
    )
    assert.equal(
      reader.fromClient(frame({ type: 'input_audio_buffer.append', audio: 'AAAA' })),
      '',
    )
    const turn = (text: string, tokens: number) =>
      frame({
        type: 'response.done',
        response: {
          id: `resp_${tokens}`,
          status: 'completed',
          output: [
            { type: 'message', content: [{ type: 'output_audio', transcript: text }] },
            { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
          ],
          usage: {
            input_tokens: tokens,
            output_tokens: 1,
            input_token_details: { cached_tokens: 2 },
          },
        },
      })
    reader.fromServer(
      frame({ type: 'response.output_audio_transcript.delta', delta: 'Hel' }),
    )
    const sound = { type: 'response.output_audio.delta', delta: 'A'.repeat(1_500_000) }
    reader.fromServer(frame(sound))
    reader.fromServer(turn('Hello é', 10))
    reader.fromServer(turn('Bye', 20))
    const { request, response, ...counts } = reader.end()
    assert.deepEqual(counts, { turns: 2, clientFrames: 3, serverFrames: 5 })
    assertFacts(request, {
      model: 'gpt-realtime',
      system: 'Be brief.',
      promptText: 'Be brief.\nHi',
      toolsOffered: ['f'],
    })
    assertFacts(response, {
      model: 'gpt-realtime-x',
      responseId: 'resp_20',
      text: 'Hello é\nBye',
      toolCalls: [
        { name: 'f', id: 'c', argumentsText: '{}' },
        { name: 'f', id: 'c', argumentsText: '{}' },
      ],
      finishReason: 'completed',
      complete: true,
      unread: 0,
    })
    assertFacts(response.usage, { inputTokens: 30, outputTokens: 2, cachedTokens: 4 })
  })

  it("YORI reads Gemini's setup, turns and transcripts", () => {
    const reader = new SessionReader('gemini')
    const setup = {
      model: 'models/gemini-live',
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      tools: [{ functionDeclarations: [{ name: 'f' }] }],
    }
    assert.equal(reader.fromClient(frame({ setup })), 'Be brief.')
    const turns = [{ role: 'user', parts: [{ text: 'Hi' }] }]
    assert.equal(reader.fromClient(frame({ client_content: { turns } })), 'Hi')
    reader.fromServer(
      frame({ serverContent: { modelTurn: { parts: [{ text: 'hm', thought: true }] } } }),
    )
    reader.fromServer(
      frame({ serverContent: { outputTranscription: { text: 'Hello ' } } }),
    )
    reader.fromServer(frame({ serverContent: { outputTranscription: { text: 'é' } } }))
    reader.fromServer(
      frame({ toolCall: { functionCalls: [{ id: 'c', name: 'f', args: { a: 1 } }] } }),
    )
    const done = { turnComplete: true }
    const usageMetadata = {
      promptTokenCount: 9,
      responseTokenCount: 4,
      thoughtsTokenCount: 3,
    }
    reader.fromServer(frame({ serverContent: done, usageMetadata }))
    const { request, response, turns: count } = reader.end()
    assert.equal(count, 1)
    assertFacts(request, {
      model: 'gemini-live',
      promptText: 'Be brief.\nHi',
      toolsOffered: ['f'],
    })
    assertFacts(response, {
      model: 'gemini-live',
      text: 'Hello é',
      toolCalls: [{ name: 'f', id: 'c', argumentsText: '{"a":1}' }],
    })
    assertFacts(response.usage, { inputTokens: 9, outputTokens: 7, reasoningTokens: 3 })
  })

  it('YORI says that it cannot read a frame', () => {
    const reader = new SessionReader('openai')
    assert.equal(reader.fromClient('{"type":'), undefined)
    assert.equal(reader.fromClient('[]'), undefined)
    assert.equal(reader.fromClient('['.repeat(100_000)), undefined)
    reader.fromServer('nothing')
    assert.equal(reader.end().response.unread, 4)
  })

  it('YORI reads an error', () => {
    const reader = new SessionReader('openai')
    reader.fromServer(
      frame({ type: 'error', error: { type: 'invalid_request_error', message: 'no' } }),
    )
    assertFacts(reader.end().response, {
      error: { type: 'invalid_request_error', message: 'no' },
    })
  })

  it('counts the frames of which the reference knows nothing', () => {
    const openai = new SessionReader('openai')
    assert.equal(openai.fromClient('{"type":"response.create"}'), '')
    assert.equal(openai.fromClient('{"type":"telepathy.begin"}'), undefined)
    assert.equal(openai.fromClient('{}'), undefined)
    openai.fromServer('{"type":"rate_limits.updated","rate_limits":[]}')
    openai.fromServer('{"type":7}')
    assert.equal(openai.end().response.unread, 3)
    const gemini = new SessionReader('gemini')
    assert.equal(gemini.fromClient('{"realtime_input":{"text":"hi"}}'), 'hi')
    assert.equal(gemini.fromClient('{"telepathy":{}}'), undefined)
    gemini.fromServer('{"goAway":{"timeLeft":"5s"}}')
    gemini.fromServer('{"else":1}')
    assert.equal(gemini.end().response.unread, 2)
  })
})
