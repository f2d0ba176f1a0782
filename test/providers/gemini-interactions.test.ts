import { assertFacts, readAnswer, readRequest, sse } from '../support/exchanges.js'

const url = 'https://generativelanguage.googleapis.com/v1beta/interactions'

describe('gemini interactions', () => {
  it('YORI reads an interaction that follows another', () => {
    const { facts } = readRequest({
      url,
      body: {
        model: 'gemini-2.5-flash',
        previous_interaction_id: 'i0',
        system_instruction: 'Be brief.',
        input: 'Hello',
        tools: [{ type: 'function', name: 'f' }],
      },
    })
    assertFacts(facts, {
      api: 'interactions',
      model: 'gemini-2.5-flash',
      previousResponseId: 'i0',
      promptText: 'Be brief.\nHello',
      toolsOffered: ['f'],
    })
  })

  it('YORI reads its stream of steps', () => {
    const head = { id: 'i1', model: 'gemini-2.5-flash' }
    const usage = {
      total_input_tokens: 7,
      total_output_tokens: 5,
      total_thought_tokens: 9,
      total_cached_tokens: 2,
    }
    const answer = sse(
      {
        event_type: 'interaction.created',
        interaction: { ...head, status: 'in_progress' },
      },
      { event_type: 'step.start', index: 0, step: { type: 'thought' } },
      {
        event_type: 'step.delta',
        index: 0,
        delta: { type: 'thought_summary', text: 'hm' },
      },
      { event_type: 'step.start', index: 1, step: { type: 'model_output' } },
      { event_type: 'step.delta', index: 1, delta: { type: 'text', text: 'Hi ' } },
      { event_type: 'step.delta', index: 1, delta: { type: 'text', text: 'é' } },
      {
        event_type: 'step.start',
        index: 2,
        step: { type: 'function_call', id: 'c', name: 'f', arguments: {} },
      },
      {
        event_type: 'step.delta',
        index: 2,
        delta: { type: 'arguments_delta', arguments: '{"a":1}' },
      },
      {
        event_type: 'interaction.completed',
        interaction: { ...head, status: 'completed', usage },
      },
    )
    assertFacts(readAnswer({ url, contentType: 'text/event-stream', answer }), {
      model: 'gemini-2.5-flash',
      responseId: 'i1',
      text: 'Hi é',
      toolCalls: [{ name: 'f', id: 'c', argumentsText: '{"a":1}' }],
      finishReason: 'completed',
      complete: true,
      usage: {
        inputTokens: 7,
        outputTokens: 14,
        cachedTokens: 2,
        reasoningTokens: 9,
        inputEstimated: false,
        outputEstimated: false,
      },
    })
  })
})
