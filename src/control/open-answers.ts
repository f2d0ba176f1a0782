/**
 * What another port of YORI answers for the control plane: `/health`, `/metrics` and `/config`
 * where programs of this machine dial YORI by its base URL. No token is asked for there, so
 * only loopback is told, and no page of a browser: whoever may dial loopback and name it runs
 * on this machine. Knows no sockets: it is asked with what a head says.
 */
import { Prefixes } from '../core/address.js'
import { SAFE_FIELDS, refused, Refusal } from './answer.js'
import type { WholeAnswer } from './answer.js'
import type { PlainHandler, Surroundings } from './method.js'

/** The head of a request, as it came to that port. */
export interface OpenQuestion {
  readonly verb: string
  /** With its query, as it was asked for: `/metrics`. */
  readonly path: string
  /** `Host`, or `:authority`. */
  readonly host: string | undefined
  /** The address of whoever dialled; undefined: it is not known, and nobody is told. */
  readonly from: string | undefined
  /** The fields `origin` and `sec-fetch-site`, where they were sent. */
  readonly origin?: string | undefined
  readonly site?: string | undefined
}

/** Whole; `body` is to be left out of the answer to HEAD. */
export interface OpenAnswer {
  readonly status: number
  /** In lower case; with `content-type` and `content-length`. */
  readonly fields: Readonly<Record<string, string>>
  readonly body: string
}

const HANDLERS: Readonly<Record<string, () => Promise<PlainHandler>>> = {
  '/health': async () => (await import('./methods/state.js')).health,
  '/metrics': async () => (await import('./methods/metrics.js')).metrics,
  '/config': async () => (await import('./methods/state.js')).config,
}
/** It tells a state, and to everybody. */
const FOR_ALL = '/health'
const LOOPBACK = new Prefixes(['127.0.0.0/8', '::1/128'])
/** What a name leads to may change while a page is open (DNS rebinding): these are fixed. */
const OWN_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i

/**
 * Undefined: it is not for us, and goes on to wherever requests of that port go.
 * @throws what a handler throws, which is a fault of YORI
 */
export async function openAnswer(
  on: Pick<Surroundings, 'port'>,
  asked: OpenQuestion,
): Promise<OpenAnswer | undefined> {
  const { verb } = asked
  const path = asked.path.split('?', 1)[0] ?? ''
  if (!Object.hasOwn(HANDLERS, path) || (verb !== 'GET' && verb !== 'HEAD'))
    return undefined
  const why = whyNot(path, asked)
  if (why !== undefined) return whole(refused(new Refusal(403, 'forbidden', why)))
  const handle = await (HANDLERS[path] as () => Promise<PlainHandler>)()
  return whole(handle({ on }))
}

function whyNot(path: string, asked: OpenQuestion): string | undefined {
  const { from, host = '', origin, site } = asked
  const isOwnPage = origin === undefined && (site === undefined || site === 'none')
  if (!isOwnPage || !OWN_HOST.test(host)) {
    // A state is no secret, and probes of a container call us what they like.
    if (path === FOR_ALL && isOwnPage) return undefined
    return 'this is told to programs of this machine alone'
  }
  if (path === FOR_ALL || (from !== undefined && LOOPBACK.has(from))) return undefined
  return 'this is told to this machine alone; control.listen has it for others, by token'
}

function whole(answer: WholeAnswer): OpenAnswer {
  const body =
    answer.kind === 'json' ? JSON.stringify(answer.body) : answer.body.toString()
  const type = answer.kind === 'json' ? 'application/json' : answer.type
  const length = String(Buffer.byteLength(body))
  return {
    status: answer.status,
    fields: { ...SAFE_FIELDS, 'content-type': type, 'content-length': length },
    body,
  }
}
