/**
 * The model that a request asks for, before anybody is chosen to answer it: its body is held
 * until it has been read to its end, within a bound, and given on as if it came then. A body
 * that is no JSON names none.
 */
import { Readable } from 'node:stream'
import type { RequestHead } from '../../http/head.js'
import { carriesBody } from '../../http/head.js'
import { TopStrings } from '../../json/top-strings.js'
import type { Hold } from '../bounds/byte-budget.js'
import type { HttpRequest } from '../words/http-words.js'

/** Of one body that is held; what is longer has no model that is known here. */
export const MAX_HELD_BYTES = 8 * 1024 * 1024

/** A request whose body has been looked at. */
export interface HeldRequest {
  /** Gives its body from the beginning. */
  readonly request: HttpRequest
  readonly head: RequestHead
  /** As often as it is named, in order; undefined: that could not be read. */
  readonly models: readonly string[] | undefined
  /** The same request with that model in the place of the one that it names. */
  withModel(model: string): Pick<HeldRequest, 'request' | 'head'>
}

export interface HoldOptions {
  /** A longer body is refused by whoever serves it: it is not waited for. */
  readonly maxBytes: number
  /** What is held counts here, until whoever serves it counts it. Without room it is read no further. */
  readonly hold: Hold
  readonly use: (held: HeldRequest) => void
}

/**
 * Calls `use` once, within the call where there is no body to wait for; never when the client
 * breaks the request off. Deadlines are those of the request's head, the client's connection
 * keeps them.
 */
export function holdForModel(
  request: HttpRequest,
  head: RequestHead,
  { maxBytes, hold, use }: HoldOptions,
): void {
  if (!carriesBody(head)) {
    use({ request, head, models: [], withModel: () => ({ request, head }) })
    return
  }
  const isReadable = isJson(head) && head.contentEncoding === undefined
  const most = Math.min(maxBytes, MAX_HELD_BYTES)
  if (!isReadable || (head.contentLength ?? 0) > most) {
    use({ request, head, models: undefined, withModel: () => ({ request, head }) })
    return
  }
  const names = new TopStrings('model')
  const pieces: Buffer[] = []
  let bytes = 0
  const stop = (isWhole: boolean): void => {
    request.off('data', onData)
    request.off('end', onEnd)
    hold.release()
    use(heldOf(request, head, { pieces, names, isWhole }))
  }
  const onData = (piece: Buffer): void => {
    pieces.push(piece)
    bytes += piece.length
    names.push(piece)
    if (bytes <= most && hold.take(piece.length)) return
    request.pause()
    stop(false)
  }
  const onEnd = (): void => {
    if (request.complete) stop(true)
  }
  request.on('error', () => undefined)
  request.on('close', () => hold.release())
  request.on('data', onData)
  request.on('end', onEnd)
}

/** Unless it says that it is something else. */
function isJson({ contentType }: RequestHead): boolean {
  return (
    contentType === undefined || /^\s*[\w.+-]+\/(?:[\w.-]+\+)?json\b/i.test(contentType)
  )
}

function heldOf(
  request: HttpRequest,
  head: RequestHead,
  {
    pieces,
    names,
    isWhole,
  }: { pieces: readonly Buffer[]; names: TopStrings; isWhole: boolean },
): HeldRequest {
  const again = (body: readonly Buffer[]): HttpRequest => replayed(request, body, isWhole)
  return {
    request: again(pieces),
    head,
    models: isWhole ? names.found.map(({ value }) => value) : undefined,
    withModel: (model) => {
      const bytes = Buffer.concat(pieces)
      const parts: Buffer[] = []
      let at = 0
      for (const { start, end } of names.found) {
        parts.push(bytes.subarray(at, start), Buffer.from(JSON.stringify(model)))
        at = end
      }
      const body = Buffer.concat([...parts, bytes.subarray(at)])
      const contentLength = head.contentLength === undefined ? undefined : body.length
      return { request: again([body]), head: { ...head, contentLength } }
    },
  }
}

/** What has come of it first, then the rest as it comes. */
function replayed(
  inner: HttpRequest,
  pieces: readonly Buffer[],
  isWhole: boolean,
): HttpRequest {
  let isFed = false
  const stream = new Readable({
    read() {
      if (isFed) {
        if (!isWhole) inner.resume()
        return
      }
      isFed = true
      for (const piece of pieces) stream.push(piece)
      if (isWhole) stream.push(null)
      else follow()
    },
  })
  const follow = (): void => {
    inner.on('data', (piece) => {
      if (!stream.push(piece)) inner.pause()
    })
    inner.on('end', () => {
      if (inner.complete) stream.push(null)
    })
    inner.resume()
  }
  inner.on('close', () => {
    if (!inner.complete) stream.destroy()
  })
  const { expect: _expect, ...headers } = inner.headers
  return Object.defineProperties(stream, {
    method: { value: inner.method },
    url: { value: inner.url },
    httpVersion: { value: inner.httpVersion },
    headers: { value: headers },
    rawHeaders: { value: inner.rawHeaders },
    rawTrailers: { get: () => inner.rawTrailers },
    complete: { get: () => inner.complete },
  }) as unknown as HttpRequest
}
