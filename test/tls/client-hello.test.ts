import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  ClientHelloScan,
  parseClientHello,
  type Peek,
} from '../../src/tls/client-hello.js'
import {
  alpn,
  browserLikeMessage,
  extension,
  filled,
  hello,
  helloMessage,
  hostName,
  inRecords,
  serverName,
  sni,
  supportedVersions,
  u16,
} from '../support/hello-builder.js'
import { holds } from '../support/property.js'

function helloOf(bytes: Uint8Array) {
  const peek = parseClientHello(bytes)
  assert.equal(peek.kind, 'hello', JSON.stringify(peek))
  assert.ok(peek.kind === 'hello')
  return peek.hello
}

function reasonOf(bytes: Uint8Array, limit?: number): string {
  const peek = parseClientHello(bytes, limit)
  return peek.kind === 'malformed' ? peek.reason : peek.kind
}

/** Hexadecimal with spaces and `#` comments. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text.replace(/#.*$/gm, '').replace(/\s+/g, ''), 'hex')
}

// Written by hand from RFC 8446 §4.1.2 and §5.1, RFC 6066 §3 and RFC 7301 §3.1.
const BY_HAND = bytesOf(`
  16 03 01 00 4c              # handshake record, 76 bytes
  01 00 00 48                 # ClientHello, 72 bytes
  03 03                       # legacy_version
  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f   # random
  10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f
  00                          # no session id
  00 02 13 01                 # TLS_AES_128_GCM_SHA256
  01 00                       # no compression
  00 1d                       # 29 bytes of extensions
  00 00 00 0b                 # server_name, 11 bytes
  00 09 00 00 06              # list of 9, host_name of 6
  41 2e 74 65 73 54           # "A.tesT"
  00 10 00 05 00 03 02 68 32  # ALPN: h2
  00 2b 00 01 00              # supported_versions, an empty list
`)

describe('a ClientHello', () => {
  it('written by hand is read field by field', () => {
    const peek = parseClientHello(BY_HAND)
    assert.deepEqual(peek, {
      kind: 'hello',
      bytesUsed: 81,
      hello: {
        serverName: 'a.test',
        rawServerName: 'A.tesT',
        serverNameIsAddress: false,
        alpn: ['h2'],
        legacyVersion: 0x0303,
        supportedVersions: [],
        cipherSuites: [0x1301],
        extensionTypes: [0, 16, 43],
        supportedGroups: [],
        keyShareGroups: [],
        pointFormats: [],
        signatureAlgorithms: [],
        ech: false,
        esni: false,
        hasPreSharedKey: false,
        earlyData: false,
      },
    } satisfies Peek)
  })

  it('is whole at its last byte, whatever follows', () => {
    for (let length = 0; length < BY_HAND.length; length++)
      assert.equal(parseClientHello(BY_HAND.subarray(0, length)).kind, 'need-more')
    const followed = Buffer.concat([BY_HAND, Buffer.from('1703030001', 'hex')])
    assert.deepEqual(parseClientHello(followed), parseClientHello(BY_HAND))
  })

  it('followed by another message in its record ends before that', () => {
    const message = helloMessage({ extensions: [sni('a.test')] })
    const peek = parseClientHello(inRecords([...message, 20, 0, 0, 0]))
    assert.ok(peek.kind === 'hello')
    assert.equal(peek.bytesUsed, 5 + message.length)
  })

  it('over records of any size reads the same', () => {
    const message = browserLikeMessage('chat.provider.test')
    const whole = helloOf(inRecords(message))
    assert.equal(whole.serverName, 'chat.provider.test')
    assert.equal(whole.ech, true)
    for (let size = 1; size <= message.length; size += size < 40 ? 1 : 97)
      assert.deepEqual(helloOf(inRecords(message, size)), whole, `records of ${size}`)
  })

  it('names a server only by one host name', () => {
    const names: readonly (readonly [string, string | undefined, boolean])[] = [
      ['API.Provider.test', 'api.provider.test', false],
      ['api.provider.test.', 'api.provider.test', false],
      ['my_host.test', 'my_host.test', false],
      ['localhost', 'localhost', false],
      ['xn--bcher-kva.test', 'xn--bcher-kva.test', false],
      ['192.0.2.7', undefined, true],
      ['2001:db8::1', undefined, true],
      ['[2001:db8::1]', undefined, true],
      ['192.0.2.7.', undefined, true],
      ['b\u00fccher.test', undefined, false],
      ['a.test\u0000.b.test', undefined, false],
      ['a..test', undefined, false],
      ['*.test', undefined, false],
      ['a.test:443', undefined, false],
      [' a.test', undefined, false],
      ['-a.test', undefined, false],
      [`${'a'.repeat(64)}.test`, undefined, false],
      [`${'a.'.repeat(127)}test`, undefined, false],
    ]
    for (const [sent, canonical, address] of names) {
      const read = helloOf(hello(sni(sent)))
      assert.equal(read.serverName, canonical, sent)
      assert.equal(read.serverNameIsAddress, address, sent)
    }
  })

  it('without a name, or with an empty or over-long one, names none', () => {
    for (const none of [
      hello(),
      hello(extension(0, [])),
      hello(extension(0, u16(0))),
      hello(sni('')),
      hello(sni('a'.repeat(256))),
      hello(serverName([7, 0, 1, 0x61])),
      inRecords(helloMessage({})),
    ]) {
      const read = helloOf(none)
      assert.equal(read.serverName, undefined)
      assert.equal(read.rawServerName, undefined)
    }
    assert.equal(helloOf(hello(sni('a'.repeat(255)))).rawServerName?.length, 255)
    assert.equal(
      helloOf(hello(serverName([7, 0, 1, 0x61], hostName('b')))).serverName,
      'b',
    )
  })

  it('keeps nothing of the bytes it was read from', () => {
    const bytes = inRecords(browserLikeMessage('chat.provider.test'))
    const read = helloOf(bytes)
    const before = JSON.stringify(read)
    bytes.fill(0)
    assert.equal(JSON.stringify(read), before)
  })

  it('with absurdly long lists is read, and the lists are cut', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => index)
    const read = helloOf(inRecords(helloMessage({ cipherSuites: many }), 16_384))
    assert.equal(read.cipherSuites.length, 1024)
  })
})

describe('bytes that are no ClientHello', () => {
  const overrun = (type: number, content: readonly number[]): string =>
    reasonOf(hello(extension(type, content)))

  it('are told apart at the first byte that decides', () => {
    assert.equal(parseClientHello(Buffer.alloc(0)).kind, 'need-more')
    assert.equal(parseClientHello(Buffer.from('G')).kind, 'not-tls')
    assert.equal(parseClientHello(Buffer.from([0x16])).kind, 'need-more')
    assert.equal(parseClientHello(Buffer.from([0x16, 2])).kind, 'not-tls')
    assert.equal(parseClientHello(Buffer.from([0x15, 3])).kind, 'not-tls')
  })

  it('are malformed when another message or record comes first or between', () => {
    const rest = BY_HAND.subarray(5)
    assert.equal(reasonOf(bytesOf('16 03 03 00 04 02')), 'not-a-client-hello')
    const half = Buffer.concat([bytesOf('16 03 01 00 10'), rest.subarray(0, 16)])
    for (const between of ['15', '17', '14', '00'])
      assert.equal(
        reasonOf(Buffer.concat([half, bytesOf(between)])),
        'interleaved-record',
      )
    assert.equal(reasonOf(Buffer.concat([half, bytesOf('16 04')])), 'interleaved-record')
  })

  it('are read past empty records before and between, as servers do', () => {
    const rest = BY_HAND.subarray(5)
    const empty = bytesOf('16 03 01 00 00')
    const half = Buffer.concat([bytesOf('16 03 01 00 10'), rest.subarray(0, 16)])
    const length = Buffer.alloc(2)
    length.writeUInt16BE(rest.length - 16)
    const other = Buffer.concat([bytesOf('16 03 01'), length, rest.subarray(16)])
    const [plain, found] = [
      BY_HAND,
      Buffer.concat([empty, empty, half, empty, other]),
    ].map((bytes) => parseClientHello(bytes))
    assert.equal(plain?.kind, 'hello')
    assert.equal(found?.kind, 'hello')
    if (plain?.kind === 'hello' && found?.kind === 'hello') {
      assert.deepEqual(found.hello, plain.hello)
      assert.equal(found.bytesUsed, plain.bytesUsed + 20)
    }
  })

  it('are malformed when a record or the message is over its limit', () => {
    assert.equal(reasonOf(bytesOf('16 03 01 00 00')), 'need-more')
    assert.equal(reasonOf(bytesOf('16 03 01 40 01')), 'record-too-long')
    assert.equal(reasonOf(bytesOf('16 03 01 40 00')), 'need-more')
    assert.equal(reasonOf(bytesOf('16 03 01 40 00 01 00 ff fd')), 'hello-too-long')
    assert.equal(reasonOf(bytesOf('16 03 01 40 00 01 00 ff fc')), 'need-more')
    assert.equal(reasonOf(BY_HAND, 75), 'hello-too-long')
    assert.equal(reasonOf(BY_HAND, 76), 'hello')
  })

  it('are malformed when two names could be meant', () => {
    assert.equal(reasonOf(hello(sni('a.test'), sni('b.test'))), 'duplicate-extension')
    assert.equal(
      reasonOf(hello(serverName(hostName('a.test'), hostName('b.test')))),
      'duplicate-server-name',
    )
    for (const twice of [alpn('h2'), supportedVersions(0x0304), extension(0xfe0d, [])])
      assert.equal(reasonOf(hello(twice, twice)), 'duplicate-extension')
    assert.equal(reasonOf(hello(extension(23, []), extension(23, []))), 'hello')
  })

  it('are malformed when a field runs over its structure', () => {
    assert.equal(overrun(0, [0, 9, 0, 0, 6, 0x61]), 'field-overruns')
    assert.equal(overrun(0, [0, 4, 0, 0, 6, 0x61]), 'field-overruns')
    assert.equal(overrun(0, [0, 4, 0, 0, 1, 0x61, 0x62]), 'trailing-bytes')
    assert.equal(overrun(16, [0, 3, 9, 0x68, 0x32]), 'field-overruns')
    assert.equal(overrun(43, [4, 3, 4]), 'field-overruns')
    assert.equal(reasonOf(inRecords([1, 0, 0, 2, 3, 3])), 'field-overruns')
    const parts = { extensions: [sni('a.test')], trailer: [0] }
    assert.equal(reasonOf(inRecords(helloMessage(parts))), 'trailing-bytes')
    const cut = [...helloMessage({ extensions: [] })]
    cut.splice(-2, 2, 0, 9)
    assert.equal(reasonOf(inRecords(cut)), 'field-overruns')
  })

  it('say where they are malformed', () => {
    const message = helloMessage({ extensions: [sni('a.test'), sni('b.test')] })
    const second = message.length - 15
    const whole = parseClientHello(inRecords(message))
    assert.deepEqual(whole, {
      kind: 'malformed',
      offset: 5 + second,
      reason: 'duplicate-extension',
    })
    for (const size of [1, 5, 10, second]) {
      const split = parseClientHello(inRecords(message, size))
      assert.ok(split.kind === 'malformed')
      const records = Math.floor(second / size) + 1
      assert.equal(split.offset, second + 5 * records, `records of ${size}`)
    }
    const offsets: readonly (readonly [string, number])[] = [
      ['16 03 01 40 01', 3],
      ['16 03 01 00 04 02', 5],
      ['16 03 01 00 01 01 15', 6],
      ['16 03 01 00 01 01 16 04', 7],
    ]
    for (const [bytes, offset] of offsets) {
      const peek = parseClientHello(bytesOf(bytes))
      assert.ok(peek.kind === 'malformed', bytes)
      assert.equal(peek.offset, offset, bytes)
    }
  })

  it('as an SSLv2 greeting are known by lengths that fill it', () => {
    const greeting = bytesOf(
      `80 1c 01 00 02   00 03 00 00 00 10   01 00 80 ${'ee'.repeat(16)}`,
    )
    for (let length = 1; length < 11; length++)
      assert.equal(parseClientHello(greeting.subarray(0, length)).kind, 'need-more')
    assert.equal(parseClientHello(greeting.subarray(0, 11)).kind, 'sslv2-hello')
    const session = bytesOf('80 20 01 00 02   00 03 00 04 00 10')
    assert.equal(parseClientHello(session).kind, 'sslv2-hello')
    assert.equal(parseClientHello(bytesOf('80 1c 01 00 03')).kind, 'not-tls')
    for (const [at, value] of [
      [1, 0x1d],
      [2, 4],
      [3, 1],
      [6, 4],
      [10, 15],
    ] as const) {
      const bent = Buffer.from(greeting)
      bent[at] = value
      assert.equal(parseClientHello(bent).kind, 'not-tls', `byte ${at}`)
    }
  })
})

describe('a stream of any bytes', () => {
  const message = browserLikeMessage('chat.provider.test')

  const start = fc.constantFrom(
    [],
    [0x16, 3, 1],
    [0x16, 3, 1, 0, 60, 1, 0, 0, 56],
    [0x80],
  )
  holds(
    'never makes the parser throw, and more bytes never undo a verdict',
    fc.property(start, fc.uint8Array({ maxLength: 200 }), (head, tail) => {
      const bytes = Uint8Array.from([...head, ...tail])
      const scan = new ClientHelloScan()
      let decided: string | undefined
      for (let length = 0; length <= bytes.length; length++) {
        const peek = scan.read(bytes.subarray(0, length))
        assert.deepEqual(peek, parseClientHello(bytes.subarray(0, length)))
        if (decided !== undefined) assert.equal(peek.kind, decided)
        else if (peek.kind !== 'need-more') decided = peek.kind
      }
    }),
  )

  const bytes = inRecords(message, 300)
  holds(
    'with one byte of a hello changed still ends in a verdict',
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const bent = Buffer.from(bytes)
      bent[at] = value
      assert.notEqual(reasonOf(Buffer.concat([bent, filled64k])), 'need-more')
    }),
  )
})

const filled64k = Buffer.from(filled(65_536, 0x16))

describe('a hello that grows by one byte at a time', () => {
  it('costs one step a record header, however many records there are', () => {
    // 10,000 records of one byte: a parse from the start at each of 60,000 lengths would read
    // some 300 million headers; reading through a counting view shows that the scan does not.
    const message = helloMessage({
      extensions: [extension(21, filled(9_800, 0)), sni('late.provider.test')],
    })
    const stream = inRecords(message, 1)
    let reads = 0
    const counting = (length: number): Uint8Array =>
      new Proxy(stream.subarray(0, length), {
        get(target, key) {
          if (typeof key === 'string' && /^\d+$/.test(key)) reads++
          const value: unknown = Reflect.get(target, key, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        },
      })
    const scan = new ClientHelloScan()
    for (let length = 1; length < stream.length; length++)
      assert.equal(scan.read(counting(length)).kind, 'need-more')
    const last = scan.read(stream)
    assert.ok(last.kind === 'hello')
    assert.equal(last.hello.serverName, 'late.provider.test')
    assert.ok(reads < 20 * stream.length, `${reads} reads for ${stream.length} bytes`)
  })

  it('with a version that the scan does not know is a hello all the same', () => {
    const read = helloOf(hello(supportedVersions(0x7f1c, 0x0a0a, 0x0305)))
    assert.deepEqual(read.supportedVersions, [0x7f1c, 0x0a0a, 0x0305])
  })
})
