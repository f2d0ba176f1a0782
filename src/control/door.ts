/**
 * One request to the control plane, from its head to its answer: the gate, the method, the body,
 * the answer. The Unix socket has no gate: whoever may open it may do everything.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal, badRequest, refused, send } from './answer.js'
import type { Answer } from './answer.js'
import { ACTOR_FIELD, actorIn } from './actor.js'
import type { Gate } from './gate.js'
import { findMethod } from './method.js'
import type { Method, Surroundings } from './method.js'
import { mayAct } from './roles.js'
import type { Caller } from './roles.js'

/** Of a change; settings are the longest. */
const MOST_BODY_BYTES = 256 * 1024
const MOST_URL_LENGTH = 8 * 1024

export interface DoorOptions {
  readonly methods: readonly Method[]
  readonly gate: Gate
  readonly surroundings: () => Surroundings
}

const NOBODY: Caller = { who: 'nobody', role: 'view', entrance: 'token' }

export class Door {
  readonly #options: DoorOptions

  constructor(options: DoorOptions) {
    this.#options = options
  }

  /** Never throws, never rejects. */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    isSocket: boolean,
  ): Promise<void> {
    response.on('error', () => undefined)
    request.on('error', () => undefined)
    try {
      send(request, response, await this.#answer(request, isSocket))
    } catch (cause) {
      send(request, response, refused(this.#refusalOf(cause)))
    }
    // What was not read is not read now.
    if (!request.complete && !request.destroyed)
      response.once('finish', () => request.destroy())
  }

  async #answer(request: IncomingMessage, isSocket: boolean): Promise<Answer> {
    const { gate, methods, surroundings } = this.#options
    const { url = '/', method: verb = 'GET' } = request
    const isLong = url.length > MOST_URL_LENGTH
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const { found, verbs } = isLong ? { verbs: [] } : findMethod(methods, verb, path)
    if (!isSocket) gate.admit(request, found?.method.byLink)
    if (isLong) throw new Refusal(414, 'bad_request', 'the address is too long')
    const isOpen = found?.method.role === 'open'
    // Who is nobody learns nothing of what there is.
    const caller = isSocket ? onSocket(request) : isOpen ? NOBODY : gate.caller(request)
    if (found === undefined) {
      if (verbs.length === 0) throw new Refusal(404, 'not_found', 'nothing at that path')
      const may = verbs.join(', ')
      throw new Refusal(405, 'method_not_allowed', `this path takes ${may}`, {
        allow: may,
      })
    }
    const { method, params } = found
    if (method.role !== 'open' && !mayAct(caller.role, method.role))
      throw new Refusal(403, 'forbidden', `this asks for the role ${method.role}`)
    const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
    refuseUnknown(query, method)
    const isPlain = method.verb === 'GET' || method.byLink === true
    const body = isPlain ? undefined : await readJson(request)
    const handle = await method.load()
    return await handle({ caller, params, query, body, request, on: surroundings() })
  }

  #refusalOf(cause: unknown): Refusal {
    if (cause instanceof Refusal) return cause
    this.#options
      .surroundings()
      .port.log.error({ err: cause }, 'the control plane failed on a request')
    return new Refusal(500, 'internal', 'a fault of YORI itself; its log has more')
  }
}

function onSocket({ headers }: IncomingMessage): Caller {
  return {
    who: actorIn(headers[ACTOR_FIELD]) ?? 'socket',
    role: 'admin',
    entrance: 'socket',
  }
}

function refuseUnknown(query: URLSearchParams, { query: known = [] }: Method): void {
  for (const name of query.keys())
    if (!known.includes(name))
      throw badRequest(
        known.length === 0
          ? `no parameters are taken here, such as ${JSON.stringify(name.slice(0, 40))}`
          : `no parameter ${JSON.stringify(name.slice(0, 40))}; there are ${known.join(', ')}`,
      )
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BODY_BYTES)
      throw new Refusal(413, 'too_large', `a body has at most ${MOST_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  if (bytes === 0) return undefined
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    throw new Refusal(415, 'bad_request', 'content-type: application/json is expected')
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown
  } catch {
    throw badRequest('the body is not JSON')
  }
}
