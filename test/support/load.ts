/**
 * Clients that ask one request after another, on every way in and over both versions of HTTP,
 * each with the connections that its library keeps; and what became of every request.
 */
import { Agent, request as httpRequest } from 'node:http'
import type { RequestListener } from 'node:http'
import { connect as connectH2 } from 'node:http2'
import type { ClientHttp2Session } from 'node:http2'
import { Pool, ProxyAgent, request } from 'undici'
import type { Dispatcher } from 'undici'
import { tlsThroughProxy } from './clients.js'
import { h2Ask } from './h2.js'
import { NAME } from './proxied.js'

/** What a provider does for this load: reads the request, says `ok`. */
export const answersOk: RequestListener = (incoming, response) => {
  incoming.resume()
  incoming.on('end', () => response.end('ok'))
}

const QUESTION = JSON.stringify({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'hello' }],
})

export interface Loaded {
  readonly port: number
  readonly rootPem: string
}

export interface LoadEnd {
  readonly answered: number
  /** How each request ended that was not answered with 200. */
  readonly lost: readonly string[]
}

export class Load implements AsyncDisposable {
  readonly #ask: ReadonlyMap<string, () => Promise<number>>
  readonly #close: () => Promise<void>
  readonly #lost: string[] = []
  #answered = 0
  #ended: Promise<unknown> | undefined
  #isOver = false

  private constructor(
    ask: ReadonlyMap<string, () => Promise<number>>,
    close: () => Promise<void>,
  ) {
    this.#ask = ask
    this.#close = close
  }

  static async start(yori: Loaded): Promise<Load> {
    const agent = new Agent({ keepAlive: true, maxSockets: 2 })
    const byConnect = new ProxyAgent({
      uri: `http://127.0.0.1:${yori.port}`,
      requestTls: { ca: yori.rootPem },
    })
    const direct = new Pool(`http://127.0.0.1:${yori.port}`, { connections: 2 })
    const socket = await tlsThroughProxy(yori.port, NAME, {
      ca: yori.rootPem,
      ALPNProtocols: ['h2', 'http/1.1'],
    })
    const h2 = connectH2(`https://${NAME}`, { createConnection: () => socket })
    h2.on('error', () => undefined)
    const load = new Load(
      new Map([
        ['undici by CONNECT', () => byUndici(byConnect, `https://${NAME}`)],
        ['undici, direct', () => byUndici(direct, `http://127.0.0.1:${yori.port}`)],
        ['node:http, direct', () => byNode(agent, yori.port, NAME, '/v1/models')],
        ['node:http, own site', () => byNode(agent, yori.port, 'localhost', '/health')],
        ['HTTP/2', () => byH2(h2)],
        ['HTTP/2, beside it', () => byH2(h2)],
      ]),
      async () => {
        agent.destroy()
        h2.destroy()
        await Promise.all([byConnect.destroy(), direct.destroy()])
      },
    )
    load.#ended = Promise.all([...load.#ask].map(([name, ask]) => load.#loop(name, ask)))
    return load
  }

  get clients(): number {
    return this.#ask.size
  }

  get answered(): number {
    return this.#answered
  }

  /** No new requests; resolves when those under way have ended. */
  async end(): Promise<LoadEnd> {
    this.#isOver = true
    await this.#ended
    return { answered: this.#answered, lost: this.#lost }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#close()
    await this.#ended
  }

  async #loop(name: string, ask: () => Promise<number>): Promise<void> {
    while (!this.#isOver) {
      try {
        const status = await ask()
        if (status === 200) this.#answered++
        else this.#lost.push(`${name}: ${status}`)
      } catch (cause) {
        this.#lost.push(`${name}: ${String(cause)}`)
      }
    }
  }
}

async function byUndici(dispatcher: Dispatcher, origin: string): Promise<number> {
  const { statusCode, body } = await request(`${origin}/v1/chat/completions`, {
    method: 'POST',
    dispatcher,
    headers: { host: NAME, 'content-type': 'application/json' },
    body: QUESTION,
  })
  await body.dump()
  return statusCode
}

function byNode(agent: Agent, port: number, host: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ agent, port, path, headers: { host } })
    asked.on('response', (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
      response.once('error', reject)
    })
    asked.once('error', reject)
    asked.end()
  })
}

async function byH2(session: ClientHttp2Session): Promise<number> {
  const head = { ':method': 'POST', ':path': '/v1/chat/completions', ':authority': NAME }
  const fields = { ...head, 'content-type': 'application/json' }
  const { headers } = await h2Ask(session, fields, QUESTION)
  return headers[':status'] ?? 0
}
