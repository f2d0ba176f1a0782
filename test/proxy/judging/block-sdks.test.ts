/** A block seen through the providers' own packages, each of which has its own shape of errors. */
import assert from 'node:assert/strict'
import { createOpenAI } from '@ai-sdk/openai'
import { GoogleGenAI, ApiError } from '@google/genai'
import { Mistral } from '@mistralai/mistralai'
import { HTTPClient } from '@mistralai/mistralai/lib/http.js'
import { MistralError } from '@mistralai/mistralai/models/errors/mistralerror.js'
import { APICallError, generateText } from 'ai'
import { CohereClientV2, CohereError } from 'cohere-ai'
import { Ollama } from 'ollama'
import type { Dispatcher } from 'undici'
import { startOrigin } from '../../support/origins.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

const HOSTS = [
  'generativelanguage.googleapis.com',
  'api.mistral.ai',
  'api.cohere.com',
  'ollama.com',
]
const ca = new TestCa()
const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: {
    files: { bedtime: { action: 'block', params: { start_hour: 0, end_hour: 24 } } },
  },
  endpoints: HOSTS.map((domain) => ({ domain })),
}
const messages = [{ role: 'user' as const, content: 'hello' }]

type Fetch = typeof fetch

interface Told {
  readonly status: unknown
  readonly message: string
  readonly isOwn: boolean
}

interface Sdk {
  readonly name: string
  readonly host: string
  readonly provider: string
  /** Asks once, streamed or not; what it throws is the test's matter. */
  readonly ask: (fetch: Fetch, stream: boolean) => Promise<unknown>
  readonly told: (error: unknown) => Told
}

/** A stream may complain only when it is read. */
async function drained(items: AsyncIterable<unknown> | undefined): Promise<void> {
  if (items === undefined) return
  for await (const _item of items);
}

const sdks: readonly Sdk[] = [
  {
    name: '@google/genai',
    host: 'generativelanguage.googleapis.com',
    provider: 'gemini',
    ask: async (_fetch, stream) => {
      const { models } = new GoogleGenAI({ apiKey: 'simulated-key' })
      const asked = { model: 'gemini-2.5-flash', contents: 'hello' }
      if (stream) await drained(await models.generateContentStream(asked))
      else await models.generateContent(asked)
    },
    told: (error) => {
      const { status, message } = error as ApiError
      return { status, message, isOwn: error instanceof ApiError }
    },
  },
  {
    name: '@mistralai/mistralai',
    host: 'api.mistral.ai',
    provider: 'mistral',
    ask: async (fetch, stream) => {
      const httpClient = new HTTPClient({
        fetcher: (input, init) => fetch(input as string, init),
      })
      const { chat } = new Mistral({ apiKey: 'simulated-key', httpClient })
      const asked = { model: 'mistral-small-latest', messages }
      if (stream) await drained(await chat.stream(asked))
      else await chat.complete(asked)
    },
    told: (error) => {
      const { statusCode, message, body } = error as MistralError
      return {
        status: statusCode,
        message: `${message} ${body}`,
        isOwn: error instanceof MistralError,
      }
    },
  },
  {
    name: 'cohere-ai',
    host: 'api.cohere.com',
    provider: 'cohere',
    ask: async (fetch, stream) => {
      const client = new CohereClientV2({ token: 'simulated-key', fetch })
      const asked = { model: 'command-r', messages }
      if (stream) await drained(await client.chatStream(asked))
      else await client.chat(asked)
    },
    told: (error) => {
      const { statusCode, message, body } = error as CohereError
      return {
        status: statusCode,
        message: `${message} ${JSON.stringify(body)}`,
        isOwn: error instanceof CohereError,
      }
    },
  },
  {
    name: 'ollama',
    host: 'ollama.com',
    provider: 'ollama',
    ask: async (fetch, stream) => {
      const client = new Ollama({ host: 'https://ollama.com', fetch })
      const asked = { model: 'gpt-oss:20b', messages }
      if (stream) await drained(await client.chat({ ...asked, stream: true }))
      else await client.chat(asked)
    },
    told: (error) => {
      const { status_code, message, name } = error as Error & { status_code: number }
      return { status: status_code, message, isOwn: name === 'ResponseError' }
    },
  },
]

/** Counts the requests of a package and leads them through YORI; @google/genai has no other way. */
function ledThrough(
  dispatcher: Dispatcher,
): Disposable & { fetch: Fetch; count: () => number } {
  const own = globalThis.fetch
  let count = 0
  const led: Fetch = (input, init) => {
    count++
    // undici's own types and those that Node's fetch carries differ by version only.
    const way: object = { dispatcher }
    return own(input, { ...init, ...way })
  }
  globalThis.fetch = led
  return {
    fetch: led,
    count: () => count,
    [Symbol.dispose]: () => void (globalThis.fetch = own),
  }
}

describe('a blocked request of a package', () => {
  for (const sdk of sdks) {
    for (const stream of [false, true]) {
      it(`makes ${sdk.name} raise its own error once, ${stream ? 'streamed' : 'plain'}`, async () => {
        let upstream = 0
        await using origin = await startOrigin({
          certificate: ca.issue({ names: HOSTS }),
          handler: (_request, response) => {
            upstream++
            response.end('{}')
          },
        })
        await using yori = await Yori.start({
          origins: Object.fromEntries(HOSTS.map((host) => [host, origin])),
          trust: [ca],
          config: ENFORCE,
        })
        using led = ledThrough(yori.dispatcher())

        const error = await sdk.ask(led.fetch, stream).then(
          () => undefined,
          (cause: unknown) => cause,
        )

        const { status, message, isOwn } = sdk.told(error)
        assert.equal(isOwn, true, String(error))
        assert.equal(status, 403)
        assert.match(message, /Blocked by YORI, policy bedtime: it is bedtime/)
        assert.match(message, /with the code \w{3}-\w{3}/)
        assert.equal(led.count(), 1, 'it did not try again')
        assert.equal(upstream, 0)
        const rows = await yori.rows('audit_events')
        assert.deepEqual(
          rows.map((row) => [row['event_type'], row['provider'], row['policy_name']]),
          [['block', sdk.provider, 'bedtime']],
        )
      })
    }
  }

  it('is told to the ai package, which calls us by our own name and takes anything, in words', async () => {
    const endpoints = [{ domain: 'api.openai.com' }]
    await using yori = await Yori.start({ config: { ...ENFORCE, endpoints } })
    const { chat, responses } = createOpenAI({
      apiKey: 'simulated-key',
      baseURL: `${yori.url}/v1`,
    })
    for (const model of [chat('gpt-5-mini'), responses('gpt-5-mini')]) {
      const error = await generateText({ model, prompt: 'hello', maxRetries: 0 }).then(
        () => undefined,
        (cause: unknown) => cause,
      )
      assert.ok(error instanceof APICallError, String(error))
      assert.match(error.message, /^Blocked by YORI, policy bedtime: it is bedtime/)
    }
  })
})
