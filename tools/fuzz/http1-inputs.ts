/** Messages to start from, and pieces of HTTP/1.1 where readers are known to differ. */
import { readFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { casesFile } from '../../test/support/fixtures.js'

const HOST = 'Host: a.test\r\n'

const OWN = [
  `GET /a?b=c HTTP/1.1\r\n${HOST}\r\n`,
  `POST /v1/x HTTP/1.1\r\n${HOST}Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello`,
  `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5;a=b;c="d e"\r\nhello\r\n0\r\nX: y\r\n\r\n`,
  `OPTIONS * HTTP/1.0\r\n${HOST}Connection: close\r\n\r\n`,
  `GET http://a.test:80/x HTTP/1.1\r\n${HOST}Expect: 100-continue\r\n\r\nGET /y HTTP/1.1\r\n${HOST}\r\n`,
  `CONNECT a.test:443 HTTP/1.1\r\n${HOST}\r\n`,
  `GET /ws HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: \xe9\r\n\r\nokHTTP/1.1 204\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
]

interface Row {
  readonly raw_b64?: string
}

/** Our own rows and, where the environment names their folder, a parser's. */
export function messages(): Buffer[] {
  const files = [packageFile('test', 'fixtures', 'http', 'messages.jsonl')]
  const recorded = casesFile('http', 'llhttp.jsonl')
  if (recorded !== undefined) files.push(recorded)
  const rows = files
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => Buffer.from((JSON.parse(line) as Row).raw_b64 ?? '', 'base64'))
  // They name no host and have lost the empty line at their end.
  const whole = rows.map((raw) => {
    const text = raw.toString('latin1').replace(/( HTTP\/1\.[01]\r\n)/g, `$1${HOST}`)
    return Buffer.from(text.endsWith('\r\n') ? `${text}\r\n` : text, 'latin1')
  })
  return [...OWN.map((text) => Buffer.from(text, 'latin1')), ...rows, ...whole]
}

const PIECES = [
  ...['\r', '\n', '\r\n', '\r\r\n', '\n\n', '\r\n\r\n', '\0', '\t', ' ', '\x0b', '\x0c'],
  ...[
    '\x7f',
    '\x80',
    '\xff',
    ':',
    ';',
    ',',
    '=',
    '"',
    '\\',
    '#',
    '?',
    '@',
    '//',
    '[',
    '%00',
  ],
  ...['Content-Length: 0\r\n', 'Content-Length: 5\r\n', 'content-length:+5\r\n'],
  ...['Content-Length: 5, 5\r\n', 'Content-Length : 5\r\n', 'Content-Length: 0005\r\n'],
  ...['Content-Length: 99999999999999999999\r\n', 'Content-Length:\r\n 5\r\n'],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip, chunked\r\n'],
  ...['Transfer-Encoding: ,chunked\r\n', 'Transfer-Encoding: chunked, \r\n'],
  ...['Transfer-Encoding:\x0bchunked\r\n', 'Transfer-Encoding: chunked;x\r\n'],
  ...['transfer-encoding: CHUNKED\r\n', 'Transfer-Encoding : chunked\r\n'],
  ...[
    'Transfer-Encoding: identity\r\n',
    'X: y\r\n',
    'X: y\r\n z\r\n',
    ' X: y\r\n',
    ': y\r\n',
  ],
  ...['Connection: close\r\n', 'Connection: keep-alive\r\n', 'Connection: upgrade\r\n'],
  ...[
    'Connection: close, keep-alive\r\n',
    'Connection: content-length\r\n',
    'Connection: ,\r\n',
  ],
  ...[
    'Connection: upgrade, close\r\n',
    'Connection: close\tx\r\n',
    'Connection: clos e\r\n',
  ],
  ...['Proxy-Connection: close\r\n', 'proxy-connection: keep-alive\r\n'],
  ...[
    'Proxy-Connection: upgrade\r\n',
    'Keep-Alive: timeout=1\r\n',
    'HTTP2-Settings: x\r\n',
  ],
  ...['Upgrade: websocket\r\n', 'Upgrade: h2c\r\n', 'Host: b.test\r\n', 'Host:\r\n'],
  ...['Expect: 100-continue\r\n', 'Expect: x\r\n', 'Trailer: X\r\n', 'TE: trailers\r\n'],
  ...['0\r\n\r\n', '0\r\nX: y\r\n\r\n', '5\r\nhello\r\n', '00000000\r\n', 'ffffffff\r\n'],
  ...[
    '5;\r\n',
    '5;a\r\n',
    '5;a=\r\n',
    '5;a="b\\"c"\r\n',
    '5 ;a\r\n',
    '5; a\r\n',
    '5\t\r\n',
  ],
  ...['100000000\r\n', 'fffffffffffffffff\r\n', '0x5\r\n', '-1\r\n', '5\n', '5\r'],
  ...['GET', 'HEAD', 'POST', 'CONNECT', 'PRI', 'SOURCE', 'DESCRIBE', 'get', 'QUERY'],
  ...[
    ' HTTP/1.1\r\n',
    ' HTTP/1.0\r\n',
    ' HTTP/2.0\r\n',
    ' HTTP/0.9\r\n',
    ' RTSP/1.0\r\n',
  ],
  ...[
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 204 N\r\n',
    'HTTP/1.1 304 N\r\n',
    'HTTP/1.1 100 C\r\n',
  ],
  ...[
    'HTTP/1.1 101 S\r\n',
    'HTTP/1.1 200\r\n',
    'HTTP/1.0 200 \r\n',
    'HTTP/1.1 999 X\r\n',
  ],
  ...[
    'http://',
    'https://a.test',
    '*',
    '/',
    'a.test:443',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
].map((text) => Buffer.from(text, 'latin1'))

const LINES = /(?<=\r\n)/

/** Puts, swaps and takes pieces where lines and words begin and end, and anywhere. */
export function bend(input: Buffer, random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit)
  let bytes = input
  for (let rounds = 1 + below(3); rounds > 0; rounds--) {
    const piece = PIECES[below(PIECES.length)] ?? input
    const at = random() < 0.7 ? lineStart(bytes, random) : below(bytes.length + 1)
    const cut = random() < 0.3 ? lineLength(bytes, at) : random() < 0.3 ? below(4) : 0
    bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + cut)])
  }
  return bytes
}

function lineStart(bytes: Buffer, random: () => number): number {
  const lines = bytes.toString('latin1').split(LINES)
  const which = Math.floor(random() * (lines.length + 1))
  return lines.slice(0, which).join('').length
}

function lineLength(bytes: Buffer, at: number): number {
  const end = bytes.indexOf('\r\n', at)
  return end < 0 ? 0 : end + 2 - at
}
