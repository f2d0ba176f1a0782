/** Which protocol is chosen with a client, RFC 7301, and what happens when none fits. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { rawTlsClient } from '../../support/clients.js'
import { startOrigin } from '../../support/origins.js'
import { certificate, joined, NAME, originCa, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'

/** The origin takes any protocol that the client offers, and is told apart by its root. */
async function proxied(): Promise<Proxied> {
  const tls = { ALPNCallback: ({ protocols }: { protocols: string[] }) => protocols[0] }
  return joined(await startOrigin({ certificate, tls }))
}

async function shown(setup: Proxied, offered: string[] | undefined): Promise<TLSSocket> {
  return setup.yori.tls(NAME, {
    ca: [setup.yori.rootPem, originCa.certificatePem],
    ...(offered === undefined ? {} : { ALPNProtocols: offered }),
  })
}

describe('ALPN', () => {
  for (const [offered, chosen] of [
    [undefined, false],
    [['http/1.1'], 'http/1.1'],
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.1', 'h2'], 'h2'],
    [['spdy/3.1', 'http/1.1'], 'http/1.1'],
    [['h2'], 'h2'],
    [['grpc-exp', 'h2'], 'h2'],
    [['http/1.0'], 'http/1.0'],
  ] as const)
    it(`of ${offered?.join(', ') ?? 'nobody'} gives ${chosen || 'HTTP/1.1 without a word'}`, async () => {
      await using setup = await proxied()
      const socket = await shown(setup, offered === undefined ? undefined : [...offered])
      assert.match(String(socket.getPeerCertificate().issuer.CN), /YORI/)
      assert.equal(socket.alpnProtocol, chosen)
      socket.destroy()
    })

  for (const offered of [['spdy/3.1'], ['http/0.9', 'h3'], ['acme-tls/1']])
    it(`of ${offered.join(', ')} is left to the provider`, async () => {
      await using setup = await proxied()
      const socket = await shown(setup, offered)
      assert.equal(socket.getPeerCertificate().issuer.CN, 'Test Root')
      assert.equal(socket.alpnProtocol, offered[0])
      socket.destroy()
      const rows = () => setup.yori.rows('connections')
      await until(async () => (await rows()).length === 1)
      assert.equal((await rows())[0]?.['coverage'], 'tunnel-alpn')
    })

  it('of h2 alone at our own site is served by it, of no HTTP refused', async () => {
    await using yori = await Yori.start()
    const options = { port: yori.port, servername: 'localhost', ca: yori.rootPem }
    const socket = await rawTlsClient({ ...options, ALPNProtocols: ['h2'] })
    assert.equal(socket.alpnProtocol, 'h2')
    const client = connect('https://localhost', { createConnection: () => socket })
    const asking = client.request({ ':path': '/health' })
    const [head] = (await once(asking, 'response')) as [Record<string, unknown>]
    assert.equal(head[':status'], 200)
    client.destroy()
    await assert.rejects(rawTlsClient({ ...options, ALPNProtocols: ['acme-tls/1'] }), {
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    })
  })
})
