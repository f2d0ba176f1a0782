/** The providers' own SDKs talk to the simulator directly: its shapes are theirs. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { Agent, request } from 'undici'
import { pattern } from '../../../tools/sim/send.js'
import { Simulator } from '../../../tools/sim/simulator.js'
import { anthropicSdk, openaiSdk } from '../../support/sdk.js'

const TOOL_SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
}

function trusting(simulator: Simulator): Agent {
  return new Agent({ connect: { ca: simulator.ca.certificatePem } })
}

function originOf(simulator: Simulator): string {
  return `https://127.0.0.1:${simulator.port}`
}

describe('tools/sim with the openai SDK', () => {
  let simulator: Simulator
  let agent: Agent
  let client: OpenAI
  beforeEach(async () => {
    simulator = await Simulator.start()
    agent = trusting(simulator)
    client = openaiSdk({ dispatcher: agent, origin: originOf(simulator) })
  })
  afterEach(async () => {
    await agent.destroy()
    await simulator[Symbol.asyncDispose]()
  })
  const messages = [{ role: 'user' as const, content: 'Say hello' }]

  it('answers a chat completion, the same each time', async () => {
    const first = await client.chat.completions.create({ model: 'gpt-4o-mini', messages })
    const second = await client.chat.completions.create({
      model: 'gpt-4o-mini',
      messages,
    })
    assert.match(first.choices[0]?.message.content ?? '', /Say hello/)
    assert.deepEqual(second, first)
    assert.equal(first.usage?.prompt_tokens, 3)
    assert.equal(simulator.requests.last.header('authorization'), 'Bearer simulated-key')
  })

  it('streams the same text, with usage only when asked for', async () => {
    const whole = await client.chat.completions.create({ model: 'gpt-4o', messages })
    for (const includeUsage of [false, true]) {
      const stream = await client.chat.completions.create({
        model: 'gpt-4o',
        messages,
        stream: true,
        ...(includeUsage ? { stream_options: { include_usage: true } } : {}),
      })
      let text = ''
      let tokens: number | undefined
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? ''
        tokens = chunk.usage?.completion_tokens ?? tokens
      }
      assert.equal(text, whole.choices[0]?.message.content)
      assert.equal(tokens, includeUsage ? whole.usage?.completion_tokens : undefined)
    }
  })

  it('calls the first tool, and speaks once it has the result', async () => {
    const tools = [
      {
        type: 'function' as const,
        function: { name: 'forecast', parameters: TOOL_SCHEMA },
      },
    ]
    const stream = client.chat.completions.stream({ model: 'gpt-4o', messages, tools })
    const final = await stream.finalChatCompletion()
    const message = final.choices[0]?.message
    const call = message?.tool_calls?.[0]
    assert.ok(message !== undefined && call?.type === 'function')
    assert.equal(final.choices[0]?.finish_reason, 'tool_calls')
    assert.equal(call.function.name, 'forecast')
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Zürich', days: 7 })
    const after = await client.chat.completions.create({
      model: 'gpt-4o',
      tools,
      messages: [
        ...messages,
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: call.id, content: 'sunny' },
      ],
    })
    assert.equal(after.choices[0]?.finish_reason, 'stop')
    assert.match(after.choices[0].message.content ?? '', /sunny/)
  })

  it('answers responses whole and streamed, embeddings and models', async () => {
    const response = await client.responses.create({ model: 'gpt-4o', input: 'Count' })
    assert.match(response.output_text, /Count/)
    let streamed = ''
    const stream = await client.responses.create({
      model: 'gpt-4o',
      input: 'Count',
      stream: true,
    })
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') streamed += event.delta
    }
    assert.equal(streamed, response.output_text)

    const model = 'text-embedding-3-small'
    const { data } = await client.embeddings.create({ model, input: ['a', 'b'] })
    assert.deepEqual(
      data.map((each) => each.embedding.length),
      [16, 16],
    )
    assert.ok((await client.models.list()).data.some((each) => each.id === 'gpt-4o'))
  })

  it('refuses as the provider does: 401, 429, 500', async () => {
    await assert.rejects(
      client.chat.completions.create({ model: 'error-401', messages }),
      OpenAI.AuthenticationError,
    )
    await assert.rejects(
      client.chat.completions.create({ model: 'error-429', messages }),
      OpenAI.RateLimitError,
    )
    await assert.rejects(
      client.chat.completions.create({ model: 'error-500', messages }),
      OpenAI.InternalServerError,
    )
  })
})

describe('tools/sim with the Anthropic SDK', () => {
  let simulator: Simulator
  let agent: Agent
  let client: Anthropic
  beforeEach(async () => {
    simulator = await Simulator.start()
    agent = trusting(simulator)
    client = anthropicSdk({ dispatcher: agent, origin: originOf(simulator) })
  })
  afterEach(async () => {
    await agent.destroy()
    await simulator[Symbol.asyncDispose]()
  })
  const asked = {
    model: 'claude-haiku-4-5',
    max_tokens: 100,
    messages: [{ role: 'user' as const, content: 'Say hello' }],
  }

  it('answers a message, and streams the same one event by event', async () => {
    const whole = await client.messages.create(asked)
    const events: string[] = []
    const stream = client.messages.stream(asked)
    stream.on('streamEvent', (event) => events.push(event.type))
    const streamed = await stream.finalMessage()
    const block = whole.content[0]
    assert.ok(block?.type === 'text')
    assert.match(block.text, /Say hello/)
    assert.deepEqual(streamed.content, whole.content)
    assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens)
    assert.equal(events[0], 'message_start')
    assert.equal(events.at(-1), 'message_stop')
  })

  it('uses a tool in a stream', async () => {
    const stream = client.messages.stream({
      ...asked,
      tools: [{ name: 'forecast', input_schema: TOOL_SCHEMA }],
    })
    const { content, stop_reason: reason } = await stream.finalMessage()
    const block = content[0]
    assert.ok(block?.type === 'tool_use')
    assert.deepEqual(block.input, { city: 'Zürich', days: 7 })
    assert.equal(reason, 'tool_use')
  })

  it('refuses as the provider does, also inside a stream', async () => {
    await assert.rejects(
      client.messages.create({ ...asked, model: 'error-429' }),
      Anthropic.RateLimitError,
    )
    await assert.rejects(
      client.messages.stream({ ...asked, model: 'error-in-stream' }).finalMessage(),
      /Overloaded/,
    )
  })
})

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
