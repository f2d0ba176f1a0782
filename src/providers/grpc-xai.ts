/**
 * xAI's calls over gRPC, which its own library for Python makes, as the JSON of chat
 * completions: field numbers of proto/xai/api/v1/{chat,usage,embed,sample}.proto. Pure.
 */
import { protoSchema } from '../protobuf/schema.js'
import { grpcMethod } from './grpc-method.js'
import type { GrpcMethod, GrpcService } from './grpc-method.js'
import { asList, asRecord } from './json.js'
import type { Json } from './json.js'

const XAI = protoSchema(
  `
  GetCompletionsRequest: 1 messages Message*, 2 model string,
    3 frequency_penalty float, 5 logprobs bool, 6 top_logprobs int, 7 max_tokens int,
    8 n int, 9 presence_penalty float, 10 response_format Format, 11 seed int,
    12 stop string*, 14 temperature float, 15 top_p float, 16 user string,
    17 tools Tool*, 18 tool_choice ToolChoice, 19 reasoning_effort int,
    21 parallel_tool_calls bool, 22 previous_response_id string, 23 store bool,
    24 use_encrypted_content bool, 25 max_turns int, 26 include int*
  Message: 1 content Content*, 2 role Role, 3 name string, 4 tool_calls ToolCall*,
    5 reasoning_content string, 6 encrypted_content string, 7 tool_call_id string
  Content: 1 text string, 2 image_url Image, 3 file File
  Image: 1 url string, 2 detail int
  File: 1 file_id string, 2 data bytes, 3 filename string, 4 mime_type string,
    5 url string
  ToolCall: 1 id string, 2 kind int, 3 status int, 4 error_message string,
    5 index int, 10 function Called
  Called: 1 name string, 2 arguments string
  Format: 1 format_type int, 2 schema string
  ToolChoice: 1 mode int, 2 function_name string
  Tool: 1 function Function, 3 web_search Other, 4 x_search Other,
    5 code_execution Other, 6 collections_search Other, 7 mcp Mcp,
    8 attachment_search Other, 10 image_generation Other
  Function: 1 name string, 2 description string, 3 strict bool, 4 parameters string
  Mcp: 1 server_label string, 2 server_description string, 3 server_url string,
    4 allowed_tools string*, 5 authorization string, 6 headers string%
  Other:
  GetChatCompletionResponse: 1 id string, 2 choices Output*, 6 model string,
    9 usage Usage
  Output: 1 finish_reason Finish, 2 index int, 3 message Said
  GetChatCompletionChunk: 1 id string, 2 choices OutputChunk*, 4 model string,
    6 usage Usage
  OutputChunk: 1 delta Said, 3 finish_reason Finish, 4 index int
  Said: 1 content string, 2 role Role, 3 tool_calls ToolCall*,
    4 reasoning_content string
  Usage: 1 completion_tokens int, 2 prompt_tokens int, 3 total_tokens int,
    6 reasoning_tokens int, 7 cached_tokens int
  EmbedRequest: 1 input EmbedInput*, 2 model string, 3 encoding_format int,
    4 user string
  EmbedInput: 1 string string, 2 image_url Image
  SampleTextRequest: 1 prompt string*, 3 model string, 7 max_tokens int, 8 n int,
    12 stop string*, 17 user string
  SampleTextResponse: 1 id string, 2 choices Sample*, 6 model string, 9 usage Usage
  Sample: 1 finish_reason Finish, 2 index int, 3 text string
  Nothing:
`,
  {
    Role: ['', 'user', 'assistant', 'system', 'function', 'tool', 'developer'],
    Finish: [
      ...['', 'REASON_MAX_LEN', 'REASON_MAX_CONTEXT', 'REASON_STOP'],
      ...['REASON_TOOL_CALLS', 'REASON_TIME_LIMIT'],
    ],
  },
)

const CHAT_PATH = '/v1/chat/completions'

export const xaiChat: GrpcService = {
  name: /^xai_api\.Chat$/,
  provider: 'xai',
  schema: XAI,
  methods: {
    GetCompletion: chat('GetChatCompletionResponse', ofChat),
    GetCompletionChunk: chat('GetChatCompletionChunk', (messages) => ({
      ...ofChat(messages),
      stream: true,
    })),
    StartDeferredCompletion: chat('Nothing', ofChat),
  },
}

export const xaiEmbedder: GrpcService = {
  name: /^xai_api\.Embedder$/,
  provider: 'xai',
  schema: XAI,
  methods: {
    Embed: grpcMethod('embeddings', '/v1/embeddings', ['EmbedRequest', 'Nothing'], {
      body: ([first = {}]) => ({
        ...first,
        input: asList(first.input).map((one) => asRecord(one)?.string ?? one),
      }),
    }),
  },
}

export const xaiSample: GrpcService = {
  name: /^xai_api\.Sample$/,
  provider: 'xai',
  schema: XAI,
  methods: {
    SampleText: sample({}),
    SampleTextStreaming: sample({ stream: true }),
  },
}

function sample(more: Json): GrpcMethod {
  const types = ['SampleTextRequest', 'SampleTextResponse'] as const
  const body = ([first = {}]: readonly Json[]): Json => ({ ...first, ...more })
  return grpcMethod('completions', '/v1/completions', types, { body })
}

function chat(answer: string, body: (messages: readonly Json[]) => Json): GrpcMethod {
  return grpcMethod('chat', CHAT_PATH, ['GetCompletionsRequest', answer], { body })
}

/** Parts and tools of chat completions carry a type. */
function ofChat([first = {}]: readonly Json[]): Json {
  const messages = asList(first.messages).map((item) => {
    const message = asRecord(item) ?? {}
    return { ...message, content: asList(message.content).map(partOf) }
  })
  return { ...first, messages, tools: asList(first.tools).map(toolOf) }
}

function partOf(item: unknown): unknown {
  const part = asRecord(item)
  if (part?.image_url !== undefined) return { type: 'image_url', ...part }
  const file = asRecord(part?.file)
  if (file === undefined) return { type: 'text', ...part }
  const { data, ...others } = file
  return { ...part, type: 'file', file: { ...others, file_data: data } }
}

function toolOf(item: unknown): unknown {
  const tool = asRecord(item) ?? {}
  const [type = ''] = Object.keys(tool)
  return type === 'mcp' ? { type, ...asRecord(tool.mcp) } : { type, ...tool }
}
