/**
 * Plain requests that a firewall led here from whatever port: under a policy that blocks none
 * reaches an endpoint unread, however it names it, and every other site is had as ever.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { NAME, until } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'

const BLOCKING = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
  timeouts: { client_hello: 1 },
}
const BODY = '{"model":"m","messages":[{"role":"user","content":"4111 1111 1111 1111"}]}'

interface House extends AsyncDisposable {
  readonly yori: Yori
  /** What a client is told that says this, in these pieces. */
  say(...pieces: readonly string[]): Promise<string>
  /** Requests that got through. */
  readonly heard: string[]
}

async function house(config: Record<string, unknown>): Promise<House> {
  const heard: string[] = []
  const server = createServer((request, response) => {
    heard.push(String(request.headers.host))
    response.setHeader('connection', 'close')
    response.end('the answer')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const yori = await Yori.start({
    config: { access: { allow_destinations: ['127.0.0.1'] }, ...config },
    destination: () => ({ kind: 'original', address: { address: '127.0.0.1', port } }),
  })
  return {
    yori,
    heard,
    async say(...pieces) {
      const socket = connect(yori.port, '127.0.0.1')
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      let answer = ''
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
      const ended = once(socket, 'close')
      socket.once('end', () => socket.end())
      for (const piece of pieces) await new Promise((done) => socket.write(piece, done))
      await ended
      return answer
    },
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
    },
  }
}

const post = (fields: string, target = '/v1/chat/completions'): string =>
  `POST ${target} HTTP/1.1\r\n${fields}Content-Length: ${BODY.length}\r\n\r\n${BODY}`

const ASKING: Readonly<Record<string, readonly string[]>> = {
  'by its host': [post(`Host: ${NAME}\r\n`)],
  'with a port': [post(`Host: ${NAME}:8080\r\n`)],
  'in capitals': [post(`HOST:${NAME.toUpperCase()}\r\n`)],
  'with a dot behind it': [post(`Host: ${NAME}.\r\n`)],
  'by an absolute target': [post('Host: x.test\r\n', `http://${NAME}/v1/x`)],
  'by the second of two hosts': [post(`Host: x.test\r\nHost: ${NAME}\r\n`)],
  'behind a long field': [post(`X: ${'x'.repeat(20_000)}\r\nHost: ${NAME}\r\n`)],
  'in pieces of a byte': [...post(`Host: ${NAME}\r\n`)],
  'with bare line feeds': [post(`Host: ${NAME}\r\n`).replaceAll('\r', '')],
  'in HTTP/1.0': [post(`Host: ${NAME}\r\n`).replace('HTTP/1.1', 'HTTP/1.0')],
  'and never ends its head': ['POST / HTTP/1.1\r\n', 'X: y\r\n'],
  'in a head without an end': [`GET / HTTP/1.1\r\nX: ${'x'.repeat(70_000)}`],
}

describe('a plain request that a firewall led here', () => {
  let setup: House
  before(async () => {
    setup = await house(BLOCKING)
  })
  after(() => setup[Symbol.asyncDispose]())

  for (const [how, pieces] of Object.entries(ASKING))
    it(`does not reach an endpoint that it asks ${how}`, async () => {
      const before = (await setup.yori.rows('connections')).length
      const answer = await setup.say(...pieces)
      assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n[^]*YORI: a plain request/)
      await until(
        async () => (await setup.yori.rows('connections')).length === before + 1,
      )
      const row = (await setup.yori.rows('connections')).at(-1)
      assert.deepEqual(
        [row?.['coverage'], row?.['code'], row?.['name_class']],
        ['refused', 'YORI_EVADES_INSPECTION', '(evading)'],
      )
      assert.deepEqual(setup.heard, [])
    })

  it('reaches any other site, and in whatever pieces', async () => {
    const { heard } = setup
    for (const pieces of [
      [post('Host: www.example.org\r\n')],
      [...post('Host: x.y\r\n')],
    ])
      assert.match(await setup.say(...pieces), /the answer$/)
    assert.deepEqual(heard.splice(0), ['www.example.org', 'x.y'])
  })

  it('passes where nothing may block', async () => {
    await using observing = await house({})
    assert.match(await observing.say(post(`Host: ${NAME}\r\n`)), /the answer$/)
    assert.deepEqual(observing.heard, [NAME])
  })
})
