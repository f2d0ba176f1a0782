/**
 * RFC 5424 by UDP (RFC 5426), TCP with counted octets (RFC 6587 §3.4.1) or TLS (RFC 5425). Syslog
 * answers nothing: over a stream a batch is taken once the collector, told that no more comes,
 * has closed its side, too. The end of its process closes it alike, with whatever it had read and
 * not yet written: so a second connection, which was there before, has to outlive the first. By
 * TLS one is made right afterwards: rsyslog closes those on which nothing is said.
 */
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, isIPv6 } from 'node:net'
import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { Carrier, Document, SinkSettings } from './words.js'

/** Facility 13, log audit; severities of RFC 5424 §6.2.1. */
const FACILITY = 13
const SEVERITY = { response: 6, head: 5, error: 4, block: 4 } as const
const UTF8_MARK = '\ufeff'
const WITHIN_MS = 10_000
const NOTHING = Buffer.alloc(0)
/** Both connections of a process that ends are closed within so long. */
const SETTLE_MS = 250
/** What a datagram of IPv4 carries at most. */
const MOST_DATAGRAM = 65_507

/** Pure, but for the name of this machine. */
export function syslogMessage({ kind, at, text }: Document, host = hostname()): string {
  const name = host.replace(/[^\x21-\x7e]/g, '').slice(0, 255) || '-'
  const head = `<${FACILITY * 8 + SEVERITY[kind]}>1 ${new Date(at).toISOString()} ${name}`
  return `${head} yori - ${kind} - ${UTF8_MARK}${text}`
}

export class SyslogCarrier implements Carrier {
  readonly #sink: SinkSettings

  constructor(sink: SinkSettings) {
    this.#sink = sink
  }

  open(): Promise<void> {
    return Promise.resolve()
  }

  async send(documents: readonly Document[]): Promise<number> {
    const messages = documents.map((document) => Buffer.from(syslogMessage(document)))
    if (this.#sink.transport === 'udp') return byDatagram(this.#sink, messages)
    const counted = messages.flatMap((message) => [
      Buffer.from(`${message.length} `),
      message,
    ])
    const bytes = Buffer.concat(counted)
    if (this.#sink.transport === 'tls') {
      await byStream(this.#sink, bytes)
      await byStream(this.#sink, NOTHING)
      return 0
    }
    const process = await Watching.open(this.#sink)
    try {
      await byStream(this.#sink, bytes)
      await process.lives()
    } finally {
      process.close()
    }
    return 0
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** Gives how many are too long for a datagram. */
async function byDatagram(
  { host = '', port = 514 }: SinkSettings,
  messages: readonly Buffer[],
): Promise<number> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  socket.on('error', () => undefined)
  let refused = 0
  try {
    for (const message of messages) {
      if (message.length > MOST_DATAGRAM) refused++
      else
        await new Promise<void>((resolve, reject) => {
          socket.send(message, port, host, (cause) =>
            cause === null ? resolve() : reject(cause),
          )
        })
    }
  } finally {
    socket.close()
  }
  return refused
}

function connected(sink: SinkSettings, onConnect: (socket: Socket) => void): Socket {
  const { host = '', transport, tlsCa } = sink
  const isTls = transport === 'tls'
  const port = sink.port ?? (isTls ? 6514 : 514)
  const socket = isTls
    ? connectTls({
        ...{ host, port },
        ...(tlsCa === undefined ? {} : { ca: readFileSync(tlsCa, 'utf8') }),
        ...(isIP(host) === 0 ? { servername: host } : {}),
      })
    : connectTcp({ host, port })
  socket.resume()
  socket.once(isTls ? 'secureConnect' : 'connect', () => onConnect(socket))
  return socket
}

/** A connection on which nothing is said: it lasts as long as the process at its other end. */
class Watching {
  readonly #socket: Socket
  #isOver = false

  private constructor(socket: Socket) {
    this.#socket = socket
    for (const over of ['end', 'error', 'close'])
      socket.on(over, () => (this.#isOver = true))
  }

  static open(sink: SinkSettings): Promise<Watching> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => socket.destroy(new Error('the collector did not answer in time')),
        WITHIN_MS,
      )
      const socket = connected(sink, () => resolve(watching))
      const watching = new Watching(socket)
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('the collector closed')))
      socket.once('close', () => clearTimeout(late))
      socket.once('connect', () => clearTimeout(late))
    })
  }

  async lives(): Promise<void> {
    await sleep(SETTLE_MS)
    // What has come meanwhile is heard first.
    await setImmediate()
    if (this.#isOver) throw new Error('the collector ended')
  }

  close(): void {
    this.#socket.destroy()
  }
}

function byStream(sink: SinkSettings, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let isWritten = false
    let isOver = false
    const end = (cause?: Error): void => {
      if (isOver) return
      isOver = true
      clearTimeout(late)
      socket.destroy()
      if (cause === undefined) resolve()
      else reject(cause)
    }
    const late = setTimeout(
      () => end(new Error('the collector did not close in time')),
      WITHIN_MS,
    )
    const socket = connected(sink, () => socket.end(bytes))
    socket.on('error', end)
    socket.on('finish', () => (isWritten = true))
    socket.on('end', () => (isWritten ? end() : end(new Error('the collector closed'))))
    socket.on('close', () => end(new Error('the collector closed')))
  })
}
