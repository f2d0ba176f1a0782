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
