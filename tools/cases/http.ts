/**
 * Raw HTTP/1.1 requests and responses, good and bad, with what a well-known parser makes of
 * them. Requests are sent inside an intercepted tunnel, responses come from the origin. What
 * goes on must be what was recorded, and what a strict reading of RFC 9112 finds in the bytes;
 * a row that its parser accepts or refuses by the rules binds YORI too, one that was read with
 * leniency only so far as nothing is smuggled.
 */
import { outcomeOf } from './kind.js'
import type { CaseKind, Row } from './kind.js'
import { playRequest } from './http-request.js'
import { playResponse } from './http-response.js'
import { NAME, rowOf, sideOf } from './http-row.js'
import { Wire } from './wire.js'

export const httpCases: CaseKind = {
  name: 'http',
  about: 'raw requests and responses: what goes on, what is refused, what is recorded',
  open: async () => {
    const wire = await Wire.open([NAME])
    return {
      categoryOf,
      run: async (row) => {
        const http = rowOf(row)
        if (http === undefined) return { kind: 'skipped', why: 'no raw_b64 or expected' }
        const side = sideOf(row)
        if (side === 'request') return outcomeOf(await playRequest(http, wire))
        if (side === 'response') return outcomeOf(await playResponse(http, wire))
        return { kind: 'skipped', why: `side ${String(side)} is not known` }
      },
      [Symbol.asyncDispose]: () => wire[Symbol.asyncDispose](),
    }
  },
}

/** The file of the parser's own suite that the row is from, and whether it was lenient. */
function categoryOf(row: Row): string {
  const source = row['source'] as { path?: unknown } | undefined
  const file = typeof source?.path === 'string' ? source.path.split('/').at(-1) : ''
  const about = (file ?? '').replace(/\.md$/, '')
  const how = row['strict'] === false ? ' lenient' : ''
  return `${sideOf(row)} ${about}${how}`.trim()
}
