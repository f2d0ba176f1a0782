/**
 * The proxy that the programs of one `yori exec` are given: it hands each CONNECT on to YORI,
 * with the mark of this exec, and counts; what is not CONNECT is `plain-door.ts`'s. On loopback
 * alone, and only as long as the exec lasts.
 */
import { createServer, connect } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { marksOf, PlainDoor } from './plain-door.js'
import type { RelayOptions } from './plain-door.js'

/** A head that is longer is no CONNECT of a client that we know. */
const MAX_HEAD_BYTES = 16 * 1024
/** Names that are told apart in the counts. */
const MAX_NAMES = 1_000

export interface RelayCounts {
  /** Connections that programs made. */
  connections: number
  /** Those of them that YORI did not take. */
  failed: number
  /** By name, as asked for. */
  readonly names: Map<string, number>
}

export class Relay implements AsyncDisposable {
  readonly counts: RelayCounts = { connections: 0, failed: 0, names: new Map() }
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #plain: PlainDoor

  private constructor(options: RelayOptions) {
    this.#plain = new PlainDoor(options, () => this.counts.failed++)
    this.#server = createServer((client) => this.#serve(client, options))
  }

  static async start(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options)
    const server = relay.#server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#plain.end()
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(client: Socket, options: RelayOptions): void {
    this.#keep(client)
    let head = Buffer.alloc(0)
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0 && head.length <= MAX_HEAD_BYTES) return
      client.off('data', onData)
      client.pause()
      if (end < 0) client.destroy()
      else this.#lead(client, head, end, options)
    }
    client.on('data', onData)
  }

  #lead(client: Socket, bytes: Buffer, end: number, options: RelayOptions): void {
    const head = bytes.subarray(0, end).toString('latin1')
    const [line = '', ...fields] = head.split('\r\n')
    const target = /^CONNECT (\S+) HTTP\/1\.[01]$/.exec(line)?.[1]
    const isQuiet = fields.some((field) => /^x-yori-exec: *quiet$/i.test(field))
    this.#count(target ?? plainName(line))
    if (target === undefined) {
      this.#plain.take(client, bytes)
      return
    }
    const upstream = connect({ host: options.host, port: options.port })
    this.#keep(upstream)
    const fail = (): void => {
      this.counts.failed++
      client.destroy()
    }
    upstream.once('error', fail)
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroySoon())
    const kept = fields.filter(
      (field) => !/^x-yori-(?:exec|tags|program) *:/i.test(field),
    )
    const marks = marksOf(options).map(([name, value]) => `${name}: ${value}`)
    const asked = [line, ...kept, ...marks].join('\r\n')
    upstream.write(`${asked}\r\n\r\n`, 'latin1')
    let answer = Buffer.alloc(0)
    const onData = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk])
      const over = answer.indexOf('\r\n\r\n')
      if (over < 0 && answer.length <= MAX_HEAD_BYTES) return
      upstream.off('data', onData)
      upstream.off('error', fail)
      upstream.pause()
      const isTaken = /^HTTP\/1\.[01] 200 /.test(
        answer.subarray(0, 16).toString('latin1'),
      )
      if (!isTaken) this.counts.failed++
      if (!isQuiet) client.write(answer)
      else if (isTaken) client.write(answer.subarray(over + 4))
      // TLS is waited for: an answer of HTTP would be taken for a broken one.
      else return void client.destroy()
      const early = bytes.subarray(end + 4)
      if (early.length > 0) upstream.write(early)
      join(client, upstream)
    }
    upstream.on('data', onData)
  }

  #count(target: string): void {
    const { names } = this.counts
    const name = target.replace(/:\d+$/, '')
    this.counts.connections++
    const before = names.get(name)
    if (before !== undefined || names.size < MAX_NAMES) names.set(name, (before ?? 0) + 1)
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
  }
}

/** By proxy the name that is asked for; a base URL tells by its path alone. */
function plainName(line: string): string {
  const target = line.split(' ')[1] ?? ''
  return URL.canParse(target) ? new URL(target).hostname : 'by base URL'
}

/** Each side's bytes become the other's, with back-pressure; an end as well. */
function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream)
  upstream.pipe(client)
}
