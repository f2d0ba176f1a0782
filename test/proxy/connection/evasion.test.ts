/**
 * Connections that name no endpoint and lead to one: without a name (RFC 6066 §3 lets a client
 * send none), or by one for which the address has no certificate. Judged by whose certificate
 * the client is shown, by what reached the far server, and by the row.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import type { Destination } from '../../../src/net/original-destination.js'
import { connectThroughProxy } from '../../support/clients.js'
import { hello, sni } from '../../support/hello-builder.js'
import { needs } from '../../support/needs.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { originCa, until } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

/** Serves itself alone; the other is one of those in `steer.shared`. */
const OWN = { name: 'llm.example', address: '127.43.9.1' }
const SHARED = { name: 'api.openai.com', address: '127.43.9.2' }
/** A site that both addresses serve. */
const SITE = 'www.example.org'
const NOBODY = 'harmless.example'
/** Leads to the endpoint's own address. */
const FRONT = 'front.example'
const UNSHARED_RANGE = '127.43.9.3'

const BLOCKING = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}
/** access_denied, RFC 8446 §6.2. */
const ALERT = '15030300020231'

class House implements AsyncDisposable {
  readonly yori: Yori
  readonly origins: readonly Origin[]
  readonly #led: { to: Destination }
  #seen = 0

  constructor(yori: Yori, origins: readonly Origin[], led: { to: Destination }) {
    this.yori = yori
    this.origins = origins
    this.#led = led
  }

  static async open(config: Record<string, unknown>): Promise<House> {
    const sites = new Map(
      [SITE].map((name) => {
        const { keyPem, certificatePem } = originCa.issue({ names: [name] })
        return [name, createSecureContext({ key: keyPem, cert: certificatePem })]
      }),
    )
    const origins = await Promise.all(
      [OWN, SHARED, { name: OWN.name, address: UNSHARED_RANGE }].map(
        ({ name, address }) =>
          startOrigin({
            host: address,
            port: 443,
            certificate: originCa.issue({ names: [name] }),
            tls: { SNICallback: (asked, done) => done(null, sites.get(asked)) },
          }),
      ),
    )
    const led = { to: { kind: 'own' } as Destination }
    const [own, shared] = origins as [Origin, Origin]
    const yori = await Yori.start({
      origins: { [OWN.name]: own, [SHARED.name]: shared, [FRONT]: own },
      trust: [originCa],
      config: {
        endpoints: [{ domain: OWN.name }, { domain: SHARED.name }],
        access: { allow_destinations: ['127.43.9.0/24'] },
        steer: { ranges: [] },
        ...config,
      },
      destination: () => led.to,
    })
    return new House(yori, origins, led)
  }

  async redirected(address: string): Promise<Socket> {
    this.#led.to = { kind: 'original', address: { address, port: 443 } }
    const socket = connectTcp({ port: this.yori.port, host: '127.0.0.1' })
    await once(socket, 'connect')
    return socket
  }

  called(host: string): Promise<Socket> {
    this.#led.to = { kind: 'own' }
    return connectThroughProxy(this.yori.port, host, 443)
  }

  get reached(): number {
    return this.origins.reduce((all, { accepted }) => all + accepted, 0)
  }

  /** The row of the next connection that ends. */
  async row(): Promise<Row> {
    await until(async () => (await this.yori.rows('connections')).length > this.#seen)
    return (await this.yori.rows('connections'))[this.#seen++] as Row
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.yori[Symbol.asyncDispose]()
    for (const origin of this.origins) await origin[Symbol.asyncDispose]()
  }
}

/** For whom the certificate is that the client is shown. */
async function shownTo(socket: Socket, servername: string): Promise<string> {
  const secure = connectTls({ socket, servername, rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  const { subjectaltname, issuer } = secure.getPeerCertificate()
  assert.doesNotMatch(String(issuer.CN), /YORI/)
  secure.destroy()
  return String(subjectaltname)
}

/** By bytes: Node sends no address as SNI. */
async function refused(socket: Socket, name: string | undefined): Promise<void> {
  const bytes = name === undefined ? hello() : hello(sni(name))
  socket.write(bytes)
  const answer = await readUntil(socket, (soFar) => soFar.length >= ALERT.length / 2)
  assert.equal(answer.toString('hex'), ALERT)
  socket.destroy()
}

describe('a connection that names no endpoint, under a policy that blocks', () => {
  let house: House
  before(async function () {
    needs(this, 'Linux', 'root')
    house = await House.open(BLOCKING)
  })
  after(() => house?.[Symbol.asyncDispose]())

  const HIDDEN = [
    ['no name', undefined],
    ['an address for a name', OWN.address],
    ['a name that the address has no certificate for', NOBODY],
    ['a name that is none', 'no_such name!'],
  ] as const

  for (const [what, name] of HIDDEN)
    it(`is refused with ${what}, at an address that is the endpoint's own`, async () => {
      await refused(await house.redirected(OWN.address), name)
      const { coverage, code, name_class } = await house.row()
      assert.deepEqual(
        [coverage, code, name_class],
        ['refused', 'YORI_EVADES_INSPECTION', '(evading)'],
      )
    })

  for (const [what, name] of HIDDEN)
    it(`is refused with ${what} by CONNECT to that address`, async () => {
      await refused(await house.called(OWN.address), name)
      assert.equal((await house.row())['code'], 'YORI_EVADES_INSPECTION')
    })

  it('is refused by CONNECT to a name that leads there', async () => {
    await refused(await house.called(FRONT), NOBODY)
    assert.equal((await house.row())['code'], 'YORI_EVADES_INSPECTION')
  })

  it("is refused without a name where the address shows an endpoint's certificate", async () => {
    await refused(await house.redirected(UNSHARED_RANGE), undefined)
    assert.equal((await house.row())['code'], 'YORI_EVADES_INSPECTION')
  })

  it('is refused by a name that a shared address has no certificate for', async () => {
    await refused(await house.redirected(SHARED.address), NOBODY)
    assert.equal((await house.row())['name_class'], '(evading)')
  })

  it('passes without a name at an address that is shared', async () => {
    assert.equal(
      await shownTo(await house.redirected(SHARED.address), ''),
      `DNS:${SHARED.name}`,
    )
    assert.equal((await house.row())['coverage'], 'tunnel-no-sni')
  })

  for (const { address } of [OWN, SHARED])
    it(`passes by the name of an ordinary site at ${address}, asked once`, async () => {
      const before = house.reached
      for (const times of [1, 2]) {
        assert.equal(await shownTo(await house.redirected(address), SITE), `DNS:${SITE}`)
        const { coverage, name_class } = await house.row()
        assert.deepEqual([coverage, name_class], ['tunnel-not-endpoint', '(other)'])
        assert.equal(house.reached - before, times + 1)
      }
    })
})

describe('a connection that names no endpoint passes unasked', () => {
  before(function () {
    needs(this, 'Linux', 'root')
  })

  async function passes(config: Record<string, unknown>): Promise<void> {
    await using house = await House.open(config)
    for (const name of ['', NOBODY])
      assert.equal(
        await shownTo(await house.redirected(OWN.address), name),
        `DNS:${OWN.name}`,
      )
    assert.equal(house.reached, 2)
  }

  it('in observe', () => passes({}))
  it('in advisory', () => passes({ mode: 'advisory' }))
  it('when no policy blocks', () => passes({ ...BLOCKING, policies: { files: {} } }))
  it('when its device is exempt', () =>
    passes({ ...BLOCKING, intercept: { exempt_devices: ['127.0.0.1'] } }))
})
