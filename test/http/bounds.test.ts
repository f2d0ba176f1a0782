/** What this room reads in pieces, at its bounds. The figures are counted by hand from each format. */
import { createRequire } from 'node:module'
import { EventStreamReader } from '../../src/http/event-stream.js'
import { MULTIPART_LIMITS, MultipartReader } from '../../src/http/multipart.js'
import type { MultipartLimits } from '../../src/http/multipart.js'
import { NdjsonReader } from '../../src/http/ndjson.js'
import { SseReader } from '../../src/http/sse.js'
import type { SseLimits } from '../../src/http/sse.js'
import { FrameWatch } from '../../src/http/websocket-frames.js'
import type { FrameWatchOptions } from '../../src/http/websocket-frames.js'
import { boundTable } from '../support/bound-table.js'
import type { BoundRow } from '../support/bound-table.js'
import { eventStreamMessage } from '../support/event-stream.js'
import { readAll } from '../support/splits.js'

const x = (length: number): string => 'x'.repeat(length)
const bytesOf =
  (text: (over: number) => string) =>
  (over: number): Buffer =>
    Buffer.from(text(over))

function sse(limits: SseLimits): BoundRow['read'] {
  return (pieces) => {
    const reader = new SseReader(limits)
    const events = readAll(reader, pieces)
    const says = events.map(({ event, data, unterminated }) =>
      [event, data, ...(unterminated ? ['unterminated'] : [])].join('|'),
    )
    return [...says, reader.skipped]
  }
}

const NUMBERS = Array<number>(40).fill(7)
const FEWER = NUMBERS.slice(0, 32)
/** 3 bytes and the numbers; 81 bytes of text for 40 numbers. */
const withNumbers = (padding: string, numbers: readonly number[]): string =>
  `["${padding}",${JSON.stringify(numbers)}]`

const SSE: readonly BoundRow[] = [
  {
    bound: 'maxEventBytes of one line',
    bytes: bytesOf((over) => `data: ${x(14 + over)}\n\ndata: n\n\n`),
    read: sse({ maxEventBytes: 20 }),
    gives: [
      [`|${x(13)}`, '|n', 0],
      [`|${x(14)}`, '|n', 0],
      ['|n', 1],
    ],
  },
  {
    bound: 'maxEventBytes of several lines with CRLF, a comment among them',
    bytes: bytesOf((over) => `event: e\r\n: c\r\ndata:${x(4 + over)}\r\n\r\ndata: n\r\r`),
    read: sse({ maxEventBytes: 20 }),
    gives: [
      [`e|${x(3)}`, '|n', 0],
      [`e|${x(4)}`, '|n', 0],
      ['|n', 1],
    ],
  },
  {
    bound: 'maxEventBytes of an event without an end',
    bytes: bytesOf((over) => `data\ndata:${x(5 + over)}`),
    read: sse({ maxEventBytes: 14 }),
    gives: [[`|\n${x(4)}|unterminated`, 0], [`|\n${x(5)}|unterminated`, 0], [1]],
  },
  {
    bound: 'shortenBytes of a line',
    // "data: " and the brackets, quotes and comma of the text make 92 bytes.
    bytes: bytesOf((over) => `data: ${withNumbers(x(8 + over), NUMBERS)}\n\n`),
    read: sse({ maxEventBytes: 400, shortenBytes: 100 }),
    gives: [
      [`|${withNumbers(x(7), NUMBERS)}`, 0],
      [`|${withNumbers(x(8), NUMBERS)}`, 0],
      [`|${withNumbers(x(9), FEWER)}`, 0],
    ],
  },
  {
    bound: 'shortenBytes of the first line behind a byte order mark',
    bytes: bytesOf((over) => `\u{feff}data: ${withNumbers(x(5 + over), NUMBERS)}\n\n`),
    read: sse({ maxEventBytes: 400, shortenBytes: 100 }),
    gives: [
      [`|${withNumbers(x(4), NUMBERS)}`, 0],
      [`|${withNumbers(x(5), NUMBERS)}`, 0],
      [`|${withNumbers(x(6), FEWER)}`, 0],
    ],
  },
  {
    bound: 'maxEventBytes of what is left of a line that was shortened',
    bytes: bytesOf((over) => `data: "${x(18 + over)}"\n\n`),
    read: sse({ maxEventBytes: 20, shortenBytes: 10 }),
    gives: [[`|"${x(17)}"`, 0], [`|"${x(18)}"`, 0], [1]],
  },
  {
    bound: 'maxEventBytes of a line that is shortened behind one that is not',
    bytes: bytesOf((over) => `data\ndata:${x(8 + over)}`),
    read: sse({ maxEventBytes: 12, shortenBytes: 9 }),
    gives: [[`|\n${x(7)}|unterminated`, 0], [`|\n${x(8)}|unterminated`, 0], [1]],
  },
  {
    bound: 'maxEventBytes of a line that is not long enough to be shortened',
    bytes: bytesOf((over) => `event\ndata:${x(2 + over)}\n\ndata\n\n`),
    read: sse({ maxEventBytes: 12, shortenBytes: 9 }),
    gives: [
      ['|x', '|', 0],
      ['|xx', '|', 0],
      ['|', 1],
    ],
  },
  {
    bound: 'maxEventBytes of a line that only begins like one to be shortened',
    bytes: bytesOf((over) => `data: 1\ndatax:${x(7 + over)}\n\n`),
    read: sse({ maxEventBytes: 20, shortenBytes: 0 }),
    gives: [['|1', 0], ['|1', 0], [1]],
  },
]

function lines(pieces: readonly Uint8Array[]): unknown {
  const reader = new NdjsonReader({ maxLineBytes: 10 })
  const found = readAll(reader, pieces).map(({ text }) => text)
  return [...found, reader.skipped]
}

const LINES: readonly BoundRow[] = ['\n', '\r\n', ''].map((end) => ({
  bound: `maxLineBytes of a line that ends with ${JSON.stringify(end)}`,
  bytes: bytesOf((over) => `1\n"${x(8 + over)}"${end}`),
  read: lines,
  gives: [
    ['1', `"${x(7)}"`, 0],
    ['1', `"${x(8)}"`, 0],
    ['1', 1],
  ],
}))

function messages(pieces: readonly Uint8Array[]): unknown {
  const reader = new EventStreamReader({ maxMessageBytes: 64, maxHeaders: 3 })
  const found = pieces.flatMap((piece) => reader.push(piece))
  return [...found.map(({ payload }) => payload.toString()), reader.skipped, reader.end()]
}

const NEXT = eventStreamMessage({}, [])
const headers = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}`, '']))

const EVENT_STREAM: readonly BoundRow[] = [
  {
    bound: 'maxMessageBytes',
    // 16 bytes of framing, two of quotes.
    bytes: (over) => Buffer.concat([eventStreamMessage({}, x(46 + over) as never), NEXT]),
    read: messages,
    gives: [
      [`"${x(45)}"`, '[]', 0, true],
      [`"${x(46)}"`, '[]', 0, true],
      ['[]', 1, true],
    ],
  },
  {
    bound: 'maxHeaders',
    bytes: (over) => Buffer.concat([eventStreamMessage(headers(3 + over), []), NEXT]),
    read: messages,
    gives: [
      ['[]', '[]', 0, true],
      ['[]', '[]', 0, true],
      [0, false],
    ],
  },
]

const { Sender } = createRequire(import.meta.url)('ws') as {
  Sender: { frame(data: Buffer, options: object): Buffer[] }
}

/** As `ws` puts it on the wire. */
function frame(data: string, options: object = {}): Buffer {
  const usual = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: false }
  return Buffer.concat(Sender.frame(Buffer.from(data), { ...usual, ...options }))
}

function frames(options: Partial<FrameWatchOptions> = {}): BoundRow['read'] {
  return (pieces) => {
    const found: unknown[] = []
    const watch = new FrameWatch({
      from: 'server',
      deflate: false,
      maxMessageBytes: 130,
      onMessage: ({ bytes, end, payload }) =>
        found.push(bytes, end, payload?.toString() ?? 'let go'),
      ...options,
    })
    for (const piece of pieces) watch.push(Buffer.from(piece))
    return [...found, watch.frames, watch.malformed]
  }
}

const FRAMES: readonly BoundRow[] = [
  {
    bound: 'maxMessageBytes of one frame',
    bytes: (over) => Buffer.concat([frame(x(130 + over)), frame('n')]),
    read: frames(),
    // A head of four bytes from 126 bytes on.
    gives: [
      [129, 133, x(129), 1, 136, 'n', 2, undefined],
      [130, 134, x(130), 1, 137, 'n', 2, undefined],
      [131, 135, 'let go', 1, 138, 'n', 2, undefined],
    ],
  },
  {
    bound: 'maxMessageBytes of masked fragments with a ping among them',
    bytes: (over) =>
      Buffer.concat([
        frame(x(100), { fin: false, mask: true }),
        frame('p', { opcode: 9, mask: true }),
        frame(x(30 + over), { opcode: 0, mask: true }),
      ]),
    read: frames({ from: 'client' }),
    gives: [
      [129, 148, x(129), 3, undefined],
      [130, 149, x(130), 3, undefined],
      [131, 150, 'let go', 3, undefined],
    ],
  },
  {
    bound: '125 bytes of a control frame',
    bytes: (over) => frame(x(125 + over), { opcode: 9 }),
    read: frames(),
    gives: [
      [1, undefined],
      [1, undefined],
      [0, 'a control frame over 125 bytes'],
    ],
  },
]

function form(limits: Partial<MultipartLimits>): BoundRow['read'] {
  return (pieces) => {
    const reader = new MultipartReader('B', { ...MULTIPART_LIMITS, ...limits })
    for (const piece of pieces) reader.push(piece)
    const { parts, complete } = reader.end()
    return [...parts.map(({ name, bytes, text }) => [name, bytes, text]), complete]
  }
}

const part = (text: string, name = 'a', more = ''): string =>
  `--B\r\nContent-Disposition: form-data; name=${name}${more}\r\n\r\n${text}\r\n`

const MULTIPART: readonly BoundRow[] = [
  {
    bound: 'maxTextBytes',
    bytes: bytesOf((over) => `${part(x(8 + over))}${part('n', 'b')}--B--\r\n`),
    read: form({ maxTextBytes: 8 }),
    gives: [
      [['a', 7, x(7)], ['b', 1, 'n'], true],
      [['a', 8, x(8)], ['b', 1, 'n'], true],
      [['a', 9, undefined], ['b', 1, 'n'], true],
    ],
  },
  {
    bound: 'maxTextBytes of a part without an end',
    bytes: bytesOf((over) => part(x(6 + over)).slice(0, -2) + '\r\n'),
    read: form({ maxTextBytes: 8 }),
    gives: [
      [['a', 7, `${x(5)}\r\n`], false],
      [['a', 8, `${x(6)}\r\n`], false],
      [['a', 9, undefined], false],
    ],
  },
  {
    bound: 'maxHeaderBytes',
    bytes: bytesOf((over) => `${part('n', 'a', `;z=${x(20 + over)}`)}--B--`),
    read: form({ maxHeaderBytes: 61 }),
    gives: [[['a', 1, 'n'], true], [['a', 1, 'n'], true], [false]],
  },
  {
    bound: 'maxParts',
    bytes: bytesOf((over) => `${part('n').repeat(2 + over)}--B--`),
    read: form({ maxParts: 2 }),
    gives: [
      [['a', 1, 'n'], true],
      [['a', 1, 'n'], ['a', 1, 'n'], true],
      [['a', 1, 'n'], ['a', 1, 'n'], false],
    ],
  },
  {
    bound: '1,024 blanks behind a delimiter',
    bytes: bytesOf((over) => `--B${' '.repeat(1_024 + over)}\r\n\r\nn\r\n--B--`),
    read: form({}),
    gives: [[[undefined, 1, 'n'], true], [[undefined, 1, 'n'], true], [false]],
  },
]

boundTable({
  'server-sent events': SSE,
  'newline-delimited JSON': LINES,
  'AWS event streams': EVENT_STREAM,
  'WebSocket frames': FRAMES,
  'multipart bodies': MULTIPART,
})
