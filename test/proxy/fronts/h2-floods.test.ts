/** HTTP/2 clients that make work without asking for anything: they are let go. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { FLAG, FRAME, frame, framesOf, h2Ask, h2Client } from '../../support/h2.js'
import { literals, rawH2Client, uint32 } from '../../support/h2.js'
import { behind, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'

/** RFC 9113 §7. */
const ENHANCE_YOUR_CALM = 0xb
const MAX_WRITES = 20_000
const MIB = 1024 * 1024

const HEAD = literals([
  [':method', 'GET'],
  [':path', '/v1/models'],
  [':scheme', 'https'],
  [':authority', NAME],
])

/** Sends piece after piece until YORI closes; gives the bytes by which RSS grew. */
async function flood(setup: Proxied, piece: (n: number) => Buffer): Promise<number> {
  const socket: TLSSocket = await rawH2Client(setup.yori, NAME)
  socket.resume()
  // Not by `once`: what is still being written then fails, as it should.
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const before = process.memoryUsage().rss
  let pieces = 0
  while (!socket.destroyed && pieces < MAX_WRITES) {
    const flows = socket.write(piece(pieces++))
    if (!flows) await Promise.race([drained(socket), closed])
    if (pieces % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(pieces < MAX_WRITES, 'the session stayed open')
  await closed
  return process.memoryUsage().rss - before
}

function drained(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.once('drain', () => resolve()))
}

/**
 * In one of the next thirty seconds' quarters this process does next to nothing: what spins
 * never does, however little of a busy machine it is given.
 */
async function comesToRest(): Promise<void> {
  const shares: number[] = []
  for (let quarter = 0; quarter < 120; quarter++) {
    const before = process.cpuUsage()
    const began = process.hrtime.bigint()
    await new Promise((resolve) => setTimeout(resolve, 250))
    const { user, system } = process.cpuUsage(before)
    const micros = Number(process.hrtime.bigint() - began) / 1000
    shares.push((user + system) / micros)
    if ((user + system) / micros < 0.1) return
  }
  assert.fail(
    `the process stays busy: ${shares.map((share) => share.toFixed(2)).join(' ')}`,
  )
}

async function servesOthers(setup: Proxied): Promise<void> {
  using client = await h2Client(setup.yori, NAME)
  const answer = await h2Ask(client.session, { ':path': '/v1/models' })
  assert.equal(answer.body, 'ok')
}

const { endHeaders, endStream } = FLAG

function headers(n: number, flags: number, payload = HEAD): Buffer {
  return frame({ type: FRAME.headers, flags, stream: 2 * n + 1, payload })
}

function reset(n: number): Buffer {
  return frame({ type: FRAME.resetStream, stream: 2 * n + 1, payload: uint32(8) })
}

describe('an HTTP/2 connection is closed', () => {
  const floods: readonly (readonly [string, (n: number) => Buffer])[] = [
    [
      'when streams are opened and reset without end',
      (n) => Buffer.concat([headers(n, endHeaders | endStream), reset(n)]),
    ],
    [
      'when a head goes on in CONTINUATION without end',
      (n) =>
        n === 0
          ? headers(0, endStream)
          : frame({
              type: FRAME.continuation,
              stream: 1,
              payload: literals([[`x-${n}`, 'y'.repeat(100)]]),
            }),
    ],
    ['when SETTINGS come without end', () => frame({ type: FRAME.settings })],
    [
      'when streams are broken without end so that we reset them',
      (n) =>
        Buffer.concat([
          headers(n, endHeaders),
          // An increment of nothing, RFC 9113 §6.9.
          frame({ type: FRAME.windowUpdate, stream: 2 * n + 1, payload: uint32(0) }),
        ]),
    ],
    [
      'when DATA come empty and without end',
      (n) =>
        n === 0
          ? headers(0, endHeaders)
          : frame({ type: FRAME.data, stream: 1, payload: Buffer.alloc(0) }),
    ],
    [
      'when PINGs come without end',
      () => frame({ type: FRAME.ping, payload: Buffer.alloc(8) }),
    ],
  ]

  for (const [title, piece] of floods) {
    it(title, async () => {
      await using setup = await behind((_request, response) => void response.end('ok'))
      await servesOthers(setup)
      const grown = await flood(setup, piece)
      assert.ok(grown <= 50 * MIB, `RSS grew by ${grown}`)
      await comesToRest()
      await servesOthers(setup)
      await until(async () => {
        const rows = await setup.yori.rows('connections')
        return rows.some((row) => row['code'] !== null)
      })
    })
  }

  it('with ENHANCE_YOUR_CALM, and the record says why', async () => {
    const config = { limits: { h2_resets_per_second: 1 } }
    await using setup = await behind((_request, response) => {
      response.end('ok')
    }, config)
    const socket = await rawH2Client(setup.yori, NAME)
    const received: Buffer[] = []
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    const ended = new Promise((resolve) => socket.once('end', resolve))
    // Few more than ten seconds' worth: what a closed socket has not read would reset it.
    const pieces = Array.from({ length: 20 }, (_, n) =>
      Buffer.concat([headers(n, endHeaders | endStream), reset(n)]),
    )
    socket.write(Buffer.concat(pieces))
    await ended
    socket.destroy()
    const goAway = framesOf(Buffer.concat(received)).find(
      ({ type }) => type === FRAME.goAway,
    )
    assert.equal(goAway?.payload.readUInt32BE(4), ENHANCE_YOUR_CALM)
    await until(async () => (await setup.yori.rows('connections')).length === 1)
    const [row] = await setup.yori.rows('connections')
    assert.equal(row?.['code'], 'YORI_CLIENT_FLOOD')
  })

  it('not when a client breaks off a hundred streams, as it may', async () => {
    let waiting = 0
    await using setup = await behind((request, response) => {
      if (request.url === '/v1/models') response.end('ok')
      else waiting++
    })
    using client = await h2Client(setup.yori, NAME)
    const streams = Array.from({ length: 100 }, () =>
      client.session.request({ ':path': '/wait' }),
    )
    await until(() => waiting === 100)
    for (const stream of streams) stream.on('error', () => undefined).close(8)
    const answer = await h2Ask(client.session, { ':path': '/v1/models' })
    assert.equal(answer.body, 'ok')
  })

  it('not for a head over its limit: that stream alone is refused', async () => {
    let reached = 0
    await using setup = await behind((_request, response) => {
      reached++
      response.end('ok')
    })
    using client = await h2Client(setup.yori, NAME)
    const big = client.session.request({ ':path': '/', 'x-big': 'x'.repeat(60_000) })
    const [headers] = (await once(big, 'response')) as [{ ':status': number }]
    assert.equal(headers[':status'], 431)
    big.close()
    assert.equal(reached, 0)
    const answer = await h2Ask(client.session, { ':path': '/v1/models' })
    assert.equal(answer.body, 'ok')
  })
})
