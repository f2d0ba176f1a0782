/** Redirected, and the kernel cannot say from where: the name in the ClientHello leads on. */
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { rawTlsClient } from '../../support/clients.js'
import { DnsServer } from '../../support/dns-server.js'
import { startOrigin } from '../../support/origins.js'
import { ask, certificate, get, NAME, originCa, until } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'
import { skip } from '../../support/needs.js'

const OTHER = 'www.example.org'
const unknown = () => ({ kind: 'unknown' }) as const

async function lastConnection(yori: Yori): Promise<Row | undefined> {
  let rows: Row[] = []
  await until(async () => (rows = await yori.rows('connections')).length > 0)
  return rows.at(-1)
}

describe('a connection whose destination nobody can tell', () => {
  it('to another name is tunnelled to where its name leads', async () => {
    await using origin = await startOrigin({ certificate })
    await using yori = await Yori.start({
      origins: { [OTHER]: origin },
      destination: unknown,
    })
    const socket = await rawTlsClient({
      port: yori.port,
      servername: OTHER,
      ca: originCa.certificatePem,
      checkServerIdentity: () => undefined,
    })
    assert.match(await ask(socket, get('/v1/models')), /^HTTP\/1\.1 200 /)
    socket.destroy()
    const row = await lastConnection(yori)
    assert.equal(row?.['way'], 'redirected')
    assert.equal(row['coverage'], 'tunnel-not-endpoint')
  })

  it('to an endpoint is intercepted', async () => {
    await using origin = await startOrigin({ certificate })
    await using yori = await Yori.start({
      origins: { [NAME]: origin },
      trust: [originCa],
      destination: unknown,
    })
    const socket = await rawTlsClient({
      port: yori.port,
      servername: NAME,
      ca: yori.rootPem,
    })
    assert.match(await ask(socket, get('/v1/models')), /^HTTP\/1\.1 200 /)
    socket.destroy()
    assert.equal((await lastConnection(yori))?.['coverage'], 'inspected')
  })

  const ours = Object.values(networkInterfaces()).flatMap((infos = []) =>
    infos.filter(({ internal }) => !internal).map(({ address }) => address),
  )
  for (const [what, address] of [
    ['a loopback address', '127.0.0.1'],
    ['a private address', '192.168.1.1'],
    ['a link-local address', '169.254.169.254'],
    ['a local IPv6 address', 'fd00::1'],
    ['a private address inside an IPv6 one', '64:ff9b::a00:1'],
    ['an address of our own', ours[0]],
  ] as const)
    it(`never goes to ${what} that its name resolves to`, async function () {
      if (address === undefined)
        skip(this, { what: 'an address beyond loopback', brings: 'connect this machine' })
      await using dns = await DnsServer.start()
      const family = address.includes(':') ? 6 : 4
      dns.answer = (_name, asked) => ({
        kind: 'addresses',
        addresses: asked === family ? [address] : [],
        ttl: 60,
      })
      await using yori = await Yori.start({
        config: { upstream: { dns: [dns.address] } },
        destination: unknown,
      })
      await assert.rejects(rawTlsClient({ port: yori.port, servername: OTHER }))
      assert.ok(dns.questions.some((question) => question.startsWith(OTHER)))
      const row = await lastConnection(yori)
      assert.equal(row?.['coverage'], 'failed')
      assert.match(
        String(row['code']),
        /^YORI_(?:DESTINATION_REFUSED|UPSTREAM_LOOP)$/,
        'refused before anything was dialled',
      )
    })
})
