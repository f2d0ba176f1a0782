/**
 * First bytes of TCP connections: `segments_hex` as they came, `expected` as an independent
 * dissector reads them. Each row is played whole, cut at every offset, growing byte by byte,
 * spread over TLS records of many sizes, and through a real socket.
 */
import { isDeepStrictEqual } from 'node:util'
import { canonicalHostname } from '../../src/core/hostname.js'
import { isGrease, ja3 } from '../../src/tls/fingerprint.js'
import {
  ClientHelloScan,
  parseClientHello,
  type ClientHello,
  type Peek,
} from '../../src/tls/client-hello.js'
import {
  outcomeOf,
  type CaseKind,
  type Difference,
  type Outcome,
  type Row,
} from './kind.js'
import { PeekServer } from './peek-server.js'
import { overRecords } from './tls-records.js'

export const tlsCases: CaseKind = {
  name: 'tls',
  about: 'first bytes of connections: verdict, server name, ALPN, ...',
  open: async () => {
    const server = await PeekServer.start()
    return {
      categoryOf,
      run: (row) => runRow(row, server),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
}

const RECORD_SIZES = [1, 2, 3, 4, 5, 7, 16, 64, 100, 255, 256, 1000, 1400, 4096]

/** What the dissector's verdicts are in our words: of the parser, and of `peek` at the end. */
interface Words {
  readonly parser: readonly string[]
  readonly peek: readonly string[]
}

const VERDICTS: Readonly<Record<string, Words>> = {
  tls: { parser: ['hello'], peek: ['hello'] },
  'not-tls': { parser: ['not-tls'], peek: ['http', 'other'] },
  'sslv2-hello': { parser: ['sslv2-hello'], peek: ['other'] },
  'tls-record-not-client-hello': {
    parser: ['malformed not-a-client-hello'],
    peek: ['malformed'],
  },
  'incomplete-client-hello': { parser: ['need-more'], peek: ['partial'] },
}

/** A verdict of another vocabulary that names no server: anything but a hello or an endless wait. */
const NO_HELLO: Words = {
  parser: ['not-tls', 'sslv2-hello', 'malformed not-a-client-hello'],
  peek: ['http', 'other', 'malformed'],
}

const nameless = (expected: Row): boolean =>
  typeof expected['verdict'] === 'string' && expected['sni'] === null

function categoryOf(row: Row): string {
  const verdict = String(expectedOf(row)['verdict'])
  const tags = Array.isArray(row['tags']) ? row['tags'] : []
  const first = ['ech', 'pq', 'psk', 'sni-odd', 'no-sni', 'grease', 'h2'].find((tag) =>
    tags.includes(tag),
  )
  return first === undefined ? verdict : `${verdict} ${first}`
}

function expectedOf(row: Row): Row {
  const { expected } = row
  return typeof expected === 'object' && expected !== null ? (expected as Row) : {}
}

async function runRow(row: Row, server: PeekServer): Promise<Outcome> {
  if (row['datagrams_hex'] !== undefined)
    return { kind: 'skipped', why: 'UDP datagrams: YORI serves TCP' }
  const segments = segmentsOf(row)
  const expected = expectedOf(row)
  if (segments === undefined) return { kind: 'skipped', why: 'no segments_hex' }
  const words = VERDICTS[String(expected['verdict'])] ?? (nameless(expected) && NO_HELLO)
  if (words === false)
    return { kind: 'skipped', why: `verdict ${String(expected['verdict'])} is not known` }
  const bytes = Buffer.concat(segments)
  const peek = parseClientHello(bytes)
  const differences = [
    ...compareVerdict('whole', words.parser, peek),
    ...(peek.kind === 'hello' ? compareHello(expected, peek.hello, peek.bytesUsed) : []),
    ...growing(bytes, peek),
    ...(peek.kind === 'hello' ? overManyRecords(bytes, peek) : []),
    ...(await throughSocket({ server, segments, bytes, peek, kinds: words.peek })),
  ]
  return outcomeOf(differences)
}

function segmentsOf(row: Row): Buffer[] | undefined {
  const hex = row['segments_hex']
  if (!Array.isArray(hex)) return undefined
  return hex.map((segment) => Buffer.from(String(segment), 'hex'))
}

function verdictOf(peek: Peek): string {
  return peek.kind === 'malformed' ? `malformed ${peek.reason}` : peek.kind
}

function compareVerdict(
  how: string,
  expected: readonly string[],
  peek: Peek,
): Difference[] {
  const got = verdictOf(peek)
  return expected.includes(got) ? [] : [{ what: `verdict, ${how}`, expected, got }]
}

const hex = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`

/** Compares each value that the row has; a row may have fewer. */
function compareHello(
  expected: Row,
  hello: ClientHello,
  bytesUsed: number,
): Difference[] {
  const got: Record<string, unknown> = {
    sni: asShown(expected['sni'], hello.rawServerName),
    alpn: hello.alpn.map((name, index) =>
      asShown((expected['alpn'] as unknown[] | undefined)?.[index], name),
    ),
    bytes_to_complete: bytesUsed,
    legacy_version: hex(hello.legacyVersion),
    supported_versions: hello.supportedVersions.map(hex),
    supported_groups: hello.supportedGroups,
    key_share_groups: hello.keyShareGroups,
    extensions: hello.extensionTypes,
    ja3: ja3(hello),
    ech_outer: hello.ech,
    esni: hello.esni,
    early_data: hello.earlyData,
    psk: hello.hasPreSharedKey,
    has_grease: [hello.cipherSuites, hello.extensionTypes, hello.supportedGroups].some(
      (values) => values.some(isGrease),
    ),
  }
  // The dissector lists the key share inside encrypted_server_name among the others.
  if (hello.esni) delete got['key_share_groups']
  const differences = Object.entries(got)
    .filter(([key, value]) => key in expected && !isDeepStrictEqual(value, expected[key]))
    .map(([key, value]) => ({ what: key, expected: expected[key], got: value }))
  const { sni } = expected
  const canonical = typeof sni === 'string' ? canonicalHostname(sni) : undefined
  if (canonical !== hello.serverName)
    differences.push({ what: 'serverName', expected: canonical, got: hello.serverName })
  return differences
}

/** The same bytes as the dissector shows them: it decodes what is not ASCII as UTF-8. */
function asShown(expected: unknown, text: string | undefined): string | null {
  if (text === undefined) return null
  const decoded = Buffer.from(text, 'latin1').toString('utf8')
  return expected === decoded ? decoded : text
}

/** Every prefix, by one scan that goes on and by a parse from the start. */
function growing(bytes: Buffer, whole: Peek): Difference[] {
  const scan = new ClientHelloScan()
  const differences: Difference[] = []
  let decided = false
  for (let length = 0; length <= bytes.length && differences.length === 0; length++) {
    const prefix = bytes.subarray(0, length)
    const fresh = parseClientHello(prefix)
    const how = `prefix of ${length} bytes`
    const early = whole.kind === 'hello' && length < whole.bytesUsed
    const late = whole.kind === 'hello' && !early
    if (early || late || fresh.kind !== 'need-more')
      differences.push(
        ...compareVerdict(how, [early ? 'need-more' : verdictOf(whole)], fresh),
      )
    else if (decided)
      differences.push({
        what: `verdict, ${how}`,
        expected: 'as before',
        got: fresh.kind,
      })
    decided ||= fresh.kind !== 'need-more'
    const scanned = scan.read(prefix)
    if (!isDeepStrictEqual(scanned, fresh))
      differences.push({
        what: `growing to ${length} bytes`,
        expected: fresh,
        got: scanned,
      })
  }
  return differences
}

/** RFC 8446 §5.1: the same message over records of any size gives the same hello. */
function overManyRecords(
  bytes: Buffer,
  whole: Extract<Peek, { kind: 'hello' }>,
): Difference[] {
  const differences: Difference[] = []
  for (const size of RECORD_SIZES) {
    const { stream, end } = overRecords(bytes, whole.bytesUsed, size)
    const expected: Peek = { ...whole, bytesUsed: end }
    const scan = new ClientHelloScan()
    for (let length = 1; length <= stream.length; length++) {
      const got = scan.read(stream.subarray(0, length))
      const fits =
        length < end ? got.kind === 'need-more' : isDeepStrictEqual(got, expected)
      if (fits) {
        if (length >= end) break
        continue
      }
      const what = `records of ${size} bytes, ${length} of them`
      differences.push({ what, expected: length < end ? 'need-more' : expected, got })
      break
    }
    if (!isDeepStrictEqual(parseClientHello(stream), expected))
      differences.push({ what: `records of ${size} bytes`, expected, got: 'otherwise' })
  }
  return differences
}

interface SocketTrial {
  readonly server: PeekServer
  readonly segments: readonly Buffer[]
  readonly bytes: Buffer
  readonly peek: Peek
  /** Any of these is right. */
  readonly kinds: readonly string[]
}

async function throughSocket(trial: SocketTrial): Promise<Difference[]> {
  const { server, segments, bytes, peek, kinds } = trial
  const middle = bytes.length >> 1
  const ways: [string, readonly Buffer[]][] = [
    ['as captured', segments],
    ['in one write', [bytes]],
    ['cut after 1', [bytes.subarray(0, 1), bytes.subarray(1)]],
    ['cut after 5', [bytes.subarray(0, 5), bytes.subarray(5)]],
    ['cut in the middle', [bytes.subarray(0, middle), bytes.subarray(middle)]],
    ['1 byte a write', Array.from(bytes, (byte) => Buffer.of(byte))],
  ]
  if (peek.kind === 'hello')
    ways.push(['in records of 64', [overRecords(bytes, peek.bytesUsed, 64).stream]])
  const differences: Difference[] = []
  for (const [how, writes] of ways) {
    const { found, received } = await server.send(writes)
    if (!kinds.includes(found.kind))
      differences.push({ what: `peek, ${how}`, expected: kinds, got: found.kind })
    if (peek.kind === 'hello' && found.kind === 'hello') {
      if (!isDeepStrictEqual(found.hello, peek.hello))
        differences.push({
          what: `hello, ${how}`,
          expected: peek.hello,
          got: found.hello,
        })
    }
    const sent = Buffer.concat(writes)
    if (!received.equals(sent))
      differences.push({
        what: `bytes given back, ${how}`,
        expected: sent.toString('hex'),
        got: received.toString('hex'),
      })
  }
  return differences
}
