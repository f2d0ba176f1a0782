/** TCP keep-alive towards clients, providers and tunnel targets, as the system shows it. */
import assert from 'node:assert/strict'
import { ChildYori } from '../support/child-yori.js'
import { tlsThroughProxy } from '../support/clients.js'
import { startOrigin } from '../support/origins.js'
import { hasProgram, runProgram } from '../support/programs.js'
import { ask, get, NAME, originCa } from '../support/proxied.js'

const SECONDS = 40
const TUNNELLED = 'elsewhere.test'

describe('TCP keep-alive', function () {
  this.timeout(20_000)

  before(function () {
    if (process.platform !== 'linux' || !hasProgram('ss', '-V')) this.skip()
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
    const { stdout } = await runProgram('ss', ['--tcp', '--numeric', '--options'])
    const lines = stdout.toString().split('\n')
    const ports = (line: string): string[] =>
      [...line.matchAll(/:(\d+)\s/g)].map(([, p]) => p as string)
    // Ours are those whose own port is where we listen, and those that lead to the origin.
    const clients = lines.filter((line) => ports(line)[0] === String(yori.port))
    const origins = lines.filter((line) => ports(line)[1] === String(origin.port))
    assert.equal(clients.length, 2, stdout.toString())
    assert.equal(origins.length, 2, stdout.toString())
    for (const line of [...clients, ...origins]) {
      const left = /timer:\(keepalive,(\d+)(?:\.\d+)?sec,0\)/.exec(line)?.[1]
      assert.ok(left !== undefined && Number(left) <= SECONDS, line)
    }
    for (const socket of sockets) socket.destroy()
  })
})
