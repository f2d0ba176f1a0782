/**
 * What the simulated models say: the same words for the same request, always. Tokens are
 * counted as one for each four characters begun, which is no provider's count but is stable.
 */
import { createHash } from 'node:crypto'
import { listOf, objectOf, textOf } from './json.js'

/** Seconds since the epoch that every answer carries: 2026-01-01T00:00:00Z. */
export const CREATED = 1_767_225_600

const QUOTED_CHARACTERS = 120
const CHARACTERS_PER_TOKEN = 4

export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly input: Readonly<Record<string, unknown>>
}

export interface Tool {
  readonly name: string
  readonly schema: unknown
}

/** What any dialect boils down to. */
export interface Question {
  readonly model: string
  readonly prompt: string
  readonly tools: readonly Tool[]
  /** The last message gives a tool's result back, so that the model now speaks. */
  readonly answersTool: boolean
  /** The answer's length when a caller wants more than a sentence. */
  readonly words?: number
}

export interface Answer {
  readonly id: string
  readonly text: string
  readonly toolCall: ToolCall | undefined
  readonly inputTokens: number
  readonly outputTokens: number
}

export function answer(question: Question): Answer {
  const id = fingerprint(question.model, question.prompt)
  const tool = question.answersTool ? undefined : question.tools[0]
  const toolCall =
    tool === undefined
      ? undefined
      : { id, name: tool.name, input: objectOf(example(tool.schema, 0)) }
  const text = toolCall === undefined ? say(question) : ''
  const spoken = toolCall === undefined ? text : JSON.stringify(toolCall.input)
  return {
    id,
    text,
    toolCall,
    inputTokens: countTokens(question.prompt),
    outputTokens: countTokens(spoken),
  }
}

export function countTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN)
}

export function fingerprint(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 24)
}

/** The pieces in which a stream sends a text: one word with the space before it. */
export function pieces(text: string): string[] {
  return text.split(/(?= )/)
}

function say(question: Question): string {
  if (question.words !== undefined) {
    return Array.from({ length: question.words }, (_, i) => `word${i}`).join(' ')
  }
  const quoted = question.prompt.slice(0, QUOTED_CHARACTERS)
  return `${question.model} heard ${question.prompt.length} characters: ${quoted}`
}

const MAX_SCHEMA_DEPTH = 8

/** A value that fits a JSON schema of the plain kinds that tools use. */
function example(schema: unknown, depth: number): unknown {
  const { type, enum: choices, properties, required, items } = objectOf(schema)
  if (depth > MAX_SCHEMA_DEPTH) return null
  if (listOf(choices).length > 0) return listOf(choices)[0]
  switch (type) {
    case 'string':
      return 'Zürich'
    case 'integer':
    case 'number':
      return 7
    case 'boolean':
      return true
    case 'array':
      return [example(items, depth + 1)]
    case 'object': {
      const wanted = listOf(required).map((name) => textOf(name))
      const known = objectOf(properties)
      return Object.fromEntries(
        wanted.map((name) => [name, example(known[name], depth + 1)]),
      )
    }
    default:
      return null
  }
}
