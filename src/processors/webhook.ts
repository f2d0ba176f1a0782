/**
 * The dialect `webhook`: guardrails that are asked over HTTP, each request by one call. It is
 * followed nowhere else: a redirect is no answer.
 */
import * as http from 'node:http'
import * as https from 'node:https'
import type { Dialect } from './dialect.js'
import { AnswerPieces, guardrailAnswer } from './guardrail-answers.js'
import { guardrailQuestion } from './guardrail-messages.js'
import type { GuardrailShape } from './guardrail-messages.js'
import type { Patience } from './patience.js'
import type { Told } from './told.js'
import type { Asked, Introduction, Verdict } from './words.js'
import { failureOf, ProcessorFailure } from './words.js'

/** Where it is asked unless the address says. */
const LITELLM_PATH = '/beta/litellm_basic_guardrail_api'
/** A connection that nobody has used for so long is closed. */
const IDLE_MS = 30_000

export interface WebhookOptions {
  readonly url: string
  readonly shape: GuardrailShape
  /** Undefined: it asks for none. */
  readonly token: string | undefined
  /** Of one answer. */
  readonly replyBytes: number
  readonly concurrency: number
}

export class WebhookDialect implements Dialect {
  /** Its connections may end between two questions: that says nothing of it. */
  readonly losses = 0
  readonly #options: WebhookOptions
  readonly #url: URL
  readonly #agent: http.Agent
  readonly #answers = new AnswerPieces()
  #isClosed = false

  constructor(options: WebhookOptions) {
    this.#options = options
    this.#url = new URL(options.url)
    if (options.shape === 'litellm' && this.#url.pathname === '/')
      this.#url.pathname = LITELLM_PATH
    const { Agent } = this.#url.protocol === 'https:' ? https : http
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: options.concurrency,
      timeout: IDLE_MS,
    })
  }

  get atOnce(): number {
    return this.#options.concurrency
  }

  async ask(asked: Asked, patience: Patience): Promise<Verdict> {
    const { text, read } = guardrailQuestion(this.#options.shape, asked)
    const reply = await this.#post(text, patience)
    let said: unknown
    try {
      said = JSON.parse(reply.toString())
    } catch {
      throw new ProcessorFailure('malformed', 'no JSON')
    }
    return read(said)
  }

  /** Of an answer, once all of it is there. */
  async tell(requestId: string, told: Told, patience: Patience): Promise<void> {
    const whole = this.#answers.take(requestId, told)
    if (whole === undefined) return
    await this.#post(guardrailAnswer(this.#options.shape, requestId, whole), patience)
  }

  forget(requestId: string): void {
    this.#answers.forget(requestId)
  }

  /** It has no handshake: it is asked about an empty request. */
  async introduce(patience: Patience): Promise<Introduction> {
    await this.ask(EMPTY, patience)
    const { host } = this.#url
    return { name: host, version: '', events: undefined, maxBodyBytes: undefined }
  }

  close(): void {
    this.#isClosed = true
    this.#agent.destroy()
  }

  #post(text: string, patience: Patience): Promise<Buffer> {
    const { token, replyBytes } = this.#options
    if (this.#isClosed) return Promise.reject(new ProcessorFailure('given-up'))
    return new Promise((resolve, reject) => {
      const { request } = this.#url.protocol === 'https:' ? https : http
      const asking = request(this.#url, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          ...(token === undefined
            ? {}
            : { authorization: `Bearer ${token}`, 'x-api-key': token }),
        },
      })
      const fail = (failure: ProcessorFailure): void => {
        forget()
        asking.destroy()
        reject(failure)
      }
      const forget = patience.onEnd(fail)
      let hasAnswered = false
      asking.on('error', (cause: NodeJS.ErrnoException) => {
        const isGone = hasAnswered || asking.reusedSocket || cause.code === 'ECONNRESET'
        fail(isGone ? new ProcessorFailure('gone') : failureOf(cause))
      })
      asking.on('response', (response) => {
        hasAnswered = true
        const { statusCode = 0 } = response
        if (statusCode < 200 || statusCode > 299) {
          fail(new ProcessorFailure('refused', `status ${statusCode}`))
          return
        }
        const pieces: Buffer[] = []
        let length = 0
        response.on('data', (piece: Buffer) => {
          length += piece.length
          if (length > replyBytes) fail(new ProcessorFailure('too-large'))
          else pieces.push(piece)
        })
        response.on('error', () => fail(new ProcessorFailure('gone')))
        response.on('end', () => {
          forget()
          resolve(Buffer.concat(pieces))
        })
      })
      asking.end(text)
    })
  }
}

const EMPTY: Asked = {
  requestId: 'yori-processor-test',
  head: {
    method: 'POST',
    path: '/',
    host: 'example.com',
    protocol: 'HTTP/1.1',
    fields: [],
    clientAddress: '127.0.0.1',
    clientPort: 0,
    traceparent: undefined,
    provider: undefined,
    model: undefined,
    startedAt: 0,
  },
  asksHead: true,
  body: undefined,
}
