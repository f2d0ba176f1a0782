/**
 * Gathers what a request asks: messages, attachments, tools. Bounds for every provider live
 * here, and the parts of a message that carry a `type`, which OpenAI, Anthropic, Mistral and
 * Cohere share in spirit. Which field of a body is which is each provider's.
 */
import { headOf, joinedInSlices, joinedTexts, tailOf } from '../core/long-text.js'
import type { Resting } from '../core/resting.js'
import { BoundedText, cutAt, endOfText } from './bounded-text.js'
import { asCount, asList, asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'
import { jsonText } from './json-text.js'
import { endsOf, isBlank, withoutParts } from './message-text.js'
import { tierIn } from './tier.js'
import { ownWords } from './own-words.js'
import type { Api, Attachment, Message, RequestFacts, ToolResult } from './provider.js'

/**
 * What is kept of one request, texts in UTF-16 units. `REQUEST_LIMITS` are the defaults.
 */
export interface RequestLimits {
  /** Further ones still count in the prompt. */
  readonly maxMessages: number
  /** Of one message, one tool's result, and of all system texts together. */
  readonly maxMessageChars: number
  readonly maxPromptChars: number
  /** Attachments, tools, tool results and MCP servers kept, each. */
  readonly maxListed: number
}

export const REQUEST_LIMITS: RequestLimits = {
  maxMessages: 2_000,
  maxMessageChars: 32 * 1024,
  maxPromptChars: 256 * 1024,
  maxListed: 256,
}

/** Messages, parts, calls and tools after which it rests: some microseconds each. */
const REST_UNITS = 128

/** Messages in which words are looked for, and characters of them that are kept. */
const MAX_LOOKED_BACK = 16
const MAX_WORDS_CHARS = 10_000

/**
 * One request: its fields are set and its methods called in the order in which things
 * stand there, then `build` once. What is over a limit is left out. Fields mean what they
 * mean in `RequestFacts`.
 */
export class RequestBuilder {
  model: string | undefined
  stream: boolean | undefined
  maxTokens: number | undefined
  choices: number | undefined
  tier: string | undefined
  previousResponseId: string | undefined
  conversationId: string | undefined
  stored: boolean | undefined
  readonly #limits: RequestLimits
  readonly #messages: Message[] = []
  readonly #system: BoundedText
  readonly #prompt: BoundedText
  readonly #attachments: Attachment[] = []
  readonly #tools: string[] = []
  readonly #toolResults: ToolResult[] = []
  readonly #mcpServers: string[] = []
  #lastUserText = ''
  /** What the user's newest messages say, the newest last: as they are, not copied. */
  readonly #said: string[] = []
  /** Results of tools that the message at hand holds: nobody's words. */
  readonly #results: string[] = []
  #cut = false
  #units = 0

  constructor(limits: RequestLimits = REQUEST_LIMITS) {
    this.#limits = limits
    this.#system = new BoundedText(limits.maxMessageChars)
    this.#prompt = new BoundedText(limits.maxPromptChars)
  }

  /** Asked once for each thing that is read: so much has been that whoever reads rests. */
  due(): boolean {
    return ++this.#units % REST_UNITS === 0
  }

  /** One message with all of its text; a system or developer role counts as system too. */
  message(role: string, text: string): void {
    const results = this.#results
    const words = results.length === 0 ? text : withoutParts(text, results.splice(0))
    if (role === 'user' && !isBlank(words)) {
      this.#said.push(words)
      if (this.#said.length > MAX_LOOKED_BACK) this.#said.shift()
    }
    if (role === 'system' || role === 'developer') this.#systemText(text)
    this.#promptPiece(text)
    if (role === 'user' && text.length > 0)
      this.#lastUserText = cutAt(text, this.#limits.maxMessageChars)
    if (this.#messages.length >= this.#limits.maxMessages) {
      this.#cut = true
      return
    }
    if (text.length > this.#limits.maxMessageChars) this.#cut = true
    this.#messages.push({ role, text: cutAt(text, this.#limits.maxMessageChars) })
  }

  /** A system prompt that stands outside the messages. */
  system(text: string): void {
    if (text.length === 0) return
    this.#systemText(text)
    this.#promptPiece(text)
  }

  /** Characters of all text that goes to the model, kept or not. */
  get promptChars(): number {
    return this.#prompt.chars
  }

  /** One more would only be counted as cut, and now is. */
  get attachmentsFull(): boolean {
    const full = this.#attachments.length >= this.#limits.maxListed
    if (full) this.#cut = true
    return full
  }

  /** More than `maxListed` are left out, as of tools, results and servers. */
  attachment(attachment: Attachment): void {
    this.#list(this.#attachments, attachment)
  }

  /** One that is offered; without a name it is none. */
  tool(name: string | undefined): void {
    if (name !== undefined && name.length > 0) this.#list(this.#tools, name)
  }

  /** Its text goes to the model, but only `message` puts it into the prompt. */
  toolResult(id: string | undefined, text: string): void {
    this.#list(this.#toolResults, { id, text: cutAt(text, this.#limits.maxMessageChars) })
    if (text !== '' && this.#results.length < this.#limits.maxListed)
      this.#results.push(text)
  }

  /** Name and host only: the URL's rest, and headers beside it, can hold keys. */
  mcpServer(name: string | undefined, url: string | undefined): void {
    const host = url === undefined ? undefined : hostOf(url)
    const shown = [name, host]
      .filter((part) => part !== undefined && part !== '')
      .join(' ')
    if (shown.length > 0) this.#list(this.#mcpServers, cutAt(shown, 512))
  }

  /** Gives its own lists, which are not copied. */
  build(api: Api): RequestFacts {
    return {
      api,
      model: this.model,
      stream: this.stream,
      system: this.#system.chars === 0 ? undefined : this.#system.text,
      messages: this.#messages,
      promptText: this.#prompt.text,
      lastUserText: this.#lastUserText,
      newestWords: this.#newestWords(),
      promptChars: this.#prompt.chars,
      attachments: this.#attachments,
      toolsOffered: this.#tools,
      modelsNamed: undefined,
      toolResults: this.#toolResults,
      mcpServers: this.#mcpServers,
      maxTokens: this.maxTokens,
      choices: this.choices,
      tier: this.tier,
      previousResponseId: this.previousResponseId,
      conversationId: this.conversationId,
      stored: this.stored,
      cut: this.#cut || this.#prompt.cut,
    }
  }

  /** An agent's own turns say nothing of the person: then it is what was said before them. */
  #newestWords(): string {
    for (let i = this.#said.length - 1; i >= 0; i--) {
      const words = ownWords(endsOf(this.#said[i] as string))
      if (words !== '') return endOfText(words, MAX_WORDS_CHARS)
    }
    return ''
  }

  #systemText(text: string): void {
    if (this.#system.chars > 0) this.#system.append('\n')
    this.#system.append(text)
  }

  #promptPiece(text: string): void {
    if (text.length === 0) return
    if (this.#prompt.chars > 0) this.#prompt.append('\n')
    this.#prompt.append(text)
  }

  #list<T>(list: T[], item: T): void {
    if (list.length < this.#limits.maxListed) list.push(item)
    else this.#cut = true
  }
}

/**
 * The same with these names. Every field stands here: a copy that is spread and then added to
 * costs several times as much, and one is made for each request.
 */
export function withNamesOf(
  facts: RequestFacts,
  names: Pick<RequestFacts, 'model' | 'toolsOffered' | 'modelsNamed'>,
): RequestFacts {
  return {
    api: facts.api,
    model: names.model,
    stream: facts.stream,
    system: facts.system,
    messages: facts.messages,
    promptText: facts.promptText,
    lastUserText: facts.lastUserText,
    newestWords: facts.newestWords,
    promptChars: facts.promptChars,
    attachments: facts.attachments,
    toolsOffered: names.toolsOffered,
    modelsNamed: names.modelsNamed,
    toolResults: facts.toolResults,
    mcpServers: facts.mcpServers,
    maxTokens: facts.maxTokens,
    choices: facts.choices,
    tier: facts.tier,
    previousResponseId: facts.previousResponseId,
    conversationId: facts.conversationId,
    stored: facts.stored,
    cut: facts.cut,
    ...(facts.toolsCalled === undefined ? {} : { toolsCalled: facts.toolsCalled }),
  }
}

/** Facts of a request whose body nobody could read. */
export function unreadRequest(api: Api, model?: string): RequestFacts {
  const builder = new RequestBuilder()
  builder.model = model
  return builder.build(api)
}

/** Tool results and documents hold parts in parts; further down nobody reads. */
const MAX_NESTING = 4

/**
 * The text of a message's content: a text, or parts that carry a `type`. Attachments and
 * tool results among the parts go to the builder; each part's text stands on a line of
 * its own. Parts in parts are read to the fourth level (`MAX_NESTING`).
 */
export function* readContent(
  content: unknown,
  builder: RequestBuilder,
  nesting = 0,
): Resting<string> {
  if (typeof content === 'string') return content
  const single = asRecord(content)
  if (single !== undefined) return yield* readPart(single, builder, nesting)
  const texts: string[] = []
  for (const item of asList(content)) {
    if (builder.due()) yield
    const part = asRecord(item)
    const text =
      part === undefined ? (asText(item) ?? '') : yield* readPart(part, builder, nesting)
    if (text.length > 0) texts.push(text)
  }
  return yield* joinedInSlices(texts, '\n')
}

function* readPart(
  part: Json,
  builder: RequestBuilder,
  nesting: number,
): Resting<string> {
  switch (part.type) {
    case 'image_url':
    case 'input_image':
    case 'image':
      readMedia('image', part, builder)
      return ''
    case 'input_audio':
    case 'audio':
      readMedia('audio', part, builder)
      return ''
    case 'video':
    case 'video_url':
    case 'input_video':
      readMedia('video', part, builder)
      return ''
    case 'file':
    case 'input_file':
    case 'document':
    case 'document_url':
    case 'container_upload':
      return yield* readDocument(part, builder, nesting)
    case 'tool_result':
    case 'mcp_tool_result': {
      const text =
        nesting < MAX_NESTING ? yield* nested(part.content, builder, nesting) : ''
      builder.toolResult(firstText(part.tool_use_id), text)
      return text
    }
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return part.input === undefined ? '' : yield* jsonText(part.input)
    default:
      return (
        firstText(part.text, part.thinking, part.transcript, part.refusal) ??
        (yield* readResult(part, builder, nesting))
      )
  }
}

/** Results of the provider's own tools, search results, compactions: texts further down. */
function* readResult(
  part: Json,
  builder: RequestBuilder,
  nesting: number,
): Resting<string> {
  const ran = [asText(part.stdout), asText(part.stderr)].filter(
    (text) => text !== undefined,
  )
  if (ran.length > 0)
    return joinedTexts(
      ran.filter((text) => text !== ''),
      '\n',
    )
  if (part.content === undefined || nesting >= MAX_NESTING) return ''
  return yield* nested(part.content, builder, nesting)
}

function nested(
  content: unknown,
  builder: RequestBuilder,
  nesting: number,
): Resting<string> {
  return readContent(content, builder, nesting + 1)
}

function* readDocument(
  part: Json,
  builder: RequestBuilder,
  nesting: number,
): Resting<string> {
  const source = asRecord(part.source)
  if (source?.type === 'text') return asText(source.data) ?? ''
  if (source?.type === 'content' && nesting < MAX_NESTING)
    return yield* nested(source.content, builder, nesting)
  if (typeof part.document === 'object' && part.source === undefined) {
    const text = asText(asRecord(part.document)?.data)
    if (text !== undefined) return text
  }
  readMedia('file', part, builder)
  return ''
}

function readMedia(kind: Attachment['kind'], part: Json, builder: RequestBuilder): void {
  if (builder.attachmentsFull) return
  const source =
    asRecord(part.source) ??
    asRecord(part.file) ??
    asRecord(part.input_audio) ??
    asRecord(part.image_url) ??
    asRecord(part.video_url) ??
    part
  const url = firstText(source.url, part.image_url, part.document_url, part.video_url)
  const inline = firstText(source.data, source.file_data, dataUrl(url))
  const fromUrl =
    inline !== undefined && isDataUrl(inline) ? inlineType(inline) : undefined
  const format = asText(source.format)
  builder.attachment({
    kind,
    mediaType:
      firstText(source.media_type, source.mime_type, fromUrl) ??
      (format === undefined ? undefined : `${kind}/${format}`),
    bytes: inline === undefined ? undefined : base64Bytes(inline),
  })
}

function dataUrl(url: string | undefined): string | undefined {
  return url !== undefined && isDataUrl(url) ? url : undefined
}

/** Schemes are of any case (RFC 3986 §3.1). */
const IS_DATA_URL = /^data:/i
const MAX_TYPE_CHARS = 256

function isDataUrl(text: string): boolean {
  return IS_DATA_URL.test(headOf(text, MAX_TYPE_CHARS).slice(0, MAX_TYPE_CHARS))
}

/** `data:image/png;base64,...` -> `image/png` (RFC 2397). */
function inlineType(url: string): string | undefined {
  const head = headOf(url, MAX_TYPE_CHARS).slice(0, MAX_TYPE_CHARS)
  const end = head.search(/[;,]/)
  return end > 5 ? head.slice(5, end) : undefined
}

/**
 * The decoded size, in bytes, of base64 text, or of a data URL of it, without decoding;
 * of what is no base64 the size that its length would have.
 */
export function base64Bytes(text: string): number {
  const start = isDataUrl(text) ? headOf(text, MAX_TYPE_CHARS).indexOf(',') + 1 : 0
  const last = tailOf(text, MAX_TYPE_CHARS)
  let padding = 0
  while (padding < last.length - start && last[last.length - 1 - padding] === '=')
    padding++
  return Math.floor(((text.length - padding - start) * 3) / 4)
}

function hostOf(url: string): string | undefined {
  try {
    return new URL(url).hostname
  } catch {
    return undefined
  }
}

/**
 * The names of tools in the shapes of OpenAI, Anthropic and those who follow them: of a
 * function, a server, or a kind of tool. MCP servers go to the builder, too.
 */
export function* readTools(tools: unknown, builder: RequestBuilder): Resting<void> {
  for (const item of asList(tools)) {
    if (builder.due()) yield
    const tool = asRecord(item)
    if (tool === undefined) continue
    const inner = asRecord(tool.function) ?? asRecord(tool.custom)
    if (tool.type === 'mcp')
      builder.mcpServer(asText(tool.server_label), asText(tool.server_url))
    builder.tool(firstText(inner?.name, tool.name, tool.server_label, tool.type))
  }
}

/** Model, streaming and the token limit, by the names that nearly all use. */
export function readCommon(body: Json, builder: RequestBuilder): void {
  builder.model = asText(body.model)
  if (typeof body.stream === 'boolean') builder.stream = body.stream
  builder.maxTokens = asCount(
    body.max_completion_tokens ??
      body.max_output_tokens ??
      body.max_tokens ??
      body.max_tokens_to_sample,
  )
  builder.tier = tierIn(body)
  const choices = asCount(body.n) ?? 1
  if (choices > 1) builder.choices = choices
}
