/** One POST to a sink. Never rejects; an answer's body is not read, a redirect not followed. */
import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { Sent, SinkSettings } from '../words.js'
import type { Posting } from './http-sinks.js'

/** For all of it: name, connection, TLS, answer. */
export const ANSWER_WITHIN_MS = 10_000
const LONGEST_AFTER_MS = 3_600_000

export function post(
  { url, headers, body }: Posting,
  { tlsCa }: Pick<SinkSettings, 'tlsCa'>,
  withinMs = ANSWER_WITHIN_MS,
): Promise<Sent> {
  return new Promise((resolve) => {
    const failed = (reason: string): void => resolve({ kind: 'refused', reason })
    const isTls = url.startsWith('https:')
    const send = isTls ? tlsRequest : plainRequest
    try {
      const trusted =
        isTls && tlsCa !== undefined ? { ca: readFileSync(tlsCa, 'utf8') } : {}
      const signal = AbortSignal.timeout(withinMs)
      const asking = send(
        url,
        {
          method: 'POST',
          agent: false,
          signal,
          ...trusted,
          headers: {
            'user-agent': 'yori',
            ...headers,
            'content-length': Buffer.byteLength(body),
          },
        },
        (response) => {
          const { statusCode: status = 0 } = response
          const seconds = Number(response.headers['retry-after'] ?? Number.NaN)
          response.destroy()
          if (status >= 200 && status < 300) return resolve({ kind: 'taken' })
          const isRedirect = status >= 300 && status < 400
          const reason = `it answered ${status}${isRedirect ? ', which is not followed' : ''}`
          const after = Number.isFinite(seconds) && seconds > 0
          const afterMs = Math.min(seconds * 1000, LONGEST_AFTER_MS)
          return resolve({ kind: 'refused', reason, ...(after ? { afterMs } : {}) })
        },
      )
      asking.on('error', (cause) =>
        failed(signal.aborted ? 'no answer in time' : saidBy(cause)),
      )
      asking.end(body)
    } catch (cause) {
      failed(saidBy(cause))
    }
  })
}

/** Without the address: a URL may be a secret. */
export function saidBy(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  const known = code === undefined ? undefined : WORDS[code]
  if (known !== undefined) return known
  return code ?? message
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNRESET: 'it closed the connection',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'it cannot be reached',
  ENETUNREACH: 'it cannot be reached',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate is not trusted; name its authority by tls_ca',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is not trusted; name its authority by tls_ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is not trusted; name its authority by tls_ca',
  CERT_HAS_EXPIRED: 'its certificate has expired',
}
