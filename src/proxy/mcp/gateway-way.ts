/**
 * What the door of the gateway of agents does with one request: signs it, each time that it
 * goes; asks once more where the gateway wants its nonce said; and in a stream of events says
 * our own address where the gateway says its own, so that the messages come back this way.
 */
import { ByteReplacer } from '../../http/byte-replacer.js'
import { contentCoding } from '../../http/content-coding.js'
import { withFields } from '../../http/flat-fields.js'
import type { UpstreamRequest } from '../../net/upstream-words.js'
import type { McpGateway } from '../../policy/mcp-doors.js'
import type { AnswerHead, DoorWay, Rewriter } from '../words/door-way.js'

/** Where the messages of the older transport go: what a stream tells its client. */
const MESSAGE_PATH = '/mcp/sse/message'

export class GatewayWay implements DoorWay {
  readonly #gateway: McpGateway
  /** Scheme and authority by which the client called us. */
  readonly #own: string
  #said: string | undefined
  #isStream = false
  #asked = 0

  constructor(gateway: McpGateway, own: string) {
    this.#gateway = gateway
    this.#own = own
  }

  sent(request: UpstreamRequest): UpstreamRequest {
    const { origin, signer } = this.#gateway
    const { method, path } = request
    const { fields, nonce } = signer.sign(method, origin + path)
    this.#said = nonce
    this.#asked++
    this.#isStream = method === 'GET' && wantsEvents(request.fields)
    // What is to be rewritten has to be readable.
    const plain = this.#isStream ? ['accept-encoding', 'identity'] : []
    return { ...request, fields: withFields(request.fields, [...fields, ...plain]) }
  }

  asksAgain(status: number, fields: readonly string[]): boolean {
    const isWanted = this.#gateway.signer.heard(status, fields, this.#said)
    return isWanted && this.#asked === 1
  }

  rewriter({ contentType = '', contentEncoding }: AnswerHead): Rewriter | undefined {
    const isEvents = /^text\/event-stream\s*(?:;|$)/i.test(contentType.trim())
    const isPlain = contentCoding(contentEncoding) === 'identity'
    if (!this.#isStream || !isEvents || !isPlain) return undefined
    const { origin, target } = this.#gateway
    const to = Buffer.from(this.#own + MESSAGE_PATH)
    return new ByteReplacer(
      [...addressesOf(origin)].map((address) => ({
        from: Buffer.from(address + target.prefix + MESSAGE_PATH),
        to,
      })),
    )
  }
}

export function wantsEvents(fields: readonly string[]): boolean {
  for (let i = 0; i + 1 < fields.length; i += 2)
    if ((fields[i] as string).toLowerCase() === 'accept')
      if (/text\/event-stream/i.test(fields[i + 1] as string)) return true
  return false
}

/** Its own, and the same with the port that its scheme has anyway. */
function* addressesOf(origin: string): Iterable<string> {
  if (!/:\d+$/.test(origin)) yield `${origin}:${origin.startsWith('https') ? 443 : 80}`
  yield origin
}
