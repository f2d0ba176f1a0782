/** What the origin says over WebSocket: Responses, Realtime and Gemini's Live. */
import type { IncomingMessage } from 'node:http'
import type { RawData, WebSocket } from 'ws'
import { ANSWER, INPUT_TOKENS, OUTPUT_TOKENS, responseEvents } from './dialects.js'

type Json = Record<string, unknown>

/** Answers each message of the client, by the path that it asked for. */
export function serveMessages(stream: WebSocket, request: IncomingMessage): void {
  const url = new URL(request.url ?? '/', 'https://origin')
  const say = (event: Json): void => stream.send(JSON.stringify(event))
  stream.on('error', () => undefined)
  const answer = url.pathname.endsWith('/responses')
    ? responsesTurn()
    : url.pathname.includes('BidiGenerateContent')
      ? geminiTurn
      : realtimeTurn(url.searchParams.get('model'), say)
  stream.on('message', (message: RawData) => {
    const text = Buffer.isBuffer(message) ? message.toString() : ''
    for (const event of answer(JSON.parse(text) as Json)) say(event)
  })
}

type Turn = (message: Json) => readonly Json[]

/** The body of `POST /v1/responses` and a type; a warm-up has `generate: false`. */
function responsesTurn(): Turn {
  let count = 0
  return (message) => {
    if (message.type !== 'response.create') return []
    count += 1
    const id = `resp_${count}`
    const all = responseEvents(message.model, id)
    if (message.generate !== false) return all
    const done = all.at(-1)?.response as Json
    return [
      all[0] as Json,
      {
        type: 'response.completed',
        response: { ...done, output: [] },
        sequence_number: 1,
      },
    ]
  }
}

/** platform.openai.com/docs/api-reference/realtime. */
function realtimeTurn(model: string | null, say: (event: Json) => void): Turn {
  say({
    type: 'session.created',
    event_id: 'e0',
    session: { type: 'realtime', object: 'realtime.session', id: 'sess_1', model },
  })
  return ({ type, item, session }) => {
    switch (type) {
      case 'session.update':
        return [
          {
            type: 'session.updated',
            event_id: 'e1',
            session: { model, ...(session as Json) },
          },
        ]
      case 'conversation.item.create':
        return [{ type: 'conversation.item.added', event_id: 'e2', item }]
      case 'response.create':
        return [
          { type: 'response.created', event_id: 'e3', response: { id: 'resp_1' } },
          {
            type: 'response.output_text.delta',
            event_id: 'e4',
            ...{ response_id: 'resp_1', item_id: 'i1', output_index: 0 },
            ...{ content_index: 0, delta: ANSWER },
          },
          {
            type: 'response.done',
            event_id: 'e5',
            response: {
              id: 'resp_1',
              object: 'realtime.response',
              status: 'completed',
              output: [
                {
                  id: 'i1',
                  type: 'message',
                  role: 'assistant',
                  content: [{ type: 'output_text', text: ANSWER }],
                },
              ],
              usage: {
                input_tokens: INPUT_TOKENS,
                output_tokens: OUTPUT_TOKENS,
                total_tokens: INPUT_TOKENS + OUTPUT_TOKENS,
              },
            },
          },
        ]
      default:
        return []
    }
  }
}

/** ai.google.dev/api/live. */
const geminiTurn: Turn = (message) => {
  if (message.setup !== undefined) return [{ setupComplete: {} }]
  if (message.clientContent === undefined) return []
  return [
    { serverContent: { modelTurn: { parts: [{ text: ANSWER }] } } },
    {
      serverContent: { generationComplete: true, turnComplete: true },
      usageMetadata: {
        promptTokenCount: INPUT_TOKENS,
        responseTokenCount: OUTPUT_TOKENS,
        totalTokenCount: INPUT_TOKENS + OUTPUT_TOKENS,
      },
    },
  ]
}
