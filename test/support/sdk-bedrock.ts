/** What Amazon's own library says of Bedrock's answers. */
import { Readable } from 'node:stream'
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { called, counted, KEY, withParts, WORDS } from './sdk-words.js'
import type { Said, SdkAsked } from './sdk-words.js'

export function bedrock({ url, model }: SdkAsked): (() => Promise<Said>) | undefined {
  const region = url.hostname.split('.')[1] ?? ''
  const client = new BedrockRuntimeClient({
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'nobody', secretAccessKey: KEY },
    requestHandler: { handle: handleByFetch },
  })
  const content = [{ text: WORDS }]
  const params = { modelId: model, messages: [{ role: 'user' as const, content }] }
  if (url.pathname.endsWith('/converse'))
    return async () => {
      const said = await client.send(new ConverseCommand(params))
      const blocks = said.output?.message?.content ?? []
      return {
        text: blocks.map(({ text }) => text ?? '').join(''),
        calls: blocks.flatMap(({ toolUse }) =>
          toolUse === undefined ? [] : [called(toolUse.name ?? '', toolUse.input)],
        ),
        ...converseCounted(said.usage),
        finish: said.stopReason,
      }
    }
  if (url.pathname.endsWith('/converse-stream'))
    return async () =>
      converseStream(await client.send(new ConverseStreamCommand(params)))
  if (!url.pathname.endsWith('/invoke')) return undefined
  return async () => {
    const command = new InvokeModelCommand({ modelId: model, body: '{}' })
    const said = await client.send(command)
    // The library gives an invoked model's bytes as they are; the vendor's reads them.
    return invoked(JSON.parse(Buffer.from(said.body).toString()) as Invoked)
  }
}

interface Invoked {
  readonly model?: string
  readonly content?: readonly { type: string; text?: string }[]
  readonly usage?: {
    input_tokens?: number
    output_tokens?: number
    cache_read_input_tokens?: number
    cache_creation_input_tokens?: number
  }
  readonly inputTextTokenCount?: number
  readonly stop_reason?: string
}

/** Anthropic's message, or Titan's count beside a vector. */
function invoked(said: Invoked): Said {
  return {
    model: said.model,
    text: (said.content ?? []).map(({ text }) => text ?? '').join(''),
    calls: [],
    ...counted(
      withParts(
        said.usage?.input_tokens ?? said.inputTextTokenCount,
        said.usage?.cache_read_input_tokens,
        said.usage?.cache_creation_input_tokens,
      ),
      said.usage?.output_tokens,
    ),
    finish: said.stop_reason,
  }
}

interface ConverseEvents {
  readonly stream?: AsyncIterable<ConverseEvent> | undefined
}

interface ConverseEvent {
  readonly contentBlockStart?: { start?: { toolUse?: { name?: string | undefined } } }
  readonly contentBlockDelta?: {
    delta?: { text?: string; toolUse?: { input?: string | undefined } }
  }
  readonly messageStop?: { stopReason?: string | undefined }
  readonly metadata?: { usage?: ConverseUsage }
}

interface ConverseUsage {
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  readonly cacheReadInputTokens?: number | undefined
  readonly cacheWriteInputTokens?: number | undefined
}

function converseCounted(usage: ConverseUsage | undefined) {
  const read = usage?.cacheReadInputTokens
  const input = withParts(usage?.inputTokens, read, usage?.cacheWriteInputTokens)
  return counted(input, usage?.outputTokens)
}

async function converseStream(said: object): Promise<Said> {
  let text = ''
  let end: Partial<Said> = {}
  const calls: { name: string; text: string }[] = []
  for await (const event of (said as ConverseEvents).stream ?? []) {
    const use = event.contentBlockStart?.start?.toolUse
    if (use !== undefined) calls.push({ name: use.name ?? '', text: '' })
    const delta = event.contentBlockDelta?.delta
    text += delta?.text ?? ''
    const call = calls.at(-1)
    if (call !== undefined) call.text += delta?.toolUse?.input ?? ''
    if (event.messageStop !== undefined)
      end = { ...end, finish: event.messageStop.stopReason }
    const usage = event.metadata?.usage
    if (usage !== undefined) end = { ...end, ...converseCounted(usage) }
  }
  return { text, calls: calls.map((call) => called(call.name, call.text)), ...end }
}

interface AwsRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: string | Uint8Array
}

/** The library's own way out cannot be sent through a proxy; its reading is what counts. */
async function handleByFetch(request: AwsRequest) {
  const { method, protocol, hostname, path, body } = request
  // Those that `fetch` sets itself.
  const { host: _, 'content-length': __, ...headers } = request.headers
  const answer = await fetch(`${protocol}//${hostname}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: body as string }),
  })
  const stream = answer.body === null ? undefined : Readable.from(answer.body)
  return {
    response: {
      statusCode: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: stream,
    },
  }
}
