/** `printer`: a line for each request and each answer; with `log_body` what was said, sanitised. */
import { printable } from '../audit/printable.js'
import type {
  ExchangeObserver,
  ExchangeTap,
  SeenExchange,
} from '../proxy/words/observer.js'
import { contentOf } from '../replay/recording.js'
import type { Sanitiser } from '../replay/sanitiser.js'

export interface PrinterOptions {
  readonly print: (text: string) => void
  readonly requests: boolean
  readonly responses: boolean
  /** Undefined: bodies are not printed. */
  readonly bodies: Sanitiser | undefined
}

/** Of a body that is printed. */
const MOST_BODY_BYTES = 16 * 1024

export function printer({
  print,
  requests,
  responses,
  bodies,
}: PrinterOptions): ExchangeObserver {
  const line = (text: string): void => print(`${printable(text)}\n`)
  return {
    name: 'printer',
    requestRead: (seen) => {
      if (requests)
        line(`> ${where(seen)}${seen.model === undefined ? '' : ` ${seen.model}`}`)
    },
    ended: (seen) => {
      if (responses) line(`< ${where(seen)} ${endOf(seen)}`)
    },
    ...(bodies === undefined ? {} : { tap: () => bodyTap(line, bodies) }),
  }
}

function where({ method, endpointDomain, path }: SeenExchange): string {
  return `${method} ${endpointDomain}${path}`
}

function endOf(seen: SeenExchange): string {
  const { status, outcome, latencyMs, inputTokens, outputTokens, code } = seen
  const tokens =
    inputTokens === undefined && outputTokens === undefined
      ? ''
      : ` ${inputTokens ?? 0}+${outputTokens ?? 0} tokens`
  const why = code === undefined ? '' : ` ${code}`
  return `${status ?? '-'} ${outcome ?? ''} ${Math.round(latencyMs ?? 0)} ms${tokens}${why}`
}

function bodyTap(line: (text: string) => void, sanitiser: Sanitiser): ExchangeTap {
  const sides = { request: [] as Buffer[], response: [] as Buffer[] }
  const sizes = { request: 0, response: 0 }
  const keep = (of: 'request' | 'response', chunk: Buffer): void => {
    const room = MOST_BODY_BYTES - sizes[of]
    sizes[of] += chunk.length
    if (room > 0) sides[of].push(Buffer.from(chunk.subarray(0, room)))
  }
  const say = (mark: string, of: 'request' | 'response'): void => {
    if (sizes[of] === 0) return
    const body = sanitiser.body(contentOf(Buffer.concat(sides[of])), undefined, [])
    const text = body.kind === 'text' ? body.text : `${sizes[of]} bytes`
    line(`${mark} ${text}${sizes[of] > MOST_BODY_BYTES ? ' ...' : ''}`)
  }
  return {
    requestBytes: (chunk) => keep('request', chunk),
    responseHead: () => undefined,
    responseBytes: (chunk) => keep('response', chunk),
    responseEnd: () => undefined,
    switched: () => undefined,
    ended: () => {
      say('>', 'request')
      say('<', 'response')
    },
  }
}
