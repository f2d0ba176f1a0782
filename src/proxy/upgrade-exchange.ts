/** The part of an exchange after its protocols were switched: relayed, watched, recorded. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ExchangeRecord } from '../core/record.js'
import { valuesOf } from '../http/head.js'
import type { Recognised } from '../providers/index.js'
import { liveReader } from '../providers/live.js'
import { Hold } from './byte-budget.js'
import { unreadSocket } from './content.js'
import type { Content } from './content.js'
import type { ExchangeFacts } from './exchange-record.js'
import type { Services } from './services.js'
import { joinUpgraded } from './upgrade.js'
import type { Upgraded } from './upgrade.js'
import { SocketReading } from './upgrade-reading.js'

export interface SocketAbout {
  readonly services: Services
  /** Undefined for a plain relay: nothing is watched. */
  readonly record: ExchangeRecord | undefined
  readonly facts: ExchangeFacts
  readonly recognised: Recognised | undefined
  /** Of a prompt, in the record. */
  readonly previewChars: number
  /** The address that the bytes held for reading are counted to. */
  readonly caller: string
  /** Milliseconds since the request began. */
  readonly elapsed: () => number
}

export interface SocketEnd {
  readonly bytesFromClient: number
  readonly bytesToClient: number
  /** What the messages said, as far as they were read. */
  readonly content: Content
}

/** Resolves when both sides have closed and the record tells of the messages. */
export async function serveSocket(
  response: ServerResponse,
  client: Socket,
  upgraded: Upgraded,
  about: SocketAbout,
): Promise<SocketEnd> {
  const { record, services, elapsed } = about
  const { deadlines, policy } = services
  if (record !== undefined) record.status = 101
  const reading = readingOf(upgraded, about)
  const { wasIdle, ...bytes } = await joinUpgraded(response, client, upgraded, {
    deadlines,
    idleMs: policy.timeouts.websocketIdleMs,
    fromClient: (chunk) => reading?.fromClient(chunk),
    fromServer: (chunk) => {
      if (record !== undefined) record.firstByteMs ??= elapsed()
      reading?.fromServer(chunk)
    },
  })
  if (wasIdle && record !== undefined) record.code = 'YORI_WEBSOCKET_IDLE'
  const content = (await reading?.end()) ?? unreadSocket()
  return { ...bytes, content }
}

function readingOf(upgraded: Upgraded, about: SocketAbout): SocketReading | undefined {
  const { services, record, facts, recognised } = about
  if (record === undefined) return undefined
  return new SocketReading({
    record,
    reader: recognised === undefined ? undefined : liveReader(recognised, facts.path),
    extensions: valuesOf(upgraded.rawHeaders, 'sec-websocket-extensions'),
    hold: new Hold(services.held, about.caller),
    own: facts.head.own,
    previewChars: about.previewChars,
    catalogue: services.catalogue,
    conversations: services.conversations,
  })
}
