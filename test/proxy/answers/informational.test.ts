/** Answers before the answer, RFC 9110 §15.2: a provider may send them unasked. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { startRawOrigin } from '../../support/origins.js'
import { ask, certificate, disposable, endedExchanges } from '../../support/proxied.js'
import { get, joined, NAME } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** Answers every request head on a connection with `before` and 200. */
function informing(
  before: string,
  send: (socket: Socket, text: string) => Promise<void>,
) {
  return startRawOrigin(
    async (socket) => {
      for (;;) {
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        await send(socket, `${before}${OK}`)
      }
    },
    { certificate },
  )
}

async function atOnce(socket: Socket, text: string): Promise<void> {
  socket.write(text)
}

/** Each byte in a TLS record of its own. */
async function byteByByte(socket: Socket, text: string): Promise<void> {
  for (const byte of text) {
    await new Promise<void>((resolve) => socket.write(byte, () => setImmediate(resolve)))
  }
}

describe('a provider that informs before it answers', () => {
  for (const [title, before, passed] of [
    ['100', CONTINUE, ''],
    ['100 with fields', 'HTTP/1.1 100 Go On\r\nContent-Length: 5\r\nX-A: 1\r\n\r\n', ''],
    ['100 again and again', CONTINUE.repeat(10), ''],
    ['102', 'HTTP/1.1 102 Processing\r\n\r\n', '102'],
    ['103', 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n', '103'],
    ['103 with links that none are', 'HTTP/1.1 103 H\r\nLink: a, <;>;;\r\n\r\n', ''],
    ['199, which nobody knows', 'HTTP/1.1 199 What\r\n\r\n', ''],
    [
      '100, 102 and 103',
      `${CONTINUE}HTTP/1.1 102 P\r\n\r\n${CONTINUE}HTTP/1.1 103 H\r\nLink: </b>\r\n\r\n`,
      '102 103',
    ],
  ] as const) {
    for (const send of [atOnce, byteByByte]) {
      it(`is answered for after ${title} (${send.name})`, async () => {
        await using origin = await informing(before, send)
        await using setup = await joined(origin)
        using client = disposable(await setup.yori.tls(NAME))
        for (let i = 0; i < 3; i++) {
          const answer = await ask(client.stream, get('/v1/models'), (soFar) =>
            soFar.endsWith('ok'),
          )
          const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, s]) => s)
          assert.equal(statuses.join(' '), `${passed} 200`.trim())
        }
        assert.equal(origin.accepted, 1, 'the connection serves on')
      })
    }
  }

  it('before it has read the body gets all of it', async () => {
    let body = ''
    await using origin = await startRawOrigin(
      async (socket) => {
        const head = await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        socket.unshift(head.subarray(head.indexOf('\r\n\r\n') + 4))
        socket.write(CONTINUE)
        body = (await readUntil(socket, (soFar) => soFar.includes('END'))).toString()
        socket.write(OK)
      },
      { certificate },
    )
    await using setup = await joined(origin)
    using client = disposable(await setup.yori.tls(NAME))
    client.stream.write(
      `POST /v1/x HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: 10\r\n\r\n1234`,
    )
    const answer = await ask(client.stream, '567END', (soFar) => soFar.endsWith('ok'))
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.equal(body, '1234567END')
  })

  for (const [title, before] of [
    ['without end', CONTINUE.repeat(40)],
    ['and ends the connection', 'HTTP/1.1 100 C\r\nConnection: close\r\n\r\n'],
  ] as const) {
    it(`${title} speaks no HTTP`, async () => {
      await using origin = await informing(before, atOnce)
      await using setup = await joined(origin)
      using client = disposable(await setup.yori.tls(NAME))
      const answer = await ask(client.stream, get('/v1/models'))
      assert.match(answer, /^HTTP\/1\.1 502 /)
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['code'], 'YORI_UPSTREAM_MALFORMED')
    })
  }
})
