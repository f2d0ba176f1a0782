/** What a sink of the record is, and what it is handed. */
import type { RecordSinkType } from '../../../config/schema-sinks.js'

export type SinkFormat = 'yori' | 'ecs' | 'ocsf' | 'cef'

export interface SinkSettings {
  readonly type: RecordSinkType
  readonly format: SinkFormat
  readonly path?: string | undefined
  readonly url?: string | undefined
  readonly token?: string | undefined
  /** Read anew at each connection, so that a token can be changed. */
  readonly tokenFile?: string | undefined
  readonly index?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly transport: 'udp' | 'tcp' | 'tls'
  readonly tlsCa?: string | undefined
}

/** One exchange, or a signed head of the record. */
export interface Document {
  /** The same each time that it is sent. */
  readonly id: string
  /** Unix time in milliseconds. */
  readonly at: number
  readonly kind: 'response' | 'block' | 'error' | 'head'
  /** JSON, or a line of CEF; without a line break. */
  readonly text: string
}

/** A way to get documents there. */
export interface Carrier {
  /** @throws what the server, or the way to it, says */
  open(): Promise<void>
  /** Resolves once they are taken; gives how many were refused for what they are. */
  send(documents: readonly Document[]): Promise<number>
  close(): Promise<void>
}
