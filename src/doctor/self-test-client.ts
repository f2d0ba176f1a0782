/**
 * The self-test from a terminal: asks an endpoint's `/.well-known/yori/self-test` as this
 * machine would, with the roots that its programs use. Who answers tells whether we are led
 * through YORI; whether the chain verifies tells whether YORI is trusted. Nothing is sent to
 * whoever is not trusted.
 */
import { randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connect as tcpConnect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { errorCodeOf } from '../net/tls-failure.js'

export interface SelfTestOptions {
  readonly name: string
  /** `http://host:port`; direct when undefined. */
  readonly proxy: string | undefined
  /** PEM, any number of certificates. */
  readonly roots: string
  readonly timeoutMs: number
  /** Of the endpoint, 443 unless a test wants another. */
  readonly port?: number
  /** Instead of looking the name up. */
  readonly address?: string
}

export type SelfTestResult =
  /** YORI answered, and is trusted; `root` is the SHA-256 of the root that it stands under. */
  | { readonly kind: 'works'; readonly root: string }
  /** The chain does not verify: by whom it is, and what is wrong with it. */
  | { readonly kind: 'untrusted'; readonly issuer: string; readonly reason: string }
  /** Somebody else answered in that name: the provider itself, as a rule. */
  | { readonly kind: 'not-led'; readonly issuer: string }
  | { readonly kind: 'unreachable'; readonly reason: string }

const PATH = '/.well-known/yori/self-test'
const MAX_ANSWER_BYTES = 64 * 1024

export async function selfTest(options: SelfTestOptions): Promise<SelfTestResult> {
  let secure: TLSSocket
  try {
    const socket = await reach(options)
    secure = await handshake(socket, options)
  } catch (cause) {
    return { kind: 'unreachable', reason: reasonOf(cause) }
  }
  try {
    const certificate = secure.getPeerX509Certificate()
    const issuer = certificate?.issuer.replaceAll('\n', ', ') ?? 'nobody'
    if (!secure.authorized) {
      // Node types it as an Error and gives its code.
      const reason = String(secure.authorizationError)
      return { kind: 'untrusted', issuer, reason }
    }
    const nonce = randomBytes(16).toString('hex')
    const root = rootIn(await asked(secure, options, nonce), nonce)
    return root === undefined ? { kind: 'not-led', issuer } : { kind: 'works', root }
  } catch (cause) {
    return { kind: 'unreachable', reason: reasonOf(cause) }
  } finally {
    secure.destroy()
  }
}

function rootIn(body: string, nonce: string): string | undefined {
  try {
    const answer = JSON.parse(body) as Partial<Record<'nonce' | 'root', unknown>> | null
    const isOurs = answer?.nonce === nonce && typeof answer.root === 'string'
    return isOurs ? (answer.root as string) : undefined
  } catch {
    return undefined
  }
}

function reach(options: SelfTestOptions): Promise<Socket> {
  const { name, proxy, port = 443, address = name, timeoutMs } = options
  if (proxy === undefined) {
    const socket = tcpConnect({ host: address, port })
    return new Promise((resolve, reject) => {
      socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer in time')))
      socket.once('connect', () => resolve(socket))
      socket.once('error', reject)
    })
  }
  const { hostname, port: proxyPort, username, password } = new URL(proxy)
  const credentials = Buffer.from(
    `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
  )
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: proxyPort === '' ? 80 : Number(proxyPort),
      method: 'CONNECT',
      path: `${name}:${port}`,
      headers: {
        host: `${name}:${port}`,
        ...(username === ''
          ? {}
          : { 'proxy-authorization': `Basic ${credentials.toString('base64')}` }),
      },
      timeout: timeoutMs,
    })
    request.once('timeout', () => request.destroy(new Error('no answer in time')))
    request.once('error', reject)
    request.once('response', ({ statusCode }) =>
      reject(new Error(`the proxy answered ${statusCode ?? 0}`)),
    )
    request.once('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) resolve(socket)
      else {
        socket.destroy()
        reject(new Error(`the proxy answered ${statusCode ?? 0}`))
      }
    })
    request.end()
  })
}

/** The chain is judged and the verdict read: it does not end the handshake. */
function handshake(socket: Socket, options: SelfTestOptions): Promise<TLSSocket> {
  const { name, roots, timeoutMs } = options
  const ca = roots.split(/(?<=-----END CERTIFICATE-----)/)
  const secure = tlsConnect({
    socket,
    servername: name,
    ca,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  })
  return new Promise((resolve, reject) => {
    secure.setTimeout(timeoutMs, () => secure.destroy(new Error('no answer in time')))
    secure.once('secureConnect', () => resolve(secure))
    secure.once('error', reject)
    secure.once('close', () => reject(new Error('the connection was closed')))
  })
}

function asked(
  secure: TLSSocket,
  { name }: SelfTestOptions,
  nonce: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      createConnection: () => secure,
      host: name,
      path: `${PATH}?nonce=${nonce}`,
      headers: { host: name, accept: 'application/json' },
    })
    request.once('error', reject)
    request.once('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        body += piece
        if (body.length > MAX_ANSWER_BYTES)
          response.destroy(new Error('too long an answer'))
      })
      response.once('error', reject)
      response.once('end', () => resolve(body))
    })
    request.end()
  })
}

function reasonOf(cause: unknown): string {
  const code = errorCodeOf(cause)
  const message = cause instanceof Error ? cause.message : String(cause)
  return message === '' ? code : message
}
