/** A request's body at the bounds of what is kept, held back and let through, at every cut. */
import { Readable } from 'node:stream'
import { readRequestHead } from '../../../src/http/head.js'
import { ByteBudget, Hold } from '../../../src/proxy/bounds/byte-budget.js'
import { RequestBody } from '../../../src/proxy/exchange/request-body.js'
import type { BodyLimits } from '../../../src/proxy/exchange/request-body.js'
import type { HttpRequest } from '../../../src/proxy/words/http-words.js'
import { boundTable } from '../../support/bound-table.js'
import type { BoundRow } from '../../support/bound-table.js'

const OVER_20 = { maxBytes: 20, code: 'YORI_REQUEST_BODY_TOO_LARGE' } as const

const REQUEST = {
  httpVersion: '1.1',
  headers: {},
  rawHeaders: [],
  rawTrailers: [],
} as const

/** Chunks that come one after the other, as those of a connection do. */
function requestOf(pieces: readonly Uint8Array[]): HttpRequest {
  const chunks = pieces.filter(({ length }) => length > 0)
  const stream = Readable.from(chunks, { objectMode: false, highWaterMark: 1 })
  const request = Object.assign(stream, REQUEST, { complete: false })
  request.prependListener('end', () => (request.complete = true))
  return request as unknown as HttpRequest
}

/** In which form it goes on, what came through, and what was kept of it. */
function body(limits: Partial<BodyLimits>): BoundRow['read'] {
  return (pieces) =>
    new Promise((resolve) => {
      const head = readRequestHead(['transfer-encoding', 'chunked'])
      const hold = new Hold(new ByteBudget(1024, 1024), 'client')
      const all = {
        bound: undefined,
        previewBytes: 64,
        holdBytes: 0,
        hold,
        waitMs: 1000,
      }
      const read = new RequestBody(requestOf(pieces), head, {
        ...all,
        ...limits,
        now: () => 0,
      })
      const told = (...outcome: unknown[]): void => {
        const { bytes, newest, whole } = read.preview()
        const end = newest === undefined ? '' : `...${newest.toString()}`
        resolve([...outcome, `${bytes.toString()}${end}`, whole])
      }
      read.read(
        (form) => {
          if (form.kind !== 'stream') return told(form.kind)
          let length = 0
          form.stream.on('data', (chunk: Buffer) => (length += chunk.length))
          form.stream.once('end', () => told('stream', length))
        },
        ({ code }) => told(code),
      )
    })
}

const x = (length: number): string => 'x'.repeat(length)
const bytes = (over: number): Buffer => Buffer.from(x(20 + over))

boundTable({
  'a request body': [
    {
      bound: 'previewBytes',
      bytes,
      read: body({ previewBytes: 20 }),
      gives: [
        ['stream', 19, x(19), true],
        ['stream', 20, x(20), true],
        // A quarter of it is for what comes first.
        ['stream', 21, `${x(5)}...${x(15)}`, false],
      ],
    },
    {
      bound: 'holdBytes',
      bytes,
      read: body({ holdBytes: 20 }),
      gives: [
        ['whole', x(19), true],
        ['whole', x(20), true],
        ['stream', 21, x(21), true],
      ],
    },
    {
      bound: 'maxBytes of a body that streams',
      bytes,
      read: body({ bound: OVER_20 }),
      gives: [
        ['stream', 19, x(19), true],
        ['stream', 20, x(20), true],
        ['YORI_REQUEST_BODY_TOO_LARGE', x(21), false],
      ],
    },
    {
      bound: 'maxBytes of a body that is held back',
      bytes,
      read: body({ bound: OVER_20, holdBytes: 40 }),
      gives: [
        ['whole', x(19), true],
        ['whole', x(20), true],
        ['YORI_REQUEST_BODY_TOO_LARGE', x(21), false],
      ],
    },
  ],
})
