/**
 * RFC 5424 by UDP (RFC 5426), TCP with counted octets (RFC 6587 §3.4.1) or TLS (RFC 5425). Syslog
 * answers nothing: over a stream a batch is taken once the collector, told that no more comes,
 * has closed its side, too, and takes connections still: the end of its process closes them alike,
 * with whatever it had read and not yet written. Two connections a batch.
 */
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, isIPv6 } from 'node:net'
import { hostname } from 'node:os'
import { connect as connectTls } from 'node:tls'
import type { Carrier, Document, SinkSettings } from './words.js'

/** Facility 13, log audit; severities of RFC 5424 §6.2.1. */
const FACILITY = 13
const SEVERITY = { response: 6, head: 5, error: 4, block: 4 } as const
const UTF8_MARK = '\ufeff'
const WITHIN_MS = 10_000
const NOTHING = Buffer.alloc(0)
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
    await byStream(this.#sink, Buffer.concat(counted))
    await byStream(this.#sink, NOTHING)
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

function byStream(sink: SinkSettings, bytes: Buffer): Promise<void> {
  const { host = '', transport, tlsCa } = sink
  const isTls = transport === 'tls'
  const port = sink.port ?? (isTls ? 6514 : 514)
  return new Promise((resolve, reject) => {
    const socket = isTls
      ? connectTls({
          ...{ host, port },
          ...(tlsCa === undefined ? {} : { ca: readFileSync(tlsCa, 'utf8') }),
          ...(isIP(host) === 0 ? { servername: host } : {}),
        })
      : connectTcp({ host, port })
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
    socket.on('error', end)
    socket.on('finish', () => (isWritten = true))
    socket.on('end', () => (isWritten ? end() : end(new Error('the collector closed'))))
    socket.on('close', () => end(new Error('the collector closed')))
    socket.resume()
    socket.once(isTls ? 'secureConnect' : 'connect', () => socket.end(bytes))
  })
}
