import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureContext, connect as tlsConnect, TLSSocket } from 'node:tls'
import { peek, type PeekOptions } from '../../src/net/peek.js'
import { browserLikeMessage, hello, inRecords, sni } from '../support/hello-builder.js'
import { readAll, TcpServer, writeEach } from '../support/tcp.js'
import { selfSigned } from '../support/self-signed.js'

const patient: PeekOptions = { maxBytes: 65_536, helloTimeoutMs: 10_000 }
const HELLO = inRecords(browserLikeMessage('chat.provider.test'))

describe('a peek', () => {
  it('gives back every byte of a hello that came in pieces, and what followed', async () => {
    await using server = await TcpServer.start()
    const follow = Buffer.alloc(300_000, 0x77)
    for (const at of [1, 4, 5, 9, 700, HELLO.length - 1]) {
      const { client, socket } = await server.pair()
      const found = peek(socket, patient)
      await writeEach(client, [HELLO.subarray(0, at), HELLO.subarray(at)])
      client.end(follow)
      const verdict = await found
      assert.ok(verdict.kind === 'hello')
      assert.equal(verdict.hello.serverName, 'chat.provider.test')
      assert.equal(verdict.bytes, HELLO.length)
      assert.deepEqual(await readAll(socket), Buffer.concat([HELLO, follow]))
    }
  })

  it('gives back a hello that came byte by byte', async () => {
    await using server = await TcpServer.start()
    const { client, socket } = await server.pair()
    const found = peek(socket, patient)
    await writeEach(
      client,
      Array.from(HELLO, (byte) => Buffer.of(byte)),
    )
    client.end()
    assert.equal((await found).kind, 'hello')
    assert.deepEqual(await readAll(socket), HELLO)
  })

  it('leaves a socket from which a TLS server can be started', async () => {
    const { key, cert } = selfSigned('a.test')
    await using server = await TcpServer.start()
    const { client, socket } = await server.pair()
    const secured = tlsConnect({
      socket: client,
      servername: 'a.test',
      rejectUnauthorized: false,
    })
    secured.on('error', () => undefined)
    const found = await peek(socket, patient)
    assert.ok(found.kind === 'hello')
    const tls = new TLSSocket(socket, {
      isServer: true,
      secureContext: createSecureContext({ key, cert }),
    })
    tls.on('error', () => undefined)
    await once(secured, 'secureConnect')
    secured.end('over tls')
    assert.equal((await readAll(tls)).toString(), 'over tls')
  })

  it('takes bytes and FIN that were there before it began', async () => {
    await using server = await TcpServer.start()
    for (const [sent, kind] of [
      [HELLO, 'hello'],
      [HELLO.subarray(0, 100), 'partial'],
      [Buffer.from('GET / HTTP/1.1\r\n'), 'http'],
      [Buffer.from('Hi!'), 'other'],
    ] as const) {
      const { client, socket } = await server.pair()
      client.end(sent)
      // Both directions of the client are done once the server has answered with FIN.
      const waiting = once(client, 'end')
      socket.end()
      client.resume()
      await waiting
      await once(client, 'close')
      const found = await peek(socket, patient)
      assert.equal(found.kind, kind)
      assert.deepEqual(await readAll(socket), sent)
    }
  })

  it('at FIN after half a hello tells how much there is, and gives it back', async () => {
    await using server = await TcpServer.start()
    const { client, socket } = await server.pair()
    const found = peek(socket, patient)
    client.end(HELLO.subarray(0, 321))
    assert.deepEqual(await found, { kind: 'partial', bytes: 321 })
    assert.deepEqual(await readAll(socket), HELLO.subarray(0, 321))
  })

  it('at FIN without a byte says closed, and the socket can still answer', async () => {
    await using server = await TcpServer.start()
    const { client, socket } = await server.pair()
    client.end()
    assert.deepEqual(await peek(socket, patient), { kind: 'closed' })
    assert.equal(socket.destroyed, false)
    assert.deepEqual(await peek(socket, patient), { kind: 'closed' })
    socket.end('bye')
    assert.equal((await readAll(client)).toString(), 'bye')
  })

  it('at a reset says closed, and at once for a destroyed socket', async () => {
    await using server = await TcpServer.start()
    const { client, socket } = await server.pair()
    const found = peek(socket, patient)
    await writeEach(client, [HELLO.subarray(0, 50)])
    // Closing with unread bytes in the kernel sends RST (RFC 1122 §4.2.2.13).
    client.pause()
    socket.write(Buffer.alloc(8_000_000))
    await once(client, 'readable')
    client.destroy()
    assert.deepEqual(await found, { kind: 'closed' })
    assert.deepEqual(await peek(socket, patient), { kind: 'closed' })
  })

  it('decides at its deadline: silent, partial, or another protocol', async () => {
    await using server = await TcpServer.start()
    const hasty: PeekOptions = { maxBytes: 65_536, helloTimeoutMs: 30 }
    const silent = await server.pair()
    assert.deepEqual(await peek(silent.socket, hasty), { kind: 'silent' })

    for (const [sent, expected] of [
      [HELLO.subarray(0, 9), { kind: 'partial', bytes: 9 }],
      [Buffer.from('QUIT'), { kind: 'other' }],
    ] as const) {
      const { client, socket } = await server.pair()
      await writeEach(client, [sent])
      await once(socket, 'readable')
      assert.deepEqual(await peek(socket, hasty), expected)
      client.end(HELLO)
      assert.deepEqual(await readAll(socket), Buffer.concat([sent, HELLO]))
    }
  })

  it('waits for the first byte less long than for a whole hello', async () => {
    await using server = await TcpServer.start()
    const quick: PeekOptions = { ...patient, firstBytesTimeoutMs: 20 }
    const silent = await server.pair()
    assert.deepEqual(await peek(silent.socket, quick), { kind: 'silent' })

    const slow = await server.pair()
    await writeEach(slow.client, [HELLO.subarray(0, 1)])
    await once(slow.socket, 'readable')
    const found = peek(slow.socket, quick)
    const silence = await server.pair()
    assert.equal((await peek(silence.socket, quick)).kind, 'silent')
    slow.client.end(HELLO.subarray(1))
    assert.equal((await found).kind, 'hello')
  })

  it('decides at its signal as at its deadline, also when it was given before', async () => {
    await using server = await TcpServer.start()
    const { client, socket } = await server.pair()
    await writeEach(client, [HELLO.subarray(0, 42)])
    await once(socket, 'readable')
    const controller = new AbortController()
    const found = peek(socket, { ...patient, signal: controller.signal })
    controller.abort()
    assert.deepEqual(await found, { kind: 'partial', bytes: 42 })
    const again = await peek(socket, { ...patient, signal: controller.signal })
    assert.deepEqual(again, { kind: 'partial', bytes: 42 })
    client.end(HELLO.subarray(42))
    assert.deepEqual(await readAll(socket), HELLO)
  })

  it('refuses a hello over its limit with its bytes given back', async () => {
    await using server = await TcpServer.start()
    const { client, socket } = await server.pair()
    client.end(HELLO)
    const found = await peek(socket, { ...patient, maxBytes: 512 })
    assert.deepEqual(found, { kind: 'malformed', reason: 'hello-too-long' })
    assert.deepEqual(await readAll(socket), HELLO)
  })

  it('leaves no listener and no abort handler behind', async () => {
    await using server = await TcpServer.start()
    const { client, socket } = await server.pair()
    const count = (): number[] =>
      ['readable', 'error', 'close', 'end', 'data'].map((event) =>
        socket.listenerCount(event),
      )
    const before = count()
    const found = peek(socket, patient)
    client.write(hello(sni('a.test')))
    assert.equal((await found).kind, 'hello')
    assert.deepEqual(count(), before)
  })
})
