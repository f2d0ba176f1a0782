/**
 * Amazon Bedrock by its hosts and paths: Converse, InvokeModel and their streams, the
 * OpenAI- and Anthropic-shaped endpoints of `bedrock-mantle`, and the agents, flows and
 * knowledge bases of `bedrock-agent-runtime`.
 */
import type { Resting } from '../core/resting.js'
import { agentApi, agentShape, readAgentRequest } from './bedrock-agents.js'
import { converseShape, readConverseRequest } from './bedrock-converse.js'
import { invokeShape, readInvokeRequest } from './bedrock-invoke.js'
import { FactsBuilder } from './facts.js'
import { asCount, asRecord } from './json.js'
import { openaiApi, openaiShape, readOpenaiRequest } from './openai.js'
import { otherShape } from './other.js'
import { withoutQuery } from './paths.js'
import { requestsBy } from './provider.js'
import { READER_LIMITS } from './provider.js'
import type {
  Api,
  ExchangeHead,
  Provider,
  RequestContext,
  RequestFacts,
  ResponseContext,
} from './provider.js'
import { readResponse } from './reader.js'
import type { Shape } from './reader.js'
import { unreadRequest } from './request.js'

export const bedrock: Provider = {
  name: 'bedrock',
  recognises: (head) => (ownsHost(head.host) ? (bedrockApi(head) ?? 'other') : undefined),
  apiOf: bedrockApi,
  ...requestsBy(readBedrockRequest),
  reader(context) {
    const facts = new FactsBuilder(context.limits ?? READER_LIMITS)
    facts.inputTokens = countIn(context, 'x-amzn-bedrock-input-token-count')
    facts.outputTokens = countIn(context, 'x-amzn-bedrock-output-token-count')
    facts.cachedTokens = countIn(context, 'x-amzn-bedrock-cache-read-input-token-count')
    facts.cacheWriteTokens = countIn(
      context,
      'x-amzn-bedrock-cache-write-input-token-count',
    )
    facts.cacheBeside = true
    const shape =
      agentApi(context.path) === undefined ? shapeFor(context.api) : agentShape
    return readResponse(shape, context, facts)
  },
}

/** Invoked models' tokens stand in the response head, whatever their body says. */
function countIn(context: ResponseContext, name: string): number | undefined {
  const text = context.header?.(name)
  return text === undefined || text === '' ? undefined : asCount(Number(text))
}

/**
 * `bedrock-runtime[-fips].<region>.amazonaws.com`, `bedrock-agent-runtime...` likewise, and
 * `bedrock-mantle.<region>.api.aws`.
 */
function ownsHost(host: string): boolean {
  if (host.endsWith('.amazonaws.com') || host.endsWith('.amazonaws.com.cn'))
    return /^bedrock-(?:agent-)?runtime(?:-fips)?\./.test(host)
  return host.endsWith('.api.aws') && host.startsWith('bedrock-mantle.')
}

function bedrockApi(head: ExchangeHead): Api | undefined {
  const path = withoutQuery(head.path)
  const agents = agentApi(path)
  if (agents !== undefined) return agents
  if (!path.startsWith('/model/')) return openaiApi(head)
  if (path.endsWith('/converse') || path.endsWith('/converse-stream')) return 'converse'
  if (path.endsWith('/invoke') || path.endsWith('/invoke-with-response-stream'))
    return path.includes('embed') ? 'embeddings' : 'invoke'
  if (path.endsWith('/count-tokens')) return 'count-tokens'
  return undefined
}

function shapeFor(api: Api): Shape {
  if (api === 'converse') return converseShape
  if (api === 'invoke' || api === 'embeddings') return invokeShape
  return api === 'count-tokens' ? otherShape : openaiShape(api)
}

/** `/model/<id>/converse`: the id, its `:` and `/` percent-encoded by most clients. */
function modelInPath(path: string): string | undefined {
  const segments = withoutQuery(path).split('/')
  if (segments[1] !== 'model' || segments[2] === undefined) return undefined
  try {
    return decodeURIComponent(segments[2])
  } catch {
    return segments[2]
  }
}

function* readBedrockRequest(
  body: unknown,
  context: RequestContext,
): Resting<RequestFacts> {
  const { api, path } = context
  const model = modelInPath(path)
  const stream = withoutQuery(path).endsWith('-stream')
  const value = asRecord(body)
  if (agentApi(path) !== undefined)
    return value === undefined ? unreadRequest(api) : yield* readAgentRequest(value, api)
  if (model === undefined) return yield* readOpenaiRequest(body, context)
  if (value === undefined) return { ...unreadRequest(api, model), stream }
  const facts =
    api === 'converse'
      ? yield* readConverseRequest(value)
      : yield* readInvokeRequest(value, api)
  return { ...facts, api, model, stream }
}
