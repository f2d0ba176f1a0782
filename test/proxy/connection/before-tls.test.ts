/**
 * What a client can do before its hello, where a policy may block its device: nothing of it
 * gets past every policy, redirected or by CONNECT. RFC 8446 §4.1.2, §5.1, RFC 5246 §E.2.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { parseSocketAddress } from '../../../src/core/address.js'
import type { SocketAddress } from '../../../src/core/address.js'
import { connectThroughProxy } from '../../support/clients.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { certificate, NAME, originCa, until } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

const OBSERVING = {
  timeouts: { first_bytes: 0.05, request_header: 0.5, client_hello: 0.3 },
}
const BLOCKING = {
  ...OBSERVING,
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}

interface Led extends AsyncDisposable {
  readonly yori: Yori
  readonly origin: Origin
  /** A connection that was dialled to the provider's port 443, or to `port`. */
  readonly redirected: (port?: number) => Promise<Socket>
  /** The same by CONNECT, to its name or to an address. */
  readonly called: (host: string) => Promise<Socket>
  /** The row of the next connection that ends. */
  readonly ended: () => Promise<Row | undefined>
}

async function led(config: Record<string, unknown>): Promise<Led> {
  const origin = await startOrigin({ certificate })
  const there = parseSocketAddress(origin.address) as SocketAddress
  let port = 443
  let seen = 0
  const yori = await Yori.start({
    origins: { [NAME]: origin },
    trust: [originCa],
    config,
    destination: () =>
      port < 0
        ? { kind: 'own' }
        : {
            kind: 'original',
            address: { ...there, port: port === 0 ? there.port : port },
          },
  })
  return {
    yori,
    origin,
    async redirected(to = 443) {
      port = to
      const socket = connectTcp({ port: yori.port, host: '127.0.0.1' })
      await once(socket, 'connect')
      return socket
    },
    called(host) {
      port = -1
      return connectThroughProxy(yori.port, host, 443)
    },
    async ended() {
      await until(async () => (await yori.rows('connections')).length > seen)
      return (await yori.rows('connections'))[seen++]
    },
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

/** Who signed what the client is shown. */
async function issuerSeen(socket: Socket): Promise<string> {
  const secure = connectTls({ socket, servername: NAME, rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  const { issuer } = secure.getPeerCertificate()
  secure.destroy()
  return String(issuer.CN)
}

/** Sends it, and waits until the other side ends. */
async function sent(socket: Socket, hex: string): Promise<void> {
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  socket.resume()
  if (hex !== '') socket.write(Buffer.from(hex, 'hex'))
  socket.once('end', () => socket.destroy())
  await closed
}

const HIDING = [
  ['sends a record that is too long', '1603014001'],
  ['announces a hello beyond the limit', '16030140000100fffd'],
  ['sends another message', '160303000402'],
  ['stops half-way', '1603010200010001fc'],
  ['sends an alert first', '15030300020164'],
  ['sends a change of cipher first', '140303000101'],
  ['begins with one byte of an alert', '15'],
  [
    'greets as SSLv2 did',
    `802e0103010015000000100000 2f${'00'.repeat(34)}`.replace(' ', ''),
  ],
  ['begins to greet as SSLv2 did', '802e01'],
] as const
/** How a client reaches the provider without naming it. */
const WAYS = ['redirected', 'by CONNECT to an address'] as const

function open(setup: Led, way: (typeof WAYS)[number]): Promise<Socket> {
  return way === 'redirected' ? setup.redirected() : setup.called('127.0.0.1')
}

for (const way of WAYS)
  describe(`a client under a policy that blocks, ${way}`, () => {
    let setup: Led
    before(async () => {
      setup = await led({ ...BLOCKING, access: { allow_destinations: ['127.0.0.1'] } })
    })
    after(() => setup[Symbol.asyncDispose]())

    for (const [what, hex] of [['says nothing at all', ''], ...HIDING] as const)
      it(`does not pass when it ${what}`, async () => {
        await sent(await open(setup, way), hex)
        const row = await setup.ended()
        assert.equal(row?.['coverage'], 'failed')
        assert.equal(row['code'], 'YORI_CLIENT_HELLO_TIMEOUT')
        assert.equal(setup.origin.accepted, 0)
      })

    it('is inspected when it takes its time before the hello', async () => {
      const socket = await open(setup, way)
      // Ten times `first_bytes`; the client's own pause is what is tried here.
      await new Promise((resolve) => setTimeout(resolve, 200))
      assert.match(await issuerSeen(socket), /YORI/)
    })

    it('is inspected when empty records come first', async () => {
      const socket = await open(setup, way)
      socket.write(Buffer.from('16030100001603010000', 'hex'))
      assert.match(await issuerSeen(socket), /YORI/)
    })
  })

describe('a client that calls an endpoint by CONNECT under a policy that blocks', () => {
  let setup: Led
  before(async () => {
    setup = await led(BLOCKING)
  })
  after(() => setup[Symbol.asyncDispose]())

  for (const [what, hex] of HIDING)
    it(`does not pass when it ${what}`, async () => {
      await sent(await setup.called(NAME), hex)
      assert.equal((await setup.ended())?.['code'], 'YORI_CLIENT_HELLO_TIMEOUT')
      assert.equal(setup.origin.accepted, 0)
    })
})

describe('before its hello a client passes as ever', () => {
  /** It was led on, to where nobody listens. */
  async function passes(config: Record<string, unknown>, hex: string): Promise<void> {
    await using setup = await led(config)
    await sent(await setup.redirected(), hex)
    assert.equal((await setup.ended())?.['code'], 'YORI_UPSTREAM_UNREACHABLE')
  }

  it('on ports where no TLS is spoken', async () => {
    await using setup = await led(BLOCKING)
    const socket = await setup.redirected(0)
    await until(() => setup.origin.accepted === 1)
    socket.destroy()
    assert.equal((await setup.ended())?.['coverage'], 'tunnel-not-tls')
  })

  for (const hex of ['', '1603014001', '15030300020164'])
    it(`in observe and advisory, with ${hex === '' ? 'nothing' : hex}`, async () => {
      await passes(OBSERVING, hex)
      await passes({ ...OBSERVING, mode: 'advisory' }, hex)
    })

  it('when its device is exempt', () =>
    passes({ ...BLOCKING, intercept: { exempt_devices: ['127.0.0.1'] } }, '1603014001'))

  it('when no policy blocks', () =>
    passes({ ...BLOCKING, policies: { files: {} } }, '1603014001'))

  it('when it speaks what is no TLS', () =>
    passes(BLOCKING, Buffer.from('SSH-2.0-x\r\n').toString('hex')))
})
