/**
 * A server of MCP that speaks by standard input and output, as one of streamable HTTP on the
 * loopback: what YORI's door leads to. One client has it, and brings the key that only it knows.
 */
import { timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Readable, Writable } from 'node:stream'
import { LineReader } from './lines.js'

export const KEY_FIELD = 'mcp-wrap-key'

/** Of one message. */
export const MOST_MESSAGE_BYTES = 8 * 1024 * 1024
/** Answers that are waited for; further questions are refused. */
const MOST_WAITING = 256
/** What the server tells of itself while nobody listens, the newest. */
const MOST_KEPT = 256

export interface BridgeOptions {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly key: string
}

type Id = string | number

export class WrapBridge {
  readonly server: Server
  readonly #options: BridgeOptions
  readonly #waiting = new Map<Id, ServerResponse>()
  readonly #kept: string[] = []
  #stream: ServerResponse | undefined

  constructor(options: BridgeOptions) {
    this.#options = options
    this.server = createServer((request, response) => {
      void this.#serve(request, response).catch(() => response.destroy())
    })
    const lines = new LineReader(MOST_MESSAGE_BYTES, (line) => this.#heard(line))
    options.stdout.on('data', (piece: Buffer) => lines.push(piece))
    options.stdout.on('end', () => this.close())
  }

  /** The server has ended: nobody is answered any more. */
  close(): void {
    for (const response of this.#waiting.values()) response.destroy()
    this.#waiting.clear()
    this.#stream?.end()
    this.server.close()
    this.server.closeAllConnections()
  }

  #heard(line: string): void {
    const { id, method } = partsOf(line)
    const response = id === undefined ? undefined : this.#waiting.get(id)
    if (method === undefined && id !== undefined && response !== undefined) {
      this.#waiting.delete(id)
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(line)
      return
    }
    if (this.#stream !== undefined) this.#stream.write(`data: ${line}\n\n`)
    else if (this.#kept.push(line) > MOST_KEPT) this.#kept.shift()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    if (!this.#isOurs(request.headers[KEY_FIELD])) {
      response.writeHead(403).end()
      return
    }
    if (request.method === 'GET') this.#listen(response)
    else if (request.method === 'POST') await this.#take(request, response)
    else response.writeHead(405, { allow: 'GET, POST' }).end()
  }

  #isOurs(said: string | string[] | undefined): boolean {
    const right = Buffer.from(this.#options.key)
    const given = Buffer.from(String(said))
    return given.length === right.length && timingSafeEqual(given, right)
  }

  #listen(response: ServerResponse): void {
    this.#stream?.end()
    this.#stream = response
    response.once('close', () => {
      if (this.#stream === response) this.#stream = undefined
    })
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    for (const line of this.#kept.splice(0)) response.write(`data: ${line}\n\n`)
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    let bytes = 0
    for await (const piece of request as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > MOST_MESSAGE_BYTES) {
        response.writeHead(413, { connection: 'close' }).end()
        return
      }
      pieces.push(piece)
    }
    const line = Buffer.concat(pieces)
      .toString()
      .replace(/[\r\n]+/g, ' ')
    const { id, method } = partsOf(line)
    const isAsked = id !== undefined && method !== undefined
    if (isAsked && (this.#waiting.size >= MOST_WAITING || this.#waiting.has(id))) {
      response.writeHead(429).end()
      return
    }
    if (isAsked) {
      this.#waiting.set(id, response)
      response.once('close', () => {
        if (this.#waiting.get(id) === response) this.#waiting.delete(id)
      })
    } else response.writeHead(202).end()
    this.#options.stdin.write(`${line}\n`)
  }
}

/** What a message is about; a text that is none is about nothing. */
export function partsOf(line: string): {
  readonly id?: Id | undefined
  readonly method?: string | undefined
} {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
    const { id, method } = value as { id?: unknown; method?: unknown }
    return {
      id: typeof id === 'string' || typeof id === 'number' ? id : undefined,
      method: typeof method === 'string' ? method : undefined,
    }
  } catch {
    return {}
  }
}
