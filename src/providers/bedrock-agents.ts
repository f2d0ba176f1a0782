/**
 * Bedrock's agents, flows and knowledge bases (`bedrock-agent-runtime`):
 * docs.aws.amazon.com/bedrock/latest/APIReference, InvokeAgent, InvokeInlineAgent, InvokeFlow,
 * RetrieveAndGenerate, Retrieve. Answers come as AWS event streams; usage stands only in the
 * traces of the models that were called, where the client asked for traces.
 */
import type { Resting } from '../core/resting.js'
import { joinedTexts } from '../core/long-text.js'
import { asList, asRecord, asText, firstCount, firstText } from './json.js'
import type { Json } from './json.js'
import { jsonText } from './json-text.js'
import type { FactsBuilder } from './facts.js'
import { withoutQuery } from './paths.js'
import type { Api, RequestFacts } from './provider.js'
import type { Shape } from './reader.js'
import { RequestBuilder } from './request.js'

const PATHS: readonly (readonly [RegExp, Api])[] = [
  [/^\/agents\/[^/]+\/agentAliases\/[^/]+\/sessions\/[^/]+\/text$/, 'invoke'],
  [/^\/agents\/[^/]+$/, 'invoke'],
  [/^\/flows\/[^/]+\/aliases\/[^/]+$/, 'invoke'],
  [/^\/retrieveAndGenerate(?:Stream)?$/, 'invoke'],
  [/^\/optimize-prompt$/, 'invoke'],
  [/^\/generateQuery$/, 'invoke'],
  [/^\/rerank$/, 'rerank'],
  [/^\/knowledgebases\/[^/]+\/retrieve$/, 'other'],
]

/** By the path alone, a query or none; undefined: none of these calls. */
export function agentApi(path: string): Api | undefined {
  const bare = withoutQuery(path)
  return PATHS.find(([pattern]) => pattern.test(bare))?.[1]
}

/**
 * What is asked of an agent, a flow or a knowledge base. The model is the end of its ARN,
 * or undefined where the agent has its own.
 */
export function* readAgentRequest(body: Json, api: Api): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  const config = asRecord(body.retrieveAndGenerateConfiguration)
  const base = asRecord(config?.knowledgeBaseConfiguration)
  const external = asRecord(config?.externalSourcesConfiguration)
  builder.model = modelName(
    firstText(body.foundationModel, base?.modelArn, external?.modelArn),
  )
  builder.conversationId = asText(body.sessionId)
  builder.system(asText(body.instruction) ?? '')
  for (const source of [base, external]) {
    const generation = asRecord(source?.generationConfiguration)
    const template = asRecord(generation?.promptTemplate)
    builder.system(asText(template?.textPromptTemplate) ?? '')
  }
  const asked = [
    body.inputText,
    asRecord(body.input)?.text,
    asRecord(body.retrievalQuery)?.text,
    asRecord(asRecord(asRecord(body.input)?.textPrompt))?.text,
    asRecord(body.queryGenerationInput)?.text,
  ]
  for (const text of asked) builder.message('user', asText(text) ?? '')
  for (const item of asList(body.queries)) {
    if (builder.due()) yield
    builder.message('user', asText(asRecord(asRecord(item)?.textQuery)?.text) ?? '')
  }
  for (const item of asList(body.inputs)) {
    if (builder.due()) yield
    yield* readDocument(asRecord(item), builder)
  }
  const state = asRecord(body.sessionState ?? body.inlineSessionState)
  const history = asRecord(state?.conversationHistory)
  for (const item of asList(history?.messages)) {
    if (builder.due()) yield
    const message = asRecord(item)
    const texts = asList(message?.content).map(
      (part) => asText(asRecord(part)?.text) ?? '',
    )
    builder.message(asText(message?.role) ?? '', joinedTexts(texts, '\n'))
  }
  for (const item of asList(body.actionGroups))
    builder.tool(asText(asRecord(item)?.actionGroupName))
  return builder.build(api)
}

/** A flow's input is any document: its texts are what is said. */
function* readDocument(input: Json | undefined, builder: RequestBuilder): Resting<void> {
  const document = asRecord(input?.content)?.document
  if (document === undefined) return
  const text = typeof document === 'string' ? document : yield* jsonText(document)
  builder.message('user', text)
}

/** `arn:aws:bedrock:<region>::foundation-model/<id>` -> `<id>`. */
function modelName(name: string | undefined): string | undefined {
  if (name?.startsWith('arn:') !== true) return name
  return name.slice(name.lastIndexOf('/') + 1)
}

export const agentShape: Shape = {
  body(value, facts) {
    facts.text.append(asText(asRecord(value.output)?.text) ?? '')
    facts.responseId = firstText(value.sessionId, facts.responseId)
    facts.finishReason = firstText(value.guardrailAction, facts.finishReason)
  },
  event(value, facts, name) {
    switch (name) {
      case 'chunk':
        facts.text.append(decoded(asText(value.bytes)))
        return
      case 'output':
        facts.text.append(asText(value.text) ?? '')
        return
      case 'flowOutputEvent': {
        const document = asRecord(value.content)?.document
        if (document !== undefined)
          facts.text.append(
            typeof document === 'string' ? document : JSON.stringify(document),
          )
        return
      }
      case 'flowCompletionEvent':
        facts.finishReason = firstText(value.completionReason, facts.finishReason)
        return
      case 'returnControl':
        for (const item of asList(value.invocationInputs))
          readControl(asRecord(item), facts)
        return
      case 'trace':
        readTrace(asRecord(value.trace), facts)
        return
      default:
        return
    }
  },
}

function decoded(base64: string | undefined): string {
  return base64 === undefined ? '' : Buffer.from(base64, 'base64').toString()
}

/** The agent asks its client to run a tool. */
function readControl(input: Json | undefined, facts: FactsBuilder): void {
  const call = asRecord(input?.functionInvocationInput ?? input?.apiInvocationInput)
  if (call === undefined) return
  facts.toolCall(facts.toolCallCount, {
    name: firstText(call.function, call.apiPath, call.actionGroup),
    argumentsText: JSON.stringify(call.parameters ?? []),
  })
}

/** Each model that the agent called has its usage in a trace of its own. */
function readTrace(trace: Json | undefined, facts: FactsBuilder): void {
  for (const step of Object.values(trace ?? {})) {
    const output = asRecord(asRecord(step)?.modelInvocationOutput)
    const usage = asRecord(asRecord(output?.metadata)?.usage)
    const input = firstCount(usage?.inputTokens)
    const written = firstCount(usage?.outputTokens)
    if (input !== undefined) facts.inputTokens = (facts.inputTokens ?? 0) + input
    if (written !== undefined) facts.outputTokens = (facts.outputTokens ?? 0) + written
    const asked = asRecord(asRecord(step)?.modelInvocationInput)
    facts.model = firstText(facts.model, modelName(asText(asked?.foundationModel)))
  }
}
