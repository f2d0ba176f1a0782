/**
 * An agent of the agent protocol, version 2, over a Unix socket, written from the published
 * frames alone: what it is told is kept, and what it says is up to the test.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'

export interface Event {
  readonly type: number
  readonly payload: Record<string, unknown>
}

/** What to answer; `nothing`: it hangs; `end`: its connection ends; bytes: as they are. */
export type Say = (event: Event) => object | Buffer | 'nothing' | 'end'

export const ALLOW = { version: 2, decision: 'allow' }

export function block(status: number, body: string, audit: object = {}): object {
  return { version: 2, decision: { block: { status, body, headers: null } }, audit }
}

export function frameOf(type: number, payload: object | string | Buffer): Buffer {
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
  const head = Buffer.alloc(5)
  head.writeUInt32BE(bytes.length + 1)
  head[4] = type
  return Buffer.concat([head, bytes])
}

export class UdsAgent implements AsyncDisposable {
  readonly path: string
  /** Events alone. */
  readonly events: Event[] = []
  readonly handshakes: Event[] = []
  readonly cancelled: Event[] = []
  say: Say = () => ALLOW
  connections = 0
  /** How often it was asked whether it is there. */
  pings = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(path: string, introduction: object) {
    this.path = path
    this.#server = createServer((socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
      let held = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        held = Buffer.concat([held, chunk])
        while (held.length >= 5 && held.length >= held.readUInt32BE(0) + 4) {
          const end = held.readUInt32BE(0) + 4
          this.#heard(socket, held[4] ?? 0, held.subarray(5, end), introduction)
          held = held.subarray(end)
        }
      })
    })
  }

  static async start(path: string, say?: Say, more: object = {}): Promise<UdsAgent> {
    const agent = new UdsAgent(path, {
      protocol_version: 2,
      capabilities: {
        agent_id: 'test',
        name: 'test-agent',
        version: '1.2.3',
        supported_events: [1, 2, 3, 4, 5, 6],
        features: {},
        limits: { max_body_size: 0, max_concurrency: 0, preferred_chunk_size: 0 },
      },
      success: true,
      error: null,
      encoding: 'json',
      ...more,
    })
    if (say !== undefined) agent.say = say
    agent.#server.listen(path)
    await once(agent.#server, 'listening')
    return agent
  }

  /** As if its process were killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server.listening) await new Promise((done) => this.#server.close(done))
  }

  #heard(socket: Socket, type: number, bytes: Buffer, introduction: object): void {
    if (type === 0x41) {
      this.pings++
      socket.write(frameOf(0x42, bytes))
      return
    }
    const payload = JSON.parse(bytes.toString()) as Record<string, unknown>
    if (type === 0x01) {
      this.handshakes.push({ type, payload })
      socket.write(frameOf(0x02, introduction))
      return
    }
    if (type === 0x40) {
      this.cancelled.push({ type, payload })
      return
    }
    this.events.push({ type, payload })
    const said = this.say({ type, payload })
    if (said === 'nothing') return
    if (said === 'end') socket.destroy()
    else if (Buffer.isBuffer(said)) socket.write(said)
    else socket.write(frameOf(0x20, said))
  }
}
