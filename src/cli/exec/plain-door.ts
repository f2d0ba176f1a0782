/**
 * What programs of one `yori exec` send without CONNECT: plain HTTP, to a base URL that names
 * the relay (`--base-url`), or by proxy. Each request goes on to YORI with the mark of this
 * exec, and its answer comes back as it comes.
 */
import { Agent, createServer, request } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

export interface RelayOptions {
  /** YORI's listener. */
  readonly host: string
  readonly port: number
  /** Of this exec: a tag of its exchanges. */
  readonly id: string
  /** What is run, and where. */
  readonly program: { readonly name: string; readonly folder: string }
}

/** They hold for one connection alone, RFC 9110 §7.6.1. */
const OF_THE_CONNECTION =
  /^(?:connection|keep-alive|proxy-connection|transfer-encoding)$/i
const BAD_GATEWAY = 502

export class PlainDoor {
  readonly #options: RelayOptions
  readonly #failed: () => void
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true })

  /** `failed`: YORI did not take one. */
  constructor(options: RelayOptions, failed: () => void) {
    this.#options = options
    this.#failed = failed
    this.#server = createServer((asked, answer) => this.#lead(asked, answer))
    this.#server.on('upgrade', (asked: IncomingMessage, client: Socket, early: Buffer) =>
      this.#switch(asked, client, early),
    )
    // A model may think for long; who waits for it decides how long.
    this.#server.requestTimeout = 0
  }

  /** `first`: what came of it already. */
  take(client: Socket, first: Buffer): void {
    client.unshift(first)
    this.#server.emit('connection', client)
    client.resume()
  }

  end(): void {
    this.#agent.destroy()
    this.#server.closeAllConnections()
  }

  #lead(asked: IncomingMessage, answer: ServerResponse): void {
    const { host, port } = this.#options
    const { method, url } = asked
    const on = request({
      ...{ host, port, method, path: url, agent: this.#agent },
      headers: this.#headers(asked),
    })
    on.once('response', (said) => {
      answer.writeHead(said.statusCode ?? BAD_GATEWAY, said.statusMessage, endToEnd(said))
      answer.flushHeaders()
      said.pipe(answer)
      said.once('aborted', () => answer.destroy())
    })
    on.once('error', () => {
      this.#failed()
      if (answer.headersSent) answer.destroy()
      else answer.writeHead(BAD_GATEWAY).end('yori exec: YORI does not answer\n')
    })
    answer.once('close', () => on.destroy())
    asked.pipe(on)
  }

  /** A WebSocket: the head with its mark, and then bytes. */
  #switch(asked: IncomingMessage, client: Socket, early: Buffer): void {
    const { host, port } = this.#options
    const { method, url, httpVersion, rawHeaders } = asked
    const upstream = connect({ host, port })
    const lines = [`${method ?? 'GET'} ${url ?? '/'} HTTP/${httpVersion}`]
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string
      if (!isMark(name) && !/^host$/i.test(name))
        lines.push(`${name}: ${rawHeaders[i + 1] as string}`)
    }
    lines.push(`Host: ${this.#hostOf(asked)}`)
    for (const [name, value] of marksOf(this.#options)) lines.push(`${name}: ${value}`)
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
    if (early.length > 0) upstream.write(early)
    upstream.once('error', () => {
      this.#failed()
      client.destroy()
    })
    client.once('error', () => upstream.destroy())
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroySoon())
    client.pipe(upstream)
    upstream.pipe(client)
  }

  /** A base URL names us, and our own host is YORI's; by proxy the name is another's. */
  #hostOf({ url = '', headers }: IncomingMessage): string {
    const { host, port } = this.#options
    if (!url.startsWith('/')) return headers.host ?? ''
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  }

  #headers(asked: IncomingMessage): Record<string, string | string[]> {
    const kept = Object.entries(endToEnd(asked)).filter(([name]) => !isMark(name))
    return {
      ...Object.fromEntries(kept),
      ...(asked.headers['transfer-encoding'] === undefined
        ? {}
        : { 'transfer-encoding': 'chunked' }),
      host: this.#hostOf(asked),
      ...Object.fromEntries(marksOf(this.#options)),
    }
  }
}

/** Of each exchange of this exec: its tag, and who sends it. */
export function marksOf({ id, program }: RelayOptions): readonly [string, string][] {
  const [name, folder] = [program.name, program.folder].map(encodeURIComponent)
  return [
    ['X-Yori-Tags', `exec:${id}`],
    ['X-Yori-Program', `${name} ${folder}`],
  ]
}

const isMark = (name: string): boolean => /^x-yori-(?:tags|exec|program)$/i.test(name)

/** Names as they came, and several of one in their order. */
function endToEnd({ rawHeaders }: IncomingMessage): Record<string, string | string[]> {
  const fields: Record<string, string[]> = {}
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (OF_THE_CONNECTION.test(name) || /^host$/i.test(name)) continue
    ;(fields[name] ??= []).push(rawHeaders[i + 1] as string)
  }
  return Object.fromEntries(
    Object.entries(fields).map(([name, values]) => [
      name,
      values.length === 1 ? (values[0] as string) : values,
    ]),
  )
}
