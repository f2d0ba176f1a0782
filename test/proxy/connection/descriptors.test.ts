/** So many connections that the system gives no more descriptors. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { ChildYori } from '../../support/child-yori.js'
import { startOrigin } from '../../support/origins.js'
import { ask, certificate, get, NAME, originCa, until } from '../../support/proxied.js'
import { needs } from '../../support/needs.js'

const LIMIT = 256
const CLIENTS = 400
const MOST_CLIENTS = 4_000
/** How long it is watched, and the share of it that may be spent while nothing can be done. */
const WATCHED_MS = 1_000
const BUSY_SHARE = 0.5
const RECOVERS_MS = 2_000

describe('with 256 descriptors and 400 clients', () => {
  before(function () {
    needs(this, 'Linux', 'prlimit')
  })

  it('YORI neither ends nor spins, and serves again once they have gone', async () => {
    await using origin = await startOrigin({ certificate })
    await using yori = await ChildYori.start({
      origins: { [NAME]: origin },
      trust: [originCa],
      // Else the oldest of them would be turned away in time.
      config: { limits: { undecided_per_client: 500 } },
      under: ['prlimit', `--nofile=${LIMIT}`],
    })
    const kept = await yori.tls(NAME)
    const clients: Socket[] = []
    const come = (): void => {
      const socket = connect(yori.port, '127.0.0.1')
      socket.on('error', () => undefined)
      clients.push(socket)
    }
    // Whoever was turned away is followed by another: what has come free is taken again.
    const more = setInterval(() => {
      const free = LIMIT - yori.descriptors().length
      for (let i = 0; i < free && clients.length < MOST_CLIENTS; i++) come()
    }, 20)
    try {
      for (let i = 0; i < CLIENTS; i++) come()
      await until(() => yori.logged(50).length > 0)
      const before = yori.cpuMs()
      await new Promise((resolve) => setTimeout(resolve, WATCHED_MS))
      const spent = yori.cpuMs() - before
      assert.ok(yori.running)
      assert.ok(spent < WATCHED_MS * BUSY_SHARE, `${spent} ms of CPU in ${WATCHED_MS} ms`)
      // There is no descriptor for a connection to the provider either, unless one has come
      // free that no client has taken yet.
      const answer = await ask(kept, get('/v1/models'), (text) => /(?:\}|ok)$/.test(text))
      assert.match(answer, /^HTTP\/1\.1 (?:502 [^]*YORI_UPSTREAM_UNREACHABLE|200 )/)
    } finally {
      clearInterval(more)
      const closed = clients
        .filter((socket) => !socket.closed)
        .map((socket) => once(socket, 'close'))
      for (const socket of clients) socket.destroy()
      await Promise.all(closed)
    }
    const gone = performance.now()
    for (const socket of [kept, await yori.tls(NAME)]) {
      const answer = await ask(socket, get('/v1/models'), (text) => text.endsWith('ok'))
      assert.match(answer, /^HTTP\/1\.1 200 /)
      socket.destroy()
    }
    const tookMs = performance.now() - gone
    assert.ok(tookMs < RECOVERS_MS, `${tookMs} ms`)
    // One line, and whoever asks is told for a while.
    assert.deepEqual(
      yori.logged(50).map(({ msg, limit }) => [msg, limit]),
      [['no descriptors are left: connections are lost', LIMIT]],
    )
    assert.ok(
      yori.logged(40).some(({ msg }) => /^fewer descriptors than/.test(String(msg))),
    )
    const health = (await (
      await fetch(`http://127.0.0.1:${yori.port}/health`)
    ).json()) as {
      status: string
      concerns: { kind: string }[]
    }
    assert.equal(health.status, 'degraded')
    assert.deepEqual(
      health.concerns.map(({ kind }) => kind),
      ['descriptors'],
    )
  })
})
