/**
 * What a redirected client can do before its hello, where a policy may block its device:
 * nothing of it gets past every policy. RFC 8446 §4.1.2, §5.1.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { parseSocketAddress } from '../../../src/core/address.js'
import type { SocketAddress } from '../../../src/core/address.js'
import { rawTcpClient } from '../../support/clients.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { certificate, NAME, originCa, until } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

const BLOCKING = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
  timeouts: { first_bytes: 0.05, request_header: 0.5 },
}

interface Led extends AsyncDisposable {
  readonly yori: Yori
  readonly origin: Origin
}

/** Clients are led here from the provider's port 443, or from `port`. */
async function led(config: Record<string, unknown>, port = 443): Promise<Led> {
  const origin = await startOrigin({ certificate })
  const there = parseSocketAddress(origin.address) as SocketAddress
  const address = { ...there, port: port === 0 ? there.port : port }
  const yori = await Yori.start({
    origins: { [NAME]: origin },
    trust: [originCa],
    config,
    destination: () => ({ kind: 'original', address }),
  })
  return {
    yori,
    origin,
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

async function ended({ yori }: Led): Promise<Row | undefined> {
  await until(async () => (await yori.rows('connections')).length === 1)
  return (await yori.rows('connections'))[0]
}

async function issuerSeen(socket: Socket): Promise<string> {
  const secure = connectTls({ socket, servername: NAME, rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  const { issuer } = secure.getPeerCertificate()
  secure.destroy()
  return String(issuer.CN)
}

describe('a redirected client under a policy that blocks', () => {
  it('is inspected when it takes its time before the hello', async () => {
    await using setup = await led(BLOCKING)
    const socket = await rawTcpClient(setup.yori.port)
    // The client's own pause is what is tried here.
    await wait(200)
    assert.match(await issuerSeen(socket), /YORI/)
  })

  it('is inspected when empty records come first', async () => {
    await using setup = await led(BLOCKING)
    const socket = await rawTcpClient(setup.yori.port)
    socket.write(Buffer.from('16030100001603010000', 'hex'))
    assert.match(await issuerSeen(socket), /YORI/)
  })

  for (const [what, bytes] of [
    ['says nothing at all', ''],
    ['sends a record that is too long', '1603014001'],
    ['announces a hello beyond the limit', '16030140000100fffd'],
    ['sends another message', '160303000402'],
    ['stops half-way', '1603010200010001fc'],
  ] as const)
    it(`does not pass when it ${what}`, async () => {
      const timeouts = { ...BLOCKING.timeouts, client_hello: 0.3 }
      await using setup = await led({ ...BLOCKING, timeouts })
      const socket = await rawTcpClient(setup.yori.port)
      socket.on('error', () => undefined)
      const closed = once(socket, 'close')
      socket.resume()
      if (bytes !== '') socket.write(Buffer.from(bytes, 'hex'))
      await closed
      const row = await ended(setup)
      assert.equal(row?.['coverage'], 'failed')
      assert.equal(row['code'], 'YORI_CLIENT_HELLO_TIMEOUT')
      assert.equal(setup.origin.accepted, 0)
    })

  it('passes as before on ports where no TLS is spoken', async () => {
    await using setup = await led(BLOCKING, 0)
    const socket = await rawTcpClient(setup.yori.port)
    await until(() => setup.origin.accepted === 1)
    socket.destroy()
    assert.equal((await ended(setup))?.['coverage'], 'tunnel-not-tls')
  })

  it('passes as before when its device is exempt', async () => {
    const intercept = { exempt_devices: ['127.0.0.1'] }
    await using setup = await led({ ...BLOCKING, intercept })
    const socket = await rawTcpClient(setup.yori.port)
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    socket.resume()
    socket.write(Buffer.from('1603014001', 'hex'))
    await closed
    // It was led on, to where nobody listens.
    assert.equal((await ended(setup))?.['code'], 'YORI_UPSTREAM_UNREACHABLE')
  })
})
