/** Answers over HTTP/1.1 as they are written: framing, order, back-pressure. RFC 9112 §6. */
import assert from 'node:assert/strict'
import { answer, FrontAlone, get, HOST, KEPT, served } from '../../support/h1-front.js'
import { tell, told, turns } from '../../support/h1-front.js'
import type { Asked } from '../../support/h1-front.js'

describe('an answer', () => {
  const asHead = (status: number): string =>
    `HTTP/1.1 ${status} Told\r\nContent-Length: 5\r\n${KEPT}\r\n`
  for (const [what, method, status, head] of [
    ['to HEAD', 'HEAD', 200, asHead(200)],
    ['of 304', 'GET', 304, asHead(304)],
    ['of 204', 'GET', 204, `HTTP/1.1 204 Told\r\n${KEPT}\r\n`],
  ] as const) {
    it(`${what} ends at its head, and the connection goes on`, async () => {
      const front = new FrontAlone((asked) => {
        if (asked.request.url !== '/a') return tell(asked)
        asked.response.sendDate = false
        asked.response.writeHead(status, 'Told', ['Content-Length', '5'])
        asked.response.write('wrong')
        asked.response.end()
      })
      const text = `${method} /a HTTP/1.1\r\n${HOST}\r\n`
      const socket = await served(front, text, get('/b'))
      assert.equal(socket.written, head + told('GET /b 0;'))
    })
  }

  it('goes with its head and its end in one write, where they come together', async () => {
    const front = new FrontAlone(({ response }) => {
      response.sendDate = false
      response.writeHead(200, 'OK', ['X', '1'])
      response.write(Buffer.from('one'))
      response.write(Buffer.from('two'))
      response.addTrailers([['X-After', '1']])
      response.end()
    })
    const socket = await served(front, get('/a'))
    assert.deepEqual(socket.writes, [
      `HTTP/1.1 200 OK\r\nX: 1\r\ntransfer-encoding: chunked\r\n${KEPT}\r\n` +
        '3\r\none\r\n3\r\ntwo\r\n0\r\nX-After: 1\r\n\r\n',
    ])
  })

  it('that comes bit by bit goes bit by bit, its head at once', async () => {
    const waiting: Asked[] = []
    const front = new FrontAlone((asked) => void waiting.push(asked))
    const socket = await served(front, get('/a'))
    const { response } = waiting[0] as Asked
    response.writeHead(200, 'OK', ['Content-Length', '2'])
    response.flushHeaders()
    await turns(1)
    assert.match(socket.writes[0] ?? '', /\r\n\r\n$/)
    for (const bit of ['a', 'b']) {
      response.write(bit)
      await turns(1)
      assert.equal(socket.writes.at(-1), bit)
    }
    response.end()
    assert.equal(socket.writes.length, 3)
  })

  for (const [what, ...pieces] of [
    ['longer', 'abcdef'],
    ['shorter', 'ab', 'cd'],
  ] as const) {
    it(`${what} than it said breaks the connection off`, async () => {
      const front = new FrontAlone(({ response }) => {
        response.writeHead(200, 'OK', ['Content-Length', '5'])
        for (const piece of pieces) response.write(piece)
        response.end()
      })
      const socket = await served(front, get('/a'))
      assert.equal(socket.wasReset, true)
      assert.ok(!socket.written.includes('abcdef'))
    })
  }

  it('that breaks off goes as far as it has come', async () => {
    const front = new FrontAlone(({ response, from }) => {
      response.writeHead(200, 'OK', ['Content-Length', '5'])
      response.write('abc')
      from.breakOff()
    })
    const socket = await served(front, get('/a'))
    assert.match(socket.written, /\r\n\r\nabc$/)
    assert.equal(socket.wasReset, true)
  })

  it('whose head cannot be written breaks the connection off', async () => {
    const front = new FrontAlone(({ response }) => {
      response.writeHead(200, 'OK', ['X', 'a\r\nInjected: 1'])
      response.end()
    })
    const socket = await served(front, get('/a'))
    assert.equal(socket.wasReset, true)
    assert.equal(socket.written, '')
  })

  it('waits while the client does not read, and goes on with it', async () => {
    const waiting: Asked[] = []
    const front = new FrontAlone((asked) => void waiting.push(asked))
    const socket = await served(front, get('/a'))
    socket.stalls = true
    const { response } = waiting[0] as Asked
    response.writeHead(200, 'OK', ['Content-Length', '300000'])
    let drained = 0
    response.once('drain', () => drained++)
    assert.equal(response.write(Buffer.alloc(100_000)), false)
    await turns()
    assert.equal(drained, 0)
    socket.goesOn()
    await turns()
    assert.equal(drained, 1)
    let closed = false
    response.once('close', () => (closed = true))
    socket.stalls = true
    response.end(Buffer.alloc(200_000))
    await turns()
    assert.equal(closed, false, 'the client has not got all of it')
    socket.goesOn()
    await turns()
    assert.equal(closed, true)
  })

  it('is cut off after a minute in which nothing of it was taken', async () => {
    const front = new FrontAlone()
    const socket = front.open()
    socket.stalls = true
    socket.arrive(get('/a'))
    await turns()
    front.deadlines.tick()
    front.clock.advance(61_000)
    front.deadlines.tick()
    assert.equal(socket.wasReset, true)
  })
})

describe('a client of HTTP/1.0', () => {
  const text = (...fields: string[]): string =>
    ['GET /a HTTP/1.0', 'Host: a.test', ...fields, '', ''].join('\r\n')

  it('keeps its connection where it asks for it and the answer has a length', async () => {
    const front = new FrontAlone()
    const socket = await served(front, text('Connection: keep-alive') + text())
    assert.equal(socket.written, told('GET /a 0;') + told('GET /a 0;', true))
    assert.equal(socket.writableEnded, true)
  })

  it('gets no chunks, no trailers and nothing before the answer', async () => {
    const front = new FrontAlone((asked) => {
      asked.response.writeContinue()
      asked.response.writeProcessing()
      asked.response.writeEarlyHints({ link: '</a>' })
      asked.response.addTrailers([['X', '1']])
      answer(asked, 200, 'body', [])
    })
    const keep = ['Connection: keep-alive', 'Expect: 100-continue']
    const socket = await served(front, text(...keep))
    assert.equal(socket.written, 'HTTP/1.1 200 Told\r\nConnection: close\r\n\r\nbody')
    assert.equal(socket.writableEnded, true)
  })
})

describe('what comes before the answer', () => {
  it('is written as it is told, and not after its head', async () => {
    const front = new FrontAlone((asked) => {
      asked.response.writeContinue()
      asked.response.writeProcessing()
      asked.response.writeEarlyHints({ link: ['</a>', '</b>'] })
      answer(asked, 200, 'x')
      asked.response.writeContinue()
    })
    const socket = await served(front, get('/a'))
    const before =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n' +
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nlink: </b>\r\n\r\n'
    assert.equal(socket.written, before + told('x'))
  })
})
