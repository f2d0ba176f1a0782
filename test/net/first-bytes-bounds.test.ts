/** How much of a stream is looked at before it is told, with a ClientHello over every cut. */
import { FirstBytesReader } from '../../src/net/first-bytes.js'
import { ClientHelloScan } from '../../src/tls/client-hello.js'
import { boundTable } from '../support/bound-table.js'
import type { BoundRow } from '../support/bound-table.js'
import {
  extension,
  filled,
  helloMessage,
  inRecords,
  sni,
} from '../support/hello-builder.js'

/** A message of so many bytes, its header of four included. */
function messageOf(size: number): readonly number[] {
  const least = helloMessage({ extensions: [sni('a.test'), extension(21, [])] }).length
  const padding = extension(21, filled(size - least, 0))
  return helloMessage({ extensions: [sni('a.test'), padding] })
}

function first(maxBytes: number): BoundRow['read'] {
  return (pieces) => {
    const reader = new FirstBytesReader(maxBytes)
    for (const piece of pieces) {
      const verdict = reader.push(piece)
      if (verdict === undefined) continue
      switch (verdict.kind) {
        case 'hello':
          return [verdict.kind, verdict.hello.serverName, verdict.bytes]
        case 'malformed':
          return [verdict.kind, verdict.reason]
        default:
          return [verdict.kind]
      }
    }
    return ['undecided']
  }
}

/** `limit` is the message's; the stream grows by a piece each time. */
function scan(limit: number): BoundRow['read'] {
  return (pieces) => {
    const scanner = new ClientHelloScan(limit)
    let bytes = Buffer.alloc(0)
    for (const piece of pieces) {
      bytes = Buffer.concat([bytes, piece])
      const peek = scanner.read(bytes)
      if (peek.kind === 'hello') return [peek.kind, peek.bytesUsed]
      if (peek.kind === 'malformed') return [peek.reason, peek.offset]
      if (peek.kind !== 'need-more') return [peek.kind]
    }
    return ['need-more']
  }
}

const TOO_LONG = ['malformed', 'hello-too-long'] as const
const MORE = Buffer.from('what follows')
/** A record of handshake bytes that no hello may be interrupted by: an alert. */
const ALERT = Buffer.of(0x15, 3, 3, 0, 2, 1, 0)

/** Of a longer message, its header of five bytes not counted. */
const firstRecord = (size: number): Buffer =>
  inRecords(messageOf(199), size).subarray(0, 5 + size)

boundTable({
  'the first bytes': [
    {
      bound: 'maxBytes of a hello in one record',
      bytes: (over) => Buffer.concat([inRecords(messageOf(195 + over)), MORE]),
      read: first(200),
      gives: [['hello', 'a.test', 199], ['hello', 'a.test', 200], TOO_LONG],
    },
    {
      bound: 'maxBytes of a hello in records of 30 bytes, their headers counted',
      bytes: (over) => Buffer.concat([inRecords(messageOf(165 + over), 30), MORE]),
      read: first(195),
      gives: [['hello', 'a.test', 194], ['hello', 'a.test', 195], TOO_LONG],
    },
    {
      bound: 'maxBytes before what makes a hello malformed',
      // The fault is told by the first byte of the second record.
      bytes: (over) => Buffer.concat([firstRecord(194 + over), ALERT]),
      read: first(200),
      gives: [
        ['malformed', 'interleaved-record'],
        ['malformed', 'interleaved-record'],
        TOO_LONG,
      ],
    },
    {
      bound: '32 bytes of a method',
      bytes: (over) => Buffer.from(`${'A'.repeat(32 + over)} / HTTP/1.1\r\n`),
      read: first(1_024),
      gives: [['http'], ['http'], ['other']],
    },
    {
      bound: 'maxBytes of a method',
      bytes: (over) => Buffer.from(`${'A'.repeat(9 + over)} / HTTP/1.1\r\n`),
      read: first(10),
      gives: [['http'], ['http'], TOO_LONG],
    },
  ],
  'a ClientHello': [
    ...[undefined, 50].map((recordBytes) => ({
      bound: `the longest message in records of ${recordBytes ?? 'its size'}`,
      bytes: (over: number) => inRecords(messageOf(150 + over), recordBytes),
      read: scan(150),
      gives: [
        ['hello', 149 + 5 * (recordBytes === undefined ? 1 : 3)],
        ['hello', 150 + 5 * (recordBytes === undefined ? 1 : 3)],
        ['hello-too-long', 8],
      ] as const,
    })),
    {
      bound: 'the longest record, RFC 8446 section 5.1',
      // Told by the record's header alone.
      bytes: (over) => Buffer.of(0x16, 3, 1, 0x40, over < 0 ? 0 : over, 1, 0, 0x3f, 0),
      read: scan(65_536),
      gives: [['need-more'], ['need-more'], ['record-too-long', 3]],
    },
  ],
})
