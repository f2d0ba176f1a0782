/**
 * Bedrock's Converse, one shape for all models: docs.aws.amazon.com/bedrock/latest/APIReference,
 * Converse and ConverseStream. Cache reads and writes are counted beside the input.
 */
import type { Resting } from '../core/resting.js'
import { joinedInSlices } from '../core/long-text.js'
import { asCount, asList, asRecord, asText, firstCount, firstText } from './json.js'
import type { Json } from './json.js'
import { jsonText } from './json-text.js'
import type { FactsBuilder } from './facts.js'
import type { RequestFacts } from './provider.js'
import type { Shape } from './reader.js'
import { tierIn } from './tier.js'
import { RequestBuilder, base64Bytes } from './request.js'

/**
 * The model, and whether it streams, stand in the path, and are for the caller to add.
 */
export function* readConverseRequest(body: Json): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  builder.tier = tierIn(body)
  builder.maxTokens = asCount(asRecord(body.inferenceConfig)?.maxTokens)
  builder.system(yield* readBlocks(body.system, builder))
  for (const item of asList(body.messages)) {
    if (builder.due()) yield
    const message = asRecord(item)
    const text = yield* readBlocks(message?.content, builder)
    builder.message(asText(message?.role) ?? '', text)
  }
  for (const item of asList(asRecord(body.toolConfig)?.tools)) {
    if (builder.due()) yield
    const tool = asRecord(item)
    builder.tool(
      firstText(asRecord(tool?.toolSpec)?.name, asRecord(tool?.systemTool)?.name),
    )
  }
  return builder.build('converse')
}

/** Content blocks are told by their one key: `text`, `image`, `toolUse`, `toolResult`, ... */
function* readBlocks(blocks: unknown, builder: RequestBuilder): Resting<string> {
  const texts: string[] = []
  for (const item of asList(blocks)) {
    if (builder.due()) yield
    const block = asRecord(item)
    const text = block === undefined ? '' : yield* readBlock(block, builder)
    if (text.length > 0) texts.push(text)
  }
  return yield* joinedInSlices(texts, '\n')
}

function* readBlock(block: Json, builder: RequestBuilder): Resting<string> {
  if (typeof block.text === 'string') return block.text
  const guarded = asText(asRecord(asRecord(block.guardContent)?.text)?.text)
  if (guarded !== undefined) return guarded
  const found = asRecord(block.searchResult)
  if (found !== undefined) return yield* readBlocks(found.content, builder)
  const result = asRecord(block.toolResult)
  if (result !== undefined) {
    const text = yield* readResultContent(result.content, builder)
    builder.toolResult(asText(result.toolUseId), text)
    return text
  }
  const use = asRecord(block.toolUse)
  if (use?.input !== undefined) return yield* jsonText(use.input)
  readMedia(block, builder)
  return ''
}

function* readResultContent(content: unknown, builder: RequestBuilder): Resting<string> {
  const texts: string[] = []
  for (const item of asList(content)) {
    if (builder.due()) yield
    const part = asRecord(item)
    if (part !== undefined) readMedia(part, builder)
    const json = part?.json === undefined ? '' : yield* jsonText(part.json)
    const text = asText(part?.text) ?? json
    if (text.length > 0) texts.push(text)
  }
  return yield* joinedInSlices(texts, '\n')
}

function readMedia(block: Json, builder: RequestBuilder): void {
  for (const kind of ['image', 'audio', 'video', 'document'] as const) {
    const media = asRecord(block[kind])
    if (media === undefined) continue
    const data = asText(asRecord(media.source)?.bytes)
    builder.attachment({
      kind: kind === 'document' ? 'file' : kind,
      mediaType: asText(media.format),
      bytes: data === undefined ? undefined : base64Bytes(data),
    })
  }
}

export const converseShape: Shape = {
  body(value, facts) {
    const message = asRecord(asRecord(value.output)?.message)
    const blocks = asList(message?.content)
    for (let i = 0; i < blocks.length; i++) readAnswerBlock(asRecord(blocks[i]), i, facts)
    facts.finishReason = firstText(value.stopReason, facts.finishReason)
    facts.tier = tierIn(value) ?? facts.tier
    readConverseUsage(asRecord(value.usage), facts)
  },
  event: readConverseEvent,
}

function readAnswerBlock(
  block: Json | undefined,
  key: number,
  facts: FactsBuilder,
): void {
  facts.text.append(asText(block?.text) ?? citedText(block))
  const thought = asRecord(asRecord(block?.reasoningContent)?.reasoningText)
  facts.beside(asText(thought?.text))
  const use = asRecord(block?.toolUse)
  if (use !== undefined && use.type === 'server_tool_use')
    facts.serverTool(firstText(use.name) ?? '')
  else if (use !== undefined)
    facts.toolCall(key, {
      name: asText(use.name),
      id: asText(use.toolUseId),
      argumentsText: use.input === undefined ? undefined : JSON.stringify(use.input),
    })
}

/** A text with its sources stands in a block of its own kind. */
function citedText(block: Json | undefined): string {
  return asList(asRecord(block?.citationsContent)?.content)
    .map((item) => asText(asRecord(item)?.text) ?? '')
    .join('')
}

/** By the event's type; as a JSON line without framing, the type is the one key. */
export function readConverseEvent(value: Json, facts: FactsBuilder, name: string): void {
  const key = asCount(value.contentBlockIndex) ?? 0
  switch (name) {
    case 'contentBlockStart': {
      const use = asRecord(asRecord(value.start)?.toolUse)
      if (use?.type === 'server_tool_use') facts.serverTool(firstText(use.name) ?? '')
      else if (use !== undefined)
        facts.toolCall(key, { name: asText(use.name), id: asText(use.toolUseId) })
      return
    }
    case 'contentBlockDelta': {
      const delta = asRecord(value.delta)
      facts.text.append(asText(delta?.text) ?? '')
      facts.beside(asText(asRecord(delta?.reasoningContent)?.text))
      const piece = asText(asRecord(delta?.toolUse)?.input)
      if (piece !== undefined) facts.toolCallMore(key, piece)
      return
    }
    case 'messageStop':
      facts.finishReason = firstText(value.stopReason, facts.finishReason)
      return
    case 'metadata':
      facts.ended = true
      facts.tier = tierIn(value) ?? facts.tier
      readConverseUsage(asRecord(value.usage), facts)
      return
    default:
      return
  }
}

/** Cache reads and writes are counted beside `inputTokens`. */
function readConverseUsage(usage: Json | undefined, facts: FactsBuilder): void {
  if (usage === undefined) return
  facts.cacheBeside = true
  facts.inputTokens = firstCount(usage.inputTokens, facts.inputTokens)
  facts.outputTokens = firstCount(usage.outputTokens, facts.outputTokens)
  facts.cachedTokens = firstCount(
    usage.cacheReadInputTokens,
    usage.cacheReadInputTokenCount,
    facts.cachedTokens,
  )
  facts.cacheWriteTokens = firstCount(
    usage.cacheWriteInputTokens,
    usage.cacheWriteInputTokenCount,
    facts.cacheWriteTokens,
  )
  for (const item of asList(usage.cacheDetails)) {
    const detail = asRecord(item)
    if (detail?.ttl === '1h') facts.cacheWriteHourTokens = asCount(detail.inputTokens)
  }
}
