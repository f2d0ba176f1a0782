/**
 * Gemini's generateContent, whole and streamed.
 * https://ai.google.dev/api/generate-content
 */
import { answer, pieces } from './answers.js'
import type { Answer } from './answers.js'
import { isObject, listOf, objectOf, textOf } from './json.js'
import { json, plainEvent } from './reply.js'
import type { Dialect, Reply } from './reply.js'

const PATH = /^\/v1(?:beta)?\/models\/([\w.-]+):(generateContent|streamGenerateContent)$/

export const gemini: Dialect = (asked) => {
  const [, model, call] = PATH.exec(asked.path) ?? []
  if (asked.method !== 'POST' || model === undefined) return undefined
  if (asked.headers['x-goog-api-key'] === undefined && !asked.query.has('key')) {
    return failure(403, 'PERMISSION_DENIED', 'Method doesn’t allow unregistered callers.')
  }
  const said = answer({
    model,
    prompt: promptOf(asked.json),
    tools: [],
    answersTool: false,
  })
  if (call === 'generateContent') {
    return json(200, response(model, said, said.text, 'STOP'))
  }
  const parts = pieces(said.text)
  const responses = parts.map((text, index) =>
    response(model, said, text, index === parts.length - 1 ? 'STOP' : undefined),
  )
  return asked.query.get('alt') === 'sse'
    ? { kind: 'events', events: responses.map(plainEvent) }
    : json(200, responses)
}

function failure(code: number, status: string, message: string): Reply {
  return json(code, { error: { code, message, status } })
}

function promptOf(body: unknown): string {
  return listOf(objectOf(body)['contents'])
    .flatMap((content) => listOf(objectOf(content)['parts']))
    .filter(isObject)
    .map((part) => textOf(part['text']))
    .join('\n')
}

function response(
  model: string,
  said: Answer,
  text: string,
  finishReason: string | undefined,
): object {
  return {
    candidates: [
      {
        content: { parts: [{ text }], role: 'model' },
        ...(finishReason === undefined ? {} : { finishReason }),
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: said.inputTokens,
      candidatesTokenCount: said.outputTokens,
      totalTokenCount: said.inputTokens + said.outputTokens,
    },
    modelVersion: model,
    responseId: said.id,
  }
}
