/**
 * The providers' libraries as programs use them that take a base URL: what each hears by it.
 * Whole, in a stream, with a tool, embeddings and files, as far as the library has them.
 */
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic, { toFile as toAnthropicFile } from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { Mistral } from '@mistralai/mistralai'
import { embed, generateText, jsonSchema, streamText } from 'ai'
import { CohereClientV2 } from 'cohere-ai'
import { Ollama } from 'ollama'
import OpenAI, { toFile } from 'openai'

/** By which a library reaches its provider. */
export interface Base {
  /** Up to where the API's own path begins. */
  readonly url: string
  /** In front of each model's name. */
  readonly model: string
  /** What only its path tells is not asked. */
  readonly isByModel: boolean
}

export interface DoorLibrary {
  readonly name: string
  /** The name of its provider's door. */
  readonly door: string
  /** Where that provider has OpenAI's API, for a door that says so. */
  readonly prefix?: string
  /** It can be led by its models' names: they stand in a body under `/v1/`. */
  readonly namesModel: boolean
  readonly hear: (base: Base) => Promise<readonly unknown[]>
}

export const QUESTION = 'What is the time?'
const messages = [{ role: 'user' as const, content: QUESTION }]
const ZONE = {
  type: 'object' as const,
  properties: { zone: { type: 'string' as const } },
}
const tool = {
  name: 'clock',
  description: 'Tells the time.',
  parameters: ZONE,
}
const functions = [{ type: 'function' as const, function: tool }]
const noRetry = { maxRetries: 0 }
export const CLIENT_KEY = 'a-key-for-nobody'
const FILE = Buffer.from('{"custom_id":"1"}\n')

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = []
  for await (const item of items) got.push(item)
  return got
}

const openai: DoorLibrary = {
  name: 'openai',
  door: 'openai',
  namesModel: true,
  hear: async ({ url, model, isByModel }) => {
    const sdk = new OpenAI({ apiKey: CLIENT_KEY, baseURL: `${url}/v1`, ...noRetry })
    const asked = { model: `${model}gpt-4o`, messages }
    const embedding = { model: `${model}text-embedding-3-small`, input: 'words' }
    const heard: unknown[] = [
      await sdk.chat.completions.create(asked),
      await all(await sdk.chat.completions.create({ ...asked, stream: true })),
      await sdk.chat.completions.create({ ...asked, tools: functions }),
      await sdk.responses.create({ model: `${model}gpt-4o`, input: QUESTION }),
      await sdk.embeddings.create(embedding),
    ]
    if (isByModel) return heard
    const file = await toFile(FILE, 'batch.jsonl')
    const made = await sdk.files.create({ file, purpose: 'batch' })
    const content = await sdk.files.content(made.id)
    const listed = (await sdk.files.list()).data
    const gone = await sdk.files.delete(made.id)
    return [
      ...heard,
      (await sdk.models.list()).data,
      made,
      await content.text(),
      listed,
      gone,
    ]
  },
}

const anthropic: DoorLibrary = {
  name: '@anthropic-ai/sdk',
  door: 'anthropic',
  namesModel: true,
  hear: async ({ url, model, isByModel }) => {
    const sdk = new Anthropic({ apiKey: CLIENT_KEY, baseURL: url, ...noRetry })
    const asked = { model: `${model}claude-x`, max_tokens: 100, messages }
    const { parameters, ...named } = tool
    const heard: unknown[] = [
      await sdk.messages.create(asked),
      await all(await sdk.messages.create({ ...asked, stream: true })),
      await sdk.messages.create({
        ...asked,
        tools: [{ ...named, input_schema: parameters }],
      }),
    ]
    if (isByModel) return heard
    const file = await toAnthropicFile(FILE, 'notes.txt', { type: 'text/plain' })
    return [...heard, await sdk.beta.files.upload({ file })]
  },
}

const gemini: DoorLibrary = {
  name: '@google/genai',
  door: 'gemini',
  namesModel: false,
  hear: async ({ url }) => {
    const { models, files } = new GoogleGenAI({
      apiKey: CLIENT_KEY,
      httpOptions: { baseUrl: url },
    })
    const asked = { model: 'gemini-2.5-flash', contents: QUESTION }
    const { parameters: parametersJsonSchema, ...named } = tool
    const tools = [{ functionDeclarations: [{ ...named, parametersJsonSchema }] }]
    const plain = (answer: {
      candidates?: unknown
      usageMetadata?: unknown
    }): unknown => [answer.candidates, answer.usageMetadata]
    const embedding = { model: 'gemini-embedding-001', contents: ['words'] }
    return [
      plain(await models.generateContent(asked)),
      (await all(await models.generateContentStream(asked))).map(plain),
      plain(await models.generateContent({ ...asked, config: { tools } })),
      (await models.embedContent(embedding)).embeddings,
      await files.upload({
        file: new Blob([FILE], { type: 'text/plain' }),
        config: { mimeType: 'text/plain' },
      }),
    ]
  },
}

const mistral: DoorLibrary = {
  name: '@mistralai/mistralai',
  door: 'mistral',
  namesModel: true,
  hear: async ({ url, model, isByModel }) => {
    const sdk = new Mistral({ apiKey: CLIENT_KEY, serverURL: url })
    const asked = { model: `${model}mistral-small-latest`, messages }
    const heard: unknown[] = [
      await sdk.chat.complete(asked),
      await all(await sdk.chat.stream(asked)),
      await sdk.chat.complete({ ...asked, tools: functions }),
      await sdk.embeddings.create({ model: `${model}mistral-embed`, inputs: ['words'] }),
    ]
    if (isByModel) return heard
    const file = { fileName: 'batch.jsonl', content: FILE }
    return [...heard, await sdk.files.upload({ file, purpose: 'batch' })]
  },
}

const cohere: DoorLibrary = {
  name: 'cohere-ai',
  door: 'cohere',
  namesModel: false,
  hear: async ({ url }) => {
    const sdk = new CohereClientV2({ token: CLIENT_KEY, baseUrl: url })
    const asked = { model: 'command-a-03-2025', messages }
    return [
      await sdk.chat(asked),
      await all(await sdk.chatStream(asked)),
      await sdk.chat({ ...asked, tools: functions }),
      await sdk.embed({
        model: 'embed-v4.0',
        texts: ['words'],
        inputType: 'search_document',
        embeddingTypes: ['float'],
      }),
    ]
  },
}

const ollama: DoorLibrary = {
  name: 'ollama',
  door: 'ollama',
  namesModel: false,
  hear: async ({ url }) => {
    const sdk = new Ollama({ host: url })
    const asked = { model: 'gpt-oss:20b', messages }
    return [
      await sdk.chat(asked),
      await all(await sdk.chat({ ...asked, stream: true })),
      await sdk.chat({ ...asked, tools: [...functions] as never }),
      await sdk.embed({ model: 'all-minilm', input: 'words' }),
    ]
  },
}

const langchain: DoorLibrary = {
  name: '@langchain/openai',
  door: 'openai',
  namesModel: true,
  hear: async ({ url, model }) => {
    const common = {
      apiKey: CLIENT_KEY,
      configuration: { baseURL: `${url}/v1` },
      ...noRetry,
    }
    const chat = new ChatOpenAI({ ...common, model: `${model}gpt-4o` })
    const words = (said: {
      content: unknown
      tool_calls?: unknown
      usage_metadata?: unknown
    }): unknown => [said.content, said.tool_calls, said.usage_metadata]
    const embeddings = new OpenAIEmbeddings({
      ...common,
      model: `${model}text-embedding-3-small`,
    })
    return [
      words(await chat.invoke(QUESTION)),
      (await all(await chat.stream(QUESTION))).map(words),
      words(await chat.bindTools([...functions]).invoke(QUESTION)),
      await embeddings.embedQuery('words'),
    ]
  },
}

/** Of those that speak OpenAI's API, in many places. */
const compatible = (
  [
    ['groq', '/openai/v1'],
    ['openrouter', '/api/v1'],
    ['deepseek', '/v1'],
    ['xai', '/v1'],
    ['together', '/v1'],
  ] as const
).map(([door, prefix]): DoorLibrary => ({
  name: 'ai with @ai-sdk/openai',
  door,
  prefix,
  namesModel: true,
  hear: async ({ url, model: front }) => {
    const sdk = createOpenAI({ apiKey: CLIENT_KEY, baseURL: url })
    const asked = { model: sdk.chat(`${front}model-1`), prompt: QUESTION, ...noRetry }
    const { text, usage } = await generateText(asked)
    const clock = { description: tool.description, inputSchema: jsonSchema(ZONE) }
    const called = await generateText({ ...asked, tools: { clock } })
    const { embedding } = await embed({
      model: sdk.embedding(`${front}text-embedding-3-small`),
      value: 'words',
      ...noRetry,
    })
    return [
      text,
      usage,
      await all(streamText(asked).textStream),
      called.toolCalls.map(({ toolName, input }) => [toolName, input]),
      embedding,
    ]
  },
}))

export const DOOR_LIBRARIES: readonly DoorLibrary[] = [
  openai,
  anthropic,
  gemini,
  mistral,
  cohere,
  ollama,
  langchain,
  ...compatible,
]
