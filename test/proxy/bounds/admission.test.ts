import assert from 'node:assert/strict'
import { ask, behind, get, NAME, until } from '../../support/proxied.js'
import { h2Ask, h2Client } from '../../support/h2.js'
import { rawTcpClient } from '../../support/clients.js'
import { startOrigin } from '../../support/origins.js'
import { readUntil } from '../../support/streams.js'
import { Yori } from '../../support/yori.js'

const whole = (text: string): boolean => text.endsWith('}')

describe('intercepted connections to one endpoint', () => {
  const limits = { connections_per_endpoint: 2 }

  it('over their limit are answered 503 in its shape, and recorded', async () => {
    await using setup = await behind((_request, response) => void response.end('ok'), {
      limits,
    })
    const { yori } = setup
    const first = [await yori.tls(NAME), await yori.tls(NAME)]
    const third = await yori.tls(NAME)
    const answer = await ask(third, get('/v1/models'), whole)
    assert.match(answer, /^HTTP\/1\.1 503 [^]*"code":"YORI_TOO_MANY_CONNECTIONS"/)
    assert.match(answer, /connection: close/i)
    for (const socket of first) {
      const text = await ask(socket, get('/v1/models'), (soFar) => soFar.endsWith('ok'))
      assert.match(text, /^HTTP\/1\.1 200 /)
    }
    third.destroy()
    await until(async () => (await yori.rows('connections')).length === 1)
    const [row] = await yori.rows('connections')
    assert.equal(row?.['coverage'], 'refused')
    assert.equal(row['code'], 'YORI_TOO_MANY_CONNECTIONS')

    // A place that was given back is there for the next.
    first[0]?.destroy()
    await until(async () => (await yori.rows('connections')).length === 2)
    const next = await yori.tls(NAME)
    const text = await ask(next, get('/v1/models'), (soFar) => soFar.endsWith('ok'))
    assert.match(text, /^HTTP\/1\.1 200 /)
    for (const socket of [...first, next]) socket.destroy()
  })

  it('over their limit are answered so over HTTP/2 as well', async () => {
    await using setup = await behind((_request, response) => void response.end('ok'), {
      limits: { connections_per_endpoint: 1 },
    })
    const first = await setup.yori.tls(NAME)
    using client = await h2Client(setup.yori, NAME)
    const { headers, body } = await h2Ask(client.session, { ':path': '/v1/models' })
    assert.equal(headers[':status'], 503)
    assert.match(body, /YORI_TOO_MANY_CONNECTIONS/)
    first.destroy()
  })
})

describe('an endpoint that is asked for in plain HTTP at a port of its own', () => {
  async function asked(port: number, plainPorts: number[]): Promise<string> {
    await using origin = await startOrigin({
      handler: (request, response) => response.end(`at ${request.headers.host ?? ''}`),
    })
    await using yori = await Yori.start({
      origins: { [NAME]: origin },
      config: { access: { plain_ports: plainPorts } },
    })
    const socket = await rawTcpClient(yori.port)
    const line = `GET http://${NAME}:${port}/v1/models HTTP/1.1`
    socket.write(`${line}\r\nHost: ${NAME}:${port}\r\nConnection: close\r\n\r\n`)
    const bytes = await readUntil(socket, (all) => /at |\}$/.test(all.toString()))
    socket.destroy()
    if (/^HTTP\/1\.1 200 /.test(bytes.toString())) {
      await until(async () => (await yori.rows('exchanges')).length === 1)
      const [row] = await yori.rows('exchanges')
      assert.equal(row?.['endpoint_domain'], NAME)
    }
    return bytes.toString()
  }

  it('is refused', async () => {
    assert.match(await asked(8080, [80]), /^HTTP\/1\.1 403 [^]*YORI_DESTINATION_REFUSED/)
  })

  it('is governed and goes on to that port, in the clear, when the port is named', async () => {
    assert.match(
      await asked(8080, [80, 8080]),
      /^HTTP\/1\.1 200 [^]*at api\.openai\.com:8080$/,
    )
  })
})
