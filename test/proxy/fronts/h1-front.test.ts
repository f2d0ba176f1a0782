/** HTTP/1.1 towards clients, message by message: order, framing, ends. RFC 9110 and 9112. */
import assert from 'node:assert/strict'
import { everySplit } from '../../support/splits.js'
import { MAX_AT_ONCE } from '../../../src/proxy/fronts/h1-client.js'
import { answer, FrontAlone, get, HOST, KEPT, reading } from '../../support/h1-front.js'
import { served, tell, told, turns } from '../../support/h1-front.js'
import type { Asked } from '../../support/h1-front.js'

const CHUNKED =
  'POST /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n' +
  '3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-After: 1\r\n\r\n'

describe('requests that follow one another', () => {
  it('are read and answered alike, wherever the bytes are cut', async () => {
    const text =
      get('/a') +
      `POST /b HTTP/1.1\r\n${HOST}Content-Length: 4\r\n\r\nbody` +
      CHUNKED +
      `HEAD /d HTTP/1.1\r\n${HOST}\r\n` +
      get('/e', 'Connection: close')
    const expected =
      told('GET /a 0;') +
      told('POST /b 4;') +
      told('POST /c 5;') +
      `HTTP/1.1 200 Told\r\nContent-Length: 10\r\n${KEPT}\r\n` +
      told('GET /e 0;', true)
    const front = new FrontAlone()
    const all = await Promise.all(
      [...everySplit(Buffer.from(text))].map((pieces) =>
        served(front, ...pieces.map((piece) => Buffer.from(piece))),
      ),
    )
    assert.ok(all.length > text.length / 2, String(all.length))
    for (const socket of all) {
      await turns(1)
      assert.equal(socket.written, expected)
      assert.equal(socket.writableEnded, true)
    }
    const chunked = front.asked.filter(({ request }) => request.url === '/c')
    for (const { body, request } of chunked) {
      assert.equal(body, 'abcde')
      assert.deepEqual(request.rawTrailers, ['X-After', '1'])
    }
  })

  it('wait for their turn, and for room', async () => {
    const waiting: Asked[] = []
    const front = new FrontAlone((asked) => void waiting.push(asked))
    const socket = front.open()
    const path = `/${'p'.repeat(1_000)}`
    const count = 300
    for (let i = 0; i < count; i++) socket.arrive(get(`${path}${i}`))
    await turns()
    assert.equal(waiting.length, MAX_AT_ONCE)
    // The front has let the socket fill up.
    assert.equal(socket.isPaused(), true)
    assert.ok(socket.readableLength > 200_000, String(socket.readableLength))
    for (let i = 0; i < count; i++) {
      const asked = waiting[i]
      assert.equal(asked?.request.url, `${path}${i}`)
      answer(asked, 200, 'x')
      await turns(1)
    }
    assert.equal(socket.writes.length, count)
    assert.equal(socket.readableLength, 0)
  })

  it('are answered in their order, whoever is ready first, and wait for it', async () => {
    const waiting: Asked[] = []
    const front = new FrontAlone((asked) => void waiting.push(asked))
    const text = `${get('/a')}${get('/b')}POST /c HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\n`
    const socket = await served(front, text)
    const [a, b, c] = waiting as [Asked, Asked, Asked]
    let drained = 0
    b.response.once('drain', () => drained++)
    c.response.writeContinue()
    b.response.sendDate = false
    b.response.writeHead(200, 'Told', ['Content-Length', '40001'])
    assert.equal(b.response.write('b'), true)
    assert.equal(b.response.write('b'.repeat(40_000)), false, 'it has waited long enough')
    reading(c, () => answer(c, 200, c.body))
    socket.arrive('abc')
    await turns()
    assert.deepEqual([socket.written, c.whole, drained], ['', true, 0])
    answer(a, 200, 'a')
    await turns()
    assert.equal(drained, 1)
    const head = `HTTP/1.1 200 Told\r\nContent-Length: 40001\r\n${KEPT}\r\n`
    const first = told('a') + head + 'b'.repeat(40_001)
    assert.equal(socket.written, first)
    b.response.end()
    await turns()
    assert.equal(socket.written, `${first}HTTP/1.1 100 Continue\r\n\r\n${told('abc')}`)
  })

  it('are not read behind a broken one, whose answer waits for its turn', async () => {
    const waiting: Asked[] = []
    const front = new FrontAlone((asked) => void waiting.push(asked))
    const socket = await served(front, `${get('/a')}G@T /b HTTP/1.1\r\n\r\n${get('/c')}`)
    assert.deepEqual([waiting.length, front.refused.length, socket.written], [1, 0, ''])
    tell(waiting[0] as Asked)
    await turns()
    assert.equal(front.refused.length, 1)
    assert.match(socket.written, /^HTTP\/1\.1 200 [^]*a 0;HTTP\/1\.1 400 /)
    assert.equal(waiting.length, 1)
  })

  it('get no answer behind one that says close', async () => {
    const front = new FrontAlone()
    const socket = await served(front, get('/a', 'Connection: close') + get('/b'))
    assert.equal(socket.written, told('GET /a 0;', true))
    assert.equal(front.asked.length, 1)
  })

  it('may have empty lines before them, RFC 9112 §2.2', async () => {
    const front = new FrontAlone()
    const socket = await served(front, `\r\n\r\n${get('/a')}\r\n`)
    assert.equal(socket.written, told('GET /a 0;'))
    assert.deepEqual(front.refused, [])
  })

  it('are answered when they came before a reload told the client to close', async () => {
    const waiting: Asked[] = []
    const front = new FrontAlone((asked) => void waiting.push(asked))
    const socket = await served(front, get('/a') + get('/b'))
    front.front.retire()
    for (const asked of [0, 1]) {
      tell(waiting[asked] as Asked)
      await turns()
    }
    assert.equal(socket.written, told('GET /a 0;') + told('GET /b 0;', true))
    assert.equal(socket.writableEnded, true)
  })

  it('of an idle connection come to an end with the process', async () => {
    const front = new FrontAlone()
    const idle = await served(front, get('/a'))
    const waiting = front.open()
    front.front.drain()
    idle.arrive(get('/late'))
    await turns()
    assert.equal(idle.written, told('GET /a 0;'))
    assert.equal(front.asked.length, 1)
    assert.equal(waiting.writableEnded, true)
  })
})

describe('a body', () => {
  const head = (...fields: string[]): string =>
    ['POST /b HTTP/1.1', 'Host: a.test', ...fields, '', ''].join('\r\n')

  it('waits in the socket while nobody takes it, and its end is seen', async () => {
    const waiting: Asked[] = []
    const front = new FrontAlone((asked) => {
      waiting.push(asked)
      asked.request.pause()
      reading(asked, () => answer(asked, 200, 'x'))
    })
    const socket = await served(front, head('Content-Length: 200000') + 'a'.repeat(50))
    for (let i = 0; i < 20; i++) socket.arrive(Buffer.alloc(9_997, 'b'))
    await turns()
    const [asked] = waiting
    assert.equal(asked?.body, '')
    assert.equal(socket.isPaused(), true)
    assert.equal(socket.readableLength, 20 * 9_997)
    asked.request.resume()
    await turns()
    assert.equal(asked.body.length, 50 + 20 * 9_997)
    assert.equal(asked.request.complete, false)
    asked.request.pause()
    socket.arrive('c'.repeat(10))
    await turns()
    assert.equal(asked.body.length, 199_990, 'paused')
    assert.equal(asked.whole, false)
    asked.request.resume()
    await turns()
    assert.equal(asked.whole, true)
    assert.match(socket.written, /^HTTP\/1\.1 200 /)
  })

  it('may be answered before it has come; the rest is dropped', async () => {
    const front = new FrontAlone((asked) => {
      if (asked.request.method === 'GET') tell(asked)
      else answer(asked, 401, 'no')
    })
    const socket = await served(front, head('Content-Length: 10') + 'half.')
    assert.match(socket.written, /^HTTP\/1\.1 401 Told\r\n[^]*no$/)
    const before = socket.written
    socket.arrive(`.half${get('/next')}`)
    await turns()
    assert.equal(socket.written, before + told('GET /next 0;'))
  })

  it('that is answered early by an answer that says close is read no more', async () => {
    const front = new FrontAlone((asked) =>
      answer(asked, 413, 'no', ['Content-Length', '2', 'Connection', 'close']),
    )
    const socket = await served(front, head('Content-Length: 100000'))
    socket.arrive(Buffer.alloc(50_000))
    await turns()
    assert.equal(socket.writableEnded, true)
    assert.equal(socket.destroyed, false, 'a reset might overtake the answer')
    assert.equal(socket.readableLength, 0)
  })

  it('that breaks off is told to whoever reads it', async () => {
    const front = new FrontAlone(tell)
    const socket = await served(front, head('Content-Length: 10') + 'half.')
    socket.destroy()
    await turns()
    assert.deepEqual(
      front.asked.map(({ body, whole, broken }) => [body, whole, broken]),
      [['half.', false, true]],
    )
  })
})

describe('a client that goes', () => {
  it('by FIN while its answer is due is let go of', async () => {
    let closed = false
    const front = new FrontAlone(({ response }) => {
      response.once('close', () => (closed = true))
    })
    const socket = await served(front, get('/a'))
    socket.arrive(undefined)
    await turns()
    assert.equal(closed, true)
    assert.equal(socket.destroyed, true)
  })

  for (const [what, text] of [
    ['head', 'GET /a HTTP/1.1\r\nHo'],
    ['body', `POST /a HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nab`],
  ] as const) {
    it(`by FIN inside a ${what} is told that this is no message`, async () => {
      const front = new FrontAlone(tell)
      const socket = await served(front, text)
      socket.arrive(undefined)
      await turns()
      assert.deepEqual(
        [front.refused, socket.writableEnded],
        [what === 'head' ? ['YORI_REQUEST_MALFORMED'] : [], true],
      )
    })
  }
})

describe('a client that keeps the front waiting', () => {
  const wait = async (front: FrontAlone, seconds: number): Promise<void> => {
    front.clock.advance(seconds * 1000)
    front.deadlines.tick()
    await turns(1)
  }

  it('with a head is closed after 30 s, however it drips', async () => {
    const front = new FrontAlone()
    const [first, later] = [front.open(), await served(front, get('/a'))]
    first.arrive('GET /a HT')
    await wait(front, 29)
    first.arrive('T')
    later.arrive('GET /b HT')
    assert.equal(first.destroyed, false)
    await wait(front, 2)
    assert.equal(first.destroyed, true)
    assert.equal(later.destroyed, false)
    await wait(front, 29)
    assert.equal(later.destroyed, true)
  })

  it('with a head behind a long answer has until that is over, and 30 s', async () => {
    const waiting: Asked[] = []
    const front = new FrontAlone((asked) => void waiting.push(asked))
    const socket = await served(front, get('/a'))
    tell(waiting[0] as Asked)
    await turns()
    socket.arrive(`${get('/long')}GET /b HT`)
    await wait(front, 600)
    assert.equal(socket.destroyed, false)
    tell(waiting[1] as Asked)
    await turns()
    await wait(front, 29)
    assert.equal(socket.destroyed, false)
    await wait(front, 2)
    assert.equal(socket.destroyed, true)
  })

  it('between requests is closed after two minutes, empty lines or not', async () => {
    const front = new FrontAlone()
    const socket = await served(front, get('/a'))
    await wait(front, 119)
    socket.arrive('\r\n')
    assert.equal(socket.destroyed, false)
    await wait(front, 3)
    assert.equal(socket.destroyed, true)
  })
})

describe('a request for another protocol', () => {
  for (const [what, text, line] of [
    ['an upgrade', get('/ws', 'Connection: Upgrade', 'Upgrade: websocket'), 'GET /ws'],
    [
      'CONNECT',
      'CONNECT b.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n',
      'CONNECT b.test:443',
    ],
  ] as const) {
    it(`(${what}) is handed over in its turn, with all that follows`, async () => {
      for (const pieces of [
        [`${get('/a')}${text}behind`],
        [get('/a'), text.slice(0, 20), `${text.slice(20)}behind`],
      ]) {
        const waiting: Asked[] = []
        const front = new FrontAlone((asked) => void waiting.push(asked))
        const socket = await served(front, ...pieces)
        assert.deepEqual(front.handed, [])
        tell(waiting[0] as Asked)
        await turns()
        assert.deepEqual(front.handed, [`${line} behind`])
        assert.equal(socket.written, told('GET /a 0;'))
        socket.destroy()
      }
    })
  }
})
