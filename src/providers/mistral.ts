/**
 * Mistral: docs.mistral.ai/api. Chat, fill-in-the-middle and agents answer in OpenAI's shape,
 * with content in parts where the model reasons.
 */
import type { Resting } from '../core/resting.js'
import { asText } from './json.js'
import { openaiApi, openaiReader, readOpenaiRequest } from './openai.js'
import { withoutQuery } from './paths.js'
import { requestsBy } from './provider.js'
import type {
  Api,
  ExchangeHead,
  Provider,
  RequestContext,
  RequestFacts,
} from './provider.js'
import { RequestBuilder, readCommon } from './request.js'
import { asRecord } from './json.js'

const HOSTS: ReadonlySet<string> = new Set(['api.mistral.ai', 'codestral.mistral.ai'])

export const mistral: Provider = {
  name: 'mistral',
  recognises: (head) =>
    HOSTS.has(head.host) ? (mistralApi(head) ?? 'other') : undefined,
  apiOf: mistralApi,
  ...requestsBy(readMistralRequest),
  reader: openaiReader,
}

function* readMistralRequest(
  body: unknown,
  context: RequestContext,
): Resting<RequestFacts> {
  const value = asRecord(body)
  if (value === undefined || typeof value.prompt !== 'string')
    return yield* readOpenaiRequest(body, context)
  const builder = new RequestBuilder()
  readCommon(value, builder)
  builder.message('user', value.prompt)
  const suffix = asText(value.suffix)
  if (suffix !== undefined) builder.message('user', suffix)
  return builder.build(context.api)
}

function mistralApi(head: ExchangeHead): Api | undefined {
  const path = withoutQuery(head.path)
  if (path.endsWith('/fim/completions') || path.endsWith('/agents/completions'))
    return 'chat'
  if (path.endsWith('/ocr')) return 'ocr'
  return openaiApi(head)
}
