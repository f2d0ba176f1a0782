/**
 * Ways round policies that block, by how bytes are sent and not by what they say: each is told
 * by hand, over a CONNECT, redirected, and by dialling us. Of what a provider may hear, only
 * what is harmless reaches it. The list of all ways is in `docs/WAYS-ROUND.md`.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import { parseSocketAddress } from '../../src/core/address.js'
import type { SocketAddress } from '../../src/core/address.js'
import type { Destination } from '../../src/net/original-destination.js'
import { rawTlsClient } from '../support/clients.js'
import { FLAG, FRAME, frame, framesOf, literals, rawH2Client } from '../support/h2.js'
import { startOrigin } from '../support/origins.js'
import type { Origin } from '../support/origins.js'
import { NAME, originCa } from '../support/proxied.js'
import { readUntil } from '../support/streams.js'
import { Yori } from '../support/yori.js'

const OTHER = 'api.mistral.ai'
const certificate = originCa.issue({ names: [NAME, OTHER] })
const CHAT = '/v1/chat/completions'
const CARD = 'my card is 4111 1111 1111 1111'
const chat = (content: string): string =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })
const GOOD = chat('hello')
const BAD = chat(CARD)

const WAYS = ['CONNECT', 'redirected', 'dialled', 'in the clear'] as const
type Way = (typeof WAYS)[number]

interface Said {
  readonly target?: string
  readonly method?: string
  readonly version?: string
  readonly hosts?: readonly string[]
  readonly fields?: readonly string[]
}

/** A head, and its body as it stands. */
function post(body: string, said: Said = {}): string {
  const { target = CHAT, method = 'POST', version = '1.1', hosts = [NAME] } = said
  const fields = said.fields ?? [`Content-Length: ${Buffer.byteLength(body)}`]
  const head = [
    `${method} ${target} HTTP/${version}`,
    ...hosts.map((host) => `Host: ${host}`),
    'Content-Type: application/json',
    ...fields,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

const CHUNKED = { fields: ['Transfer-Encoding: chunked'] }

function chunks(pieces: readonly string[], extension = '', trailer = ''): string {
  const all = pieces.map((piece) => {
    const size = Buffer.byteLength(piece).toString(16)
    return `${size}${extension}\r\n${piece}\r\n`
  })
  return `${all.join('')}0\r\n${trailer}\r\n`
}

const field = (text: string): Said => ({
  fields: [`Content-Length: ${BAD.length}`, text],
})

/** Each is the last of what is sent, and is answered by a status from 400 on. */
const REQUESTS: Readonly<Record<string, string>> = {
  'behind a harmless one': post(GOOD) + post(BAD),
  'behind five': post(GOOD).repeat(5) + post(BAD),
  'in chunks of a byte': post(chunks([...BAD]), CHUNKED),
  'in chunks with extensions': post(
    chunks([BAD.slice(0, 60), BAD.slice(60)], ';a=b'),
    CHUNKED,
  ),
  'before a trailer': post(chunks([BAD], '', 'X-Note: x\r\n'), CHUNKED),
  'in HTTP/1.0': post(BAD, { version: '1.0' }),
  'in HTTP/1.0, chunked': post(chunks([BAD]), { ...CHUNKED, version: '1.0' }),
  'with Expect': post(BAD, field('Expect: 100-continue')),
  'with two lengths': post(BAD, field(`Content-Length: ${BAD.length}`)),
  'with a length and chunks': post(chunks([BAD]), field('Transfer-Encoding: chunked')),
  'with a coding of the transfer': post(BAD, field('Transfer-Encoding: identity')),
  'with Upgrade to h2c': post(BAD, field('Connection: Upgrade\r\nUpgrade: h2c')),
  'with Upgrade to WebSocket': post(
    BAD,
    field('Connection: Upgrade\r\nUpgrade: websocket'),
  ),
  'in the body of GET': post(BAD, { method: 'GET' }),
  'in the body of DELETE': post(BAD, { method: 'DELETE' }),
  'in the body of QUERY': post(BAD, { method: 'QUERY' }),
  'to two hosts': post(BAD, { hosts: [NAME, 'other.test'] }),
  'to another host': post(BAD, { hosts: ['other.test'] }),
  'to no host': post(BAD, { hosts: [] }),
  'to the host in capitals': post(BAD, { hosts: [NAME.toUpperCase()] }),
  'to the host with a dot': post(BAD, { hosts: [`${NAME}.`] }),
  'to an absolute target': post(BAD, { target: `https://${NAME}${CHAT}` }),
  'to an absolute target in the clear': post(BAD, { target: `http://${NAME}${CHAT}` }),
  'to an absolute target elsewhere': post(BAD, { target: `https://other.test${CHAT}` }),
  'to a target behind our own paths': post(BAD, { target: `/__yori/..${CHAT}` }),
  'behind a CONNECT of its own': `CONNECT ${NAME}:443 HTTP/1.1\r\nHost: ${NAME}:443\r\n\r\n${post(BAD)}`,
  'behind an empty line': `\r\n${post(BAD)}`,
}

type Tls = Pick<ConnectionOptions, 'servername' | 'maxVersion' | 'session'>

/** Names by which TLS asks, over each way that has TLS. */
const NAMES: readonly Tls[] = [
  { servername: NAME.toUpperCase() },
  { servername: `${NAME}.` },
  { servername: OTHER },
  { maxVersion: 'TLSv1.2' },
]

const WORDS_OF_A_SOCKET: Readonly<Record<string, (bad: Buffer) => Buffer>> = {
  'in a second message': (bad) =>
    Buffer.concat([framed(1, Buffer.from(item('hi'))), framed(1, bad)]),
  'in fragments of a byte, pings between': (bad) =>
    Buffer.concat(
      [...bad].flatMap((byte, i) => [
        framed(i === 0 ? 1 : 0, Buffer.of(byte), i === bad.length - 1),
        framed(9, Buffer.from('p')),
      ]),
    ),
  'in a binary message': (bad) => framed(2, bad),
  'behind a blank in a binary message': (bad) =>
    framed(2, Buffer.from(` ${bad.toString()}`)),
  'in a frame that has no kind': (bad) => framed(3, bad),
  'in no JSON': () => framed(1, Buffer.from(CARD)),
  'in two documents': (bad) => framed(1, Buffer.from(`${item('hi')}${bad.toString()}`)),
  'beside sound': () =>
    framed(
      1,
      Buffer.from(
        JSON.stringify({ type: 'input_audio_buffer.append', audio: 'AAAA', note: CARD }),
      ),
    ),
  'as HTTP': () => Buffer.from(post(BAD)),
}

function item(text: string): string {
  const content = [{ type: 'input_text', text }]
  return JSON.stringify({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content },
  })
}

/** A client's frame under a mask of zeros (RFC 6455 §5.2). */
function framed(opcode: number, payload: Buffer, isLast = true): Buffer {
  const { length } = payload
  const size = length < 126 ? [0x80 | length] : [0xfe, length >> 8, length & 0xff]
  const head = [(isLast ? 0x80 : 0) | opcode, ...size, 0, 0, 0, 0]
  return Buffer.concat([Buffer.from(head), payload])
}

describe('a way round by the wire', () => {
  let origin: Origin
  let yori: Yori
  let led: Destination = { kind: 'own' }
  let heard: string[] = []
  const trailers: string[] = []

  before(async () => {
    origin = await startOrigin({
      certificate,
      handler: (incoming, response) => {
        let body = ''
        incoming.on('data', (piece: Buffer) => (body += piece.toString()))
        incoming.on('end', () => {
          heard.push(body)
          trailers.push(...incoming.rawTrailers)
          response.end('{}')
        })
      },
    })
    new WebSocketServer({
      server: origin.server as Server,
      perMessageDeflate: { threshold: 0 },
    }).on('connection', (socket) => {
      socket.on('error', () => undefined)
      socket.on('message', (data) => heard.push((data as Buffer).toString()))
    })
    yori = await Yori.start({
      origins: { [NAME]: origin, [OTHER]: origin },
      trust: [originCa],
      destination: () => led,
      config: {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { files: { privacy: { action: 'block' } } },
      },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
  })

  async function open(way: Way, options: Tls = {}): Promise<Socket> {
    const address = parseSocketAddress(origin.address) as SocketAddress
    heard = []
    led = way === 'redirected' ? { kind: 'original', address } : { kind: 'own' }
    const tls = { checkServerIdentity: () => undefined, ca: yori.rootPem, ...options }
    if (way === 'CONNECT') return yori.tls(NAME, tls)
    const raw = connectTcp({ host: '127.0.0.1', port: yori.port })
    raw.on('error', () => undefined)
    await once(raw, 'connect')
    if (way === 'in the clear') return raw
    return rawTlsClient({ servername: NAME, ...tls, socket: raw })
  }

  /** Up to an answer that refuses; nothing of a card has been heard until then. */
  async function assertRefused(socket: Socket, bytes: string | Buffer): Promise<void> {
    socket.on('error', () => undefined)
    socket.write(bytes)
    const refusal = /HTTP\/1\.[01] [45]\d\d /
    await readUntil(socket, (soFar) => refusal.test(soFar.toString('latin1')))
    socket.destroy()
    assert.ok(!heard.join().includes('4111'), 'the provider heard it')
  }

  for (const way of WAYS)
    for (const [what, bytes] of Object.entries(REQUESTS)) {
      // In the clear an empty line is no request, and the connection ends; CONNECT is one of ours.
      if (way === 'in the clear' && /^(?:\r\n|CONNECT)/.test(bytes)) continue
      it(`is closed: ${what}, ${way}`, async () => {
        await assertRefused(await open(way), bytes)
      })
    }

  for (const way of WAYS.slice(0, 3))
    for (const options of NAMES)
      it(`is closed: by ${JSON.stringify(options)}, ${way}`, async () => {
        await assertRefused(await open(way, options), post(BAD))
      })

  for (const path of ['/v1/realtime', '/v1/responses'])
    for (const [what, bytes] of Object.entries(WORDS_OF_A_SOCKET))
      it(`is closed: ${what} of a WebSocket at ${path}`, async () => {
        const socket = await open('CONNECT')
        socket.on('error', () => undefined)
        const fields = [
          ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
          'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        ]
        socket.write(post('', { method: 'GET', target: path, fields }))
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        socket.write(bytes(Buffer.from(item(CARD))))
        await readUntil(socket, (soFar) => soFar.includes('policy_blocked'))
        socket.destroy()
        assert.ok(!heard.join().includes('4111'), 'the provider heard it')
      })

  for (const way of WAYS)
    for (const path of ['/v1/realtime', '/v1/responses'])
      it(`is closed: in a compressed message of a WebSocket at ${path}, ${way}`, async () => {
        const raw = await open(way)
        const socket = new WebSocket(`ws://${NAME}${path}`, {
          createConnection: () => raw,
          perMessageDeflate: { threshold: 0 },
        })
        socket.on('error', () => undefined)
        await once(socket, 'open')
        assert.match(socket.extensions, /permessage-deflate/)
        socket.send(item('hello'))
        socket.send(item(CARD))
        const said: string[] = []
        socket.on('message', (data) => said.push((data as Buffer).toString()))
        while (!said.join().includes('policy_blocked')) await once(socket, 'message')
        socket.terminate()
        assert.ok(!heard.join().includes('4111'), 'the provider heard it')
      })

  const asked = (authority: string, more: readonly (readonly [string, string])[] = []) =>
    literals([
      ...([
        [':method', 'POST'],
        [':scheme', 'https'],
        [':path', CHAT],
      ] as const),
      ...([
        [':authority', authority],
        ['content-type', 'application/json'],
      ] as const),
      ...more,
    ])
  const body = (text: string, flags = 0, pad = 0): Buffer => {
    const bytes = Buffer.from(text)
    const padded = Buffer.concat([Buffer.of(pad), bytes, Buffer.alloc(pad)])
    const payload = pad === 0 ? bytes : padded
    return frame({
      type: FRAME.data,
      flags: flags | (pad === 0 ? 0 : 8),
      stream: 1,
      payload,
    })
  }
  const end = FLAG.endStream

  const FRAMES: Readonly<Record<string, readonly [Buffer, ...Buffer[]]>> = {
    'in frames of a byte': [asked(NAME), ...[...BAD].map((c) => body(c)), body('', end)],
    'in frames with padding': [
      asked(NAME),
      body(BAD.slice(0, 60), 0, 200),
      body(BAD.slice(60), end, 7),
    ],
    'between empty frames': [asked(NAME), body(''), body(BAD), body(''), body('', end)],
    'to another authority': [asked('other.test'), body(BAD, end)],
    'to another authority than the host': [
      asked(NAME, [['host', 'other.test']]),
      body(BAD, end),
    ],
    'with a length that is too short': [
      asked(NAME, [['content-length', '10']]),
      body(BAD, end),
    ],
    'by extended CONNECT': [
      literals([
        ...([
          [':method', 'CONNECT'],
          [':protocol', 'websocket'],
        ] as const),
        ...([
          [':scheme', 'https'],
          [':path', '/v1/realtime'],
          [':authority', NAME],
        ] as const),
      ]),
      body(BAD, end),
    ],
  }
  for (const [what, [head, ...frames]] of Object.entries(FRAMES))
    it(`is closed: ${what}, over h2`, async () => {
      await open('CONNECT').then((socket) => socket.destroy())
      const socket = await rawH2Client(yori, NAME)
      const flags = FLAG.endHeaders
      const first = frame({ type: FRAME.headers, flags, stream: 1, payload: head })
      socket.write(Buffer.concat([first, ...frames]))
      await readUntil(socket, (soFar) =>
        framesOf(soFar).some(
          ({ stream, type, flags: set }) =>
            stream === 1 && (type === FRAME.resetStream || (set & end) !== 0),
        ),
      )
      socket.destroy()
      assert.deepEqual(heard, [], 'the provider heard it')
    })

  it('leaves out trailers over h2, too', async () => {
    const socket = await rawH2Client(yori, NAME)
    heard = []
    const trailer = literals([['x-note', CARD]])
    socket.write(
      Buffer.concat([
        frame({
          type: FRAME.headers,
          flags: FLAG.endHeaders,
          stream: 1,
          payload: asked(NAME),
        }),
        body(GOOD),
        frame({
          type: FRAME.headers,
          flags: FLAG.endHeaders | end,
          stream: 1,
          payload: trailer,
        }),
      ]),
    )
    await readUntil(socket, (soFar) =>
      framesOf(soFar).some(({ stream, flags: set }) => stream === 1 && (set & end) !== 0),
    )
    socket.destroy()
    assert.deepEqual([heard, trailers.join().includes('4111')], [[GOOD], false])
  })

  it('leaves out what no provider reads: extensions of chunks, and trailers', async () => {
    const socket = await open('CONNECT')
    const trailer = `X-Note: ${CARD}\r\n`
    socket.write(post(chunks([GOOD], `;x="${CARD}"`, trailer), CHUNKED))
    await readUntil(socket, (soFar) => soFar.includes('HTTP/1.1 200 '))
    socket.destroy()
    assert.deepEqual(heard, [GOOD])
  })

  it('is a last one for a body that was under way when the policy came', async () => {
    const policies = (action: string) => ({
      policies: { files: { privacy: { action } } },
    })
    await yori.reload(policies('alert'))
    const socket = await open('CONNECT')
    const bytes = post(BAD)
    socket.write(bytes.slice(0, -30))
    await yori.reload(policies('block'))
    // Judged by the policies of its beginning; its connection takes no other.
    socket.write(bytes.slice(-30))
    const answer = await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
    assert.match(answer.toString(), /^HTTP\/1\.1 200 [^]*connection: close/i)
    assert.deepEqual(heard, [BAD])
    await assertRefused(await open('CONNECT'), post(BAD))
  })

  it('is closed on a connection and a session that are older than the policy', async () => {
    const policies = (action: string) => ({
      policies: { files: { privacy: { action } } },
    })
    await yori.reload(policies('alert'))
    const socket = await open('CONNECT')
    const resumed = once(socket, 'session') as Promise<[Buffer]>
    socket.write(post(BAD))
    await readUntil(socket, (soFar) => soFar.includes('HTTP/1.1 200 '))
    assert.deepEqual(heard, [BAD])
    const [session] = await resumed
    await yori.reload(policies('block'))
    heard = []
    await assertRefused(socket, post(BAD))
    const again = await open('CONNECT', { session })
    assert.equal((again as TLSSocket).isSessionReused(), true)
    await assertRefused(again, post(BAD))
  })
})
