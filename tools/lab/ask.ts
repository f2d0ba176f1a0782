// Usage: node ask.js ROOTS.pem '[{"by":"tcp","host":"192.0.2.1","port":443}]'
// Dials all of them and prints, as one line of JSON, in one word each what came of it: `itself`
// or `YORI` (who answered), an HTTP status, `refused`, `reset`,
// `unreachable`, `no answer`, `broken`.
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import type { ClientRequest } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect, isIPv6 } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { PATIENCE_MS } from '../../test/support/patience.js'
import { ORIGIN_CA } from './places.js'

export type Ask = {
  readonly host: string
  readonly port: number
  /** The client's own address. */
  readonly from?: string
  /** For what is expected to be silent. */
  readonly patienceMs?: number
} & (
  | { readonly by: 'tcp' | 'udp' }
  | { readonly by: 'page'; readonly path: string }
  /** A POST of so many bytes, which come back. */
  | { readonly by: 'tls'; readonly name: string; readonly bytes: number }
)

type Done = (word: string) => void

const [roots = '', asks = '[]'] = process.argv.slice(2)
const ca = roots === '' ? undefined : readFileSync(roots)

function byTcp({ host, port, from, patienceMs = PATIENCE_MS }: Ask, done: Done): void {
  const socket = connect({ host, port, ...local(from) })
  const end = (word: string): void => {
    socket.destroy()
    done(word)
  }
  socket.setTimeout(patienceMs, () => end('no answer'))
  socket.on('connect', () => void socket.write('hello'))
  socket.on('data', (data) => end(data.toString()))
  socket.on('error', (error: NodeJS.ErrnoException) => end(wordOf(error)))
}

function byUdp({ host, port, from, patienceMs = PATIENCE_MS }: Ask, done: Done): void {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  const timer = setTimeout(() => end('no answer'), patienceMs)
  const end = (word: string): void => {
    clearTimeout(timer)
    socket.close()
    done(word)
  }
  socket.on('message', (data) => end(data.toString()))
  socket.on('error', (error: NodeJS.ErrnoException) => end(wordOf(error)))
  socket.bind({ address: from ?? (isIPv6(host) ? '::' : '0.0.0.0') }, () => {
    socket.connect(port, host, () => socket.send('hello'))
  })
}

function byPage(ask: Extract<Ask, { by: 'page' }>, done: Done): void {
  const { host, port, path, from, patienceMs = PATIENCE_MS } = ask
  const asked = get({
    host,
    port,
    path,
    timeout: patienceMs,
    agent: false,
    ...local(from),
  })
  asked.on('response', (response) => {
    response.resume()
    done(String(response.statusCode))
  })
  failing(asked, done)
}

function byTls(ask: Extract<Ask, { by: 'tls' }>, done: Done): void {
  const { host, port, name, bytes, from, patienceMs = PATIENCE_MS } = ask
  const asked = requestTls({
    ...{ host, port, servername: name, ca, agent: false, timeout: patienceMs },
    ...{ method: 'POST', path: '/lab', headers: { host: name }, ...local(from) },
  })
  asked.on('response', (response) => {
    const { issuer } = (response.socket as TLSSocket).getPeerCertificate()
    const common = String(issuer.CN)
    let came = 0
    response.on('data', (chunk: Buffer) => (came += chunk.length))
    response.on('error', () => done('broken'))
    response.once('end', () => {
      if (came !== bytes) return done('broken')
      done(common === ORIGIN_CA ? 'itself' : common.startsWith('YORI') ? 'YORI' : common)
    })
  })
  failing(asked, done)
  asked.end(Buffer.alloc(bytes, 'x'))
}

function failing(asked: ClientRequest, done: Done): void {
  asked.on('timeout', () => {
    done('no answer')
    asked.destroy()
  })
  asked.on('error', (error: NodeJS.ErrnoException) => done(wordOf(error)))
}

function local(from: string | undefined): { localAddress?: string } {
  return from === undefined ? {} : { localAddress: from }
}

function wordOf({ code = 'error' }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused'
    case 'ECONNRESET':
      return 'reset'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EACCES':
      return 'unreachable'
    case 'ETIMEDOUT':
    case 'EPERM':
      return 'no answer'
    default:
      return code
  }
}

function answered(ask: Ask): Promise<string> {
  return new Promise((done) => {
    switch (ask.by) {
      case 'tcp':
        return byTcp(ask, done)
      case 'udp':
        return byUdp(ask, done)
      case 'page':
        return byPage(ask, done)
      case 'tls':
        return byTls(ask, done)
    }
  })
}

const words = await Promise.all((JSON.parse(asks) as Ask[]).map(answered))
console.log(JSON.stringify(words))
