/**
 * `100 Continue` from a provider that nobody asked to go on. A client must be able to skip such
 * an answer (RFC 9110 §15.2); the HTTP library breaks the connection instead. Its parser says
 * of each head that it is complete: there a 100 is taken for what 102 is to the library, a head
 * after which another follows, and is told to nobody. How many come before the answer is
 * bounded. The library's names for its parts are its own; its version is pinned, and without
 * them it does what it always did.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

/** More heads than this before the answer break the connection. */
export const MAX_INFORMATIONAL = 32

/** What is used of the library's parser of one connection. */
interface Parser {
  statusCode: number
  headers: unknown[]
  headersSize: number
  readonly client: Readonly<Record<symbol, unknown>>
  /** 1: a head without a body; -1: the connection is broken. */
  onHeadersComplete(status: number, isUpgrade: boolean, keepAlive: boolean): number
}

const { kParser, kRunning } = createRequire(import.meta.url)(
  'undici/lib/core/symbols.js',
) as Readonly<Record<'kParser' | 'kRunning', symbol>>

/** To be called when the library has made the connection its own. */
export function skipContinue(socket: Socket): void {
  const parser = (socket as unknown as Readonly<Record<symbol, Parser | undefined>>)[
    kParser
  ]
  if (parser === undefined) return
  const read = parser.onHeadersComplete.bind(parser)
  let informational = 0
  parser.onHeadersComplete = (status, isUpgrade, keepAlive) => {
    if (status >= 200 || isUpgrade || parser.client[kRunning] === 0) {
      informational = 0
      return read(status, isUpgrade, keepAlive)
    }
    informational += 1
    // After `Connection: close` nothing is read any more: the answer would not come.
    if (informational > MAX_INFORMATIONAL || !keepAlive) return -1
    if (status !== 100) return read(status, isUpgrade, keepAlive)
    parser.statusCode = status
    parser.headers = []
    parser.headersSize = 0
    return 1
  }
}
