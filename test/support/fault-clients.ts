/**
 * Clients of YORI that go as far as a point of a connection's life and break there. The table
 * holds the points in their order; each gives the TCP socket once it is there.
 */
import { once } from 'node:events'
import { connect as connectH2 } from 'node:http2'
import type { ClientHttp2Stream } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { FaultOrigin } from './fault-origin.js'
import type { Duplex } from 'node:stream'
import { readUntil } from './streams.js'
import { Wire } from './wire.js'
import type { CutRule } from './wire.js'

export interface FaultClient {
  readonly id: string
  readonly port: number
  readonly host: string
  readonly ca: string
  readonly origin: FaultOrigin
  /** Called with the socket as soon as there is one. */
  readonly opened: (raw: Socket) => void
}

type Reach = (client: FaultClient) => Promise<Socket>

export const CLIENT_POINTS: Readonly<Record<string, Reach>> = {
  'before the hello': tunnelled,
  'inside the hello': (client) => cutAt(client, inWrite(0, 0.5)),
  'after the hello': (client) => cutAt(client, inWrite(0, 1)),
  'inside the handshake': (client) => cutAt(client, inWrite(1, 0.5)),
  'after the handshake': async (client) => (await secured(client)).raw,
  'inside the request head': (client) =>
    said(client, `GET /ok/${client.id} HTTP/1.1\r\nHost: ${client.host}\r\nAcc`),
  'after the head': (client) => said(client, post(client, 'Content-Length: 10')),
  'inside the body': (client) =>
    said(client, `${post(client, 'Content-Length: 10')}12345`),
  'inside a chunk': (client) =>
    said(client, `${post(client, 'Transfer-Encoding: chunked')}5\r\nabc`),
  'after the request': (client) => answered(client, 'mute'),
  'inside the response head': (client) => answered(client, 'half-head'),
  'inside the response body': async (client) => {
    const { raw, tls } = await secured(client)
    tls.write(get(client, 'half-body'))
    await readUntil(tls, (soFar) => soFar.includes('only'))
    return raw
  },
  'between exchanges': async (client) => {
    const { raw, tls } = await secured(client)
    tls.write(get(client, 'ok'))
    await readUntil(tls, (soFar) => soFar.includes('ok'))
    return raw
  },
  'inside an HTTP/2 body': async (client) => {
    const { raw, stream } = await streamed(client, 'POST', 'mute')
    await new Promise((sent) => stream.write('12345', sent))
    return raw
  },
  'inside an HTTP/2 response': async (client) => {
    const { raw, stream } = await streamed(client, 'GET', 'half-body')
    await once(stream, 'data')
    return raw
  },
  'between HTTP/2 streams': async (client) => {
    const { raw, stream } = await streamed(client, 'GET', 'ok')
    await once(stream.resume(), 'close')
    return raw
  },
  'in a tunnel': async (client) => {
    const { raw, tls } = await secured(client)
    tls.write(get(client, 'half-body'))
    await readUntil(tls, (soFar) => soFar.includes('only'))
    return raw
  },
}

function get({ host, id }: FaultClient, answer: string): string {
  return `GET /${answer}/${id} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
}

function post({ host, id }: FaultClient, framing: string): string {
  return `POST /mute/${id} HTTP/1.1\r\nHost: ${host}\r\n${framing}\r\n\r\n`
}

async function open(client: FaultClient): Promise<Socket> {
  const { port } = client
  const raw = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  raw.on('error', () => undefined)
  await once(raw, 'connect')
  client.opened(raw)
  return raw
}

async function tunnelled(client: FaultClient): Promise<Socket> {
  const raw = await open(client)
  const target = `${client.host}:443`
  raw.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
  await readUntil(raw, (soFar) => soFar.includes('\r\n\r\n'))
  return raw
}

/** The share of a write that still goes out. */
function inWrite(index: number, share: number): CutRule {
  return (write, chunk) => (write === index ? Math.ceil(chunk.length * share) : undefined)
}

async function cutAt(client: FaultClient, rule: CutRule): Promise<Socket> {
  const wire = new Wire(await tunnelled(client))
  const isCut = wire.cutWhen(rule)
  startTls(client, wire)
  await isCut
  return wire.raw
}

async function secured(client: FaultClient): Promise<{ raw: Socket; tls: TLSSocket }> {
  const wire = new Wire(await tunnelled(client))
  const tls = startTls(client, wire)
  // TLS 1.3: the client is through before the server is, whose ticket says that it has followed.
  await Promise.all([once(tls, 'secureConnect'), once(tls, 'session')])
  return { raw: wire.raw, tls }
}

async function streamed(
  client: FaultClient,
  method: string,
  answer: string,
): Promise<{ raw: Socket; stream: ClientHttp2Stream }> {
  const raw = await tunnelled(client)
  const tls = startTls(client, raw, ['h2', 'http/1.1'])
  await once(tls, 'secureConnect')
  const session = connectH2(`https://${client.host}`, { createConnection: () => tls })
  session.on('error', () => undefined)
  await once(session, 'remoteSettings')
  const path = `/${answer}/${client.id}`
  const stream = session.request({ ':method': method, ':path': path })
  stream.on('error', () => undefined)
  return { raw, stream }
}

function startTls(
  { host, ca }: FaultClient,
  socket: Duplex,
  ALPNProtocols: string[] = [],
): TLSSocket {
  const tls = connectTls({ socket, servername: host, ca, ALPNProtocols })
  return tls.on('error', () => undefined)
}

async function said(client: FaultClient, text: string): Promise<Socket> {
  const { raw, tls } = await secured(client)
  await new Promise((sent) => tls.write(text, sent))
  return raw
}

async function answered(client: FaultClient, answer: string): Promise<Socket> {
  const raw = await said(client, get(client, answer))
  await client.origin.reached(client.id)
  return raw
}
