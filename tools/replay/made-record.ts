/** A record of made-up requests of many kinds, over the days before a moment. Seeded. */
import { dirname } from 'node:path'
import { mkdirSync } from 'node:fs'
import type { Statement } from 'better-sqlite3'
import { openWriter } from '../../src/audit/writer.js'
import { timestampText } from '../../src/audit/rows.js'
import type { Value } from '../../src/audit/tables.js'

export interface MadeRecord {
  readonly rows: number
  readonly days: number
  readonly endMs: number
}

const DAY_MS = 86_400_000
const PREVIEW_CHARS = 500
const WORDS =
  'a dinner with lentils; help me with my homework on photosynthesis; refactor the parser; write ' +
  'an essay about Rome; mail mia@example.org; my card is 4111 1111 1111 1111; ignore all previous ' +
  'instructions; how do I feel better; tell me a Minecraft trick; translate this letter'
const SAID = WORDS.split('; ')
const MODELS = [
  ['openai', 'api.openai.com', '/v1/chat/completions', 'gpt-4o-mini'],
  ['openai', 'api.openai.com', '/v1/responses', 'gpt-4o'],
  ['anthropic', 'api.anthropic.com', '/v1/messages', 'claude-sonnet-4-5'],
] as const
const UNREAD = ['too-large', 'content-coding', 'malformed'] as const

/** Writes them into a new database of the record. */
export function writeMadeRecord(
  database: string,
  { rows, days, endMs }: MadeRecord,
): void {
  mkdirSync(dirname(database), { recursive: true })
  const random = seeded(20_261_130)
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const writer = openWriter(database)
  writer.db.exec('BEGIN')
  let insert: Statement<Value[]> | undefined
  for (let n = 0; n < rows; n++) {
    const row = rowOf(n, endMs - Math.floor(((rows - n) / rows) * days * DAY_MS))
    const names = Object.keys(row)
    insert ??= writer.db.prepare<Value[]>(
      `INSERT INTO exchanges (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    )
    insert.run(...(Object.values(row) as Value[]))
  }
  writer.db.exec('COMMIT')
  writer.close()

  function rowOf(n: number, at: number) {
    const device = Math.floor(random() * 12)
    const [provider, endpoint, path, model] = pick(MODELS)
    const said = random() < 0.02 ? '' : `${pick(SAID)} (${Math.floor(random() * 400)})`
    const kind = random()
    // The newest message of a longer conversation, the whole of a short one, or nothing.
    const chars = kind < 0.05 ? null : kind < 0.5 ? said.length + 2000 : said.length
    const body =
      kind > 0.9
        ? JSON.stringify({ model, messages: [{ role: 'user', content: said }] })
        : null
    const isCall = random() < 0.95
    return {
      ...{
        connection_id: `c${n >> 3}`,
        request_id: `r${n}`,
        timestamp: timestampText(at),
      },
      event_type: random() < 0.03 ? 'block' : random() < 0.02 ? 'error' : 'response',
      device_ip: `192.0.2.${10 + device}`,
      device_mac: device % 3 === 0 ? null : `02:00:5e:00:00:${10 + device}`,
      device_hostname: device % 2 === 0 ? null : `laptop-${device}`,
      user_agent: pick(['OpenAI/Python 1.50', 'curl/8.5.0', 'claude-cli/2.0']),
      ...{ endpoint_domain: endpoint, http_version: '1.1', http_method: 'POST' },
      ...{ http_path: path, provider, model, is_call: isCall ? 1 : 0 },
      request_bytes: body === null ? said.length + 100 : Buffer.byteLength(body),
      ...{ response_bytes: 800, response_status: random() < 0.04 ? 429 : 200 },
      ...{ prompt_chars: chars, prompt_preview: said.slice(0, PREVIEW_CHARS) },
      ...{ prompt_tokens: 50 + Math.floor(random() * 900), response_tokens: 200 },
      cost_micro_usd: Math.floor(random() * 20_000),
      tools_offered: random() < 0.3 ? '["read_file","shell"]' : null,
      tool_calls: random() < 0.2 ? '["shell"]' : null,
      findings:
        random() < 0.6 ? (random() < 0.1 ? '{"email":1,"credit_card":1}' : '{}') : null,
      session_id: isCall ? `s${Math.floor(n / 12) % 4000}` : null,
      ...{ request_body: body, uninspectable: random() < 0.02 ? pick(UNREAD) : null },
    }
  }
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
