/**
 * `yori mcp-wrap`: a client that starts its server as a program gets one whose messages all go by
 * the door `/mcp/servers/NAME` of the running YORI: client, this, YORI, this again, server. What
 * the door answers itself, the client is told.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { SseReader } from '../http/sse.js'
import { LineReader } from './lines.js'
import { KEY_FIELD, MOST_MESSAGE_BYTES, WrapBridge, partsOf } from './wrap-bridge.js'

export interface WrapOptions {
  readonly command: string
  readonly args: readonly string[]
  /** Of the door. */
  readonly door: URL
  /** Where the door leads: `mcp.servers.NAME.url`. */
  readonly at: URL
  readonly stdin: Readable
  readonly stdout: Writable
}

/** Gives the status with which the server ended. @throws what the system says */
export async function wrap(options: WrapOptions): Promise<number> {
  const { command, args, door, at, stdin, stdout } = options
  const key = randomBytes(24).toString('base64url')
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const started = once(child, 'spawn')
  const ended = once(child, 'exit')
  await started
  child.stdin.on('error', () => undefined)
  const bridge = new WrapBridge({ stdin: child.stdin, stdout: child.stdout, key })
  try {
    bridge.server.listen(Number(at.port === '' ? 80 : at.port), hostOf(at))
    await once(bridge.server, 'listening')
    const client = new WrapClient({ door, key, stdout })
    const lines = new LineReader(MOST_MESSAGE_BYTES, (line) => client.send(line))
    stdin.on('data', (piece: Buffer) => lines.push(piece))
    stdin.once('end', () => void client.idle().then(() => child.stdin.end()))
    client.listen()
    const [code] = (await ended) as [number | null]
    await client.idle()
    client.close()
    return code ?? 1
  } finally {
    bridge.close()
    if (child.exitCode === null) child.kill()
  }
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

interface ClientOptions {
  readonly door: URL
  readonly key: string
  readonly stdout: Writable
}

/** The client's side: its lines to the door, and back. */
class WrapClient {
  readonly #options: ClientOptions
  readonly #open = new Set<Promise<void>>()
  readonly #closing = new AbortController()

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /** Never throws: what fails is told as the answer. */
  send(line: string): void {
    const sent = this.#post(line)
    this.#open.add(sent)
    void sent.finally(() => this.#open.delete(sent))
  }

  /** Everything has been answered. */
  async idle(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open)
  }

  close(): void {
    this.#closing.abort()
  }

  /** What the server tells by itself. */
  listen(): void {
    this.#ask('GET', { accept: 'text/event-stream' })
      .then((answer) => {
        if (answer.statusCode !== 200) return void answer.resume()
        const reader = new SseReader({ maxEventBytes: MOST_MESSAGE_BYTES })
        answer.on('data', (piece: Buffer) => {
          for (const { data } of reader.push(piece)) this.#say(data)
        })
        answer.on('error', () => undefined)
      })
      .catch(() => undefined)
  }

  async #post(line: string): Promise<void> {
    const { id, method } = partsOf(line)
    const isAsked = id !== undefined && method !== undefined
    try {
      const answer = await this.#ask(
        'POST',
        {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        line,
      )
      const text = await textOf(answer)
      const status = answer.statusCode ?? 0
      if (status === 200) this.#say(text)
      else if (isAsked) this.#failed(id, errorIn(text) ?? `YORI answered ${status}`)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      if (isAsked) this.#failed(id, `YORI cannot be asked: ${why}`)
    }
  }

  #failed(id: string | number, message: string): void {
    this.#say(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32000, message } }))
  }

  #say(text: string): void {
    if (text.trim() !== '') this.#options.stdout.write(`${text.replace(/\n/g, ' ')}\n`)
  }

  #ask(
    method: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<IncomingMessage> {
    const { door, key } = this.#options
    return new Promise((resolve, reject) => {
      const asking = request(
        door,
        {
          method,
          signal: this.#closing.signal,
          headers: {
            ...{ ...headers, [KEY_FIELD]: key },
            ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          },
        },
        resolve,
      )
      asking.once('error', reject)
      asking.end(body)
    })
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of answer as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > MOST_MESSAGE_BYTES) throw new Error('its answer is too long')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

function errorIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } }
    return typeof error?.message === 'string' ? error.message : undefined
  } catch {
    return undefined
  }
}
