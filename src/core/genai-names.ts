/**
 * The names of OpenTelemetry's conventions for generative AI, in one place, since they still
 * change: as of open-telemetry/semantic-conventions-genai before its first release (2026-11),
 * which `gen_ai.provider.name` (once `gen_ai.system`) tells apart from what was before.
 * https://github.com/open-telemetry/semantic-conventions-genai
 */
export const GENAI_VERSION = 'genai-2026-11'

/** By our names of providers; what is not here keeps its own. */
const PROVIDERS: Readonly<Record<string, string>> = {
  bedrock: 'aws.bedrock',
  gemini: 'gcp.gemini',
  vertex: 'gcp.vertex_ai',
  mistral: 'mistral_ai',
  moonshot: 'moonshot_ai',
  xai: 'x_ai',
  'azure-openai': 'azure.ai.openai',
}

/** By our words for APIs; what is not here has no operation of its own. */
const OPERATIONS: Readonly<Record<string, string>> = {
  chat: 'chat',
  responses: 'chat',
  messages: 'chat',
  converse: 'chat',
  invoke: 'chat',
  interactions: 'chat',
  realtime: 'chat',
  completions: 'text_completion',
  generate: 'generate_content',
  embeddings: 'embeddings',
}

export function genaiProvider(provider: string): string {
  return PROVIDERS[provider] ?? provider
}

export function genaiOperation(api: string | undefined): string {
  return OPERATIONS[api ?? ''] ?? api ?? 'other'
}

/** What is told of a call; undefined: not known. Counts of tokens as our own rows have them. */
export interface GenaiCall {
  readonly api: string | undefined
  readonly provider: string | undefined
  readonly model: string | undefined
  readonly stream: boolean | undefined
  readonly responseId: string | undefined
  readonly finishReason: string | undefined
  readonly firstTokenMs: number | undefined
  /** With what was cached, as the conventions want it. */
  readonly inputTokens: number | undefined
  /** With reasoning. */
  readonly outputTokens: number | undefined
  readonly cachedTokens: number | undefined
  readonly cacheWriteTokens: number | undefined
  readonly reasoningTokens: number | undefined
  readonly sessionId: string | undefined
  readonly agentId: string | undefined
}

/** Its attributes by the names of the conventions. */
export function genaiAttributes(
  call: GenaiCall,
): Record<string, string | number | boolean | readonly string[] | undefined> {
  const { finishReason, firstTokenMs } = call
  return {
    'gen_ai.operation.name': genaiOperation(call.api),
    'gen_ai.provider.name': genaiProvider(call.provider ?? 'unknown'),
    'gen_ai.request.model': call.model,
    'gen_ai.request.stream': call.stream,
    'gen_ai.response.id': call.responseId,
    'gen_ai.response.finish_reasons':
      finishReason === undefined ? undefined : [finishReason],
    'gen_ai.response.time_to_first_chunk':
      firstTokenMs === undefined ? undefined : firstTokenMs / 1000,
    'gen_ai.usage.input_tokens': call.inputTokens,
    'gen_ai.usage.output_tokens': call.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': call.cachedTokens,
    'gen_ai.usage.cache_creation.input_tokens': call.cacheWriteTokens,
    'gen_ai.usage.reasoning.output_tokens': call.reasoningTokens,
    'gen_ai.conversation.id': call.sessionId,
    'gen_ai.agent.id': call.agentId,
  }
}

/** Opt-in content: messages as JSON. */
export const GENAI_INPUT_MESSAGES = 'gen_ai.input.messages'

/** Histograms of clients; the first is required by the conventions. */
export const GENAI_METRICS = {
  duration: 'gen_ai.client.operation.duration',
  tokens: 'gen_ai.client.token.usage',
  firstChunk: 'gen_ai.client.operation.time_to_first_chunk',
} as const

/** Labels of those. */
export const GENAI_LABELS = [
  'gen_ai.operation.name',
  'gen_ai.provider.name',
  'gen_ai.request.model',
  'server.address',
] as const
export const GENAI_TOKEN_TYPE = 'gen_ai.token.type'
export const GENAI_ERROR_TYPE = 'error.type'

/** Bounds that the conventions name: seconds, and tokens. */
export const GENAI_SECONDS = Array.from({ length: 14 }, (_, n) => 2 ** n / 100)
export const GENAI_TOKENS = Array.from({ length: 14 }, (_, n) => 4 ** n)
