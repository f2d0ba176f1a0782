import assert from 'node:assert/strict'
import type { TLSSocket } from 'node:tls'
import { systemClock } from '../../../src/core/clock.js'
import { TicketKeys } from '../../../src/proxy/fronts/ticket-keys.js'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin } from '../../support/origins.js'
import { ask, behind, certificate, get, NAME, originCa } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'

const HOUR_MS = 3_600_000

async function visit(
  yori: Yori,
  version: 'TLSv1.2' | 'TLSv1.3',
  session?: Buffer,
): Promise<{ reused: boolean; session: Buffer }> {
  const options = { minVersion: version, maxVersion: version } as const
  const socket: TLSSocket = await yori.tls(NAME, {
    ...options,
    ...(session === undefined ? {} : { session }),
  })
  // In TLS 1.3 the ticket comes with the first bytes from the server.
  let ticket: Buffer | undefined = socket.getSession()
  socket.on('session', (later: Buffer) => (ticket = later))
  await ask(socket, get('/v1/models'), (soFar) => soFar.endsWith('ok'))
  const reused = socket.isSessionReused()
  socket.destroy()
  assert.ok(ticket)
  return { reused, session: ticket }
}

describe('a TLS session', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`of ${version} resumes, also across a reload`, async () => {
      await using setup = await behind((_request, response) => {
        response.writeHead(200, { 'content-length': 2 }).end('ok')
      })
      const first = await visit(setup.yori, version)
      assert.equal(first.reused, false)
      const second = await visit(setup.yori, version, first.session)
      assert.equal(second.reused, true)
      await setup.yori.reload({})
      const third = await visit(setup.yori, version, second.session)
      assert.equal(third.reused, true)
    })
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`of ${version} is begun anew once its key was replaced`, async () => {
      const clock = new ManualClock(systemClock.now())
      await using origin = await startOrigin({ certificate })
      await using yori = await Yori.start({
        origins: { [NAME]: origin },
        trust: [originCa],
        clock,
      })
      const first = await visit(yori, version)
      const second = await visit(yori, version, first.session)
      assert.equal(second.reused, true, 'the same key')
      clock.advance(8 * HOUR_MS + 1)
      yori.appliance.tick()
      const third = await visit(yori, version, second.session)
      assert.equal(third.reused, false, 'another key')
      const fourth = await visit(yori, version, third.session)
      assert.equal(fourth.reused, true, 'and that serves as well')
    })
  }

  it('has a key that changes in time, the same for all servers', () => {
    const keys = new TicketKeys(0)
    const given: Buffer[][] = [[], []]
    const servers = given.map((list) => ({
      setTicketKeys: (key: Buffer) => void list.push(key),
    }))
    for (const server of servers) keys.keep(server)
    keys.tick(7 * HOUR_MS)
    assert.equal(given[0]?.length, 1)
    keys.tick(8 * HOUR_MS)
    keys.tick(9 * HOUR_MS)
    assert.deepEqual(given[0], given[1])
    assert.equal(given[0]?.length, 2)
    assert.notDeepEqual(given[0][0], given[0][1])
    assert.equal(given[0][1]?.length, 48)
  })
})
