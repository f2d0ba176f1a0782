/** The bounds of HTTP/1.1's readers, each at every cut. Sizes are counted by hand: RFC 9112 §3 to §7. */
import { boundTable } from '../../support/bound-table.js'
import type { BoundRow } from '../../support/bound-table.js'
import { LIMITS, readH1 } from '../../support/h1-read.js'

const x = (length: number): string => 'x'.repeat(length)
const bytesOf =
  (text: (over: number) => string) =>
  (over: number): Buffer =>
    Buffer.from(text(over))

/** How many messages came whole, their bodies, and what ended the reading. */
function reading(
  side: 'request' | 'response',
  limits: Partial<typeof LIMITS>,
): BoundRow['read'] {
  return (pieces) => {
    const all = pieces.map((piece) => Buffer.from(piece))
    const read = readH1(all, { side, limits: { ...LIMITS, ...limits } })
    return [read.problem ?? 'whole', ...read.messages.map(({ body }) => body)]
  }
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const NEXT = 'HTTP/1.1 204 No Content\r\n\r\n'

const HEADS: readonly BoundRow[] = [
  {
    // The first line with its end makes 16 bytes, Host 11, "X: " and the ends 7.
    bound: 'maxHeadBytes of a request',
    bytes: bytesOf((over) => `GET / HTTP/1.1\r\nHost: a.b\r\nX: ${x(26 + over)}\r\n\r\n`),
    read: reading('request', { maxHeadBytes: 60 }),
    gives: [['whole', ''], ['whole', ''], ['head-too-large']],
  },
  {
    // 6 bytes of empty lines, 26 of the line and its end, 11 of Host, and the last end.
    bound: 'maxHeadBytes of a request behind empty lines, all of it in the target',
    bytes: bytesOf(
      (over) => `\r\n\r\n\r\nGET /${x(10 + over)} HTTP/1.1\r\nHost: a.b\r\n\r\n`,
    ),
    read: reading('request', { maxHeadBytes: 45 }),
    gives: [['whole', ''], ['whole', ''], ['head-too-large']],
  },
  {
    // 15 bytes and 19 of a length, 7 of the other field, then a body and another answer.
    bound: 'maxHeadBytes of a response',
    bytes: bytesOf(
      (over) =>
        `HTTP/1.1 200 a\r\nContent-Length: 2\r\nX: ${x(13 + over)}\r\n\r\nok${NEXT}`,
    ),
    read: reading('response', { maxHeadBytes: 55 }),
    gives: [['whole', 'ok', ''], ['whole', 'ok', ''], ['head-too-large']],
  },
]

const CHUNKS: readonly BoundRow[] = [
  {
    // Counted from behind the first semicolon up to the CR, which ends it.
    bound: 'maxExtensionBytes of one chunk',
    bytes: bytesOf((over) => `${CHUNKED}2;a=${x(7 + over)}\r\nok\r\n0\r\n\r\n${NEXT}`),
    read: reading('response', { maxExtensionBytes: 10 }),
    gives: [['whole', 'ok', ''], ['whole', 'ok', ''], ['chunk-extension']],
  },
  {
    bound: 'maxExtensionBytes of all chunks together',
    bytes: bytesOf(
      (over) => `${CHUNKED}1;a\r\no\r\n1;b="c"\r\nk\r\n0;${x(2 + over)}\r\n\r\n${NEXT}`,
    ),
    read: reading('response', { maxExtensionBytes: 11 }),
    gives: [['whole', 'ok', ''], ['whole', 'ok', ''], ['chunk-extension']],
  },
  {
    bound: '8 digits of a chunk’s size',
    bytes: bytesOf((over) => `${CHUNKED}${'0'.repeat(7 + over)}2\r\nok\r\n0\r\n\r\n`),
    read: reading('response', {}),
    gives: [['whole', 'ok'], ['whole', 'ok'], ['chunk-size']],
  },
  {
    // "T: ", its end and the last one make 7 bytes.
    bound: 'maxTrailerBytes',
    bytes: bytesOf(
      (over) => `${CHUNKED}2\r\nok\r\n0\r\nT: ${x(13 + over)}\r\n\r\n${NEXT}`,
    ),
    read: reading('response', { maxTrailerBytes: 20 }),
    gives: [['whole', 'ok', ''], ['whole', 'ok', ''], ['head-too-large']],
  },
]

boundTable({ 'HTTP/1.1 heads': HEADS, 'HTTP/1.1 chunks': CHUNKS })
