/** What a request may be like: its framing, its head, the length of its body. Pure. */
import { YoriError } from '../../core/errors.js'
import type { RequestHead } from '../../http/head.js'
import type { Endpoint } from '../../policy/endpoints.js'
import type { ByDoor } from '../words/exchange-about.js'
import type { HttpRequest } from '../words/http-words.js'
import type { PipelineLimits, PolicySnapshot } from '../words/policy-snapshot.js'

/** The first reason why a head is not served. */
export function headProblem(
  request: Pick<HttpRequest, 'httpVersion' | 'rawHeaders'>,
  head: RequestHead,
  limits: PipelineLimits,
): YoriError | undefined {
  if (head.foreignCoding) return new YoriError('YORI_TRANSFER_CODING_UNKNOWN')
  // RFC 9112 §6.1: such framing is faulty.
  if (head.chunked && request.httpVersion === '1.0') {
    return new YoriError('YORI_REQUEST_MALFORMED', 'Transfer-Encoding in HTTP/1.0')
  }
  const { rawHeaders } = request
  const { headerBytes, headerCount, headerNameBytes, headerValueBytes } = limits
  let bytes = 0
  if (rawHeaders.length / 2 > headerCount)
    return tooLarge(`more than ${headerCount} fields`)
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const value = rawHeaders[i + 1] as string
    if (name.length > headerNameBytes)
      return tooLarge(`a name is over ${headerNameBytes} bytes`)
    if (value.length > headerValueBytes) {
      return tooLarge(`a field is over ${headerValueBytes} bytes`)
    }
    // With the colon, the space and the line's end of HTTP/1.1.
    bytes += name.length + value.length + 4
  }
  if (bytes > headerBytes) return tooLarge(`it is over ${headerBytes} bytes`)
  return undefined
}

function tooLarge(detail: string): YoriError {
  return new YoriError('YORI_REQUEST_HEAD_TOO_LARGE', detail)
}

/** The longest body that is taken, in bytes, and how a longer one is answered. */
export interface BodyBound {
  readonly maxBytes: number
  readonly code: 'YORI_REQUEST_BODY_TOO_LARGE' | 'YORI_NOT_FORWARDED'
}

/**
 * The least of the bounds that hold; undefined: any length is taken. What comes by a door of
 * the gateway has the door's own, and those that are written down.
 */
export function bodyBound(
  policy: Pick<PolicySnapshot, 'maxRequestBytes'>,
  about: {
    readonly isIntercepted: boolean
    readonly endpoint: Endpoint | undefined
    readonly door: Pick<ByDoor, 'maxBodyBytes'> | undefined
  },
): BodyBound | undefined {
  const { direct, intercepted } = policy.maxRequestBytes
  const { door } = about
  const byWay = about.isIntercepted || door !== undefined ? intercepted : direct
  const ofEndpoint = about.endpoint?.maxBodyBytes
  const maxBytes =
    byWay === undefined || ofEndpoint === undefined
      ? (byWay ?? ofEndpoint)
      : Math.min(byWay, ofEndpoint)
  if (door !== undefined && (maxBytes === undefined || door.maxBodyBytes < maxBytes))
    return { maxBytes: door.maxBodyBytes, code: 'YORI_NOT_FORWARDED' }
  return maxBytes === undefined
    ? undefined
    : { maxBytes, code: 'YORI_REQUEST_BODY_TOO_LARGE' }
}
