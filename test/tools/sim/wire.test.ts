/** The simulator's bytes, and how it misbehaves on demand. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Agent } from 'undici'
import { request } from 'undici'
import { pattern } from '../../../tools/sim/send.js'
import { Simulator } from '../../../tools/sim/simulator.js'
import { originOf, trusting } from './shared.js'

describe('tools/sim on the wire', () => {
  let simulator: Simulator
  let agent: Agent
  let url: string
  beforeEach(async () => {
    simulator = await Simulator.start()
    agent = trusting(simulator)
    url = originOf(simulator)
  })
  afterEach(async () => {
    await agent.destroy()
    await simulator[Symbol.asyncDispose]()
  })
  const get = (path: string): ReturnType<typeof request> =>
    request(`${url}${path}`, { dispatcher: agent })

  it('answers Gemini whole and as events', async () => {
    const ask = (call: string): ReturnType<typeof request> =>
      request(`${url}/v1beta/models/gemini-2.5-flash:${call}`, {
        dispatcher: agent,
        method: 'POST',
        headers: { 'x-goog-api-key': 'simulated', 'content-type': 'application/json' },
        body: JSON.stringify({ contents: [{ parts: [{ text: 'Say hello' }] }] }),
      })
    const whole = (await (await ask('generateContent')).body.json()) as GeminiBody
    const text = await (await ask('streamGenerateContent?alt=sse')).body.text()
    const streamed = text
      .split('\n\n')
      .filter((event) => event.startsWith('data: '))
      .map((event) => JSON.parse(event.slice(6)) as GeminiBody)
    assert.match(geminiText(whole), /Say hello/)
    assert.equal(streamed.map(geminiText).join(''), geminiText(whole))
  })

  it('sends and counts bytes of any size', async () => {
    const size = 1_000_003
    const sent = Buffer.concat([...pattern(size)])
    const got = await (await get(`/bytes/${size}`)).body.bytes()
    assert.ok(sent.equals(got))
    const reply = await request(`${url}/discard`, {
      dispatcher: agent,
      method: 'POST',
      body: sent,
    })
    const sha256 = createHash('sha256').update(sent).digest('hex')
    assert.deepEqual(await reply.body.json(), { bytes: size, sha256 })
    const echo = await request(`${url}/echo`, {
      dispatcher: agent,
      method: 'POST',
      body: sent,
    })
    assert.ok(sent.equals(await echo.body.bytes()))
  })

  it('cuts a body, and claims a length that is not true', async () => {
    simulator.once({ cutAfterBytes: 1000 })
    const cut = await get('/bytes/5000')
    await assert.rejects(cut.body.bytes(), { code: 'UND_ERR_SOCKET' })
    simulator.once({ claimedLength: 6000 })
    const short = await get('/bytes/5000')
    assert.equal(short.headers['content-length'], '6000')
    await assert.rejects(short.body.bytes())
  })

  it('sends trailers, interim responses and gzip, and leaves Date out', async () => {
    simulator.once({ trailers: { 'x-sum': 'abc' }, interim: [103], noDate: true })
    const plain = await get('/bytes/10')
    await plain.body.bytes()
    assert.deepEqual(plain.trailers, { 'x-sum': 'abc' })
    assert.equal(plain.headers['date'], undefined)
    simulator.once({ gzip: true, close: true })
    const zipped = await get('/bytes/5000')
    assert.equal(zipped.headers['content-encoding'], 'gzip')
    assert.equal(zipped.headers['connection'], 'close')
    assert.ok((await zipped.body.bytes()).length < 5000)
  })

  it('answers before the body is whole when told to', async () => {
    simulator.once({ replyBeforeBody: true })
    async function* slowBody(): AsyncGenerator<Buffer> {
      yield Buffer.from('first')
      await answered
      yield Buffer.from('second')
    }
    let release = (): void => undefined
    const answered = new Promise<void>((resolve) => (release = resolve))
    const reply = await request(`${url}/discard`, {
      dispatcher: agent,
      method: 'POST',
      body: Readable.from(slowBody()),
    })
    assert.equal(reply.statusCode, 200)
    release()
    await reply.body.dump()
  })

  it('notices a client that leaves', async () => {
    simulator.once({ chunkGapMs: 3_600_000 })
    const reply = await get('/bytes/1000000')
    reply.body.on('error', () => undefined).destroy()
    const seen = await simulator.requests.at(0)
    await seen.ended()
    assert.equal(seen.aborted, true)
  })
})

interface GeminiBody {
  readonly candidates: readonly {
    readonly content: { readonly parts: readonly { readonly text: string }[] }
  }[]
}

function geminiText(body: GeminiBody): string {
  return body.candidates[0]?.content.parts[0]?.text ?? ''
}
