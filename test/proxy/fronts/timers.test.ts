/** Deadlines towards clients, by a clock that the tests move. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { systemClock } from '../../../src/core/clock.js'
import { h2Ask, h2Client } from '../../support/h2.js'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { ask, certificate, get, NAME, originCa, until } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'
import { Yori } from '../../support/yori.js'

interface Timed extends AsyncDisposable {
  readonly yori: Yori
  readonly origin: Origin
  readonly clock: ManualClock
}

/** Certificates are checked by the real time, so the clock starts there. */
async function timed(handler?: RequestListener): Promise<Timed> {
  const clock = new ManualClock(systemClock.now())
  const origin = await startOrigin({ certificate, ...(handler && { handler }) })
  const yori = await Yori.start({ origins: { [NAME]: origin }, trust: [originCa], clock })
  return {
    yori,
    origin,
    clock,
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

const seconds = (count: number): number => count * 1000

describe('a client that keeps YORI waiting', () => {
  it('with its first request head is closed after 30 s', async () => {
    await using setup = await timed()
    const socket = await setup.yori.tls(NAME)
    socket.on('error', () => undefined)
    socket.write('GET /v1/models HTTP/1.1\r\nHost:')
    let ended = false
    socket.resume().once('end', () => (ended = true))
    // Again and again: from here nobody sees when the last of the handshake has arrived.
    await until(() => {
      setup.clock.advance(seconds(31))
      setup.yori.appliance.tick()
      return ended
    })
    socket.destroy()
    await until(async () => (await setup.yori.rows('connections')).length === 1)
    const [row] = await setup.yori.rows('connections')
    assert.equal(row?.['code'], 'YORI_REQUEST_TIMEOUT')
  })

  it('inside a body that it calls gRPC, over HTTP/1.1, is held to the same', async () => {
    let reached = false
    await using setup = await timed((request) => {
      request.once('data', () => (reached = true))
    })
    const { yori, clock } = setup
    const socket = await yori.tls(NAME)
    const answered = readUntil(socket, (soFar) => soFar.includes('YORI_REQUEST_TIMEOUT'))
    const head = [
      'POST /v1/chat/completions HTTP/1.1',
      `Host: ${NAME}`,
      'Content-Type: application/grpc',
      'Content-Length: 200000',
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n{"model":`)
    await until(() => reached)
    clock.advance(seconds(61))
    yori.appliance.tick()
    assert.match((await answered).toString(), /^HTTP\/1\.1 408 /)
    socket.destroy()
  })

  it('inside a body is answered 408 after 60 s', async () => {
    let reached = false
    await using setup = await timed((request) => {
      reached = true
      request.resume()
    })
    const socket = await setup.yori.tls(NAME)
    const head = `POST /v1/x HTTP/1.1\r\nHost: ${NAME}\r\nTransfer-Encoding: chunked\r\n\r\n`
    socket.write(`${head}5\r\nhello\r\n`)
    await until(() => reached)
    setup.clock.advance(seconds(61))
    const answer = await readUntil(socket, (all) => all.toString().endsWith('}'))
    assert.match(answer.toString(), /^HTTP\/1\.1 408 [^]*YORI_REQUEST_TIMEOUT/)
    socket.destroy()
  })

  it('between requests is closed after its keep-alive', async () => {
    await using setup = await timed()
    const socket = await setup.yori.tls(NAME)
    const whole = (soFar: string): boolean => soFar.includes('ok')
    await ask(socket, get('/v1/models'), whole)
    setup.clock.advance(seconds(119))
    setup.yori.appliance.tick()
    await ask(socket, get('/v1/models'), whole)
    setup.clock.advance(seconds(151))
    await once(socket.resume(), 'end')
    socket.destroy()
  })

  it('over HTTP/2 without a stream is told to go after 120 s', async () => {
    await using setup = await timed()
    using client = await h2Client(setup.yori, NAME)
    assert.equal((await h2Ask(client.session, { ':path': '/' })).body, 'ok')
    const told = once(client.session, 'goaway')
    const closed = once(client.session, 'close')
    setup.clock.advance(seconds(119))
    setup.yori.appliance.tick()
    assert.equal((await h2Ask(client.session, { ':path': '/' })).body, 'ok')
    setup.clock.advance(seconds(121))
    const [code] = (await told) as [number]
    assert.equal(code, 0)
    await closed
  })

  it('over HTTP/2 with a stream that waits is not', async () => {
    let release: (() => void) | undefined
    await using setup = await timed((_request, response) => {
      release = () => void response.end('late')
    })
    using client = await h2Client(setup.yori, NAME)
    const asked = h2Ask(client.session, { ':path': '/' })
    await until(() => release !== undefined)
    setup.clock.advance(seconds(600))
    setup.yori.appliance.tick()
    release?.()
    assert.equal((await asked).body, 'late')
  })
})
