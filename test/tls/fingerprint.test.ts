import assert from 'node:assert/strict'
import { parseClientHello, type ClientHello } from '../../src/tls/client-hello.js'
import { helloFingerprint, isGrease, ja3, ja3Text } from '../../src/tls/fingerprint.js'
import { fixtureRows } from '../support/fixtures.js'
import {
  alpn,
  extension,
  filled,
  helloMessage,
  inRecords,
  sni,
  supportedGroups,
  supportedVersions,
  type HelloParts,
} from '../support/hello-builder.js'

interface Recorded {
  readonly id: string
  readonly segments_hex: readonly string[]
  readonly expected: { readonly ja3: string }
}

function read(bytes: Buffer): ClientHello {
  const peek = parseClientHello(bytes)
  assert.ok(peek.kind === 'hello')
  return peek.hello
}

const built = (parts: HelloParts): ClientHello => read(inRecords(helloMessage(parts)))

describe('the fingerprint of a hello', () => {
  it('JA3 is the one that tshark computes', () => {
    for (const { id, segments_hex, expected } of fixtureRows<Recorded>(
      'tls',
      'client-hellos.jsonl',
    ))
      assert.equal(ja3(read(Buffer.from(segments_hex.join(''), 'hex'))), expected.ja3, id)
  })

  it('JA3 of a hello without extensions keeps its empty fields', () => {
    const hello = built({ legacyVersion: 0x0301, cipherSuites: [0x35, 0x0a0a, 0x2f] })
    assert.equal(ja3Text(hello), '769,53-47,,,')
  })

  it('GREASE is the sixteen values of RFC 8701 and no other', () => {
    const grease = Array.from({ length: 65_536 }, (_, value) => value).filter(isGrease)
    assert.deepEqual(
      grease,
      Array.from({ length: 16 }, (_, index) => 0x0a0a + index * 0x1010),
    )
  })

  const common = [alpn('h2'), supportedVersions(0x0304, 0x0303), supportedGroups(29, 23)]
  const plain = built({ extensions: [sni('a.test'), ...common] })

  it('is the same whatever varies from one connection of a client to the next', () => {
    const [first = [], ...others] = common
    const variants: readonly HelloParts[] = [
      { extensions: [...others, sni('b.provider.test'), first] },
      { extensions: [sni('a.test'), ...common, extension(21, filled(77, 0))] },
      { extensions: [extension(0x1a1a, []), sni('a.test'), ...common] },
      { extensions: [sni('a.test'), ...common, extension(41, filled(60))] },
      { extensions: [sni('a.test'), ...common, extension(42, [])] },
      { cipherSuites: [0xeaea, 0x1301, 0xc02f], extensions: [sni('a.test'), ...common] },
    ]
    for (const parts of variants)
      assert.equal(helloFingerprint(built(parts)), helloFingerprint(plain))
    assert.match(helloFingerprint(plain), /^[0-9a-f]{16}$/)
  })

  it('differs between clients', () => {
    const others: readonly HelloParts[] = [
      { extensions: common },
      { cipherSuites: [0xc02f, 0x1301], extensions: [sni('a.test'), ...common] },
      { extensions: [sni('a.test'), ...common, extension(23, [])] },
      { extensions: [sni('a.test'), alpn('http/1.1'), ...common.slice(1)] },
      { legacyVersion: 0x0301, extensions: [sni('a.test'), ...common] },
    ]
    for (const parts of others)
      assert.notEqual(helloFingerprint(built(parts)), helloFingerprint(plain))
  })
})
