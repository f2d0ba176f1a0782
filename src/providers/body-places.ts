/**
 * Where in a request's JSON whose words stand, by the names and types that providers have for
 * it. A place that nobody knows is the person's: a new field is looked at on the day it
 * appears. Pure.
 *
 * The *envelope* is the request itself and what only wraps messages; below a message the place
 * is its author's, and parts of it may be a tool's.
 */
import type { Who } from '../core/who.js'
import { findPersonal } from '../detect/personal.js'
import { asRecord, asText } from './json.js'
import type { Json } from './json.js'

export type Place = 'envelope' | Who

/** Fields of the envelope that the program fills: its orders, tools, schemas and settings. */
const PROGRAM_FIELDS: ReadonlySet<string> = new Set([
  'system',
  'systemInstruction',
  'system_instruction',
  'systemPrompt',
  'instructions',
  'additional_instructions',
  'developer_instructions',
  'preamble',
  'tools',
  'functions',
  'functionDeclarations',
  'function_declarations',
  'toolConfig',
  'tool_config',
  'tool_choice',
  'toolChoice',
  'tool_resources',
  'web_search_options',
  'mcp_servers',
  'response_format',
  'responseFormat',
  'format',
  'stop',
  'stop_sequences',
  'stopSequences',
  'logit_bias',
  'json_schema',
  'schema',
  'responseSchema',
  'response_schema',
  'responseJsonSchema',
  'output_schema',
  'output_config',
  'outputConfig',
  'output_format',
  'generationConfig',
  'generation_config',
  'inferenceConfig',
  'additionalModelRequestFields',
  'performanceConfig',
  'guardrailConfig',
  'textGenerationConfig',
  'safetySettings',
  'safety_settings',
  'stream_options',
  'streamOptions',
  'include',
  'modalities',
  'output_modalities',
  'thinking',
  'reasoning',
  'context_management',
  'prompt_cache_options',
  'cache_control',
  'turn_detection',
  'betas',
  'anthropic_beta',
  'capabilities',
  'clientInfo',
])

/** Results of tools, wherever in a message or in the envelope they stand. */
const TOOL_FIELDS: ReadonlySet<string> = new Set([
  'tool_results',
  'toolResults',
  'tool_outputs',
  'toolResult',
  'tool_result',
  'functionResponse',
  'function_response',
  'functionResponses',
  'function_responses',
  'codeExecutionResult',
  'code_execution_result',
  'toolResponse',
  'tool_response',
])

/** In what the model asked for: what came of it. */
const RESULT_FIELDS: ReadonlySet<string> = new Set([
  'output',
  'outputs',
  'result',
  'results',
  'stdout',
  'stderr',
])

/** Fields of the envelope, and of a model's message, that hold what it asked for. */
const MODEL_FIELDS: ReadonlySet<string> = new Set([
  'tool_calls',
  'function_call',
  'functionCall',
  'toolUse',
])

const MODEL_TYPES: ReadonlySet<string> = new Set([
  'reasoning',
  'thinking',
  'redacted_thinking',
  'thought',
  'compaction',
  'output_text',
  'refusal',
  'model_output',
  'mcp_approval_request',
])

const PROGRAM_TYPES: ReadonlySet<string> = new Set([
  'additional_tools',
  'namespace',
  'mcp_list_tools',
])

const MODEL_ROLES: ReadonlySet<string> = new Set(['assistant', 'model', 'chatbot', 'ai'])
const PROGRAM_ROLES: ReadonlySet<string> = new Set(['system', 'developer'])
const TOOL_ROLES: ReadonlySet<string> = new Set(['tool', 'function', 'ipython'])

/** Whose an object is that stands at `place`, by what it says of itself. */
export function placeOf(value: Json, place: Place): Place {
  if (place === 'program' || place === 'tool') return place
  const type = asText(value.type)
  if (type !== undefined && isResult(type)) return 'tool'
  if (place === 'person') return place
  if (type !== undefined && isModels(type)) return 'model'
  if (place === 'model') return place
  const role = asText(value.role) ?? asText(asRecord(value.author)?.role)
  if (role !== undefined) return placeOfRole(role)
  return type !== undefined && PROGRAM_TYPES.has(type) ? 'program' : place
}

/**
 * Whose words a message of that role holds, in any case of letters; a role that nobody
 * knows is a person's.
 */
export function placeOfRole(role: string): Who {
  const known = role.toLowerCase()
  if (MODEL_ROLES.has(known)) return 'model'
  if (PROGRAM_ROLES.has(known)) return 'program'
  return TOOL_ROLES.has(known) ? 'tool' : 'person'
}

function isResult(type: string): boolean {
  if (type === 'model_output') return false
  return (
    type.endsWith('_output') || type.endsWith('_result') || type === 'function_response'
  )
}

function isModels(type: string): boolean {
  return MODEL_TYPES.has(type) || type.endsWith('_call') || type.endsWith('_use')
}

/** Whose the field `name` of an object at `place` is. */
export function placeOfField(name: string, place: Place): Place {
  if (place === 'program' || place === 'tool') return place
  if (TOOL_FIELDS.has(name)) return 'tool'
  if (place === 'person') return place
  if (place === 'model') return RESULT_FIELDS.has(name) ? 'tool' : place
  if (PROGRAM_FIELDS.has(name)) return 'program'
  return MODEL_FIELDS.has(name) ? 'model' : place
}

/** Fields whose value is one of a provider's own words, or a name that the program chose. */
const SETTINGS: ReadonlySet<string> = new Set([
  'type',
  'role',
  'model',
  'object',
  'status',
  'phase',
  'format',
  'detail',
  'voice',
  'size',
  'quality',
  'background',
  'language',
  'purpose',
  'endpoint',
  'method',
  'jsonrpc',
  'effort',
  'reasoning_effort',
  'verbosity',
  'summary',
  'service_tier',
  'encoding_format',
  'completion_window',
  'truncation',
  'truncate',
  'input_type',
  'media_type',
  'mediaType',
  'mime_type',
  'mimeType',
  'output_format',
  'output_audio_format',
  'input_audio_format',
  'anthropic_version',
  'prompt_cache_retention',
  'schemaVersion',
  'protocolVersion',
  'taskType',
  'task_type',
  'safety_mode',
  'execution',
  'latency',
])

const SETTING = /^[\w.:/+-]{1,64}$/

/** Of these, what stands in the parts of a message. */
const PART_SETTINGS: ReadonlySet<string> = new Set([
  'type',
  'role',
  'object',
  'status',
  'phase',
  'format',
  'detail',
  'media_type',
  'mediaType',
  'mime_type',
  'mimeType',
])

/** A word of the protocol: nobody says anything by it. */
export function isSetting(
  name: string | undefined,
  value: string,
  place: Place,
): boolean {
  const settings = place === 'person' ? PART_SETTINGS : SETTINGS
  return (
    name !== undefined &&
    place !== 'tool' &&
    settings.has(name) &&
    SETTING.test(value) &&
    findPersonal(value).length === 0
  )
}

/** Further names of the protocols, which stand where persons speak. */
const PROTOCOL_NAMES: ReadonlySet<string> = new Set(
  [
    'messages content contents text parts part input prompt message name title context',
    'documents document source file filename file_name file_url display_name displayName',
    'annotations attachments metadata user session item items event response responses',
    'arguments args function custom tool custom_id body url requests request params',
    'inputText texts query queries suffix chat_history citations image_urls fps',
    'temperature top_p topP top_k topK max_tokens maxTokens max_output_tokens n seed',
    'max_completion_tokens max_tokens_to_sample frequency_penalty presence_penalty',
    'stream store parallel_tool_calls logprobs top_logprobs echo best_of user_location',
    'inlineData inline_data fileData functionCall mimeType cachePoint s3Location',
    'prompt_cache_breakpoint prompt_cache_key ttl keep_alive options raw template',
    'unknown_fields reasoningContent reasoningText reasoning_content transcript delta level labels',
  ].flatMap((names) => names.split(' ')),
)

const FIELD_NAME = /^[A-Za-z_$@][\w$-]{0,63}$/

/** A name of a field that a protocol has; any other is a word of who wrote what it stands in. */
export function isFieldName(name: string): boolean {
  return (
    PROTOCOL_NAMES.has(name) ||
    [
      SETTINGS,
      PROGRAM_FIELDS,
      TOOL_FIELDS,
      RESULT_FIELDS,
      MODEL_FIELDS,
      MEDIA_FIELDS,
    ].some((names) => names.has(name)) ||
    (isIdField(name) && FIELD_NAME.test(name) && !/\d/.test(name))
  )
}

const ID_FIELD =
  /(?:^|_|-)(?:id|ids|key|sid|uuid|guid|hash|sha256|etag|nonce|cursor|fingerprint|signature|identifier|token)$|(?:Id|Ids|Key|Uuid|Signature|Token|Hash|Cursor)$/
const OPAQUE_FIELDS: ReadonlySet<string> = new Set([
  'encrypted_content',
  'signature',
  'thoughtSignature',
  'thought_signature',
  'redactedContent',
  'encrypted_stdout',
  'encrypted_index',
])

/** A field in which ids stand: what looks like one there is one. */
export function isIdField(name: string | undefined): boolean {
  return name !== undefined && ID_FIELD.test(name)
}

/** A field whose bytes only its provider can read. */
export function isOpaqueField(name: string | undefined): boolean {
  return (
    name !== undefined &&
    (OPAQUE_FIELDS.has(name) || name.toLowerCase().endsWith('signature'))
  )
}

/** Fields in which media stand as base64. */
const MEDIA_FIELDS: ReadonlySet<string> = new Set([
  'data',
  'bytes',
  'b64_json',
  'file_data',
  'fileData',
  'image',
  'images',
  'image_url',
  'url',
  'audio',
  'video',
  'blob',
  'input_audio',
  'imageBytes',
  'videoBytes',
  'audioBytes',
  'bytesBase64Encoded',
])

/** A field in which base64 is expected: by name, whatever it holds. */
export function isMediaField(name: string | undefined): boolean {
  return name !== undefined && MEDIA_FIELDS.has(name)
}
