/**
 * What the vendors' own libraries say of an answer, in one form for all of them. Each is asked
 * over the ordinary `fetch`, so that a test can send it wherever it likes. What is asked does
 * not matter beyond its model: the origin answers as it was told to.
 */
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Mistral } from '@mistralai/mistralai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { bedrock } from './sdk-bedrock.js'
import { cohere } from './sdk-cohere.js'
import { called, counted, KEY, user, withParts, WORDS } from './sdk-words.js'
import type { Said, SdkAsked } from './sdk-words.js'

/** Undefined where no vendor's library makes such a call. */
export function sdkSays(asked: SdkAsked): Promise<Said> | undefined {
  const say = sayerFor(asked)
  return say?.().catch((cause: unknown) => failed(cause))
}

function sayerFor(asked: SdkAsked): (() => Promise<Said>) | undefined {
  const { pathname, hostname } = asked.url
  if (pathname.endsWith('/messages')) return () => anthropic(asked)
  if (hostname.includes('bedrock-runtime')) return bedrock(asked)
  if (hostname.includes('googleapis')) return google(asked)
  if (hostname.includes('cohere')) return cohere(asked)
  if (pathname === '/api/chat') return () => ollama(asked)
  if (hostname === 'api.mistral.ai' && pathname.endsWith('/chat/completions'))
    return () => mistral(asked)
  return openai(asked)
}

function failed(cause: unknown): Said {
  const error = cause as { status?: number; statusCode?: number; message: string }
  const meta = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata
  const status = error.status ?? error.statusCode ?? meta?.httpStatusCode
  return { text: '', calls: [], error: { status, message: error.message } }
}

function openai(asked: SdkAsked): (() => Promise<Said>) | undefined {
  const { url, model } = asked
  const call = /\/(?:chat\/completions|completions|responses|embeddings)$/.exec(
    url.pathname,
  )?.[0]
  if (call === undefined) return undefined
  const client = new OpenAI({
    apiKey: KEY,
    baseURL: url.origin + url.pathname.slice(0, -call.length),
    maxRetries: 0,
  })
  switch (call) {
    case '/chat/completions':
      return () => openaiChat(client, asked)
    case '/responses':
      return () => openaiResponse(client, asked)
    case '/completions':
      return () => openaiCompletion(client, asked)
    default:
      return async () => {
        const said = await client.embeddings.create({ model, input: WORDS })
        const { prompt_tokens: inputTokens } = said.usage
        return { model: said.model, text: '', calls: [], inputTokens }
      }
  }
}

async function openaiChat(client: OpenAI, { model, stream }: SdkAsked): Promise<Said> {
  const params = { model, messages: [user] }
  const said = stream
    ? await client.chat.completions.stream(params).finalChatCompletion()
    : await client.chat.completions.create(params)
  const [choice] = said.choices
  return {
    model: said.model,
    id: said.id,
    text: choice?.message.content ?? '',
    calls: (choice?.message.tool_calls ?? []).map((call) =>
      call.type === 'function'
        ? called(call.function.name, call.function.arguments)
        : called(call.custom.name, call.custom.input),
    ),
    ...counted(said.usage?.prompt_tokens, said.usage?.completion_tokens),
    finish: choice?.finish_reason,
  }
}

async function openaiResponse(
  client: OpenAI,
  { model, stream }: SdkAsked,
): Promise<Said> {
  const params = { model, input: WORDS }
  const said = stream
    ? await client.responses.stream(params).finalResponse()
    : await client.responses.create(params)
  return {
    model: said.model,
    id: said.id,
    text: said.output_text,
    calls: said.output.flatMap((item) =>
      item.type === 'function_call' ? [called(item.name, item.arguments)] : [],
    ),
    ...counted(said.usage?.input_tokens, said.usage?.output_tokens),
    finish: said.status,
  }
}

async function openaiCompletion(
  client: OpenAI,
  { model, stream }: SdkAsked,
): Promise<Said> {
  const params = { model, prompt: WORDS }
  if (!stream) {
    const said = await client.completions.create(params)
    const [choice] = said.choices
    return {
      model: said.model,
      id: said.id,
      text: choice?.text ?? '',
      calls: [],
      ...counted(said.usage?.prompt_tokens, said.usage?.completion_tokens),
      finish: choice?.finish_reason,
    }
  }
  let text = ''
  let finish: string | undefined
  let last: OpenAI.Completion | undefined
  for await (const piece of await client.completions.create({ ...params, stream })) {
    const [choice] = piece.choices
    text += choice?.text ?? ''
    // The type denies it, but all chunks but the last say null.
    finish = choice?.finish_reason ?? finish
    last = piece
  }
  return {
    model: last?.model,
    id: last?.id,
    text,
    calls: [],
    ...counted(last?.usage?.prompt_tokens, last?.usage?.completion_tokens),
    finish,
  }
}

async function anthropic({ url, model, stream }: SdkAsked): Promise<Said> {
  const baseURL = url.origin + url.pathname.slice(0, -'/v1/messages'.length)
  const client = new Anthropic({ apiKey: KEY, baseURL, maxRetries: 0 })
  const params = { model, max_tokens: 1000, messages: [user] }
  const said = stream
    ? await client.messages.stream(params).finalMessage()
    : await client.messages.create(params)
  return {
    model: said.model,
    id: said.id,
    text: said.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    calls: said.content.flatMap((block) =>
      block.type === 'tool_use' ? [called(block.name, block.input)] : [],
    ),
    ...counted(
      withParts(
        said.usage.input_tokens,
        said.usage.cache_read_input_tokens,
        said.usage.cache_creation_input_tokens,
      ),
      said.usage.output_tokens,
    ),
    finish: said.stop_reason ?? undefined,
  }
}

function google(asked: SdkAsked): (() => Promise<Said>) | undefined {
  const { url, model, stream } = asked
  if (!/:(?:generateContent|streamGenerateContent)$/.test(url.pathname)) return undefined
  const vertexai = url.hostname.includes('aiplatform')
  const client = new GoogleGenAI({
    apiKey: KEY,
    vertexai,
    httpOptions: { retryOptions: { attempts: 1 } },
  })
  const params = { model, contents: WORDS }
  return async () => {
    if (!stream) return googleSaid([await client.models.generateContent(params)])
    const pieces = []
    for await (const piece of await client.models.generateContentStream(params))
      pieces.push(piece)
    return googleSaid(pieces)
  }
}

type GoogleAnswer = Awaited<ReturnType<GoogleGenAI['models']['generateContent']>>
type GoogleCount =
  | 'promptTokenCount'
  | 'toolUsePromptTokenCount'
  | 'candidatesTokenCount'
  | 'thoughtsTokenCount'

/** The library leaves joining a stream to its users: the later word counts. */
function googleSaid(pieces: readonly GoogleAnswer[]): Said {
  const usages = pieces.map(({ usageMetadata }) => usageMetadata)
  const last = (name: GoogleCount): number | undefined =>
    usages.findLast((usage) => usage?.[name] !== undefined)?.[name]
  const finish = pieces.map(({ candidates }) => candidates?.[0]?.finishReason)
  return {
    model: pieces.findLast(({ modelVersion }) => modelVersion)?.modelVersion,
    id: pieces.findLast(({ responseId }) => responseId)?.responseId,
    text: pieces
      .flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])
      .map(({ text, thought }) => (thought === true ? '' : (text ?? '')))
      .join(''),
    calls: pieces
      .flatMap(({ functionCalls }) => functionCalls ?? [])
      .map(({ name, args }) => called(name ?? '', args)),
    ...counted(
      withParts(last('promptTokenCount'), last('toolUsePromptTokenCount')),
      withParts(last('candidatesTokenCount'), last('thoughtsTokenCount')),
    ),
    finish: finish.findLast((reason) => reason !== undefined),
  }
}

async function mistral({ model, stream }: SdkAsked): Promise<Said> {
  const client = new Mistral({ apiKey: KEY, retryConfig: { strategy: 'none' } })
  const params = { model, messages: [user] }
  if (!stream) {
    const said = await client.chat.complete(params)
    const choice = said.choices[0]
    return {
      model: said.model,
      id: said.id,
      text: mistralText(choice?.message?.content),
      calls: (choice?.message?.toolCalls ?? []).map((call) =>
        called(call.function.name, call.function.arguments),
      ),
      ...counted(said.usage.promptTokens, said.usage.completionTokens),
      finish: choice?.finishReason ?? undefined,
    }
  }
  let said: Said = { text: '', calls: [] }
  for await (const { data } of await client.chat.stream(params)) {
    const choice = data.choices[0]
    const calls = (choice?.delta.toolCalls ?? []).map((call) =>
      called(call.function.name, call.function.arguments),
    )
    said = {
      ...said,
      model: data.model,
      id: data.id,
      text: said.text + mistralText(choice?.delta.content),
      calls: [...said.calls, ...calls],
      ...(data.usage === undefined
        ? {}
        : counted(data.usage.promptTokens, data.usage.completionTokens)),
      finish: choice?.finishReason ?? said.finish,
    }
  }
  return said
}

function mistralText(content: unknown): string {
  if (typeof content === 'string') return content
  const parts = (content ?? []) as { type: string; text?: string }[]
  return parts.map(({ type, text }) => (type === 'text' ? (text ?? '') : '')).join('')
}

async function ollama({ url, model, stream }: SdkAsked): Promise<Said> {
  const client = new Ollama({ host: url.origin })
  const params = { model, messages: [user] }
  const pieces = []
  if (stream)
    for await (const piece of await client.chat({ ...params, stream })) pieces.push(piece)
  else pieces.push(await client.chat({ ...params, stream: false }))
  const last = pieces.at(-1)
  return {
    model: last?.model,
    text: pieces.map(({ message }) => message.content).join(''),
    calls: pieces
      .flatMap(({ message }) => message.tool_calls ?? [])
      .map((call) => called(call.function.name, call.function.arguments)),
    ...counted(last?.prompt_eval_count, last?.eval_count),
    finish: last?.done_reason,
  }
}
