/**
 * Six hundred streams that nobody answers, by one device over HTTP/2: with the limits as they
 * come, no other device is turned away.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectH2, constants } from 'node:http2'
import type { ClientHttp2Session } from 'node:http2'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { FLAG, FRAME, frame, h2Ask, literals } from '../../support/h2.js'
import { behind, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'
import type { Yori } from '../../support/yori.js'

const STREAMS = 600
const FLOODER = '127.0.0.1'
const OTHER = '127.0.0.2'
/** `limits.exchanges_per_device` and `limits.h2_streams`, as they come. */
const PER_DEVICE = 384
const PER_CONNECTION = 100
const SLOW = '/v1/models/slow'
const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}

async function tlsFrom(yori: Yori, localAddress: string): Promise<TLSSocket> {
  const tcp = connect({ port: yori.port, host: '127.0.0.1', localAddress })
  tcp.on('error', () => undefined)
  await once(tcp, 'connect')
  const target = `${NAME}:443`
  tcp.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
  await readUntil(tcp, (soFar) => soFar.includes('\r\n\r\n'))
  const about = { socket: tcp, servername: NAME, ca: yori.rootPem, ALPNProtocols: ['h2'] }
  const socket = connectTls(about)
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

async function sessionFrom(yori: Yori, from: string): Promise<ClientHttp2Session> {
  const socket = await tlsFrom(yori, from)
  const session = connectH2(`https://${NAME}`, { createConnection: () => socket })
  session.on('error', () => undefined)
  await once(session, 'remoteSettings')
  return session
}

/** Answers all but `SLOW`. */
function provider(config: object): Promise<Proxied> {
  return behind(
    (request, response) => {
      if (request.url !== SLOW) response.end('quick')
    },
    { ...config },
  )
}

async function servesTheOther({ yori }: Proxied): Promise<void> {
  const session = await sessionFrom(yori, OTHER)
  const asked = Array.from({ length: 20 }, () =>
    h2Ask(session, { ':path': '/v1/models' }),
  )
  for (const { headers, body } of await Promise.all(asked))
    assert.deepEqual([headers[':status'], body], [200, 'quick'])
  session.destroy()
}

for (const [mode, config] of [
  ['observe', {}],
  ['enforce', ENFORCE],
] as const)
  describe(`a flood of streams over HTTP/2, in ${mode}`, () => {
    it('of one connection leaves the endpoint to others', async () => {
      await using setup = await provider(config)
      const { yori } = setup
      const { admission } = yori.appliance.current.services
      // One that heeds no SETTINGS: all at once.
      const socket = await tlsFrom(yori, FLOODER)
      socket.resume()
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
      socket.write(frame({ type: FRAME.settings }))
      const payload = literals([
        [':method', 'GET'],
        [':path', SLOW],
        [':scheme', 'https'],
        [':authority', NAME],
      ])
      const flags = FLAG.endHeaders | FLAG.endStream
      const heads = Array.from({ length: STREAMS }, (_, n) =>
        frame({ type: FRAME.headers, flags, stream: 2 * n + 1, payload }),
      )
      socket.write(Buffer.concat(heads))
      await until(() => admission.underWay >= PER_CONNECTION || socket.destroyed)
      assert.ok(admission.underWay <= PER_CONNECTION, `${admission.underWay} under way`)
      await servesTheOther(setup)
      socket.destroy()
      await until(() => admission.underWay === 0)
    })

    it('of several connections leaves the endpoint to others', async () => {
      await using setup = await provider(config)
      const { yori } = setup
      const { admission } = yori.appliance.current.services
      const sessions: ClientHttp2Session[] = []
      const statuses: unknown[] = []
      for (let n = 0; n < STREAMS; n++) {
        if (n % PER_CONNECTION === 0) sessions.push(await sessionFrom(yori, FLOODER))
        const stream = sessions.at(-1)?.request({ ':path': SLOW })
        stream?.on('error', () => undefined)
        stream?.on('response', (headers) => statuses.push(headers[':status']))
        stream?.resume()
      }
      await until(() => statuses.length === STREAMS - PER_DEVICE)
      assert.equal(admission.underWay, PER_DEVICE)
      assert.deepEqual([...new Set(statuses)], [429])
      await servesTheOther(setup)
      // The flooder itself gets on as soon as it lets go.
      sessions.shift()?.destroy()
      await until(() => admission.underWay <= PER_DEVICE - PER_CONNECTION)
      const own = await sessionFrom(yori, FLOODER)
      const { headers } = await h2Ask(own, { ':path': '/v1/models' })
      assert.equal(headers[':status'], constants.HTTP_STATUS_OK)
      for (const session of [...sessions, own]) session.destroy()
      await until(() => admission.underWay === 0)
    })
  })
