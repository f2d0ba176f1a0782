import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { MOST_IN_FRAME, MOST_READERS } from '../../src/control/live.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { closed } from '../audit/support.js'
import { Controlled } from '../support/control.js'
import { openaiSdk } from '../support/sdk.js'

interface Frame {
  readonly event: string
  readonly id: string
  readonly exchanges: readonly Record<string, unknown>[]
  readonly leftOut: number
}

/** Reads frames as the HTML standard says: fields of lines, a blank line ends an event. */
class Listening implements Disposable {
  readonly #response: IncomingMessage
  readonly #pieces: string[] = []
  #text = ''

  constructor(response: IncomingMessage) {
    this.#response = response
    response.setEncoding('utf8')
    response.on('data', (piece: string) => {
      this.#pieces.push(piece)
      // Long frames come in many pieces: they are joined once.
      const end = `${this.#pieces.at(-2)?.slice(-1) ?? ''}${piece}`
      if (!end.includes('\n\n')) return
      this.#text += this.#pieces.splice(0).join('')
      response.emit('frame')
    })
    response.on('error', () => undefined)
  }

  static async to(on: Controlled, headers: Record<string, string> = {}) {
    const asking = request({
      ...{ host: '127.0.0.1', port: on.port, path: '/api/events', agent: false },
      headers: { authorization: `Bearer ${on.token}`, ...headers },
    })
    asking.end()
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    return new Listening(response)
  }

  get status(): number | undefined {
    return this.#response.statusCode
  }

  get type(): string | undefined {
    return this.#response.headers['content-type']
  }

  async frame(): Promise<Frame> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end < 0) {
        await once(this.#response, 'frame')
        continue
      }
      const lines = this.#text.slice(0, end).split('\n')
      this.#text = this.#text.slice(end + 2)
      const field = (name: string): string =>
        lines
          .filter((line) => line.startsWith(`${name}: `))
          .map((line) => line.slice(name.length + 2))
          .join('\n')
      if (field('data') === '') continue
      const { exchanges, left_out: leftOut } = JSON.parse(field('data')) as {
        exchanges: Record<string, unknown>[]
        left_out: number
      }
      return { event: field('event'), id: field('id'), exchanges, leftOut }
    }
  }

  ended(): Promise<unknown> {
    return once(this.#response, 'close')
  }

  [Symbol.dispose](): void {
    this.#response.destroy()
  }
}

describe('/api/events', () => {
  let simulator: Simulator
  let on: Controlled
  before(async () => {
    simulator = await Simulator.start()
    on = await Controlled.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
    })
  })
  after(async () => {
    await on[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
  })

  const say = (content: string) =>
    openaiSdk({ dispatcher: on.yori.dispatcher() }).chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content }],
    })

  it('tells every reader of exchanges as they end', async () => {
    using one = await Listening.to(on)
    using other = await Listening.to(on)
    assert.equal(one.status, 200)
    assert.equal(one.type, 'text/event-stream')
    await say('Name a moon of Neptune')
    for (const listening of [one, other]) {
      const { event, exchanges, leftOut } = await listening.frame()
      assert.equal(event, 'exchanges')
      assert.equal(leftOut, 0)
      const [seen] = exchanges
      assert.equal(seen?.['model'], 'gpt-4o-mini')
      assert.equal(seen['prompt_preview'], 'Name a moon of Neptune')
      assert.equal(seen['event_type'], 'response')
      assert.equal('request_body' in seen, false)
    }
  })

  it('puts what ends at once into one frame, and counts what does not fit', async () => {
    using listening = await Listening.to(on)
    for (let n = 0; n < MOST_IN_FRAME + 7; n++) on.live.ended(closed())
    const { exchanges, leftOut } = await listening.frame()
    assert.equal(exchanges.length, MOST_IN_FRAME)
    assert.equal(leftOut, 7)
    on.live.ended(closed({ requestId: 'the-next' }))
    const next = await listening.frame()
    assert.deepEqual(
      next.exchanges.map((row) => row['request_id']),
      ['the-next'],
    )
    assert.equal(next.leftOut, 0)
  })

  it('cuts a reader off that does not read, and tells the others on', async () => {
    using reading = await Listening.to(on)
    const stalled = connect(on.port, '127.0.0.1')
    stalled.on('error', () => undefined)
    const head = `GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${on.port}\r\n`
    stalled.write(`${head}Authorization: Bearer ${on.token}\r\n\r\n`)
    await once(stalled, 'data')
    stalled.pause()
    assert.equal(on.live.readers, 2)
    const promptPreview = 'x'.repeat(20_000)
    let frames = 0
    while (on.live.readers === 2) {
      for (let n = 0; n < MOST_IN_FRAME; n++) on.live.ended(closed({ promptPreview }))
      assert.equal((await reading.frame()).exchanges.length, MOST_IN_FRAME)
      // What the system holds for it is bounded, too.
      assert.ok(++frames < 100, 'it is never cut off')
    }
    stalled.destroy()
    assert.equal(on.live.readers, 1)
  })

  it('does nothing when nobody reads', async () => {
    {
      using listening = await Listening.to(on)
      on.live.ended(closed())
      await listening.frame()
    }
    using last = await Listening.to(on)
    assert.ok(on.live.readers >= 1)
    on.live.ended(closed({ requestId: 'after' }))
    const { exchanges } = await last.frame()
    assert.equal(exchanges.at(-1)?.['request_id'], 'after')
  })

  it('ends with the login that it stands on', async () => {
    const link = await on.ask('/api/login-links', { method: 'POST', socket: true })
    const { url } = link.body as { url: string }
    const opened = await on.ask(url.slice(url.indexOf('/login')), { token: null })
    const cookie = String(opened.headers['set-cookie']).split(';', 1)[0] ?? ''
    const me = await on.ask('/api/me', { token: null, headers: { cookie } })
    const asking = request({
      ...{ host: '127.0.0.1', port: on.port, path: '/api/events', agent: false },
      headers: { cookie },
    })
    asking.end()
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    using listening = new Listening(response)
    on.live.ended(closed())
    await listening.frame()
    const { csrf } = me.body as { csrf: string }
    const headers = { cookie, 'x-yori-csrf': csrf }
    await on.ask('/api/logout', { method: 'POST', token: null, headers })
    const ended = listening.ended()
    on.live.ended(closed())
    await ended
  })

  it('has room for so many', async () => {
    const all: Listening[] = []
    try {
      while (on.live.readers < MOST_READERS) all.push(await Listening.to(on))
      using more = await Listening.to(on)
      assert.equal(more.status, 503)
    } finally {
      for (const listening of all) listening[Symbol.dispose]()
    }
  })
})
