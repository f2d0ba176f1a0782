/** What a reload means for the connections that are open. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connectThroughProxy, rawTcpClient } from '../support/clients.js'
import { h2Ask, h2Client } from '../support/h2.js'
import { answersOk, Load } from '../support/load.js'
import { ManualClock } from '../support/manual-clock.js'
import { startOrigin, startRawOrigin } from '../support/origins.js'
import {
  ask,
  behind,
  certificate,
  disposable,
  get,
  NAME,
  originCa,
  until,
} from '../support/proxied.js'
import { readUntil } from '../support/streams.js'
import { Yori } from '../support/yori.js'

const BLOCKS = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { default: { enabled: true, action: 'block' } } },
}
/** `npm run reloads` makes more of them. */
const RELOADS = 5
const MODELS = get('/v1/models')
const answered = (text: string): boolean => /\r\n\r\n[\s\S]*(ok|\})$/.test(text)

describe('an idle connection at a reload', () => {
  it('stays, is served by what is in force now, and told to close with its answer', async () => {
    await using setup = await behind((_request, response) => response.end('ok'))
    const { yori } = setup
    using client = disposable(await yori.tls(NAME))
    const before = await ask(client.stream, MODELS, answered)
    assert.match(before, /^HTTP\/1\.1 200 /)
    assert.doesNotMatch(before, /connection: close/i)
    await yori.reload(BLOCKS)
    const ended = once(client.stream, 'end')
    const after = await ask(client.stream, MODELS, answered)
    assert.match(after, /^HTTP\/1\.1 403 /)
    assert.match(after, /Blocked by YORI, policy default/)
    assert.match(after, /connection: close/i)
    await ended
  })

  it('is served likewise on the direct way and by absolute form', async () => {
    await using setup = await behind((_request, response) => response.end('ok'))
    for (const target of ['/v1/models', `http://${NAME}/v1/models`]) {
      const client = await rawTcpClient(setup.yori.port)
      const asked = `GET ${target} HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`
      client.write(`GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      await readUntil(client, (soFar) => soFar.includes('\r\n\r\n'))
      await setup.yori.reload(BLOCKS)
      client.write(asked)
      const after = await readUntil(client, (soFar) => answered(soFar.toString()))
      assert.match(after.toString(), /^HTTP\/1\.1 403 [\s\S]*connection: close/i)
      client.destroy()
      await setup.yori.reload({})
    }
  })

  it('may open a tunnel still, by what is in force now', async () => {
    await using origin = await startOrigin({ certificate })
    await using yori = await Yori.start({
      origins: { [NAME]: origin },
      trust: [originCa],
    })
    const client = await rawTcpClient(yori.port)
    client.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await readUntil(client, (soFar) => soFar.includes('\r\n\r\n'))
    await yori.reload({ access: { allow_destinations: [] } })
    client.write(`CONNECT ${NAME}:443 HTTP/1.1\r\nHost: ${NAME}:443\r\n\r\n`)
    const told = await readUntil(client, (soFar) => soFar.includes('\r\n\r\n'))
    assert.match(told.toString(), /^HTTP\/1\.1 200 /)
    client.destroy()
  })

  it('goes on over HTTP/2, each stream served by what is in force when it opens', async () => {
    await using setup = await behind((_request, response) => response.end('ok'))
    using client = await h2Client(setup.yori, NAME)
    const asked = { ':path': '/v1/models', ':authority': NAME, accept: '*/*' }
    assert.equal((await h2Ask(client.session, asked)).headers[':status'], 200)
    await setup.yori.reload(BLOCKS)
    assert.equal((await h2Ask(client.session, asked)).headers[':status'], 403)
    await setup.yori.reload({})
    assert.equal((await h2Ask(client.session, asked)).headers[':status'], 200)
    assert.equal(client.session.closed, false)
  })

  for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
    it(`is refused over ${version} where its name is refused now`, async () => {
      await using setup = await behind((_request, response) => response.end('ok'))
      const refused = { endpoints: [{ domain: NAME, route: 'refuse' }] }
      if (version === 'HTTP/1.1') {
        using client = disposable(await setup.yori.tls(NAME))
        await ask(client.stream, MODELS, answered)
        await setup.yori.reload(refused)
        const after = await ask(client.stream, MODELS, answered)
        assert.match(after, /^HTTP\/1\.1 403 [\s\S]*YORI_ENDPOINT_REFUSED/)
      } else {
        using client = await h2Client(setup.yori, NAME)
        const asked = { ':path': '/v1/models', ':authority': NAME }
        await h2Ask(client.session, asked)
        await setup.yori.reload(refused)
        const goAway = once(client.session, 'goaway')
        const after = await h2Ask(client.session, asked)
        assert.equal(after.headers[':status'], 403)
        assert.match(after.body, /YORI_ENDPOINT_REFUSED/)
        await goAway
      }
    })
  }

  it('is answered once more where its name is tunnelled now, and told to close', async () => {
    await using setup = await behind((_request, response) => response.end('ok'))
    using client = disposable(await setup.yori.tls(NAME))
    await ask(client.stream, MODELS, answered)
    await setup.yori.reload({ endpoints: [{ domain: NAME, route: 'tunnel' }] })
    const after = await ask(client.stream, MODELS, answered)
    assert.match(after, /^HTTP\/1\.1 200 [\s\S]*connection: close/i)
  })

  it('teaches nothing about the certificate when its first request came after', async () => {
    await using setup = await behind((_request, response) => response.end('ok'))
    const { yori } = setup
    using client = disposable(await yori.tls(NAME))
    await yori.reload({})
    const ended = once(client.stream, 'end')
    await ask(client.stream, MODELS, answered)
    await ended
    client.stream.destroy()
    await until(async () => (await yori.rows('connections')).length > 0)
    const [row] = await yori.rows('connections')
    assert.equal(row?.['coverage'], 'inspected')
  })
})

describe('an exchange under way at a reload', () => {
  it('tells the client to close when its answer had not begun', async () => {
    let answer: ServerResponse | undefined
    await using setup = await behind((_request, response) => (answer = response))
    using client = disposable(await setup.yori.tls(NAME))
    client.stream.write(MODELS)
    await until(() => answer !== undefined)
    await setup.yori.reload({})
    const ended = once(client.stream, 'end')
    answer?.end('ok')
    const bytes = await readUntil(client.stream, (soFar) => soFar.includes('ok'))
    assert.match(bytes.toString(), /connection: close/i)
    await ended
  })

  it('leaves the connection open when its answer had begun untold', async () => {
    let answer: ServerResponse | undefined
    await using setup = await behind((incoming, response) => {
      if (incoming.url === '/v1/models') response.end('ok')
      else answer = response.writeHead(200).on('close', () => undefined)
      answer?.write('first')
    })
    using client = disposable(await setup.yori.tls(NAME))
    await ask(client.stream, get('/v1/stream'), (text) => text.includes('first'))
    await setup.yori.reload({})
    const last = readUntil(client.stream, (soFar) => soFar.includes('last'))
    answer?.end('last')
    await last
    const after = await ask(client.stream, MODELS, answered)
    assert.match(after, /HTTP\/1\.1 200 [\s\S]*connection: close/i)
  })

  it('says close only with the last of several requests that came at once', async () => {
    const answers: ServerResponse[] = []
    await using setup = await behind((_request, response) => answers.push(response))
    using client = disposable(await setup.yori.tls(NAME))
    client.stream.write(get('/v1/a'))
    await until(() => answers.length === 1)
    await setup.yori.reload({})
    client.stream.write(get('/v1/b') + get('/v1/c'))
    const whole = readUntil(client.stream, (soFar) => soFar.includes('/v1/c done'))
    await until(() => answers.length === 3)
    for (const answer of answers) answer.end(`${answer.req.url ?? ''} done`)
    const text = (await whole).toString()
    const heads = text.split(/HTTP\/1\.1 200 /).slice(1)
    assert.deepEqual(
      heads.map((head) => /connection: close/i.test(head)),
      [false, false, true],
    )
  })
})

describe('a quiet tunnel at a reload', () => {
  it('is not cut: what moves nothing for a while may be spoken on again', async () => {
    await using origin = await startRawOrigin((socket) => {
      socket.pipe(socket)
    })
    const clock = new ManualClock(Date.now())
    await using yori = await Yori.start({
      clock,
      config: { access: { ports: [origin.port], allow_destinations: ['127.0.0.1'] } },
    })
    const tunnel = await connectThroughProxy(yori.port, '127.0.0.1', origin.port)
    tunnel.write('\0one')
    await readUntil(tunnel, (soFar) => soFar.includes('one'))
    await yori.reload({})
    for (const _minute of [1, 2, 3]) {
      clock.advance(60_000)
      yori.appliance.tick()
    }
    tunnel.write('two')
    await readUntil(tunnel, (soFar) => soFar.includes('two'))
    tunnel.destroy()
  })
})

describe('reloads under load', () => {
  it('lose no request, on any way in and over HTTP/1.1 and HTTP/2', async () => {
    await using setup = await behind(answersOk)
    const { yori } = setup
    await using load = await Load.start(yori)
    for (let n = 0; n < RELOADS; n++) {
      const before = load.answered
      await yori.reload({})
      // Every client has met this generation before the next takes its place.
      await until(() => load.answered >= before + load.clients)
    }
    const { answered: count, lost } = await load.end()
    assert.deepEqual(lost, [])
    assert.ok(count >= RELOADS * load.clients)
  })
})
