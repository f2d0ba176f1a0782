/**
 * Google's calls over gRPC as the JSON that its REST calls have: field numbers of
 * google/ai/generativelanguage/v1beta/{generative_service,content}.proto and of
 * google/cloud/aiplatform/v1/{prediction_service,content,tool,openapi}.proto, as their packages
 * @google-ai/generativelanguage 3.7.1 and @google-cloud/aiplatform 6.11.0 have them. Enums stay numbers, as
 * in answers that were asked for so. Pure.
 */
import { protoSchema } from '../protobuf/schema.js'
import { grpcMethod } from './grpc-method.js'
import type { GrpcService } from './grpc-method.js'
import { asList, asRecord } from './json.js'
import type { Json } from './json.js'

const TOOLS = `
  FunctionCall: 1 name string, 2 args Struct, 3 id string
  FunctionResponse: 1 name string, 2 response Struct, 3 id string
  Blob: 1 mimeType string, 2 data bytes
  FileData: 1 mimeType string, 2 fileUri string
  ToolConfig: 1 functionCallingConfig FunctionCallingConfig
  FunctionCallingConfig: 1 mode int, 2 allowedFunctionNames string*
  Empty:
`

const GEMINI = protoSchema(`
  GenerateContentRequest: 1 model string, 2 contents Content*,
    3 safetySettings Safety*, 4 generationConfig GenerationConfig, 5 tools Tool*,
    7 toolConfig ToolConfig, 8 systemInstruction Content, 9 cachedContent string
  GenerateAnswerRequest: 1 model string, 2 contents Content*,
    3 safetySettings Safety*, 4 temperature float, 5 answerStyle int
  CountTokensRequest: 1 model string, 2 contents Content*,
    3 generateContentRequest GenerateContentRequest
  EmbedContentRequest: 1 model string, 2 content Content, 3 taskType int,
    4 title string, 5 outputDimensionality int
  BatchEmbedContentsRequest: 1 model string, 2 requests EmbedContentRequest*
  BidiClientMessage: 1 setup BidiSetup, 2 clientContent BidiContent,
    3 realtimeInput BidiRealtime, 4 toolResponse BidiToolResponse
  BidiSetup: 1 model string, 2 generationConfig GenerationConfig,
    3 systemInstruction Content, 4 tools Tool*
  BidiContent: 1 turns Content*, 2 turnComplete bool
  BidiRealtime: 1 mediaChunks Blob*, 2 audio Blob, 3 audioStreamEnd bool,
    4 video Blob, 5 text string, 6 activityStart Empty, 7 activityEnd Empty
  BidiToolResponse: 1 functionResponses FunctionResponse*
  Content: 1 parts Part*, 2 role string
  Part: 2 text string, 3 inlineData Blob, 4 functionCall FunctionCall,
    5 functionResponse FunctionResponse, 6 fileData FileData, 9 executableCode Code,
    10 codeExecutionResult CodeResult, 11 thought bool, 13 thoughtSignature bytes
  Code: 1 language int, 2 code string
  CodeResult: 1 outcome int, 2 output string
  Safety: 3 category int, 4 threshold int
  GenerationConfig: 1 candidateCount int, 2 stopSequences string*,
    4 maxOutputTokens int, 5 temperature float, 6 topP float, 7 topK int, 8 seed int,
    13 responseMimeType string, 14 responseSchema Schema, 24 responseJsonSchema Value
  Tool: 1 functionDeclarations Function*, 2 googleSearchRetrieval Other,
    3 codeExecution Empty, 4 googleSearch Other, 6 computerUse Other,
    8 urlContext Empty, 9 fileSearch Other, 11 googleMaps Other
  Other:
  Function: 1 name string, 2 description string, 3 parameters Schema,
    4 response Schema, 6 parametersJsonSchema Value, 7 responseJsonSchema Value
  Schema: 1 type int, 2 format string, 3 description string, 4 nullable bool,
    5 enum string*, 6 items Schema, 7 properties Schema%, 8 required string*,
    15 pattern string, 16 example Value, 18 anyOf Schema*, 21 maxItems int,
    22 minItems int, 23 propertyOrdering string*, 24 title string, 25 default Value
  GenerateContentResponse: 1 candidates Candidate*, 2 promptFeedback Feedback,
    3 usageMetadata Usage, 4 modelVersion string, 5 responseId string
  GenerateAnswerResponse: 1 candidates Candidate*, 3 promptFeedback Feedback
  Candidate: 1 content Content, 2 finishReason int, 3 index int
  Feedback: 1 blockReason int
  Usage: 1 promptTokenCount int, 2 candidatesTokenCount int, 3 totalTokenCount int,
    4 cachedContentTokenCount int, 8 toolUsePromptTokenCount int,
    10 thoughtsTokenCount int
  CountTokensResponse: 1 totalTokens int
  BidiServerMessage: 3 serverContent BidiServerContent, 4 toolCall BidiToolCall,
    10 usageMetadata Usage
  BidiServerContent: 1 modelTurn Content, 2 turnComplete bool
  BidiToolCall: 2 functionCalls FunctionCall*
  Nothing:
${TOOLS}`)

const VERTEX = protoSchema(`
  GenerateContentRequest: 2 contents Content*, 3 safetySettings Safety*,
    4 generationConfig GenerationConfig, 5 model string, 6 tools Tool*,
    7 toolConfig ToolConfig, 8 systemInstruction Content, 9 cachedContent string,
    10 labels string%
  CountTokensRequest: 1 endpoint string, 2 instances Value*, 3 model string,
    4 contents Content*, 5 systemInstruction Content, 6 tools Tool*,
    7 generationConfig GenerationConfig
  PredictRequest: 1 endpoint string, 2 instances Value*, 3 parameters Value
  Content: 1 role string, 2 parts Part*
  Part: 1 text string, 2 inlineData Blob, 3 fileData FileData, 4 videoMetadata Other,
    5 functionCall FunctionCall, 6 functionResponse FunctionResponse,
    8 executableCode Code, 9 codeExecutionResult CodeResult, 10 thought bool,
    11 thoughtSignature bytes
  Code: 1 language int, 2 code string
  CodeResult: 1 outcome int, 2 output string
  Safety: 1 category int, 2 threshold int, 4 method int
  GenerationConfig: 1 temperature float, 2 topP float, 3 topK float,
    4 candidateCount int, 5 maxOutputTokens int, 6 stopSequences string*,
    8 presencePenalty float, 9 frequencyPenalty float, 12 seed int,
    13 responseMimeType string, 16 responseSchema Schema, 28 responseJsonSchema Value
  Tool: 1 functionDeclarations Function*, 2 retrieval Other,
    3 googleSearchRetrieval Other, 4 codeExecution Empty, 5 googleMaps Other,
    6 enterpriseWebSearch Other, 7 googleSearch Other, 10 urlContext Empty,
    11 computerUse Other, 13 parallelAiSearch Other
  Other:
  Function: 1 name string, 2 description string, 3 parameters Schema,
    4 response Schema, 5 parametersJsonSchema Value, 6 responseJsonSchema Value
  Schema: 1 type int, 2 items Schema, 3 properties Schema%, 4 example Value,
    5 required string*, 6 nullable bool, 7 format string, 8 description string,
    9 enum string*, 11 anyOf Schema*, 20 pattern string, 23 default Value,
    24 title string, 25 propertyOrdering string*, 26 additionalProperties Value,
    27 ref string, 28 defs Schema%
  GenerateContentResponse: 2 candidates Candidate*, 3 promptFeedback Feedback,
    4 usageMetadata Usage, 11 modelVersion string, 13 responseId string
  Candidate: 1 index int, 2 content Content, 3 finishReason int
  Feedback: 1 blockReason int
  Usage: 1 promptTokenCount int, 2 candidatesTokenCount int, 3 totalTokenCount int,
    5 cachedContentTokenCount int, 13 toolUsePromptTokenCount int,
    14 thoughtsTokenCount int
  CountTokensResponse: 1 totalTokens int
  PredictResponse: 1 predictions Value*, 2 deployedModelId string
${TOOLS}`)

/** By which the reader of the REST calls tells a stream, and Vertex's enums. */
const GEMINI_PATH = '/v1beta'
const VERTEX_PATH = '/v1/publishers/google'

const GENERATE = ['GenerateContentRequest', 'GenerateContentResponse'] as const
const COUNT = ['CountTokensRequest', 'CountTokensResponse'] as const

export const geminiCalls: GrpcService = {
  name: /^google\.ai\.generativelanguage\.v1(?:alpha|beta\d?)?\.GenerativeService$/,
  provider: 'gemini',
  schema: GEMINI,
  methods: {
    GenerateContent: grpcMethod('generate', `${GEMINI_PATH}:generateContent`, GENERATE),
    StreamGenerateContent: grpcMethod(
      'generate',
      `${GEMINI_PATH}:streamGenerateContent`,
      GENERATE,
    ),
    GenerateAnswer: grpcMethod('generate', `${GEMINI_PATH}:generateAnswer`, [
      'GenerateAnswerRequest',
      'GenerateAnswerResponse',
    ]),
    CountTokens: grpcMethod('count-tokens', `${GEMINI_PATH}:countTokens`, COUNT),
    EmbedContent: grpcMethod('embeddings', `${GEMINI_PATH}:embedContent`, [
      'EmbedContentRequest',
      'Nothing',
    ]),
    BatchEmbedContents: grpcMethod('embeddings', `${GEMINI_PATH}:batchEmbedContents`, [
      'BatchEmbedContentsRequest',
      'Nothing',
    ]),
    BidiGenerateContent: grpcMethod(
      'generate',
      `${GEMINI_PATH}:streamGenerateContent`,
      ['BidiClientMessage', 'BidiServerMessage'],
      { body: ofConversation, said: ofServer },
    ),
  },
}

export const vertexCalls: GrpcService = {
  name: /^google\.cloud\.aiplatform\.v1(?:beta\d?)?\.(?:PredictionService|LlmUtilityService)$/,
  provider: 'vertex',
  schema: VERTEX,
  methods: {
    GenerateContent: grpcMethod('generate', `${VERTEX_PATH}:generateContent`, GENERATE),
    StreamGenerateContent: grpcMethod(
      'generate',
      `${VERTEX_PATH}:streamGenerateContent`,
      GENERATE,
    ),
    CountTokens: grpcMethod('count-tokens', `${VERTEX_PATH}:countTokens`, COUNT),
    // The older call, for embeddings and pictures: its model tells, which the message names.
    Predict: grpcMethod(
      'embeddings',
      `${VERTEX_PATH}:predict`,
      ['PredictRequest', 'PredictResponse'],
      { body: ([first = {}]) => ({ ...first, model: first.endpoint }) },
    ),
  },
}

/** What a client says in a live conversation, as one request. */
function ofConversation(messages: readonly Json[]): Json {
  const setup = messages
    .map(({ setup }) => asRecord(setup))
    .find((one) => one !== undefined)
  const contents = messages.flatMap(({ clientContent, realtimeInput, toolResponse }) => {
    const said = asRecord(realtimeInput)?.text
    const results = asList(asRecord(toolResponse)?.functionResponses)
    return [
      ...asList(asRecord(clientContent)?.turns),
      ...(said === undefined ? [] : [{ role: 'user', parts: [{ text: said }] }]),
      ...(results.length === 0
        ? []
        : [{ role: 'user', parts: results.map((one) => ({ functionResponse: one })) }]),
    ]
  })
  return { ...setup, contents }
}

/** What the model says there, as a piece of an answer. */
function ofServer({ serverContent, toolCall, usageMetadata }: Json): Json {
  const turn = asRecord(asRecord(serverContent)?.modelTurn)
  const calls = asList(asRecord(toolCall)?.functionCalls)
  const parts = [
    ...asList(turn?.parts),
    ...calls.map((functionCall) => ({ functionCall })),
  ]
  const candidates = parts.length === 0 ? [] : [{ content: { role: 'model', parts } }]
  return { candidates, usageMetadata }
}
