/**
 * OpenAI's Assistants, which Azure serves too: platform.openai.com/docs/api-reference/runs and
 * /assistants-streaming. A thread holds messages, a run lets the model answer; its stream names
 * each object by the SSE event. A list of runs or messages is no answer.
 */
import type { Resting } from '../core/resting.js'
import { noteStatus } from './end-of.js'
import { asList, asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'
import type { FactsBuilder } from './facts.js'
import { readUsage } from './openai-chat.js'
import { readError } from './provider-error.js'
import type { RequestFacts } from './provider.js'
import type { Shape } from './reader.js'
import { RequestBuilder, readCommon, readContent, readTools } from './request.js'

/**
 * Of an assistant, a thread, a message, a run or the outputs of tools: what of each
 * stands there. The text of an output counts as a message of the role `tool`.
 */
export function* readAssistantsRequest(body: Json): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  readCommon(body, builder)
  for (const text of [body.instructions, body.additional_instructions])
    if (typeof text === 'string') builder.system(text)
  if (typeof body.role === 'string')
    builder.message(body.role, yield* readContent(body.content, builder))
  const thread = asRecord(body.thread)
  for (const list of [body.messages, thread?.messages, body.additional_messages])
    for (const item of asList(list)) {
      if (builder.due()) yield
      const message = asRecord(item)
      const text = yield* readContent(message?.content, builder)
      builder.message(asText(message?.role) ?? 'user', text)
    }
  for (const item of asList(body.tool_outputs)) {
    if (builder.due()) yield
    const output = asRecord(item)
    const text = asText(output?.output) ?? ''
    builder.toolResult(asText(output?.tool_call_id), text)
    builder.message('tool', text)
  }
  yield* readTools(body.tools, builder)
  return builder.build('assistants')
}

export const assistantsShape: Shape = {
  ignores: (name) => name.startsWith('thread.run.step.'),
  body: readObject,
  event(value, facts, name) {
    if (name === 'thread.message.delta') readMessage(asRecord(value.delta), facts)
    else if (name.startsWith('thread.run.')) readRun(value, facts)
    else if (name === 'error') facts.error ??= readError({ error: value }, true)
  },
}

function readObject(value: Json, facts: FactsBuilder): void {
  switch (value.object) {
    case 'thread.run':
      readRun(value, facts)
      return
    case 'thread.message':
      facts.responseId = firstText(value.id, facts.responseId)
      if (value.role === 'assistant') readMessage(value, facts)
      return
    default:
      facts.responseId = firstText(value.id, facts.responseId)
      facts.model = firstText(value.model, facts.model)
  }
}

function readRun(run: Json, facts: FactsBuilder): void {
  facts.model = firstText(run.model, facts.model)
  facts.responseId = firstText(run.id, facts.responseId)
  noteStatus(run.status, facts)
  const action = asRecord(asRecord(run.required_action)?.submit_tool_outputs)
  const calls = asList(action?.tool_calls)
  for (let i = 0; i < calls.length; i++) {
    const call = asRecord(calls[i])
    const inner = asRecord(call?.function)
    facts.toolCall(i, {
      name: asText(inner?.name),
      id: asText(call?.id),
      argumentsText: asText(inner?.arguments),
      replace: true,
    })
  }
  const failure = asRecord(run.last_error)
  if (failure !== undefined) facts.error = readError({ error: failure }, true)
  readUsage(run, facts)
}

/** A part's text has its annotations beside it; other parts are files and images. */
function readMessage(message: Json | undefined, facts: FactsBuilder): void {
  for (const item of asList(message?.content))
    facts.text.append(asText(asRecord(asRecord(item)?.text)?.value) ?? '')
}
