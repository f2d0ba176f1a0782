/**
 * After 101: the provider's answer goes to the client and both sockets are joined. WebSocket
 * messages pass as they are (RFC 6455), permessage-deflate included; whoever watches them gets
 * each piece after it has been sent on. A limit of silence of its own holds.
 */
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Watched } from '../../core/watched.js'
import type { Deadlines } from '../../net/deadlines.js'
import { closeFrame } from '../../http/websocket-head.js'
import { endSoon } from '../../net/end-soon.js'
import type { Decision } from '../../policy/engine.js'
import type { MessageGate } from './websocket-gate.js'
import type { Heard } from './websocket-speech.js'

/** The provider's fields of a 101 go on whole: `Upgrade` and `Connection` are its substance. */
export interface Upgraded {
  readonly rawHeaders: readonly string[]
  readonly socket: Duplex
}

export interface JoinOptions {
  readonly deadlines: Deadlines
  /** Without a byte either way for so long, both sides are closed. */
  readonly idleMs: number
  /** Bytes that have been sent on; they must not be changed. */
  readonly fromClient: (chunk: Buffer) => void
  readonly fromServer: (chunk: Buffer) => void
  /** Holds what the client says until it may go on. */
  readonly gate?: MessageGate
  /** What the client is told before the Close when a message is not let through: frames. */
  readonly farewell?: (decision: Decision, heard: Heard) => readonly Buffer[]
  /** Asked every second: why it may not go on; undefined: it may. */
  readonly ends?: (() => string | undefined) | undefined
  /** May a frame of ours be put between those of the provider now? */
  readonly betweenFrames?: () => boolean
}

export interface Joined {
  readonly bytesFromClient: number
  readonly bytesToClient: number
  readonly wasIdle: boolean
  readonly wasBlocked: boolean
  /** What `ends` said, and it was closed. */
  readonly ended: string | undefined
}

/** Resolves when both sides have closed. */
export function joinUpgraded(
  response: ServerResponse,
  client: Socket,
  upgraded: Upgraded,
  options: JoinOptions,
): Promise<Joined> {
  response.detachSocket(client)
  const lines = ['HTTP/1.1 101 Switching Protocols']
  const { rawHeaders } = upgraded
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    lines.push(`${rawHeaders[i] as string}: ${rawHeaders[i + 1] as string}`)
  }
  client.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return new Joint(client, upgraded.socket, options).ended()
}

class Joint implements Watched {
  readonly #client: Socket
  readonly #upstream: Duplex
  readonly #options: JoinOptions
  #fromClient = 0
  #fromServer = 0
  #lastBytes = 0
  #lastChange: number
  #wasIdle = false
  #wasBlocked = false
  #ended: string | undefined

  constructor(client: Socket, upstream: Duplex, options: JoinOptions) {
    this.#client = client
    this.#upstream = upstream
    this.#options = options
    this.#lastChange = options.deadlines.now()
  }

  ended(): Promise<Joined> {
    const { deadlines, fromClient, fromServer } = this.#options
    const [client, upstream] = [this.#client, this.#upstream]
    deadlines.watch(this)
    return new Promise((resolve) => {
      let open = 2
      const closed = (): void => {
        open -= 1
        if (open > 0) return
        deadlines.unwatch(this)
        resolve({
          bytesFromClient: this.#fromClient,
          bytesToClient: this.#fromServer,
          wasIdle: this.#wasIdle,
          wasBlocked: this.#wasBlocked,
          ended: this.#ended,
        })
      }
      carry(client, upstream, closed)
      carry(upstream, client, closed)
      const { gate } = this.#options
      if (gate === undefined) client.pipe(upstream)
      else this.#hold(gate)
      upstream.pipe(client)
      // After the pipes: what is watched has gone on.
      client.on('data', (chunk: Buffer) => {
        this.#fromClient += chunk.length
        if (gate === undefined) fromClient(chunk)
        else gate.push(chunk, fromClient)
      })
      upstream.on('data', (chunk: Buffer) => {
        this.#fromServer += chunk.length
        fromServer(chunk)
      })
    })
  }

  #hold(gate: MessageGate): void {
    const [client, upstream] = [this.#client, this.#upstream]
    let isFull = false
    let isPaused = false
    const flow = (): void => void (isFull || isPaused ? client.pause() : client.resume())
    upstream.on('drain', () => {
      isFull = false
      flow()
    })
    gate.attach({
      send: (bytes) => {
        if (upstream.writable) isFull = !upstream.write(bytes)
      },
      pause: () => {
        isPaused = true
        flow()
      },
      resume: () => {
        isPaused = false
        flow()
      },
      finish: () => upstream.end(),
      block: (decision, heard) => this.#block(decision, heard),
    })
    client.once('end', () => gate.end())
  }

  #block(decision: Decision, heard: Heard): void {
    this.#wasBlocked = true
    const farewell = this.#options.farewell?.(decision, heard) ?? []
    const does = decision.refusal === undefined ? 'blocked' : 'refused'
    this.#close(`${does} by YORI: ${decision.reason ?? ''}`, farewell)
  }

  /** Close to both sides, RFC 6455 §7.4.1: 1008 to the client, 1001 to the provider. */
  #close(reason: string, farewell: readonly Buffer[] = []): void {
    const [client, upstream] = [this.#client, this.#upstream]
    client.unpipe(upstream)
    upstream.unpipe(client)
    const says = this.#options.betweenFrames?.() === true
    if (says && client.writable)
      client.write(Buffer.concat([...farewell, closeFrame(1008, reason)]))
    endSoon(client)
    if (upstream.writable) upstream.write(closeFrame(1001, '', randomBytes(4)))
    endSoon(upstream)
  }

  tick(now: number): void {
    if (this.#ended !== undefined || this.#wasBlocked) return
    this.#ended = this.#options.ends?.()
    if (this.#ended !== undefined) {
      this.#close(`ended by YORI: ${this.#ended}`)
      return
    }
    // A peer that only reads moves bytes too.
    const bytes = this.#fromClient + this.#fromServer + this.#client.bytesWritten
    if (bytes !== this.#lastBytes) {
      this.#lastBytes = bytes
      this.#lastChange = now
    } else if (now - this.#lastChange > this.#options.idleMs) {
      this.#wasIdle = true
      this.#client.destroy()
      this.#upstream.destroy()
    }
  }
}

/** FIN goes on as FIN, after all that came before it; an error ends both sides at once. */
function carry(from: Duplex, to: Duplex, closed: () => void): void {
  from.on('error', () => to.destroy())
  from.once('close', () => {
    if (!from.readableEnded) to.destroy()
    else if (to.writableFinished) endSoon(to)
    else to.once('finish', () => endSoon(to))
    closed()
  })
}
