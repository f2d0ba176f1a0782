/** A thousand hellos and five hundred heads that stop half-way: others are served meanwhile. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { ChildYori } from '../../support/child-yori.js'
import { startOrigin } from '../../support/origins.js'
import { ask, certificate, get, NAME, originCa } from '../../support/proxied.js'
import { stallClients } from '../../support/stalls.js'
import { needs } from '../../support/needs.js'

describe('with 1,000 stalled hellos and 500 slow heads', () => {
  before(function () {
    needs(this, 'Linux') // one client would not be let do that
  })

  it('YORI serves other requests', async () => {
    await using origin = await startOrigin({ certificate })
    await using yori = await ChildYori.start({
      origins: { [NAME]: origin },
      trust: [originCa],
    })
    const target = { port: yori.port, connect: `${NAME}:443` }
    const stalled: Socket[] = []
    try {
      stalled.push(...(await stallClients(target, { hellos: 1_000, heads: 500 })))
      for (let i = 0; i < 5; i++) {
        const socket = await yori.tls(NAME)
        const answer = await ask(socket, get('/v1/models'), (text) => text.endsWith('ok'))
        assert.match(answer, /^HTTP\/1\.1 200 /)
        socket.destroy()
      }
      const left = stalled.filter((socket) => socket.closed || socket.readableEnded)
      assert.equal(left.length, 0, 'all have waited all the time')
    } finally {
      for (const socket of stalled) socket.destroy()
    }
  })
})
