/**
 * Gemini's messages: contents of parts, tools by the keys that declare them. Shared by calls,
 * live conversations and the keys that prepare them.
 */
import { joinedInSlices } from '../core/long-text.js'
import type { Resting } from '../core/resting.js'
import { asList, asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'
import { jsonText } from './json-text.js'
import { base64Bytes } from './request.js'
import type { RequestBuilder } from './request.js'

/**
 * One content, a list of them or mere texts: each a message, of the user where no role
 * stands, of the `assistant` where it says `model`.
 */
export function* readContents(contents: unknown, builder: RequestBuilder): Resting<void> {
  const list = Array.isArray(contents) ? (contents as unknown[]) : [contents]
  for (const item of list) {
    if (builder.due()) yield
    if (typeof item === 'string') builder.message('user', item)
    const content = asRecord(item)
    if (content === undefined) continue
    const role = asText(content.role) ?? 'user'
    const text = yield* readParts(content.parts, builder)
    builder.message(role === 'model' ? 'assistant' : role, text)
  }
}

/**
 * The texts of one part or a list of them, each on a line of its own; arguments and
 * results of functions as JSON. Media and results go to the builder, too. Names of media
 * and functions may be in either spelling (`inlineData`, `inline_data`).
 */
export function* readParts(parts: unknown, builder: RequestBuilder): Resting<string> {
  const texts: string[] = []
  const list = Array.isArray(parts) ? (parts as unknown[]) : [parts]
  for (const item of list) {
    if (builder.due()) yield
    const part = asRecord(item)
    const text =
      part === undefined ? (asText(item) ?? '') : yield* readPart(part, builder)
    if (text.length > 0) texts.push(text)
  }
  return yield* joinedInSlices(texts, '\n')
}

function* readPart(part: Json, builder: RequestBuilder): Resting<string> {
  if (typeof part.text === 'string') return part.text
  const data = asRecord(part.inlineData ?? part.inline_data)
  const file = asRecord(part.fileData ?? part.file_data)
  if (data !== undefined || file !== undefined) {
    const mediaType = firstText(
      data?.mimeType,
      data?.mime_type,
      file?.mimeType,
      file?.mime_type,
    )
    const inline = asText(data?.data)
    const bytes = inline === undefined ? undefined : base64Bytes(inline)
    builder.attachment({ kind: kindOf(mediaType), mediaType, bytes })
    return ''
  }
  const result = asRecord(part.functionResponse ?? part.function_response)
  if (result !== undefined) {
    const text = result.response === undefined ? '' : yield* jsonText(result.response)
    builder.toolResult(firstText(result.id, result.name), text)
    return text
  }
  const call = asRecord(part.functionCall ?? part.function_call)
  if (call !== undefined) return call.args === undefined ? '' : yield* jsonText(call.args)
  return (
    firstText(asRecord(part.executableCode)?.code) ??
    firstText(asRecord(part.codeExecutionResult)?.output) ??
    ''
  )
}

function kindOf(mediaType: string | undefined): 'image' | 'audio' | 'video' | 'file' {
  const main = mediaType?.split('/', 1)[0]
  return main === 'image' || main === 'audio' || main === 'video' ? main : 'file'
}

/** `functionDeclarations` by name; built-in tools by the key that switches them on. */
export function* readDeclaredTools(
  tools: unknown,
  builder: RequestBuilder,
): Resting<void> {
  for (const item of asList(tools)) {
    if (builder.due()) yield
    const tool = asRecord(item)
    if (tool === undefined) continue
    for (const key of Object.keys(tool)) {
      if (key !== 'functionDeclarations' && key !== 'function_declarations') {
        builder.tool(key)
        continue
      }
      for (const declared of asList(tool[key])) {
        if (builder.due()) yield
        builder.tool(asText(asRecord(declared)?.name))
      }
    }
  }
}
