/** TCP keep-alive towards clients, providers and tunnel targets, as the system shows it. */
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { ChildYori } from '../../support/child-yori.js'
import { tlsThroughProxy } from '../../support/clients.js'
import { startOrigin } from '../../support/origins.js'
import { runProgram } from '../../support/programs.js'
import { ask, get, NAME, originCa } from '../../support/proxied.js'
import { needs } from '../../support/needs.js'

const SECONDS = 40
const TUNNELLED = 'elsewhere.test'

describe('TCP keep-alive', () => {
  before(function () {
    needs(this, 'Linux', 'ss')
  })

  it('runs on both sides of every connection, as timeouts.tcp_keep_alive says', async () => {
    await using origin = await startOrigin({
      certificate: originCa.issue({ names: [NAME, TUNNELLED] }),
    })
    await using yori = await ChildYori.start({
      origins: { [NAME]: origin, [TUNNELLED]: origin },
      trust: [originCa],
      config: { timeouts: { tcp_keep_alive: SECONDS } },
    })
    const ca = originCa.certificatePem
    const sockets = [
      await yori.tls(NAME),
      await tlsThroughProxy(yori.port, TUNNELLED, { ca }),
    ]
    for (const [index, host] of [NAME, TUNNELLED].entries()) {
      const socket = sockets[index]
      assert.ok(socket !== undefined)
      const request = get('/v1/models').replace(NAME, host)
      await ask(socket, request, (text) => text.endsWith('ok'))
    }
    let left = await keepAlives(yori.port, origin.port)
    // While bytes are on their way another timer stands there: it is over in a moment.
    for (let tries = 0; left.length < 4 && tries < 100; tries++) {
      await setTimeout(20)
      left = await keepAlives(yori.port, origin.port)
    }
    assert.equal(left.length, 4)
    for (const seconds of left) assert.ok(seconds > 0 && seconds <= SECONDS, String(left))
    for (const socket of sockets) socket.destroy()
  })
})

/** Seconds until the next probe, of each of our connections that waits for nothing else. */
async function keepAlives(ours: number, theirs: number): Promise<number[]> {
  const { stdout } = await runProgram('ss', ['--tcp', '--numeric', '--options'])
  return stdout
    .toString()
    .split('\n')
    .filter((line) => {
      const [own, peer] = [...line.matchAll(/:(\d+)\s/g)].map(([, port]) => Number(port))
      // Those whose own port is where we listen, and those that lead to the origin.
      return own === ours || peer === theirs
    })
    .flatMap((line) => /timer:\(keepalive,(\d+)(?:\.\d+)?sec,0\)/.exec(line)?.[1] ?? [])
    .map(Number)
}
