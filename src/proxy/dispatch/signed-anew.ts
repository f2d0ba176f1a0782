/**
 * Requests to AWS: what was signed for our own host is not led on, and what goes by credentials
 * of the configuration is signed for the host that it goes to, each time that it does.
 */
import { describeError, YoriError } from '../../core/errors.js'
import type { Clock } from '../../core/clock.js'
import { awsSigned } from '../../http/aws-signature.js'
import type { UpstreamBody, UpstreamRequest } from '../../net/upstream-words.js'
import type { Door } from '../../policy/door.js'
import { errorEnvelope } from '../../providers/envelope.js'
import type { DoorWay, Look } from '../words/door-way.js'
import type { Arrived } from './arrived.js'

export type Signs = (request: UpstreamRequest) => UpstreamRequest

const NOTHING = Buffer.alloc(0)

/** Signature Version 4 covers the host, and that is ours: in a field, or in the query. */
export function signatureProblem({ http }: Pick<Arrived, 'http'>): string | undefined {
  const { authorization } = http.request.headers
  const isSigned =
    authorization?.startsWith('AWS4-') === true ||
    /[?&]X-Amz-Signature=/i.test(http.request.url ?? '')
  return isSigned
    ? 'it is signed for our own host by AWS Signature Version 4, which the provider would ' +
        'not take: send a key of YORI, or none, and gateway.providers.NAME.aws signs it anew'
    : undefined
}

/** Undefined: the configuration has no such credentials for it. */
export function signsOf(
  { aws }: Pick<Door, 'aws'>,
  clock: Pick<Clock, 'now'>,
): Signs | undefined {
  if (aws === undefined) return undefined
  return (request) => {
    const { method, host, path, body, target } = request
    // Whoever leads a body on that streams cannot say its digest: the service refuses it.
    const bytes = body.kind === 'whole' ? body.bytes : NOTHING
    const asked = { method, host, path, fields: request.fields, body: bytes }
    return { ...request, fields: awsSigned(asked, aws(target.host), clock.now()) }
  }
}

/** Of a door without a pool; a pool's targets are signed for one by one. */
export class SigningWay implements DoorWay {
  readonly sent: Signs

  constructor(signs: Signs) {
    this.sent = signs
  }

  look(body: UpstreamBody): Look {
    if (body.kind !== 'stream') return { kind: 'passes', tools: [] }
    const error = new YoriError(
      'YORI_REQUEST_BODY_TOO_LARGE',
      'it is longer than what can be held to be signed',
    )
    const { status } = describeError(error.code)
    const answer = (message: string): { status: number; body: string } => {
      const said = { status, code: error.code, message, requestId: '' }
      return { status, body: errorEnvelope('bedrock', said).body }
    }
    return { kind: 'refused', error, answer }
  }
}
