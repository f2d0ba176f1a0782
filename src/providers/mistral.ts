/**
 * Mistral: docs.mistral.ai/api. Chat, fill-in-the-middle and agents answer in OpenAI's shape,
 * with content in parts where the model reasons.
 */
import { asText } from './json.js'
import { openaiApi, openaiReader, readOpenaiRequest } from './openai.js'
import { withoutQuery } from './paths.js'
import type { Api, ExchangeHead, Provider } from './provider.js'
import { RequestBuilder, readCommon } from './request.js'
import { asRecord } from './json.js'

const HOSTS: ReadonlySet<string> = new Set(['api.mistral.ai', 'codestral.mistral.ai'])

export const mistral: Provider = {
  name: 'mistral',
  recognises: (head) =>
    HOSTS.has(head.host) ? (mistralApi(head) ?? 'other') : undefined,
  apiOf: mistralApi,
  readRequest(body, context) {
    const value = asRecord(body)
    if (value === undefined || typeof value.prompt !== 'string')
      return readOpenaiRequest(body, context)
    const builder = new RequestBuilder()
    readCommon(value, builder)
    builder.message('user', value.prompt)
    const suffix = asText(value.suffix)
    if (suffix !== undefined) builder.message('user', suffix)
    return builder.build(context.api)
  },
  reader: openaiReader,
}

function mistralApi(head: ExchangeHead): Api | undefined {
  const path = withoutQuery(head.path)
  if (path.endsWith('/fim/completions') || path.endsWith('/agents/completions'))
    return 'chat'
  if (path.endsWith('/ocr')) return 'ocr'
  return openaiApi(head)
}
