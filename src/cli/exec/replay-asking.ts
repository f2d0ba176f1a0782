/**
 * Sends what was recorded once more: by a YORI of ours (CONNECT, TLS that trusts its root), or to
 * a server. One exchange, as it was written; its answer whole.
 */
import { connect as dial, isIP } from 'node:net'
import { request as requestTls } from 'node:https'
import { request as requestPlain } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isCredentialField, REDACTED } from '../../replay/credential-fields.js'
import { bytesOf } from '../../replay/recording.js'
import type { Fields, Recording } from '../../replay/recording.js'

/** Framing, and what holds for one connection alone, is ours (RFC 9110 §7.6.1). */
const OURS =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|expect|upgrade|te|accept-encoding)$/i
const MAX_ANSWER_BYTES = 256 * 1024 * 1024

export interface Said {
  readonly status: number
  readonly fields: readonly string[]
  readonly bytes: Buffer
  /** It broke off, or none came: why. */
  readonly failure?: string
  readonly ms: number
}

/** Without what is redacted: a field that says `[redacted]` says nothing. */
export function fieldsToSend(fields: Fields): Record<string, string[]> {
  const all: Record<string, string[]> = {}
  for (const [name, value] of fields) {
    if (OURS.test(name) || isCredentialField(name) || value === REDACTED) continue
    ;(all[name.toLowerCase()] ??= []).push(value)
  }
  return all
}

/** The name under which it is intercepted; of an address the provider's own. */
export function nameOf({ request, about }: Recording): string {
  const name = new URL(request.url).hostname.replace(/^\[|\]$/g, '')
  if (isIP(name) === 0 && name !== 'localhost') return name
  return about.provider === 'anthropic' ? 'api.anthropic.com' : 'api.openai.com'
}

/** By the YORI at `proxy`. Never rejects. */
export async function askByProxy(
  recording: Recording,
  { proxy, rootPem }: { readonly proxy: string; readonly rootPem: string },
): Promise<Said> {
  const { request } = recording
  const { pathname, search } = new URL(request.url)
  const host = nameOf(recording)
  const startedAt = performance.now()
  try {
    const socket = await tunnel(new URL(proxy), host)
    const secure = connectTls({ socket, servername: host, ca: rootPem })
    secure.on('error', () => undefined)
    const asking = requestPlain({
      // It is TLS already.
      createConnection: () => secure,
      ...{ host, path: pathname + search, method: request.method },
      headers: headersOf(fieldsToSend(request.fields), host),
    })
    return await said(asking, bytesOf(request.body), startedAt).finally(() =>
      socket.destroy(),
    )
  } catch (cause) {
    return failed(cause, startedAt)
  }
}

/** To a server itself. Never rejects. */
export async function askServer(
  url: URL,
  method: string,
  { fields, body }: { readonly fields: Record<string, string[]>; readonly body: Buffer },
): Promise<Said> {
  const startedAt = performance.now()
  try {
    const send = url.protocol === 'http:' ? requestPlain : requestTls
    const asking = send(url, { method, headers: headersOf(fields, url.host) })
    return await said(asking, body, startedAt)
  } catch (cause) {
    return failed(cause, startedAt)
  }
}

function headersOf(
  fields: Record<string, string[]>,
  host: string,
): Record<string, string | string[]> {
  return { ...fields, host }
}

function failed(cause: unknown, startedAt: number): Said {
  const failure = cause instanceof Error ? cause.message : String(cause)
  const ms = performance.now() - startedAt
  return { status: 0, fields: [], bytes: Buffer.alloc(0), failure, ms }
}

function tunnel({ hostname, port }: URL, host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = dial(Number(port), hostname.replace(/^\[|\]$/g, ''))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the proxy closed')))
    socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`)
    let head = ''
    const onData = (chunk: Buffer): void => {
      head += chunk.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      socket.off('data', onData)
      socket.pause()
      if (/^HTTP\/1\.1 200 /.test(head)) resolve(socket)
      else reject(new Error(head.split('\r\n', 1)[0]))
    }
    socket.on('data', onData)
  })
}

function said(asking: ClientRequest, body: Buffer, startedAt: number): Promise<Said> {
  return new Promise((resolve, reject) => {
    asking.once('error', reject)
    asking.once('response', (answer: IncomingMessage) => {
      const chunks: Buffer[] = []
      let size = 0
      const settle = (failure?: string): void =>
        resolve({
          status: answer.statusCode ?? 0,
          fields: answer.rawHeaders,
          bytes: Buffer.concat(chunks),
          ...(failure === undefined ? {} : { failure }),
          ms: performance.now() - startedAt,
        })
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MAX_ANSWER_BYTES) answer.destroy(new Error('its answer is too long'))
        else chunks.push(chunk)
      })
      answer.once('error', (cause) => settle(cause.message))
      answer.once('end', () => settle())
    })
    if (body.length > 0) asking.setHeader('content-length', body.length)
    asking.end(body)
  })
}
