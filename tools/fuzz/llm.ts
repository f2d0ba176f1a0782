/**
 * Readers of what providers and their clients send: JSON bounds, stream framings, and every
 * provider's requests and answers, whole and cut. Starts from our own recorded shapes, and
 * from those in the folder that YORI_CASES names when it is set.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../../src/core/package-root.js'
import { measureJson, parseBounded, partialJson } from '../../src/json/json-bounds.js'
import { JsonSkimmer } from '../../src/json/json-skim.js'
import { MultipartReader } from '../../src/http/multipart.js'
import { providers, recogniseBody } from '../../src/providers/index.js'
import type { Api, ResponseFacts } from '../../src/providers/provider.js'
import { conversationKeys } from '../../src/conversations/session-keys.js'
import type { FuzzTarget } from './target.js'

const APIS: readonly Api[] = [
  'chat',
  'responses',
  'completions',
  'messages',
  'generate',
  'interactions',
  'converse',
  'invoke',
  'embeddings',
  'other',
]
const TYPES = [
  'application/json',
  'text/event-stream',
  'application/x-ndjson',
  'application/vnd.amazon.eventstream',
  undefined,
]
/** Longest seed: what is mutated often should be short. */
const MAX_SEED_BYTES = 8 * 1024

export const llmTarget: FuzzTarget = {
  name: 'llm',
  about: "providers' requests and answers, JSON bounds, stream framings",
  seeds,
  check: (input, random) => {
    const pick = <T>(list: readonly T[]): T =>
      list[Math.floor(random() * list.length)] as T
    const cut = Math.floor(random() * (input.length + 1))
    checkJson(input, cut)
    checkForm(input, cut)
    const provider = pick(providers)
    const api = pick(APIS)
    const contentType = pick(TYPES)
    const context = { api, path: '/v1/x', status: 200, contentType, promptChars: 9 }
    const read = (chunks: readonly Buffer[]): ResponseFacts => {
      const reader = provider.reader(context)
      for (const chunk of chunks) reader.push(chunk)
      return reader.end()
    }
    const whole = read([input])
    assert.deepEqual(read([input.subarray(0, cut), input.subarray(cut)]), whole)
    assert.ok(whole.text.length <= 64 * 1024)
  },
}

function checkJson(input: Buffer, cut: number): void {
  const parsed = parseBounded(input)
  const fields = partialJson(input.subarray(0, cut))
  if (parsed.kind !== 'whole') return
  assert.equal(measureJson(input).kind, 'ok')
  recogniseBody(parsed.value)
  for (const provider of providers) {
    const facts = provider.readRequest(parsed.value, { api: 'chat', path: '/api/chat' })
    const { before, earlier, state } = conversationKeys(facts, 'device')
    assert.ok(earlier().length <= 8)
    // A conversation that is where it was before the model spoke would answer for another.
    assert.notEqual(before, state)
  }
  if (typeof parsed.value === 'object' && parsed.value !== null)
    for (const [key, value] of fields)
      if (!parsed.duplicateKeys.includes(key))
        assert.deepEqual((parsed.value as Record<string, unknown>)[key], value)
  const limits = {
    maxStringBytes: 8,
    maxNumbers: 1,
    maxValues: 1_000,
    maxOutputBytes: 1024 * 1024,
  }
  const skimmer = new JsonSkimmer(limits)
  skimmer.push(input.subarray(0, cut))
  skimmer.push(input.subarray(cut))
  JSON.parse(skimmer.end()?.toString() ?? 'null')
}

function checkForm(input: Buffer, cut: number): void {
  const read = (chunks: readonly Buffer[]): unknown => {
    const reader = new MultipartReader('x')
    for (const chunk of chunks) reader.push(chunk)
    return reader.end()
  }
  assert.deepEqual(read([input.subarray(0, cut), input.subarray(cut)]), read([input]))
}

interface SeedRow {
  readonly request?: { readonly body: string | null }
  readonly response?: { readonly body: string }
}

function seeds(): Buffer[] {
  const files = [packageFile('test', 'fixtures', 'llm', 'exchanges.jsonl')]
  const recorded = process.env['YORI_CASES']
  if (recorded !== undefined && recorded !== '')
    files.push(join(recorded, 'llm', 'pairs.jsonl'))
  const texts = files
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SeedRow)
    .flatMap(({ request, response }) => [request?.body ?? '', response?.body ?? ''])
  texts.push('--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--x--\r\n')
  return texts
    .map((text) => Buffer.from(text))
    .filter(({ length }) => length > 0 && length <= MAX_SEED_BYTES)
}
