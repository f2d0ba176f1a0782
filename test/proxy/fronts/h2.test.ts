/** HTTP/2 towards clients: what passes, what ends what, and who is not held up. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants } from 'node:http2'
import { curl, runProgram } from '../../support/programs.js'
import { behind, endedExchanges, joined, NAME, until } from '../../support/proxied.js'
import { certificate } from '../../support/proxied.js'
import { FLAG, FRAME, frame, h2Answer, h2Ask, h2Client } from '../../support/h2.js'
import { literals, rawH2Client, uint32 } from '../../support/h2.js'
import { startRawOrigin } from '../../support/origins.js'
import { collect, readUntil } from '../../support/streams.js'
import { needs } from '../../support/needs.js'

const post = { ':method': 'POST', ':path': '/v1/chat/completions' }
const get = { ':method': 'GET', ':path': '/v1/models' }

function echo(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain' })
  request.pipe(response)
}

describe('an HTTP/2 client', () => {
  it('is answered as the provider answered, over HTTP/1.1 upstream', async () => {
    let seen: string[] = []
    await using setup = await behind((request, response) => {
      seen = request.rawHeaders
      response.writeHead(201, [
        ...['X-One', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
        ...['Connection', 'x-hop', 'X-Hop', 'no', 'Alt-Svc', 'h3=":443"'],
      ])
      request.pipe(response)
    })
    using client = await h2Client(setup.yori, NAME)
    const head = { ...post, 'X-Two': ['2', '3'], cookie: ['a=1', 'b=2'], te: 'trailers' }
    const answer = await h2Ask(client.session, head, 'hello')
    assert.equal(answer.headers[':status'], 201)
    assert.equal(answer.headers['x-one'], '1')
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
    for (const name of ['connection', 'x-hop', 'alt-svc', 'transfer-encoding'])
      assert.equal(answer.headers[name], undefined, name)
    assert.equal(answer.body, 'hello')
    assert.deepEqual(seen.slice(0, 2), ['host', NAME])
    const text = seen.join('\n')
    assert.match(text, /x-two\n2\nx-two\n3/)
    assert.match(text, /cookie\na=1; b=2/)
    assert.doesNotMatch(text, /trailers|:path/)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['http_version'], '2.0')
    assert.equal(row['response_status'], 201)
  })

  it('gets the trailers of a provider, and answers without a body', async () => {
    await using setup = await behind((request, response) => {
      if (request.url === '/none') {
        response.writeHead(204).end()
        return
      }
      if (request.method === 'HEAD') {
        response.end()
        return
      }
      response.writeHead(200, { trailer: 'x-sum' })
      response.write('body')
      response.addTrailers({ 'x-sum': '7' })
      response.end()
    })
    using client = await h2Client(setup.yori, NAME)
    const answer = await h2Ask(client.session, get)
    assert.equal(answer.body, 'body')
    assert.equal(answer.trailers?.['x-sum'], '7')
    const none = await h2Ask(client.session, { ...get, ':path': '/none' })
    assert.equal(none.headers[':status'], 204)
    const head = await h2Ask(client.session, { ...get, ':method': 'HEAD' })
    assert.equal(head.headers[':status'], 200)
    assert.equal(head.body, '')
  })

  it('has a hundred streams at once', async () => {
    const waiting: ServerResponse[] = []
    await using setup = await behind((request, response) => {
      request.resume()
      waiting.push(response)
      if (waiting.length < 100) return
      for (const each of waiting) each.end('done')
    })
    using client = await h2Client(setup.yori, NAME)
    assert.equal(client.session.remoteSettings.maxConcurrentStreams, 100)
    assert.equal(client.session.remoteSettings.initialWindowSize, 256 * 1024)
    const asked = Array.from({ length: 100 }, (_, i) =>
      h2Ask(client.session, post, `request ${i}`),
    )
    const answers = await Promise.all(asked)
    assert.ok(answers.every(({ body }) => body === 'done'))
    assert.equal(waiting.length, 100)
  })

  it('must name the one host of its connection', async () => {
    let reached = 0
    await using setup = await behind((_request, response) => {
      reached++
      response.end('ok')
    })
    using client = await h2Client(setup.yori, NAME)
    for (const wrong of ['other.test', `${NAME}:8443`]) {
      const answer = await h2Ask(client.session, { ...get, ':authority': wrong })
      assert.equal(answer.headers[':status'], 421, wrong)
    }
    const two = await h2Ask(client.session, {
      ...get,
      ':authority': NAME,
      host: 'b.test',
    })
    assert.equal(two.headers[':status'], 421)
    assert.equal(reached, 0)
    for (const right of [NAME, NAME.toUpperCase(), `${NAME}.`, `${NAME}:443`]) {
      const answer = await h2Ask(client.session, { ...get, ':authority': right })
      assert.equal(answer.headers[':status'], 200, right)
    }
  })

  it('is told 421 while it still sends, and goes on with other streams', async () => {
    await using setup = await behind(echo)
    using client = await h2Client(setup.yori, NAME)
    const stream = client.session.request({ ...post, ':authority': 'other.test' })
    stream.on('error', () => undefined)
    stream.write('a body without an end')
    const answer = await h2Answer(stream)
    assert.equal(answer.headers[':status'], 421)
    if (!stream.closed) await once(stream, 'close')
    assert.equal(stream.rstCode, constants.NGHTTP2_NO_ERROR)
    assert.equal((await h2Ask(client.session, post, 'x')).body, 'x')
  })

  it('cancels the request at the provider by resetting its stream', async () => {
    let gone = 0
    let reached = 0
    await using setup = await behind((request, response) => {
      reached++
      request.resume()
      if (request.url === '/wait') response.once('close', () => gone++)
      else response.end('ok')
    })
    using client = await h2Client(setup.yori, NAME)
    const stream = client.session.request({ ...post, ':path': '/wait' })
    stream.on('error', () => undefined)
    stream.end('{}')
    await until(() => reached === 1)
    stream.close(constants.NGHTTP2_CANCEL)
    await until(() => gone === 1)
    assert.equal((await h2Ask(client.session, get)).body, 'ok')
    const rows = await endedExchanges(setup.yori, 2)
    assert.equal(rows[0]?.['code'], 'YORI_CLIENT_GONE')
  })

  for (const code of [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL]) {
    it(`that resets a stream (${code}) inside a body has not sent a whole request`, async () => {
      let complete = 0
      let gone = 0
      await using setup = await behind((request, response) => {
        request.resume()
        request.once('end', () => complete++)
        response.once('close', () => gone++)
      })
      const socket = await rawH2Client(setup.yori, NAME)
      using _socket = { [Symbol.dispose]: () => socket.destroy() }
      const head = literals([
        ...([[':method', 'POST'] as const, [':path', '/v1/x'] as const] as const),
        ...([[':scheme', 'https'] as const, [':authority', NAME] as const] as const),
      ])
      const { endHeaders } = FLAG
      socket.write(
        frame({ type: FRAME.headers, flags: endHeaders, stream: 1, payload: head }),
      )
      socket.write(frame({ type: FRAME.data, stream: 1, payload: Buffer.from('half') }))
      await until(() => setup.origin.accepted === 1)
      socket.write(frame({ type: FRAME.resetStream, stream: 1, payload: uint32(code) }))
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['code'], 'YORI_CLIENT_GONE')
      assert.equal(complete, 0)
      assert.ok(gone <= 1)
    })
  }

  it('sees a broken provider as a reset of that stream alone', async () => {
    await using origin = await startRawOrigin(
      async (socket) => {
        const head = (
          await readUntil(socket, (all) => all.includes('\r\n\r\n'))
        ).toString()
        if (head.startsWith('GET /good')) {
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        } else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this')
      },
      { certificate },
    )
    await using setup = await joined(origin)
    using client = await h2Client(setup.yori, NAME)
    const stream = client.session.request(get)
    const failed = once(stream, 'error')
    stream.resume()
    await failed
    assert.equal(stream.rstCode, constants.NGHTTP2_INTERNAL_ERROR)
    assert.equal((await h2Ask(client.session, { ...get, ':path': '/good' })).body, 'ok')
  })

  it('is not held up by an upload that the provider does not read', async () => {
    let stalled: IncomingMessage | undefined
    await using setup = await behind((request, response) => {
      if (request.url === '/stalled') stalled = request
      else echo(request, response)
    })
    using client = await h2Client(setup.yori, NAME)
    const upload = client.session.request({ ...post, ':path': '/stalled' })
    upload.on('error', () => undefined)
    const piece = Buffer.alloc(1024 * 1024)
    let taken = 0
    const push = (): void => {
      upload.write(piece, (error) => {
        if (error !== null && error !== undefined) return
        taken++
        push()
      })
    }
    push()
    await until(() => stalled !== undefined)
    const body = Buffer.alloc(300_000, 'x')
    const asked = Array.from({ length: 20 }, () => h2Ask(client.session, post, body))
    for (const { body: echoed } of await Promise.all(asked))
      assert.equal(echoed.length, body.length)
    // What is on the way is bounded by windows and socket buffers, not by the upload.
    assert.ok(taken < 40, `${taken} MiB taken`)
    upload.close(constants.NGHTTP2_CANCEL)
  })

  it('that does not read one answer gets the others', async () => {
    let sent = 0
    await using setup = await behind((request, response) => {
      if (request.url !== '/big') return void response.end('ok')
      const piece = Buffer.alloc(1024 * 1024)
      const more = (): void => {
        if (sent < 256 && !response.destroyed)
          response.write(piece, () => (sent++, more()))
        else response.end()
      }
      more()
    })
    using client = await h2Client(setup.yori, NAME)
    const big = client.session.request({ ...get, ':path': '/big' })
    big.on('error', () => undefined)
    await once(big, 'response')
    for (let i = 0; i < 20; i++)
      assert.equal((await h2Ask(client.session, get)).body, 'ok')
    assert.ok(sent < 128, `${sent} MiB read ahead of a client that reads nothing`)
    const all = collect(big)
    assert.equal((await all).length, 256 * 1024 * 1024)
  })

  it('is told to go when YORI stops, after its last stream', async () => {
    let release: (() => void) | undefined
    await using setup = await behind((_request, response) => {
      release = () => void response.end('last')
    })
    using client = await h2Client(setup.yori, NAME)
    const asked = h2Ask(client.session, get)
    await until(() => release !== undefined)
    const told = once(client.session, 'goaway')
    const closed = once(client.session, 'close')
    const stopped = setup.yori.appliance.stop()
    await told
    release?.()
    assert.equal((await asked).body, 'last')
    await Promise.all([closed, stopped])
  })

  it('called curl works', async function () {
    needs(this, 'curl')
    await using setup = await behind(echo)
    const { yori } = setup
    const ran = await curl([
      ...['--http2', '--cacert', yori.rootFile, '--proxy', yori.url],
      ...['--data', 'from curl', '--write-out', ' %{http_version} %{response_code}'],
      `https://${NAME}/v1/chat/completions`,
    ])
    assert.equal(ran.stderr, '')
    assert.equal(ran.stdout.toString(), 'from curl 2 200')
  })

  it('called h2load has every one of its requests answered', async function () {
    needs(this, 'h2load')
    await using setup = await behind((request, response) => {
      request.resume()
      response.end('ok')
    })
    // h2load dials by address and names the host itself.
    const { yori } = setup
    const ran = await runProgram('h2load', [
      ...['-n', '400', '-c', '2', '-m', '50', `--connect-to=127.0.0.1:${yori.port}`],
      `https://${NAME}/v1/models`,
    ])
    assert.match(ran.stdout.toString(), /Application protocol: h2/)
    assert.match(ran.stdout.toString(), /400 succeeded, 0 failed, 0 errored/)
  })
})
