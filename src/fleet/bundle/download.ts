/** One question to a server of bundles, as OPA asks it; bounded in bytes and in time. */
import { request as askPlain } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as askTls } from 'node:https'
import { BadBundle, BUNDLE_LIMITS } from '../../bundle/limits.js'

const ANSWER_MS = 30_000
/** How servers say that they keep a question until there is something new. */
const LONG_POLL_TYPE = 'application/vnd.openpolicyagent.bundles'

export interface Question {
  readonly url: string
  /** Of the one that is there. */
  readonly etag: string | null
  readonly token: string | undefined
  /** How long the server may wait until there is a new one. */
  readonly waitSeconds: number | undefined
  readonly signal: AbortSignal
}

export type Downloaded = { readonly longPoll: boolean } & (
  | { readonly kind: 'same' }
  | { readonly kind: 'new'; readonly packed: Buffer; readonly etag: string | null }
)

/** @throws Error in words for people, without token and URL; BadBundle: too large */
export async function download(question: Question): Promise<Downloaded> {
  const answer = await head(question)
  const { statusCode: status = 0, headers } = answer
  const longPoll = headers['content-type'] === LONG_POLL_TYPE
  if (status !== 200) {
    answer.destroy()
    if (status === 304 && question.etag !== null) return { kind: 'same', longPoll }
    throw new Error(statusWords(status))
  }
  if (Number(headers['content-length'] ?? 0) > BUNDLE_LIMITS.packedBytes) {
    answer.destroy()
    throw tooLarge()
  }
  const packed = await bodyOf(answer)
  return { kind: 'new', packed, etag: etagOf(headers.etag), longPoll }
}

function head(question: Question): Promise<IncomingMessage> {
  const { url, etag, token, waitSeconds, signal } = question
  const headers = {
    accept: '*/*',
    'user-agent': 'YORI',
    ...(etag === null ? {} : { 'if-none-match': etag }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(waitSeconds === undefined ? {} : { prefer: `wait=${Math.ceil(waitSeconds)}` }),
  }
  const timeout = AbortSignal.timeout(ANSWER_MS + (waitSeconds ?? 0) * 1000)
  const options = { headers, agent: false, signal: AbortSignal.any([signal, timeout]) }
  return new Promise((resolve, reject) => {
    const request: ClientRequest = url.startsWith('https:')
      ? askTls(url, options)
      : askPlain(url, options)
    request.on('response', resolve)
    request.on('error', (error) => {
      reject(new Error(timeout.aborted ? 'does not answer' : `away: ${codeOf(error)}`))
    })
    request.end()
  })
}

async function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > BUNDLE_LIMITS.packedBytes) throw tooLarge()
      pieces.push(piece)
    }
  } catch (cause) {
    if (cause instanceof BadBundle) throw cause
    throw new Error('the answer ended before its end', { cause })
  } finally {
    answer.destroy()
  }
  return Buffer.concat(pieces)
}

function tooLarge(): BadBundle {
  return new BadBundle(`is larger than ${BUNDLE_LIMITS.packedBytes} bytes`)
}

function statusWords(status: number): string {
  if (status === 401 || status === 403) return `answers ${status}: look at the token`
  if (status >= 300 && status < 400)
    return `answers ${status}: it leads elsewhere, which is not followed`
  return `answers ${status}`
}

function etagOf(etag: string | undefined): string | null {
  return etag !== undefined && /^[\x21-\x7e]{1,512}$/.test(etag) ? etag : null
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
