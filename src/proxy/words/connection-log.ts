/**
 * The one writer of a connection's row: what happens to a connection is told here, by a verb
 * each, and everybody else only reads. Which of two tellings counts is `precedence.ts`'s; until
 * one of them says what became of it, a connection is undecided, and one that ends so has
 * failed.
 */
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { NAME_CLASSES } from '../../core/coverage.js'
import type { ErrorCode } from '../../core/errors.js'
import type {
  ConnectionRecord,
  Coverage,
  Device,
  Way,
  WritableRow,
} from '../../core/record.js'
import { CONNECTION_CODE_RANK, Ranked } from './precedence.js'

export interface ConnectionOpened {
  readonly ip: string
  readonly clientPort: number
  readonly at: number
}

/** What became of a connection over which an endpoint was asked. */
const OF_AN_ENDPOINT: ReadonlySet<Coverage> = new Set<Coverage>([
  'inspected',
  'tunnel-media-elsewhere',
])

export class ConnectionLog {
  readonly #record: WritableRow<ConnectionRecord>
  readonly #code = new Ranked<ErrorCode>()
  #undecided = true

  constructor({ ip, clientPort, at }: ConnectionOpened) {
    this.#record = {
      connectionId: randomUUID(),
      device: { ip },
      clientPort,
      way: 'direct',
      openedAt: at,
      closedAt: at,
      nameClass: NAME_CLASSES.none,
      coverage: 'failed',
      bytesFromClient: 0,
      bytesToClient: 0,
      exchanges: 0,
    }
  }

  get record(): Readonly<ConnectionRecord> {
    return this.#record
  }

  identified(device: Device): void {
    this.#record.device = device
  }

  cameBy(way: Way): void {
    this.#record.way = way
  }

  /** `address:port` that was dialled, or that the client asked for. */
  ledTo(destination: string): void {
    this.#record.destination = destination
  }

  /** The SNI or CONNECT name; only where it may be kept. */
  named(name: string): void {
    this.#record.serverName = name
  }

  ofClass(nameClass: string): void {
    this.#record.nameClass = nameClass
  }

  /** A request begins on it. */
  request(): void {
    this.#record.exchanges += 1
  }

  inspected(): void {
    // What it led elsewhere does not come back with the next request.
    if (!OF_AN_ENDPOINT.has(this.#record.coverage)) this.#became('inspected')
  }

  /** A conversation was opened on it that takes another way: what it says is not seen. */
  ledElsewhere(): void {
    this.#became('tunnel-media-elsewhere')
  }

  /** Its bytes pass untouched; `why` is one of the tunnels. */
  tunnelled(why: Coverage): void {
    this.#became(why)
  }

  /** A plain request that is passed on unread; one of an endpoint before it counts more. */
  relayed(nameClass: string): void {
    if (OF_AN_ENDPOINT.has(this.#record.coverage)) return
    this.#became('tunnel-not-endpoint')
    this.#record.nameClass = nameClass
  }

  /** Our own pages. */
  own(): void {
    this.#became('own')
  }

  /** One of our own pages was asked for; what was decided of the connection before stays. */
  servedOwn(): void {
    if (this.#undecided) this.#became('own')
  }

  /** The supervisor looks whether we live: without a request beside it that is no traffic. */
  probed(): void {
    if (this.#record.exchanges === 0) this.#became('own')
  }

  /** Whatever was asked of our own site before, from here on it counts. */
  startsAnew(): void {
    this.#undecided = true
    this.#record.coverage = 'failed'
  }

  /** We turned it away. */
  refused(code: ErrorCode): void {
    this.#became('refused')
    this.#tell(code, CONNECTION_CODE_RANK.refused)
  }

  /** A request on it was turned away; so was the connection, when there was nothing else. */
  requestRefused(code: ErrorCode): void {
    if (this.#undecided || this.#record.exchanges === 0) this.#became('refused')
    this.ended(code)
  }

  /** It did not become what it was to be. */
  failed(code?: ErrorCode): void {
    this.#became('failed')
    if (code !== undefined) this.ended(code)
  }

  /** Why it ends; what was decided of it stays. */
  ended(code: ErrorCode): void {
    this.#tell(code, CONNECTION_CODE_RANK.seen)
  }

  closed(
    at: number,
    { bytesRead, bytesWritten }: Pick<Socket, 'bytesRead' | 'bytesWritten'>,
  ): void {
    this.#record.closedAt = at
    this.#record.bytesFromClient = bytesRead
    this.#record.bytesToClient = bytesWritten
    if (this.#record.coverage === 'failed') this.ended('YORI_CLIENT_GONE')
  }

  #became(coverage: Coverage): void {
    this.#undecided = false
    this.#record.coverage = coverage
  }

  #tell(code: ErrorCode, rank: number): void {
    if (this.#code.tell(code, rank)) this.#record.code = code
  }
}
