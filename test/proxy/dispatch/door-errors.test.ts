/**
 * What each library is told where a door does not lead on: its own error, with the status that is
 * due, whatever the reason. One YORI and one origin for all, in observe.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import { ApiError, GoogleGenAI } from '@google/genai'
import { Mistral } from '@mistralai/mistralai'
import { MistralError } from '@mistralai/mistralai/models/errors/mistralerror.js'
import { CohereClientV2, CohereError } from 'cohere-ai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { createKey } from '../../../src/household/keys.js'
import type { KeyWish } from '../../../src/household/keys.js'
import { startLlmOrigin } from '../../support/llm-origin.js'
import type { LlmOrigin } from '../../support/llm-origin.js'
import { collect } from '../../support/streams.js'
import { Yori } from '../../support/yori.js'

const noRetry = { maxRetries: 0 }
const said = (content: string) => [{ role: 'user' as const, content }]

interface Asking {
  readonly apiKey: string
  readonly base: string
  readonly content: string
}

/** By the name of a door: how its library asks, and the status of the error that it throws. */
const LIBRARIES: Readonly<
  Record<
    string,
    readonly [(asking: Asking) => Promise<unknown>, (error: unknown) => unknown]
  >
> = {
  openai: [
    ({ apiKey, base, content }) =>
      new OpenAI({
        apiKey,
        baseURL: `${base}/v1`,
        ...noRetry,
      }).chat.completions.create({ model: 'm', messages: said(content) }),
    (error) => error instanceof OpenAI.APIError && (error.status as unknown),
  ],
  anthropic: [
    ({ apiKey, base, content }) =>
      new Anthropic({ apiKey, baseURL: base, ...noRetry }).messages.create({
        ...{ model: 'm', max_tokens: 9, messages: said(content) },
      }),
    (error) => error instanceof Anthropic.APIError && (error.status as unknown),
  ],
  gemini: [
    ({ apiKey, base, content }) =>
      new GoogleGenAI({
        apiKey,
        httpOptions: { baseUrl: base },
      }).models.generateContent({ model: 'm', contents: content }),
    (error) => error instanceof ApiError && error.status,
  ],
  mistral: [
    ({ apiKey, base, content }) =>
      new Mistral({ apiKey, serverURL: base, retryConfig: { strategy: 'none' } }).chat //
        .complete({ model: 'm', messages: said(content) }),
    (error) => error instanceof MistralError && error.statusCode,
  ],
  cohere: [
    ({ apiKey, base, content }) =>
      new CohereClientV2({ token: apiKey, baseUrl: base }).chat(
        { model: 'm', messages: said(content) },
        noRetry,
      ),
    (error) => error instanceof CohereError && error.statusCode,
  ],
  ollama: [
    ({ apiKey, base, content }) =>
      new Ollama({ host: base, headers: { authorization: `Bearer ${apiKey}` } }).chat({
        ...{ model: 'm', messages: said(content) },
      }),
    (error) => error instanceof Error && (error as { status_code?: unknown }).status_code,
  ],
}

describe('a door that does not lead on', () => {
  let origin: LlmOrigin
  let yori: Yori
  const keys: Record<string, string> = { wrong: 'yori-nobody' }

  const make = (wish: KeyWish): Promise<string> =>
    yori.appliance.policyState.change(
      (database) => createKey(database, wish, { by: 'test', nowMs: 0 }).key,
    )

  before(async () => {
    origin = await startLlmOrigin()
    const base_url = `http://127.0.0.1:${origin.port}`
    const doors = Object.keys(LIBRARIES)
    yori = await Yori.start({
      config: {
        proxy: { max_request_size: 20_000 },
        gateway: {
          providers: {
            ...Object.fromEntries(
              doors.map((name) => [name, { base_url, key: 'the-vendors' }] as const),
            ),
            refused: { base_url: 'https://refused.example' },
          },
        },
        endpoints: [{ domain: 'refused.example', route: 'refuse' }],
      },
    })
    keys['good'] = await make({ name: 'good', models: [] })
    keys['narrow'] = await make({ name: 'narrow', models: ['another'] })
    keys['slow'] = await make({ name: 'slow', models: [], requestsPerMinute: 1 })
    keys['poor'] = await make({ name: 'poor', models: [], usdPerMonth: 0 })
    // Its one request of this minute.
    await LIBRARIES['openai']?.[0]({
      apiKey: keys['slow'],
      base: `${yori.url}/llm/openai`,
      content: 'hi',
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
  })

  for (const [name, [ask, statusOf]] of Object.entries(LIBRARIES))
    for (const [why, status, asking] of [
      ['nobody knows its name', 502, { base: '/llm/nobody' }],
      ['its place is not configured', 503, { base: '/llm/vllm' }],
      ['its host is refused', 403, { base: '/llm/refused' }],
      ['its path has dots', 400, { base: `/llm/${name}/a%2f..%2fb` }],
      ['the key is wrong', 401, { key: 'wrong' }],
      ['the model is another', 403, { key: 'narrow' }],
      ['the minute is used up', 429, { key: 'slow' }],
      ['the month is spent', 403, { key: 'poor' }],
      ['the body is too long', 413, { content: 'hello '.repeat(5_000) }],
    ] as const)
      it(`raises ${name}'s own error where ${why}`, async () => {
        const {
          base = `/llm/${name}`,
          key = 'good',
          content = 'hi',
        } = asking as {
          base?: string
          key?: string
          content?: string
        }
        const before = origin.arrived.length
        const error: unknown = await ask({
          apiKey: keys[key] ?? '',
          base: yori.url + base,
          content,
        }).then(
          () => 'answered',
          (cause: unknown) => cause,
        )
        assert.equal(statusOf(error), status, String(error))
        assert.match(String(error) + JSON.stringify(error), /YORI/)
        assert.equal(origin.arrived.length, before)
      })

  it('says 400 of more than 100 MiB, unless a size is written down', async () => {
    await yori.reload({ proxy: {} })
    const socket = connect(yori.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.end(
      'POST /llm/openai/v1/files HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
        `Authorization: Bearer ${keys['good']}\r\nContent-Length: 104857601\r\n\r\n`,
    )
    assert.match((await collect(socket)).toString(), /^HTTP\/1\.1 400 /)
    // What was too long before goes through.
    await LIBRARIES['openai']?.[0]({
      apiKey: keys['good'] ?? '',
      base: `${yori.url}/llm/openai`,
      content: 'hello '.repeat(5_000),
    })
  })
})
