/** Many clients at once: all are answered, limits hold and recover, nothing is left behind. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { TLSSocket } from 'node:tls'
import { rawTcpClient } from '../../support/clients.js'
import { ask, behind, endedExchanges, get, NAME, until } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'
import { Yori } from '../../support/yori.js'

const CONNECTIONS = 200
const REQUESTS_EACH = 5

const openDescriptors = (): number => readdirSync('/proc/self/fd').length

describe('many clients', () => {
  it('are all answered: 200 connections, 1,000 requests', async () => {
    await using setup = await behind((request, response) => {
      response.end(`answer to ${request.url}.`)
    })
    const before = process.platform === 'linux' ? openDescriptors() : 0
    const work = async (client: number): Promise<TLSSocket> => {
      const socket = await setup.yori.tls(NAME)
      for (let i = 0; i < REQUESTS_EACH; i++) {
        const path = `/v1/models/${client}-${i}`
        const answer = await ask(socket, get(path), (soFar) => soFar.endsWith('.'))
        assert.match(answer, new RegExp(`^HTTP/1.1 200 [^]*answer to ${path}\\.$`))
      }
      return socket
    }
    const numbers = Array.from({ length: CONNECTIONS }, (_, index) => index)
    const sockets = await Promise.all(numbers.map(work))
    const rows = await endedExchanges(setup.yori, CONNECTIONS * REQUESTS_EACH)
    assert.equal(new Set(rows.map((row) => row['request_id'])).size, rows.length)
    assert.equal(rows.length, CONNECTIONS * REQUESTS_EACH)

    for (const socket of sockets) socket.destroy()
    await until(async () => (await setup.yori.rows('connections')).length === CONNECTIONS)
    const { admission, held } = setup.yori.appliance.current.services
    assert.equal(admission.underWay, 0)
    assert.equal(held.held, 0)
    if (process.platform !== 'linux') return
    // What stays open are idle connections to the provider, both ends of them here.
    await setup.yori.appliance.current.services.upstream.close()
    await until(() => openDescriptors() <= before + 4)
  })

  it('are answered and leave nothing behind when they all break off', async () => {
    await using setup = await behind((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
    })
    const sockets = await Promise.all(
      Array.from({ length: 50 }, () => setup.yori.tls(NAME)),
    )
    await Promise.all(
      sockets.map((socket) =>
        ask(socket, get('/v1/x'), (text) => text.includes('data: 1')),
      ),
    )
    const { admission, held, upstream } = setup.yori.appliance.current.services
    assert.equal(admission.underWay, 50)
    for (const socket of sockets) socket.destroy()
    await until(() => admission.underWay === 0 && upstream.connections === 0)
    assert.equal(held.held, 0)
  })

  it('beyond the limit of one client are closed, and let in when there is room', async () => {
    const limits = { connections_per_client: 3 }
    await using yori = await Yori.start({ config: { limits } })
    const open = await Promise.all([1, 2, 3].map(() => rawTcpClient(yori.port)))
    // The three must have been accepted before the fourth comes.
    const health = `GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n`
    const healthy = (soFar: Buffer): boolean => soFar.includes('healthy')
    for (const socket of open) {
      socket.on('error', () => undefined)
      socket.write(health)
      await readUntil(socket, healthy)
    }
    const fourth = await rawTcpClient(yori.port)
    fourth.on('error', () => undefined)
    await new Promise((resolve) => {
      fourth.once('end', resolve)
      fourth.once('close', resolve)
      fourth.resume()
    })
    fourth.destroy()
    const [first] = open
    assert.ok(first !== undefined)
    first.destroy()
    await once(first, 'close')
    await until(async () => {
      const again = await rawTcpClient(yori.port)
      again.on('error', () => undefined)
      again.write(health)
      const answered = await readUntil(again, healthy).then(
        () => true,
        () => false,
      )
      again.destroy()
      return answered
    })
    for (const socket of open) socket.destroy()
  })
})
