/** Small exchanges written after the providers' public references, and how to read them. */
import assert from 'node:assert/strict'
import { recognise } from '../../src/providers/index.js'
import type { RequestFacts, ResponseFacts } from '../../src/providers/provider.js'
import { everySplit } from './splits.js'

export interface Asked {
  readonly url: string
  readonly method?: string
  readonly body?: unknown
}

export function readRequest(asked: Asked): { provider: string; facts: RequestFacts } {
  const { provider, api, path } = recognised(asked)
  const facts = provider.readRequest(asked.body, { api, path })
  return { provider: provider.name, facts }
}

export interface Answered extends Asked {
  readonly status?: number
  readonly contentType: string
  readonly answer: string | Uint8Array
  readonly promptChars?: number
  readonly whole?: boolean
}

/** Reads the answer in one piece and at every split, which must say the same. */
export function readAnswer(answered: Answered): ResponseFacts {
  const { provider, api, path } = recognised(answered)
  const bytes = Buffer.from(answered.answer as string)
  const read = (chunks: readonly Uint8Array[]): ResponseFacts => {
    const { status = 200, contentType, promptChars } = answered
    const reader = provider.reader({ api, path, status, contentType, promptChars })
    for (const chunk of chunks) reader.push(chunk)
    return reader.end(answered.whole ?? true)
  }
  const facts = read([bytes])
  for (const chunks of everySplit(bytes)) assert.deepEqual(read(chunks), facts)
  return facts
}

/** Events as a server writes them; a text stands for itself, an object for its JSON. */
export function sse(...events: readonly (string | object)[]): string {
  return events
    .map((event) => {
      const data = typeof event === 'string' ? event : JSON.stringify(event)
      const type = (event as { type?: unknown }).type
      return `${typeof type === 'string' ? `event: ${type}\n` : ''}data: ${data}\n\n`
    })
    .join('')
}

/** Only the fields that the expectation names are compared. */
export function assertFacts(actual: object, expected: object): void {
  const picked = Object.fromEntries(
    Object.keys(expected).map((key) => [key, (actual as Record<string, unknown>)[key]]),
  )
  assert.deepEqual(withoutUndefined(picked), withoutUndefined(expected))
}

function withoutUndefined(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown)
}

function recognised(asked: Asked) {
  const url = new URL(asked.url)
  const path = url.pathname + url.search
  const head = { host: url.hostname, method: asked.method ?? 'POST', path }
  const found = recognise(head)
  assert.ok(found !== undefined, `nobody knows ${asked.url}`)
  return { ...found, path }
}
