/** No device takes from the house what is there for all: exchanges, held bytes, connections. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { shareOf } from '../../../src/core/device-id.js'
import type { Device } from '../../../src/core/record.js'
import { Shares } from '../../../src/proxy/bounds/shares.js'
import { ask, behind, get, NAME, until } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'
import type { Yori } from '../../support/yori.js'

const MAC = '02:00:5e:00:53:01'
const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}

async function tcpFrom(yori: Yori, localAddress: string): Promise<Socket> {
  const socket = connect({ port: yori.port, host: '127.0.0.1', localAddress })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function tlsFrom(yori: Yori, localAddress: string): Promise<TLSSocket> {
  const socket = await tcpFrom(yori, localAddress)
  const target = `${NAME}:443`
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
  await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
  const secure = connectTls({ socket, servername: NAME, ca: yori.rootPem })
  secure.on('error', () => undefined)
  await once(secure, 'secureConnect')
  return secure
}

/** As if the neighbour table told this of every address. */
function neighbourOf(yori: Yori, mac: string): void {
  const services = yori.appliance.current.services as {
    identify: (address: string) => Promise<Device>
  }
  services.identify = (ip) => Promise.resolve({ ip, mac })
}

describe('the share of a device', () => {
  it('is counted by MAC, IPv4 address, or /64', () => {
    assert.equal(shareOf({ ip: '192.0.2.1', mac: MAC }), MAC)
    assert.equal(shareOf({ ip: '2001:db8::1', mac: MAC }), MAC)
    assert.equal(shareOf({ ip: '192.0.2.1' }), '192.0.2.1')
    const first = shareOf({ ip: '2001:db8:1:2::1' })
    assert.equal(shareOf({ ip: '2001:db8:1:2:ffff:1:2:3' }), first)
    assert.notEqual(shareOf({ ip: '2001:db8:1:3::1' }), first)
  })

  it('is given back', () => {
    const shares = new Shares(2)
    assert.deepEqual(
      [shares.enter('a'), shares.enter('a'), shares.enter('a'), shares.enter('b')],
      [true, true, false, true],
    )
    shares.leave('a')
    assert.equal(shares.enter('a'), true)
  })

  for (const config of [{}, ENFORCE])
    it(`of exchanges leaves room for others, in ${config === ENFORCE ? 'enforce' : 'observe'}`, async () => {
      const limits = { exchanges_per_device: 3, exchanges_per_endpoint: 4 }
      await using setup = await behind(
        (request, response) => {
          if (request.url === '/v1/models/quick') response.end('quick')
        },
        { ...config, limits },
      )
      const { yori } = setup
      const sockets: TLSSocket[] = []
      for (let i = 0; i < 3; i += 1) {
        const socket = await tlsFrom(yori, '127.0.0.1')
        socket.write(get('/v1/models/slow'))
        sockets.push(socket)
      }
      const { admission } = yori.appliance.current.services
      await until(() => admission.underWay === 3)
      const asked = get('/v1/models/quick')
      const [own, other] = [
        await tlsFrom(yori, '127.0.0.1'),
        await tlsFrom(yori, '127.0.0.2'),
      ]
      sockets.push(own, other)
      assert.match(await ask(own, asked), /^HTTP\/1\.1 429 /)
      assert.match(await ask(other, asked), /^HTTP\/1\.1 200 /)
      for (const socket of sockets) socket.destroy()
      await until(() => admission.underWay === 0)
      const again = await tlsFrom(yori, '127.0.0.1')
      assert.match(await ask(again, asked), /^HTTP\/1\.1 200 /)
      again.destroy()
    })

  it('of connections is one, from however many addresses it comes', async () => {
    const limits = { connections_per_device: 8 }
    await using setup = await behind((_request, response) => void response.end(), {
      limits,
    })
    const { yori } = setup
    neighbourOf(yori, MAC)
    const { shares } = yori.appliance.current.services
    const sockets: Socket[] = []
    for (let host = 1; host <= 8; host += 1)
      sockets.push(await tcpFrom(yori, `127.0.0.${host}`))
    await until(() => shares.of(MAC) === 8)
    const ninth = await tcpFrom(yori, '127.0.0.9')
    ninth.resume()
    await once(ninth, 'close')
    neighbourOf(yori, '02:00:5e:00:53:02')
    const other = await tlsFrom(yori, '127.0.0.10')
    assert.match(await ask(other, get('/v1/models')), /^HTTP\/1\.1 200 /)
    for (const socket of [...sockets, other]) socket.destroy()
    await until(() => shares.of(MAC) === 0)
    const rows = await yori.rows('connections')
    assert.deepEqual(
      rows
        .filter((row) => row['coverage'] === 'refused')
        .map((row) => [row['device_ip'], row['code']]),
      [['127.0.0.9', 'YORI_TOO_MANY_CONNECTIONS']],
    )
  })
})
