/** One POST of JSON to a collector, and whether it is worth another. */
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'

const ANSWER_WITHIN_MS = 10_000
/** Those that the protocol lets be sent again. */
const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504])

export type Posted =
  | { readonly kind: 'taken' }
  /** For good. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'later'; readonly reason: string; readonly afterMs?: number }

export interface Posting {
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly signal: AbortSignal
}

/** Never rejects. An answer's body is not read, a redirect not followed. */
export function post(url: string, { headers, text, signal }: Posting): Promise<Posted> {
  const send = url.startsWith('https:') ? tlsRequest : plainRequest
  return new Promise((resolve) => {
    const late = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)])
    const asking = send(
      url,
      {
        method: 'POST',
        agent: false,
        signal: late,
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        },
      },
      (response) => {
        response.resume()
        response.on('error', () => undefined)
        const { statusCode: status = 0 } = response
        if (status >= 200 && status < 300) return resolve({ kind: 'taken' })
        const reason = `it answered ${status}`
        if (!AGAIN.has(status)) return resolve({ kind: 'refused', reason })
        const seconds = Number(response.headers['retry-after'])
        const after = Number.isFinite(seconds) ? { afterMs: seconds * 1000 } : {}
        return resolve({ kind: 'later', reason, ...after })
      },
    )
    asking.on('error', ({ message }) => resolve({ kind: 'later', reason: message }))
    asking.end(text)
  })
}
