/** What asks a model for work, by method and path, after the providers' references. */
import assert from 'node:assert/strict'
import { isModelCall } from '../../src/providers/calls.js'
import { recognise } from '../../src/providers/index.js'

function asks(line: string): boolean {
  const [method = '', url = ''] = line.split(' ')
  const { hostname: host, pathname, search } = new URL(`https://${url}`)
  const head = { host, method, path: pathname + search }
  const found = recognise(head)
  if (found === undefined) return false
  return isModelCall(head, { api: found.api, provider: found.provider.name })
}

const OPENAI = 'api.openai.com/v1'
const ANTHROPIC = 'api.anthropic.com'
const GEMINI = 'generativelanguage.googleapis.com/v1beta'
const VERTEX =
  'us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers'
const BEDROCK = 'bedrock-runtime.us-east-1.amazonaws.com/model/m'

const CALLS = [
  ...[`POST ${OPENAI}/chat/completions`, `POST ${OPENAI}/responses`],
  ...[`POST ${OPENAI}/responses/compact`, `POST ${OPENAI}/completions`],
  ...[`POST ${OPENAI}/embeddings`, `POST ${OPENAI}/moderations`],
  ...[`POST ${OPENAI}/images/generations`, `POST ${OPENAI}/images/edits`],
  ...[`POST ${OPENAI}/audio/speech`, `POST ${OPENAI}/audio/transcriptions`],
  ...[`POST ${OPENAI}/videos`, `POST ${OPENAI}/videos/video_1/remix`],
  ...[`POST ${OPENAI}/videos/edits`, `POST ${OPENAI}/batches`],
  ...[`POST ${OPENAI}/threads/runs`, `POST ${OPENAI}/threads/thread_1/runs`],
  `POST ${OPENAI}/threads/thread_1/runs/run_1/submit_tool_outputs`,
  ...[`GET ${OPENAI}/realtime?model=gpt-realtime`, `POST ${OPENAI}/realtime/calls`],
  ...[
    `POST ${OPENAI}/realtime?model=gpt-realtime`,
    `POST ${OPENAI}/realtime/calls/c/accept`,
  ],
  'POST eastus2.realtimeapi-preview.ai.azure.com/v1/realtimertc?model=d',
  'POST x.openai.azure.com/openai/deployments/d/chat/completions?api-version=1',
  ...[`POST ${ANTHROPIC}/v1/messages?beta=true`, `POST ${ANTHROPIC}/v1/complete`],
  ...[`POST ${ANTHROPIC}/v1/messages/batches`, `POST ${ANTHROPIC}/v1/chat/completions`],
  ...[`POST ${GEMINI}/models/g:generateContent`, `POST ${GEMINI}/interactions`],
  ...[`POST ${GEMINI}/models/g:streamGenerateContent?alt=sse`],
  ...[
    `POST ${GEMINI}/models/g:embedContent`,
    `POST ${GEMINI}/models/g:batchGenerateContent`,
  ],
  ...[`POST ${GEMINI}/openai/chat/completions`],
  `GET ${GEMINI.replace('/v1beta', '')}/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent`,
  `POST ${VERTEX}/anthropic/models/claude:streamRawPredict`,
  `POST ${VERTEX}/google/models/imagen-4:predict`,
  ...[`POST ${BEDROCK}/converse-stream`, `POST ${BEDROCK}/invoke`],
  ...['POST api.cohere.com/v2/chat', 'POST api.cohere.com/v2/rerank'],
  ...['POST ollama.com/api/chat', 'POST ollama.com/api/generate'],
  ...['POST api.mistral.ai/v1/fim/completions', 'POST api.mistral.ai/v1/ocr'],
  ...['POST api.mistral.ai/v1/conversations', 'POST api.mistral.ai/v1/conversations/c1'],
]

const NO_CALLS = [
  ...[`GET ${OPENAI}/models`, `GET ${OPENAI}/models/gpt-5`, `HEAD ${OPENAI}/models`],
  ...[`GET ${OPENAI}/responses/resp_1`, `GET ${OPENAI}/responses/resp_1?stream=true`],
  ...[`POST ${OPENAI}/responses/resp_1/cancel`, `DELETE ${OPENAI}/responses/resp_1`],
  ...[`GET ${OPENAI}/responses/resp_1/input_items`],
  ...[`POST ${OPENAI}/responses/input_tokens`, `GET ${OPENAI}/chat/completions`],
  ...[`GET ${OPENAI}/chat/completions/c1`, `POST ${OPENAI}/chat/completions/c1`],
  ...[`POST ${OPENAI}/files`, `POST ${OPENAI}/uploads`, `POST ${OPENAI}/vector_stores`],
  ...[`GET ${OPENAI}/batches/batch_1`, `POST ${OPENAI}/batches/batch_1/cancel`],
  ...[
    `POST ${OPENAI}/assistants`,
    `POST ${OPENAI}/threads`,
    `GET ${OPENAI}/threads/t/runs/r`,
  ],
  ...[`POST ${OPENAI}/threads/t/messages`, `POST ${OPENAI}/threads/t/runs/r/cancel`],
  ...[`GET ${OPENAI}/videos/video_1`, `POST ${OPENAI}/conversations`],
  ...[`POST ${OPENAI}/realtime/sessions`, `POST ${OPENAI}/realtime/client_secrets`],
  ...[`POST ${OPENAI}/realtime/transcription_sessions`, `POST ${GEMINI}/auth_tokens`],
  'POST x.openai.azure.com/openai/realtimeapi/sessions?api-version=1',
  'POST api.x.ai/v1/realtime/client_secrets',
  ...[`POST ${OPENAI}/realtime/calls/c/hangup`, `GET ${OPENAI}/audio/voices`],
  ...[`POST ${OPENAI}/audio/voices`, `OPTIONS ${OPENAI}/chat/completions`],
  ...[`POST ${ANTHROPIC}/v1/messages/count_tokens`, `GET ${ANTHROPIC}/v1/models`],
  ...[`POST ${ANTHROPIC}/api/event_logging/batch`, `GET ${ANTHROPIC}/api/hello`],
  ...[`HEAD ${ANTHROPIC}/`, `POST ${ANTHROPIC}/api/oauth/claude_cli/create_api_key`],
  ...[`GET ${ANTHROPIC}/v1/messages/batches/b/results`, `GET ${ANTHROPIC}/v1/files/f`],
  ...[`POST ${ANTHROPIC}/v1/messages/batches/b/cancel`],
  ...[
    `POST ${GEMINI}/models/g:countTokens`,
    `GET ${GEMINI}/models`,
    `POST ${GEMINI}/files`,
  ],
  ...[`GET ${GEMINI}/interactions/i1`, `POST ${GEMINI}/interactions/i1/cancel`],
  ...[`POST ${GEMINI}/cachedContents`, `GET ${GEMINI}/batches/b1`],
  ...[`POST ${BEDROCK}/count-tokens`, 'POST api.cohere.com/v1/tokenize'],
  ...[
    'GET ollama.com/api/tags',
    'POST ollama.com/api/show',
    'GET api.mistral.ai/v1/conversations',
  ],
]

describe('a call to a model', () => {
  for (const line of CALLS)
    it(`is ${line}`, () => {
      assert.equal(asks(line), true)
    })
})

describe('no call to a model', () => {
  for (const line of NO_CALLS)
    it(`is ${line}`, () => {
      assert.equal(asks(line), false)
    })
})
