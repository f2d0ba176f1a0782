/** Connections to providers: kept, ended, handed over, and how long they are waited for. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { startRawOrigin } from '../support/origins.js'
import { readUntil } from '../support/streams.js'
import { Asked, testUpstream } from '../support/upstream-asked.js'
import {
  answering,
  ca,
  certificate,
  drained,
  fixed,
  OK,
  settled,
} from '../support/upstream-origin.js'

describe('a connection', () => {
  it('that is reused and dies unanswered is told to be stale; a fresh one is not', async () => {
    await using origin = await answering((_head, socket, index) => {
      if (index === 1 || index === 2) socket.destroy()
      else socket.write(OK)
    })
    await using one = testUpstream(origin)
    await one.ask().ended()
    await settled()
    const second = await one.ask().ended()
    assert.deepEqual([second.error?.code, second.stale], ['YORI_UPSTREAM_CLOSED', true])
    const third = await one.ask({ fresh: true }).ended()
    assert.deepEqual([third.error?.code, third.stale], ['YORI_UPSTREAM_CLOSED', false])
  })

  it('that is reused and breaks in its answer is not stale', async () => {
    await using origin = await answering((_head, socket, index) => {
      if (index === 0) socket.write(OK)
      else socket.end('HTTP/1.1 2')
    })
    await using one = testUpstream(origin)
    await one.ask().ended()
    await settled()
    const second = await one.ask().ended()
    assert.deepEqual([second.error?.code, second.stale], ['YORI_UPSTREAM_CLOSED', false])
    assert.equal(origin.accepted, 1)
  })

  for (const secure of [false, true]) {
    it(`is ended by bytes after an answer, which are nobody's${secure ? ', over TLS' : ''}`, async () => {
      const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
      await using origin = await answering((_head, socket, index) => {
        if (index > 0) socket.write(OK)
        else {
          socket.cork()
          // A TLS record of its own: it is read after the answer.
          socket.write(OK)
          socket.uncork()
          socket.write(evil)
        }
      }, secure)
      await using one = testUpstream(origin, {}, secure ? ca : undefined)
      const first = one.ask()
      const second = new Promise<Asked>((resolve) => {
        const onEnd = first.onEnd.bind(first)
        // At once, within the call.
        first.onEnd = (trailers) => {
          onEnd(trailers)
          resolve(one.ask())
        }
      })
      assert.equal((await first.ended()).body, 'ok')
      assert.equal((await (await second).ended()).body, 'ok')
      assert.equal(origin.accepted, 2)
    })
  }

  it('is ended by bytes that come while it is idle', async () => {
    let idle: Socket | undefined
    await using origin = await answering((_head, socket) => {
      idle = socket
      socket.write(OK)
    })
    await using one = testUpstream(origin)
    await one.ask().ended()
    const closed = once(idle as unknown as Socket, 'close')
    idle?.write('HTTP/1.1 408 Late\r\n\r\n')
    idle?.resume()
    await closed
    assert.equal(one.upstream.connections, 0)
    assert.equal((await one.ask().ended()).body, 'ok')
  })

  for (const again of [true, false]) {
    it(`that says something before it was asked did not answer, ${again ? 'reused' : 'fresh'}`, async () => {
      const late = 'HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n'
      let provider: Socket | undefined
      await using origin = await startRawOrigin(async (socket) => {
        provider = socket
        if (!again) return
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        socket.write(OK)
      })
      await using one = testUpstream(origin)
      if (again) await one.ask().ended()
      await settled()
      // Its client has not said a word of its body yet, and so has nobody to the provider.
      const stream = new PassThrough()
      const body = { kind: 'stream', stream, length: 5 } as const
      const asked = one.ask({ method: 'POST', body })
      while (provider === undefined) await settled()
      provider.write(late)
      const { status, error, stale } = await asked.ended()
      const code = again ? 'YORI_UPSTREAM_CLOSED' : 'YORI_UPSTREAM_MALFORMED'
      assert.deepEqual([status, error?.code, stale], [undefined, code, again])
      assert.equal(one.upstream.connections, 0)
      assert.equal(origin.accepted, 1)
    })
  }

  for (const what of ['onInformation', 'onHead', 'onData'] as const) {
    it(`ends when nobody can be told of its answer (${what})`, async () => {
      await using origin = await fixed(`HTTP/1.1 103 H\r\n\r\n${OK}`)
      await using one = testUpstream(origin)
      const asked = new Asked()
      asked[what] = () => {
        throw new Error('a fault')
      }
      const { error, stale } = await one.ask({}, asked).ended()
      assert.deepEqual([error?.code, stale], ['YORI_INTERNAL', false])
      assert.equal(one.upstream.connections, 0)
    })
  }

  it('serves for as long as it may be idle, and no longer than the provider says', async () => {
    let said = ''
    await using origin = await answering((_head, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${said}Content-Length: 0\r\n\r\n`)
    })
    await using one = testUpstream(origin, { idleTimeoutMs: 30_000 })
    const open = async (line: string, ms: number): Promise<number> => {
      said = line
      await one.ask().ended()
      await settled()
      one.pass(ms)
      return one.upstream.connections
    }
    assert.equal(await open('', 29_999), 1)
    assert.equal(await open('', 30_000), 0)
    assert.equal(await open('Keep-Alive: timeout=5, max=9\r\n', 3_999), 1)
    assert.equal(await open('Keep-Alive: timeout=5\r\n', 4_000), 0)
    assert.equal(await open('keep-alive: max=2, Timeout=100\r\n', 29_999), 1)
    assert.equal(await open('Keep-Alive: timeout=1\r\n', 0), 0)
    assert.equal(await open('Keep-Alive: timeout=x\r\n', 29_999), 1)
  })

  it('is taken the last one first; of the idle ones no more are kept than may be', async () => {
    const heads: Socket[] = []
    await using origin = await answering((_head, socket) => void heads.push(socket))
    await using one = testUpstream(origin, { maxIdlePerName: 2 })
    const asked = [one.ask(), one.ask(), one.ask()]
    while (heads.length < 3) await settled()
    for (const socket of heads) socket.write(OK)
    await Promise.all(asked.map((each) => each.ended()))
    await settled()
    assert.equal(one.upstream.connections, 2)
    one.ask()
    while (heads.length < 4) await settled()
    assert.equal(origin.accepted, 3)
    assert.equal(one.upstream.connections, 2)
  })

  it('is no more asked once its own address was taken away', async () => {
    await using origin = await fixed(OK)
    const own = new Set(['127.0.0.1'])
    await using one = testUpstream(origin, { hasAddress: (local) => own.has(local) })
    await one.ask().ended()
    await settled()
    own.clear()
    assert.equal((await one.ask().ended()).status, 200)
    assert.equal(origin.accepted, 2)
    await settled()
    assert.equal(one.upstream.connections, 1, 'the former one is closed')
  })

  it('is the name and scheme that it was opened for', async () => {
    await using origin = await fixed(OK)
    await using one = testUpstream(origin)
    await one.ask().ended()
    await settled()
    const target = { host: '127.0.0.1', port: origin.port, plain: true }
    const known = { address: '127.0.0.1', port: origin.port }
    await one.ask({ target, known }).ended()
    assert.equal(origin.accepted, 2)
  })

  it('ends with an exchange that nobody wants any more', async () => {
    let closed = 0
    await using origin = await answering((_head, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab')
      socket.once('close', () => closed++)
    })
    await using one = testUpstream(origin)
    const asked = one.ask()
    await asked.until(() => asked.body === 'ab')
    asked.exchange?.abort()
    asked.exchange?.abort()
    asked.exchange?.resume()
    assert.equal(one.upstream.connections, 0)
    while (closed === 0) await settled()
    assert.equal(asked.error, undefined)
  })

  it('is kept when its exchange was not wanted any more before it was open', async () => {
    await using origin = await fixed(OK)
    await using one = testUpstream(origin)
    one.ask().exchange?.abort()
    while (origin.accepted === 0) await settled()
    assert.equal((await one.ask().ended()).body, 'ok')
  })
})

describe('deadlines of a provider', () => {
  it('are one for the head, one for each silence in the body', async () => {
    let provider: Socket | undefined
    await using origin = await answering((_head, socket) => void (provider = socket))
    await using one = testUpstream(origin)
    const asked = one.ask()
    while (provider === undefined) await settled()
    one.pass(10_000)
    assert.equal(asked.error, undefined)
    one.pass(1)
    assert.equal((await asked.ended()).error?.code, 'YORI_UPSTREAM_TIMEOUT')

    provider = undefined
    const next = one.ask()
    while (provider === undefined) await settled()
    const socket = provider as Socket
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na')
    await next.until(() => next.body === 'a')
    one.pass(19_999)
    socket.write('b')
    await next.until(() => next.body === 'ab')
    one.pass(20_000)
    assert.equal(next.error, undefined)
    one.pass(1)
    assert.equal((await next.ended()).error?.code, 'YORI_UPSTREAM_TIMEOUT')
  })

  it('are not put off by a head that comes byte by byte, but by one that informs', async () => {
    let provider: Socket | undefined
    await using origin = await answering((_head, socket) => void (provider = socket))
    await using one = testUpstream(origin)
    const asked = one.ask()
    while (provider === undefined) await settled()
    one.pass(9_000)
    provider.write('HTTP/1.1 103 H\r\n\r\nH')
    await asked.until(() => asked.informed.length === 1)
    one.pass(9_000)
    provider.write('TTP/1.1 200 O')
    for (let turns = 0; turns < 20; turns++) await settled()
    one.pass(1_000)
    assert.equal(asked.error, undefined)
    one.pass(1)
    assert.equal((await asked.ended()).error?.code, 'YORI_UPSTREAM_TIMEOUT')
  })

  it('do not run while it is the client that is waited for', async () => {
    let seen = ''
    await using origin = await startRawOrigin(async (socket) => {
      for await (const chunk of socket) seen += String(chunk)
    })
    await using one = testUpstream(origin)
    const stream = new PassThrough()
    const body = { kind: 'stream', stream, length: 2 } as const
    const asked = one.ask({ method: 'POST', body })
    stream.write('a')
    while (!seen.endsWith('a')) await settled()
    one.pass(3_600_000)
    assert.equal(asked.error, undefined)
    stream.end('b')
    while (!seen.endsWith('b')) await settled()
    one.pass(10_001)
    assert.equal((await asked.ended()).error?.code, 'YORI_UPSTREAM_TIMEOUT')
  })

  it('run while it does not take the body', async () => {
    await using origin = await startRawOrigin((socket) => void socket.pause())
    await using one = testUpstream(origin)
    const stream = new PassThrough()
    const body = { kind: 'stream', stream, length: undefined } as const
    const asked = one.ask({ method: 'POST', body })
    while (stream.write(Buffer.alloc(256 * 1024)) || (await drained(stream)));
    one.pass(10_001)
    assert.equal((await asked.ended()).error?.code, 'YORI_UPSTREAM_TIMEOUT')
    assert.ok(stream.destroyed)
  })
})

describe('a switch of protocols', () => {
  const SWITCH = 'HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX: 1\r\n\r\n'

  for (const secure of [false, true]) {
    it(`gives the socket with all that came${secure ? ', over TLS' : ''}`, async () => {
      let head = ''
      await using origin = await startRawOrigin(
        async (socket) => {
          head = (
            await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
          ).toString()
          socket.write(`${SWITCH}hello`)
          socket.pipe(socket)
        },
        secure ? { certificate } : {},
      )
      await using one = testUpstream(origin, {}, secure ? ca : undefined)
      const asked = await one.ask({ upgrade: 'echo' }).ended()
      assert.match(head, /\r\nConnection: upgrade\r\nUpgrade: echo\r\n/)
      assert.deepEqual(asked.fields, [
        'Connection',
        'Upgrade',
        'Upgrade',
        'echo',
        'X',
        '1',
      ])
      const socket = asked.upgraded
      assert.ok(socket !== undefined)
      assert.equal(one.upstream.connections, 0)
      const big = 'x'.repeat(1_000_000)
      socket.write(big)
      // It is read slowly: nothing is lost on the way.
      let got = ''
      for await (const chunk of socket) {
        got += String(chunk)
        await settled()
        if (got.length === big.length + 5) socket.end()
      }
      assert.equal(got, `hello${big}`)
    })
  }

  it('that is declined is an answer, and the connection serves on', async () => {
    await using origin = await fixed(
      'HTTP/1.1 426 No\r\nUpgrade: other\r\nContent-Length: 0\r\n\r\n',
    )
    await using one = testUpstream(origin)
    for (let i = 0; i < 2; i++) {
      const asked = await one.ask({ upgrade: 'echo' }).ended()
      assert.equal(asked.status, 426)
      await settled()
    }
    assert.equal(origin.accepted, 1)
  })

  for (const [title, fields] of [
    ['without its fields', ''],
    ['without a protocol', 'Connection: Upgrade\r\n'],
    ['to a protocol that was not asked for', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'],
    ['to two protocols', 'Connection: Upgrade\r\nUpgrade: echo, h2c\r\n'],
  ] as const) {
    it(`${title} is refused`, async () => {
      await using origin = await fixed(`HTTP/1.1 101 Go\r\n${fields}\r\n`)
      await using one = testUpstream(origin)
      const asked = await one.ask({ upgrade: 'echo' }).ended()
      assert.equal(asked.error?.code, 'YORI_UPSTREAM_MALFORMED')
    })
  }
})

describe('an upstream that closes', () => {
  it('ends idle connections at once and busy ones with their exchange', async () => {
    const heads: Socket[] = []
    await using origin = await answering((_head, socket, index) => {
      heads.push(socket)
      if (index === 0) socket.write(OK)
    })
    await using one = testUpstream(origin)
    await one.ask().ended()
    const busy = one.ask({ fresh: true })
    while (heads.length < 2) await settled()
    assert.equal(one.upstream.connections, 2)
    const closed = one.upstream.close()
    assert.equal(one.upstream.connections, 1)
    heads[1]?.write(OK)
    assert.equal((await busy.ended()).body, 'ok')
    await closed
    assert.equal(one.upstream.connections, 0)
    await one.upstream.close()
  })

  it('breaks off all of them when it must', async () => {
    await using origin = await answering(() => undefined)
    await using one = testUpstream(origin)
    const asked = [one.ask(), one.ask()]
    await one.upstream.destroy()
    for (const each of asked)
      assert.equal((await each.ended()).error?.code, 'YORI_UPSTREAM_CLOSED')
    assert.equal(one.upstream.connections, 0)
  })
})
