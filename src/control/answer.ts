/** What a method answers, and how it is sent: JSON or text, whole, with the same fields always. */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Nothing inline, nothing from elsewhere, in no frame. https://www.w3.org/TR/CSP3/ */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** On every answer of the control plane. */
export const SAFE_FIELDS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export type Answer =
  | {
      readonly kind: 'json'
      readonly status: number
      readonly body: unknown
      readonly fields?: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'text'
      readonly status: number
      readonly type: string
      readonly body: string | Buffer
      readonly fields?: Readonly<Record<string, string>>
    }
  /** Goes on as long as both sides want; `open` is given the response with nothing sent. */
  | { readonly kind: 'stream'; open(response: ServerResponse): void }

/** One that is known to its end. */
export type WholeAnswer = Exclude<Answer, { readonly kind: 'stream' }>

export const json = (body: unknown, status = 200): WholeAnswer => ({
  kind: 'json',
  status,
  body,
})

/** Why something was not done, by the word of `error`; `says` is for people. */
export class Refusal extends Error {
  readonly status: number
  readonly error: string
  readonly more: Readonly<Record<string, unknown>>

  constructor(
    status: number,
    error: string,
    says: string,
    more: Readonly<Record<string, unknown>> = {},
  ) {
    super(says)
    this.name = 'Refusal'
    this.status = status
    this.error = error
    this.more = more
  }
}

export const notFound = (what: string): Refusal =>
  new Refusal(404, 'not_found', `there is no such ${what}`)

export const badRequest = (says: string): Refusal => new Refusal(400, 'bad_request', says)

export function refused(refusal: Refusal): WholeAnswer {
  const { status, error, message, more } = refusal
  const fields = fieldsOf(refusal)
  return {
    kind: 'json',
    status,
    body: { error, message, ...more },
    ...(fields === undefined ? {} : { fields }),
  }
}

/** What programs look for in the head: RFC 9110 sections 10.2.1, 10.2.3 and 11.6.1. */
function fieldsOf({ status, more }: Refusal): Record<string, string> | undefined {
  const { allow, retry_after_seconds: seconds } = more
  if (status === 401) return { 'www-authenticate': 'Bearer realm="yori"' }
  if (typeof allow === 'string') return { allow }
  if (typeof seconds === 'number') return { 'retry-after': String(Math.ceil(seconds)) }
  return undefined
}

/** Sends it. What has gone away is not sent to. */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
): void {
  if (response.destroyed || response.headersSent) return
  if (answer.kind === 'stream') return answer.open(response)
  const text = answer.kind === 'json' ? JSON.stringify(answer.body) : answer.body
  const type = answer.kind === 'json' ? 'application/json' : answer.type
  response.writeHead(answer.status, {
    ...SAFE_FIELDS,
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    ...answer.fields,
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}
