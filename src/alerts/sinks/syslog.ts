/**
 * A line of syslog (RFC 5424), by UDP (RFC 5426), TCP with counted octets (RFC 6587 §3.4.1) or
 * TLS (RFC 5425). UDP tells nobody whether it came through.
 */
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, isIPv6 } from 'node:net'
import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import { connect as connectTls } from 'node:tls'
import { deviceName, messageOf } from '../message.js'
import { plain } from '../plain.js'
import type { Delivery, Sent, SinkSettings } from '../words.js'
import { ANSWER_WITHIN_MS, saidBy } from './post.js'

/** Facility 13, log audit; severities of RFC 5424 §6.2.1. */
const FACILITY = 13
const SEVERITY = { low: 6, normal: 5, high: 4 } as const
/** The number that RFC 5612 keeps for documents: YORI has none of its own. */
const ENTERPRISE = 32473
const UTF8_MARK = '\ufeff'

/** Pure, but for the name of this machine. */
export function syslogLine(delivery: Delivery, host = hostname()): string {
  const { id, event } = delivery
  const { title, lines, urgency } = messageOf(delivery)
  const fields: Record<string, string | undefined> = {
    id,
    rule: event.rule,
    device: deviceName(event.device, event.user),
    ip: event.device?.ip,
    policy: event.policy,
    mode: event.mode,
  }
  const data = Object.entries(fields)
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}="${quoted(value)}"`],
    )
    .join(' ')
  const head = [
    `<${FACILITY * 8 + SEVERITY[urgency]}>1`,
    new Date(event.at).toISOString(),
    host.replace(/[^\x21-\x7e]/g, '').slice(0, 255) || '-',
    'yori',
    '-',
    event.rule.toUpperCase(),
    `[yori@${ENTERPRISE} ${data}]`,
  ]
  return `${head.join(' ')} ${UTF8_MARK}${title}: ${lines.join('; ')}`
}

/** RFC 5424 §6.3.3. */
function quoted(text: string): string {
  return plain(text, 200).replace(/["\\\]]/g, '\\$&')
}

/** Never rejects; a stream is given up after `withinMs`. */
export function sendSyslog(
  sink: SinkSettings,
  delivery: Delivery,
  withinMs = ANSWER_WITHIN_MS,
): Promise<Sent> {
  const line = Buffer.from(syslogLine(delivery), 'utf8')
  const isDatagram = sink.transport === 'udp'
  return isDatagram ? byDatagram(sink, line) : byStream(sink, line, withinMs)
}

function byDatagram(
  { host = '', port = 514 }: SinkSettings,
  line: Buffer,
): Promise<Sent> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    const ended = (cause: Error | null): void => {
      socket.close()
      resolve(
        cause === null ? { kind: 'taken' } : { kind: 'refused', reason: saidBy(cause) },
      )
    }
    socket.on('error', () => undefined)
    socket.send(line, port, host, ended)
  })
}

function byStream(sink: SinkSettings, line: Buffer, withinMs: number): Promise<Sent> {
  const { host = '', transport, tlsCa } = sink
  const port = sink.port ?? (transport === 'tls' ? 6514 : 514)
  return new Promise((resolve) => {
    let socket: Socket
    try {
      const ca = tlsCa === undefined ? {} : { ca: readFileSync(tlsCa, 'utf8') }
      socket =
        transport === 'tls'
          ? connectTls({
              host,
              port,
              ...ca,
              ...(isIP(host) === 0 ? { servername: host } : {}),
            })
          : connectTcp({ host, port })
    } catch (cause) {
      return resolve({ kind: 'refused', reason: saidBy(cause) })
    }
    const end = (sent: Sent): void => {
      clearTimeout(late)
      socket.destroy()
      resolve(sent)
    }
    // Of all of it: a byte now and then is no answer.
    const late = setTimeout(
      () => end({ kind: 'refused', reason: 'no answer in time' }),
      withinMs,
    )
    socket.on('error', (cause) => end({ kind: 'refused', reason: saidBy(cause) }))
    // Gone over the network when both sides have said that they are done.
    socket.on('close', () => end({ kind: 'taken' }))
    socket.resume()
    socket.once(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      socket.end(Buffer.concat([Buffer.from(`${line.length} `), line]))
      socket.once('finish', () => {
        socket.setTimeout(CLOSE_WITHIN_MS, () => end({ kind: 'taken' }))
      })
    })
  })
}

/** A collector that has taken all may leave its side open. */
const CLOSE_WITHIN_MS = 500
