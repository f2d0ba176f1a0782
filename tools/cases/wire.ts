/**
 * One YORI between a client and an origin that both speak by hand: what goes into the tunnel,
 * what comes out at the other side, and what was recorded of it.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { tooWide } from '../../ca/permitted.js'
import { canonicalHostname } from '../../src/core/hostname.js'
import { connectThroughProxy, rawTlsClient } from '../../test/support/clients.js'
import { startRawOrigin } from '../../test/support/origins.js'
import type { Origin } from '../../test/support/origins.js'
import { TestCa } from '../../test/support/test-ca.js'
import { Yori } from '../../test/support/yori.js'
import type { Row as Record } from '../../test/support/yori.js'
import { readRequests } from './http-messages.js'
import type { Message, Read } from './http-messages.js'

/** How long something that must come may take: beyond it the row is wrong. */
const PATIENCE_MS = 5_000

/** Answers one request that the origin has read whole. */
export type Answer = (request: Message, socket: Socket) => void | Promise<void>

export interface Recorded {
  readonly connection: Record
  readonly exchanges: readonly Record[]
}

export class Wire implements AsyncDisposable {
  readonly #yori: Yori
  readonly #origin: Origin
  /** Names that cannot be played, and why. */
  readonly #refused: ReadonlyMap<string, string>
  /** What each connection to the origin has brought since `listen`. */
  readonly #arrived: Arrivals

  private constructor(
    { yori, origin, arrived }: { yori: Yori; origin: Origin; arrived: Arrivals },
    refused: ReadonlyMap<string, string>,
  ) {
    this.#yori = yori
    this.#origin = origin
    this.#arrived = arrived
    this.#refused = refused
  }

  /**
   * The origin stands for every one of `wanted`, which are all governed, but for those that the
   * CA may not sign (`refusal`).
   */
  static async open(wanted: readonly string[]): Promise<Wire> {
    const { names, refused } = sorted(wanted)
    const ca = new TestCa()
    const arrived = new Arrivals()
    const certificate = ca.issue({ names })
    const origin = await startRawOrigin((socket) => arrived.serve(socket), {
      certificate,
    })
    try {
      const yori = await Yori.start({
        origins: Object.fromEntries(names.map((name) => [name, origin])),
        trust: [ca],
        config: {
          endpoints: names.map((domain) => ({ domain })),
          ca: { permitted: names },
        },
      })
      return new Wire({ yori, origin, arrived }, refused)
    } catch (error) {
      await origin[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Why nothing can be asked under that name; undefined: it can. */
  refusal(name: string): string | undefined {
    return this.#refused.get(name)
  }

  /** From here on the origin answers so, and what it gets is counted anew. */
  listen(answer: Answer): void {
    this.#arrived.begin(answer)
  }

  /** The requests that have reached the origin since `listen`, connection by connection. */
  get seen(): readonly Read[] {
    return this.#arrived.reads()
  }

  /** A client inside its intercepted tunnel. */
  async client(name: string): Promise<WireClient> {
    const raw = await connectThroughProxy(this.#yori.port, name, 443)
    const port = raw.localPort
    if (port === undefined) throw new Error('the tunnel closed at once')
    const ca = this.#yori.rootPem
    const tls = await rawTlsClient({ servername: name, ca, socket: raw })
    return new WireClient(tls, port)
  }

  /** Of a client that has closed. */
  async recorded(client: WireClient): Promise<Recorded> {
    const due = performance.now() + PATIENCE_MS
    for (;;) {
      const connections = await this.#yori.rows('connections')
      const connection = connections.findLast((row) => row['client_port'] === client.port)
      if (connection !== undefined) {
        const id = connection['connection_id']
        const all = await this.#yori.rows('exchanges')
        const exchanges = all.filter((row) => row['connection_id'] === id)
        if (exchanges.every((row) => row['event_type'] !== 'request'))
          return { connection, exchanges }
      }
      if (performance.now() > due) throw new Error('the connection was not recorded')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#yori[Symbol.asyncDispose]()
    await this.#origin[Symbol.asyncDispose]()
  }
}

/** As many names as one root takes beside the vendors' own (`ca.permitted`). */
const MOST_NAMES = 256
/** Where there is none that could be played. */
const STAND_IN = 'local.cases.test'

function sorted(wanted: readonly string[]): {
  readonly names: readonly string[]
  readonly refused: ReadonlyMap<string, string>
} {
  const names: string[] = []
  const refused = new Map<string, string>()
  for (const name of new Set(wanted)) {
    const isName = canonicalHostname(name) === name
    const why = isName ? tooWide(name) : 'it is no host name'
    if (why !== undefined) refused.set(name, why)
    else if (names.length < MOST_NAMES) names.push(name)
    else refused.set(name, `there are more than ${MOST_NAMES} names`)
  }
  return { names: names.length === 0 ? [STAND_IN] : names, refused }
}

export class WireClient {
  /** Its own, by which its connection is found in the records. */
  readonly port: number
  readonly #tls: TLSSocket
  readonly #chunks: Buffer[] = []
  #closed = false

  constructor(tls: TLSSocket, port: number) {
    this.#tls = tls
    this.port = port
    tls.on('data', (chunk: Buffer) => this.#chunks.push(chunk))
    tls.on('error', () => undefined)
    const gone = (): void => {
      this.#closed = true
    }
    tls.on('close', gone).on('end', gone)
  }

  /** All that has come so far. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  get closed(): boolean {
    return this.#closed
  }

  send(bytes: Buffer): void {
    this.#tls.write(bytes)
  }

  /** Waits until `enough` holds or the connection has closed; false when neither in time. */
  until(enough: (received: Buffer) => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (came: boolean): void => {
        clearTimeout(timer)
        this.#tls.off('data', look).off('end', look).off('close', look)
        resolve(came)
      }
      const look = (): void => {
        if (this.#closed || enough(this.received)) finish(true)
      }
      const timer = setTimeout(() => finish(false), PATIENCE_MS)
      this.#tls.on('data', look).on('end', look).on('close', look)
      look()
    })
  }

  /** FIN, which to YORI means that the client has gone; resolves when it has closed too. */
  async end(): Promise<void> {
    this.#tls.end()
    await this.until(() => false)
    this.#tls.destroy()
  }
}

/** The origin's side: reads each connection's requests and has each answered once. */
class Arrivals {
  #answer: Answer = () => undefined
  #connections = new Map<Socket, { bytes: Buffer; answered: number }>()

  begin(answer: Answer): void {
    this.#answer = answer
    for (const [socket, connection] of this.#connections) {
      // One that stands in the middle of a message belongs to what came before.
      const { rest } = readRequests(connection.bytes)
      if (socket.destroyed || rest !== 'nothing') this.#connections.delete(socket)
      connection.bytes = Buffer.alloc(0)
      connection.answered = 0
    }
  }

  reads(): Read[] {
    return Array.from(this.#connections.values(), ({ bytes }) => readRequests(bytes))
  }

  async serve(socket: Socket): Promise<void> {
    const connection = { bytes: Buffer.alloc(0), answered: 0 }
    this.#connections.set(socket, connection)
    for await (const chunk of socket) {
      connection.bytes = Buffer.concat([connection.bytes, chunk as Buffer])
      const { messages } = readRequests(connection.bytes)
      for (const message of messages.slice(connection.answered)) {
        connection.answered++
        await this.#answer(message, socket)
      }
    }
    socket.end()
  }
}
