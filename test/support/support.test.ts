/** The helpers against each other and against curl. */
import assert from 'node:assert/strict'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import {
  ConnectRefused,
  connectThroughProxy,
  rawTcpClient,
  rawTlsClient,
  tlsThroughProxy,
} from './clients.js'
import { startOrigin, startRawOrigin } from './origins.js'
import { curl, runProgram } from './programs.js'
import { collect, readExactly, readUntil } from './streams.js'
import { tempFolder } from './temp-folder.js'
import { TestCa } from './test-ca.js'
import { needs } from './needs.js'

const ca = new TestCa()
const certificate = ca.issue({ names: ['llm.test'] })

describe('test/support', () => {
  it('serves HTTPS that curl verifies, and refuses under another name', async function () {
    needs(this, 'curl')
    await using folder = await tempFolder()
    await using origin = await startOrigin({ certificate })
    writeFileSync(folder.file('ca.pem'), ca.certificatePem)
    const ask = (name: string): ReturnType<typeof curl> =>
      curl([
        ...['--cacert', folder.file('ca.pem')],
        ...['--connect-to', `${name}:443:${origin.address}`, `https://${name}/`],
      ])
    const good = await ask('llm.test')
    assert.equal(good.stdout.toString(), 'ok')
    assert.equal(good.status, 0)
    const wrong = await ask('bank.test')
    assert.equal(wrong.status, 60) // CURLE_PEER_FAILED_VERIFICATION
    assert.match(wrong.stderr, /bank\.test/)
    assert.equal(origin.accepted, 2)
  })

  it('sends scripted bytes over TCP and TLS', async () => {
    const script = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
    await using plain = await startRawOrigin((socket) => void socket.end(script))
    const tcp = await rawTcpClient(plain.port)
    assert.equal((await collect(tcp)).toString(), script)
    tcp.destroy()
    await using secure = await startRawOrigin((socket) => void socket.end(script), {
      certificate,
    })
    const tls = await rawTlsClient({
      port: secure.port,
      servername: 'llm.test',
      ca: ca.certificatePem,
    })
    assert.equal((await collect(tls)).toString(), script)
  })

  it('rejects a certificate that does not verify', async () => {
    const expired = ca.issueExpired(['llm.test'])
    await using origin = await startOrigin({ certificate: expired })
    const options = { port: origin.port, servername: 'llm.test', ca: ca.certificatePem }
    await assert.rejects(rawTlsClient(options), { code: 'CERT_HAS_EXPIRED' })
  })

  it('goes through a proxy by CONNECT, or says how it was refused', async () => {
    await using origin = await startOrigin({ certificate })
    const proxy = createServer()
    proxy.on('connect', (request, client) => {
      if (request.url !== 'llm.test:443') {
        client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
        return
      }
      const upstream = connect(origin.port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
        upstream.pipe(client).pipe(upstream)
      })
      upstream.on('error', () => client.destroy())
      client.on('error', () => upstream.destroy())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { port } = proxy.address() as { port: number }
    try {
      const socket = await tlsThroughProxy(port, 'llm.test', { ca: ca.certificatePem })
      socket.write('GET / HTTP/1.1\r\nHost: llm.test\r\nConnection: close\r\n\r\n')
      assert.match((await collect(socket)).toString(), /^HTTP\/1\.1 200 OK\r\n/)
      await assert.rejects(connectThroughProxy(port, 'bank.test', 443), (cause) => {
        assert.ok(cause instanceof ConnectRefused)
        assert.equal(cause.status, 403)
        assert.match(cause.answer, /\r\n\r\nno$/)
        return true
      })
    } finally {
      proxy.close()
      proxy.closeAllConnections()
    }
  })

  it('reads until it has enough, gives the rest back, and fails at an early end', async () => {
    const stream = Readable.from([Buffer.from('abc'), Buffer.from('defgh')])
    assert.equal((await readExactly(stream, 4)).toString(), 'abcd')
    const rest = await readUntil(stream, (soFar) => soFar.includes('h'))
    assert.equal(rest.toString(), 'efgh')
    await assert.rejects(readExactly(stream, 1), /ended after 0 bytes/)
    await assert.rejects(collect(Readable.from([Buffer.alloc(10)]), 9), /more than 9/)
  })

  it('leaves no folder behind, and keeps others out of it', async () => {
    let path: string
    {
      await using folder = await tempFolder()
      path = folder.path
      assert.equal(statSync(path).mode & 0o777, 0o700)
    }
    assert.equal(existsSync(path), false)
  })

  it('stops a program at its time limit', async () => {
    const script = 'setInterval(() => {}, 1000)'
    const ran = await runProgram(process.execPath, ['-e', script], { timeoutMs: 50 })
    assert.equal(ran.status, -1)
  })
})
