/** What an address shows itself as: certificates by names right and wrong, and the bounds. */
import assert from 'node:assert/strict'
import { createSecureContext } from 'node:tls'
import { connect } from 'node:net'
import { parseSocketAddress } from '../../src/core/address.js'
import type { SocketAddress } from '../../src/core/address.js'
import { ShownCertificates } from '../../src/net/shown-certificates.js'
import type { ShownCertificatesOptions } from '../../src/net/shown-certificates.js'
import { startOrigin, startRawOrigin } from '../support/origins.js'
import type { Origin } from '../support/origins.js'
import { TestCa } from '../support/test-ca.js'

const ca = new TestCa()

function asking(options: Partial<ShownCertificatesOptions> = {}): ShownCertificates {
  return new ShownCertificates({
    dialer: { dial: ({ host, port }) => Promise.resolve(connect({ host, port })) },
    ...options,
  })
}

function about(origin: Origin, serverName: string | undefined, names?: string[]) {
  return {
    address: parseSocketAddress(origin.address) as SocketAddress,
    serverName,
    names: names ?? [serverName ?? ''],
    client: '192.0.2.1',
  }
}

describe('what an address shows itself as', () => {
  it('is told by the names in its certificate, RFC 6125 §6.4', async () => {
    const wild = ca.issue({ names: ['*.wild.example', 'plain.example', '127.0.0.1'] })
    await using origin = await startOrigin({ certificate: wild })
    const shown = asking()
    for (const [name, holds] of [
      ['plain.example', 'yes'],
      ['a.wild.example', 'yes'],
      ['wild.example', 'no'],
      ['a.b.wild.example', 'no'],
      ['other.example', 'no'],
    ] as const)
      assert.equal(await shown.holds(about(origin, name)), holds, name)
    const nameless = about(origin, undefined, ['other.example', 'plain.example'])
    assert.equal(await shown.holds(nameless), 'yes')
    assert.equal(await shown.holds(about(origin, undefined, ['127.0.0.1'])), 'no')
  })

  it('is that of a site of its own making, too', async () => {
    const own = ca.issue({ names: ['plain.example'], selfSigned: true })
    await using origin = await startOrigin({ certificate: own })
    assert.equal(await asking().holds(about(origin, 'plain.example')), 'yes')
  })

  it('is asked by the name itself', async () => {
    const [site, other] = ['site.example', 'other.example'].map((name) =>
      ca.issue({ names: [name] }),
    )
    assert.ok(site !== undefined && other !== undefined)
    const context = createSecureContext({ key: site.keyPem, cert: site.certificatePem })
    await using origin = await startOrigin({
      certificate: other,
      tls: {
        SNICallback: (name, done) =>
          done(null, name === 'site.example' ? context : undefined),
      },
    })
    const shown = asking()
    assert.equal(await shown.holds(about(origin, 'site.example')), 'yes')
    assert.equal(await shown.holds(about(origin, 'none.example')), 'no')
  })

  it('is asked once for a name, however many want to know', async () => {
    const certificate = ca.issue({ names: ['plain.example'] })
    await using origin = await startOrigin({ certificate })
    const shown = asking()
    const all = Array.from({ length: 8 }, () =>
      shown.holds(about(origin, 'plain.example')),
    )
    assert.deepEqual([...new Set(await Promise.all(all))], ['yes'])
    assert.equal(await shown.holds(about(origin, 'plain.example')), 'yes')
    assert.equal(origin.accepted, 1)
  })

  it('is unknown of what speaks no TLS, ends, is silent, or is not there', async () => {
    await using plain = await startRawOrigin((socket) => void socket.end('220 hello\r\n'))
    await using ends = await startRawOrigin((socket) => void socket.destroy())
    await using silent = await startRawOrigin(() => undefined)
    const gone = await startOrigin()
    await gone[Symbol.asyncDispose]()
    for (const origin of [plain, ends, silent, gone])
      assert.equal(
        await asking({ timeoutMs: 100 }).holds(about(origin, 'plain.example')),
        'unknown',
      )
  })

  it('is asked by no client oftener at once than its share', async () => {
    await using silent = await startRawOrigin(() => undefined)
    const shown = asking({ timeoutMs: 200, maxPerClient: 2, maxAsked: 1 })
    const ask = (name: string, client = '192.0.2.1') =>
      shown.holds({ ...about(silent, name), client })
    const all = [
      ask('a.example'),
      ask('b.example'),
      ask('c.example'),
      ask('d.example', '192.0.2.2'),
    ]
    assert.deepEqual(await Promise.all(all), ['unknown', 'unknown', 'crowded', 'unknown'])
    // What has ended makes room.
    assert.equal(await ask('e.example'), 'unknown')
  })
})
