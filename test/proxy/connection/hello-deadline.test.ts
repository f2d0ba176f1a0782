/** How long a client may take for its first words, by each way in. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { connectThroughProxy, rawTcpClient, rawTlsClient } from '../../support/clients.js'
import { behind, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import type { Row } from '../../support/yori.js'

/** A record header that promises a ClientHello, and its first bytes. RFC 8446 §5.1. */
const HALF_A_HELLO = Buffer.from('16030102000100', 'hex')
const TIMEOUTS = { timeouts: { client_hello: 0.5 } }

const WAYS: Readonly<Record<string, (setup: Proxied) => Promise<Socket>>> = {
  'on the direct way': ({ yori }) => rawTcpClient(yori.port),
  'inside CONNECT to an endpoint': ({ yori }) =>
    connectThroughProxy(yori.port, NAME, 443),
}

async function connectionRows({ yori }: Proxied): Promise<Row[]> {
  let rows: Row[] = []
  await until(async () => (rows = await yori.rows('connections')).length > 0)
  return rows
}

describe('the first words of a client', () => {
  for (const [way, open] of Object.entries(WAYS)) {
    it(`may be late ${way}, as long as a request head may`, async () => {
      await using setup = await behind(
        (_request, response) => response.end('ok'),
        TIMEOUTS,
      )
      const socket = await open(setup)
      // Longer than a ClientHello may take once it has begun.
      await setTimeout(1_200)
      const secure = await rawTlsClient({
        socket,
        servername: NAME,
        ca: setup.yori.rootPem,
      })
      secure.destroy()
    })

    it(`are not waited for ${way} once they have begun`, async () => {
      await using setup = await behind(
        (_request, response) => response.end('ok'),
        TIMEOUTS,
      )
      const socket = await open(setup)
      socket.on('error', () => undefined)
      const gone = once(socket.resume(), 'end')
      socket.write(HALF_A_HELLO)
      // Well before `timeouts.request_header`, which is longer than this test may take.
      await gone
      socket.destroy()
      const [row] = await connectionRows(setup)
      assert.equal(row?.['code'], 'YORI_CLIENT_HELLO_TIMEOUT')
    })
  }
})
