/**
 * The same exchanges once through http-mitm-proxy and once through YORI: the same client, the
 * same origin, the same answer. Where the peer is known to be wrong it says how, and only YORI
 * is held to what the origin sent.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { Agent } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { Proxy } from 'http-mitm-proxy'
import { readResponses } from '../../tools/cases/http-messages.js'
import type { Message } from '../../tools/cases/http-messages.js'
import { tlsThroughProxy } from '../support/clients.js'
import { startOrigin } from '../support/origins.js'
import type { Origin } from '../support/origins.js'
import { certificate, disposable, NAME, originCa } from '../support/proxied.js'
import { collect } from '../support/streams.js'
import { tempFolder } from '../support/temp-folder.js'
import { Yori } from '../support/yori.js'

/** `fields` in alphabetical order. */
interface Told {
  readonly status: string
  readonly fields: readonly string[]
  readonly body: string
}

interface Asked {
  readonly name: string
  readonly line: string
  readonly fields?: readonly string[]
  readonly body?: string
  readonly answer: RequestListener
  /** What http-mitm-proxy does wrong, and what is right. */
  readonly peer?: { readonly does: string; readonly right: Told }
}

const JSON_TYPE = ['Content-Type', 'application/json']
const length = (body: string | Buffer): string[] => [
  ...['Content-Length', String(Buffer.byteLength(body))],
]

/** Answers with the request as it came. */
const echo: RequestListener = (request, response) => {
  void collect(request).then((body) => {
    const told = `${request.method} ${request.url} ${body.toString()}`
    response.writeHead(200, ['X-Told', 'yes', ...length(told)]).end(told)
  })
}

const fixed =
  (
    status: number,
    fields: readonly string[],
    body: string | Buffer = '',
  ): RequestListener =>
  (request, response) => {
    request.resume()
    response.writeHead(status, [...fields]).end(body)
  }

const GZIPPED = gzipSync('{"zipped":true}')
const LARGE = 'x'.repeat(1_000_000)

const exchanges: readonly Asked[] = [
  { name: 'a GET', line: 'GET /v1/models', answer: echo },
  { name: 'a query', line: 'GET /v1/x?a=1&b=%20c&d=%C3%A9', answer: echo },
  {
    name: 'a POST',
    line: 'POST /v1/x',
    fields: ['Content-Type: application/json', 'Content-Length: 7'],
    body: '{"a":1}',
    answer: echo,
  },
  {
    name: 'a chunked POST',
    line: 'POST /v1/x',
    fields: ['Transfer-Encoding: chunked'],
    body: '3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n',
    answer: echo,
  },
  {
    name: 'a PUT',
    line: 'PUT /v1/x',
    fields: ['Content-Length: 2'],
    body: 'ab',
    answer: echo,
  },
  {
    name: 'a DELETE with a body',
    line: 'DELETE /v1/x',
    fields: ['Content-Length: 2'],
    body: 'ab',
    answer: echo,
  },
  { name: 'OPTIONS', line: 'OPTIONS /v1/x', answer: echo },
  {
    name: 'a HEAD',
    line: 'HEAD /v1/x',
    answer: fixed(200, ['X-A', '1', 'Content-Length', '1234']),
  },
  { name: 'a 204', line: 'GET /v1/x', answer: fixed(204, ['X-A', '1']) },
  { name: 'a 304', line: 'GET /v1/x', answer: fixed(304, ['ETag', '"x"']) },
  {
    name: 'a redirect',
    line: 'GET /v1/x',
    answer: fixed(307, ['Location', 'https://elsewhere.test/y', ...length('')]),
  },
  {
    name: 'a JSON error',
    line: 'GET /v1/x',
    answer: fixed(
      429,
      [...JSON_TYPE, 'Retry-After', '1', ...length('{"error":{}}')],
      '{"error":{}}',
    ),
  },
  {
    name: 'a body with a content coding',
    line: 'GET /v1/x',
    fields: ['Accept-Encoding: gzip'],
    answer: fixed(
      200,
      [...JSON_TYPE, 'Content-Encoding', 'gzip', ...length(GZIPPED)],
      GZIPPED,
    ),
  },
  {
    name: 'a chunked body',
    line: 'GET /v1/x',
    answer: (request, response) => {
      request.resume()
      response.writeHead(200, ['Content-Type', 'text/event-stream'])
      for (const data of ['one', 'two', '[DONE]']) response.write(`data: ${data}\n\n`)
      response.end()
    },
  },
  {
    name: 'a large body',
    line: 'GET /v1/x',
    answer: fixed(200, length(LARGE), LARGE),
  },
  {
    name: 'fields that repeat',
    line: 'GET /v1/x',
    answer: fixed(200, [
      'Set-Cookie',
      'a=1',
      'X-A',
      '1',
      'Set-Cookie',
      'b=2',
      ...length(''),
    ]),
  },
  {
    name: 'fields of the connection',
    // RFC 9110 §7.6.1, both.
    peer: {
      does: 'forwards what the connection keeps for itself',
      right: { status: '200', fields: ['x-end: 2'], body: '' },
    },
    line: 'GET /v1/x',
    answer: fixed(200, [
      'Connection',
      'X-Hop',
      'X-Hop',
      '1',
      'X-End',
      '2',
      ...length(''),
    ]),
  },
  {
    name: 'a field that Connection names in the request',
    peer: {
      does: 'forwards what the connection keeps for itself',
      right: { status: '200', fields: [], body: 'undefined' },
    },
    line: 'GET /v1/x',
    fields: ['Connection: X-Hop', 'X-Hop: 1'],
    answer: (request, response) => {
      const told = String(request.headers['x-hop'])
      response.writeHead(200, length(told)).end(told)
    },
  },
  {
    name: 'a way around by QUIC',
    // RFC 7838 §2: the next request would go there, past any proxy.
    peer: {
      does: 'leads its client around itself',
      right: { status: '200', fields: [], body: '' },
    },
    line: 'GET /v1/x',
    answer: fixed(200, ['Alt-Svc', 'h3=":443"', ...length('')]),
  },
]

interface Through {
  readonly port: number
  readonly ca: string
}

/** The answer as the client sees it: framing and the connection's own fields left out. */
async function answerThrough(
  through: Through,
  asked: Asked,
): Promise<Told | 'no whole answer'> {
  const options = { ca: through.ca }
  using socket = disposable(await tlsThroughProxy(through.port, NAME, options))
  const fields = [`Host: ${NAME}`, ...(asked.fields ?? [])]
  socket.stream.write(`${asked.line} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`)
  socket.stream.write(asked.body ?? '')
  const chunks: Buffer[] = []
  const method = asked.line.split(' ')[0] ?? ''
  for await (const chunk of socket.stream) {
    chunks.push(chunk as Buffer)
    const [message] = readResponses(Buffer.concat(chunks), [method], false).messages
    if (message !== undefined) return told(message)
  }
  return 'no whole answer'
}

const CONNECTIONS_OWN = /^(connection|keep-alive|transfer-encoding|content-length|date)$/

function told({ start, fields, body }: Message): Told {
  const kept = fields
    .map(({ name, value }) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !CONNECTIONS_OWN.test(name))
    .map(([name, value]) => `${name}: ${value}`)
  return { status: start[1], fields: kept.sort(), body: body.toString('latin1') }
}

async function startPeer(origin: Origin): Promise<Through & AsyncDisposable> {
  const folder = await tempFolder()
  class OriginAgent extends Agent {
    override createConnection(options: object): ReturnType<typeof connectTls> {
      const ca = originCa.certificatePem
      return connectTls({ ...options, ca, host: '127.0.0.1', port: origin.port })
    }
  }
  const proxy = new Proxy()
  proxy.onError(() => undefined)
  const httpsAgent = new OriginAgent()
  const options = { host: '127.0.0.1', port: 0, sslCaDir: folder.path, httpsAgent }
  await new Promise<void>((resolve) => proxy.listen(options, () => resolve()))
  return {
    port: proxy.httpPort,
    ca: readFileSync(folder.file('certs', 'ca.pem'), 'utf8'),
    async [Symbol.asyncDispose]() {
      proxy.close()
      httpsAgent.destroy()
      await folder[Symbol.asyncDispose]()
    },
  }
}

describe('beside http-mitm-proxy', () => {
  let handler: RequestListener
  let origin: Origin
  let yori: Yori
  let peer: Awaited<ReturnType<typeof startPeer>>

  before(async () => {
    origin = await startOrigin({
      certificate,
      handler: (request, response) => {
        response.sendDate = false
        handler(request, response)
      },
    })
    yori = await Yori.start({ origins: { [NAME]: origin }, trust: [originCa] })
    peer = await startPeer(origin)
  })

  after(async () => {
    await peer[Symbol.asyncDispose]()
    await yori[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
  })

  for (const asked of exchanges) {
    const but = asked.peer === undefined ? '' : `, where the peer ${asked.peer.does}`
    it(`gives the same answer to ${asked.name}${but}`, async () => {
      handler = asked.answer
      const ours = await answerThrough({ port: yori.port, ca: yori.rootPem }, asked)
      const theirs = await answerThrough(peer, asked)
      if (asked.peer === undefined) {
        assert.deepEqual(ours, theirs)
        return
      }
      assert.deepEqual(ours, asked.peer.right)
      assert.notDeepEqual(theirs, asked.peer.right)
    })
  }
})
