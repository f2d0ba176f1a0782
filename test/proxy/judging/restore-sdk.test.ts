/** What is taken out of a request comes back in its answer, through the providers' own packages. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { request } from 'undici'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { anthropicSdk, openaiSdk } from '../../support/sdk.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

const HOSTS = ['api.openai.com', 'api.anthropic.com']
const MAIL = 'kim.secret@example.org'
/** Made up; JSON escapes its line ends. */
const KEY = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0B'.repeat(4)}\n-----END PRIVATE KEY-----`
const SAID = `write to ${MAIL} with\n${KEY}`
const CONFIG = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  audit: { bodies: 'both' },
  policies: {
    files: {
      privacy: { action: 'block', params: { redact: ['EMAIL_ADDRESS'] } },
      secrets: { action: 'block', params: { answer: 'redact' } },
    },
  },
  endpoints: HOSTS.map((domain) => ({ domain })),
}

interface Asked {
  readonly stream?: boolean
  readonly tools?: readonly unknown[]
}

/** What a model would say that repeats what it was told, and cuts one short. */
function saidBy(body: string): string {
  const found = body.match(/\[\[Y-[A-Z_]+-[0-9a-f]{10}\]\]/g) ?? []
  const [mail = '', key = ''] = [...new Set(found)]
  return `To ${mail}, ${mail.toLowerCase()}: ${key} and ${mail.slice(0, 12)}`
}

const READ = `To ${MAIL}, ${MAIL}: ${KEY} and [[Y-EMAIL_AD`

function cut(text: string): string[] {
  return text.match(/[^]{1,5}/g) ?? []
}

function event(data: object): string {
  return `event: ${String((data as { type?: string }).type)}\ndata: ${JSON.stringify(data)}\n\n`
}

function chat(text: string, { stream, tools }: Asked): string {
  const call = JSON.stringify({ to: text })
  const base = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o' }
  const named = (args: string) => ({
    tool_calls: [
      { index: 0, id: 't', type: 'function', function: { name: 'f', arguments: args } },
    ],
  })
  const whole = tools === undefined ? { content: text } : named(call)
  if (stream !== true)
    return JSON.stringify({
      ...{ ...base, object: 'chat.completion' },
      choices: [
        { index: 0, message: { role: 'assistant', ...whole }, finish_reason: 'stop' },
      ],
    })
  const deltas =
    tools === undefined ? cut(text).map((content) => ({ content })) : cut(call).map(named)
  const all = [{ role: 'assistant' }, ...deltas, {}]
  const chunks = all.map((delta, i) => ({
    ...base,
    choices: [{ index: 0, delta, finish_reason: i === all.length - 1 ? 'stop' : null }],
  }))
  return (
    chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('') + 'data: [DONE]\n\n'
  )
}

function responses(text: string, { stream }: Asked): string {
  const item = {
    ...{ id: 'm', type: 'message', role: 'assistant', status: 'completed' },
    content: [{ type: 'output_text', text, annotations: [] }],
  }
  const response = { id: 'r', object: 'response', model: 'gpt-4o', output: [item] }
  if (stream !== true) return JSON.stringify(response)
  const place = { item_id: 'm', output_index: 0, content_index: 0 }
  return [
    ...cut(text).map((delta, i) => ({
      ...{ type: 'response.output_text.delta', sequence_number: i, ...place, delta },
    })),
    { type: 'response.output_text.done', ...place, text },
    { type: 'response.completed', response },
  ]
    .map(event)
    .join('')
}

function messages(text: string, { stream, tools }: Asked): string {
  const isCall = tools !== undefined
  const block = isCall
    ? { type: 'tool_use', id: 't', name: 'f', input: { to: text } }
    : { type: 'text', text }
  const message = {
    ...{ id: 'm', type: 'message', role: 'assistant', model: 'claude-haiku-4-5' },
    ...{ stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } },
  }
  if (stream !== true) return JSON.stringify({ ...message, content: [block] })
  const empty = isCall ? { ...block, input: {} } : { type: 'text', text: '' }
  const deltas = isCall
    ? cut(JSON.stringify({ to: text })).map((one) => ({
        type: 'input_json_delta',
        partial_json: one,
      }))
    : cut(text).map((one) => ({ type: 'text_delta', text: one }))
  return [
    { type: 'message_start', message: { ...message, content: [] } },
    { type: 'content_block_start', index: 0, content_block: empty },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
      usage: { output_tokens: 9 },
    },
    { type: 'message_stop' },
  ]
    .map(event)
    .join('')
}

describe('what was taken out of a request', () => {
  const ca = new TestCa()
  const seen: string[] = []
  let origin: Origin
  let yori: Yori

  function answer(incoming: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      seen.push(JSON.stringify(incoming.rawHeaders) + body)
      const asked = JSON.parse(body) as Asked
      const path = incoming.url ?? ''
      const text = saidBy(body)
      const made = path.includes('chat')
        ? chat(text, asked)
        : path.includes('responses')
          ? responses(text, asked)
          : messages(text, asked)
      const isStream = asked.stream === true
      const bytes = Buffer.from(made)
      const isCoded = incoming.headers['x-coded'] !== undefined
      response.writeHead(200, {
        'content-type': isStream ? 'text/event-stream' : 'application/json',
        ...(isCoded ? { 'content-encoding': 'gzip' } : {}),
        ...(isStream ? {} : { 'content-digest': 'sha-256=:AAAA:' }),
        ...(isStream || isCoded ? {} : { 'content-length': bytes.length }),
      })
      response.end(isCoded ? gzipSync(bytes) : bytes)
    })
  }

  before(async () => {
    const certificate = ca.issue({ names: HOSTS })
    origin = await startOrigin({ certificate, handler: answer })
    const origins = Object.fromEntries(HOSTS.map((host) => [host, origin]))
    yori = await Yori.start({ origins, trust: [ca], config: CONFIG })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
  })

  const tool = {
    name: 'f',
    description: 'sends',
    parameters: { type: 'object' as const },
  }

  for (const version of ['h1', 'h2'] as const)
    for (const stream of [false, true]) {
      const how = `over ${version}, ${stream ? 'streamed' : 'whole'}`

      it(`comes back to the openai package: chat, ${how}`, async () => {
        const client = openaiSdk({ dispatcher: yori.dispatcher(undefined, version) })
        const asked = {
          model: 'gpt-4o',
          messages: [{ role: 'user' as const, content: SAID }],
        }
        const tools = [{ type: 'function' as const, function: tool }]
        if (stream) {
          const text = await client.chat.completions.stream(asked).finalContent()
          assert.equal(text, READ)
          const call = await client.chat.completions
            .stream({ ...asked, tools })
            .finalMessage()
          const [{ function: told } = { function: { arguments: '' } }] =
            call.tool_calls as {
              function: { arguments: string }
            }[]
          assert.deepEqual(JSON.parse(told.arguments), { to: READ })
          return
        }
        const whole = await client.chat.completions.create(asked)
        assert.equal(whole.choices[0]?.message.content, READ)
        const called = await client.chat.completions.create({ ...asked, tools })
        const [call] = called.choices[0]?.message.tool_calls ?? []
        assert.ok(call?.type === 'function')
        assert.deepEqual(JSON.parse(call.function.arguments), { to: READ })
      })

      it(`comes back to the openai package: responses, ${how}`, async () => {
        const client = openaiSdk({ dispatcher: yori.dispatcher(undefined, version) })
        const asked = { model: 'gpt-4o', input: SAID }
        if (!stream) {
          assert.equal((await client.responses.create(asked)).output_text, READ)
          return
        }
        let text = ''
        let done = ''
        for await (const one of await client.responses.create({
          ...asked,
          stream: true,
        })) {
          if (one.type === 'response.output_text.delta') text += one.delta
          if (one.type === 'response.output_text.done') done = one.text
        }
        assert.equal(text, READ)
        assert.equal(done, READ)
      })

      it(`comes back to @anthropic-ai/sdk, ${how}`, async () => {
        const client = anthropicSdk({ dispatcher: yori.dispatcher(undefined, version) })
        const asked = {
          ...{ model: 'claude-haiku-4-5', max_tokens: 64 },
          messages: [{ role: 'user' as const, content: SAID }],
        }
        const tools = [{ name: 'f', input_schema: { type: 'object' as const } }]
        const ask = (more: object) =>
          stream
            ? client.messages.stream({ ...asked, ...more }).finalMessage()
            : client.messages.create({ ...asked, ...more })
        const [text] = (await ask({})).content
        assert.equal(text?.type === 'text' && text.text, READ)
        const [call] = (await ask({ tools })).content
        assert.deepEqual(call?.type === 'tool_use' && call.input, { to: READ })
      })
    }

  it('is the same upstream for the same prompt, byte by byte', async () => {
    const body = JSON.stringify({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: SAID }],
    })
    const before = seen.length
    for (let i = 0; i < 2; i++) {
      const answer = await request(`https://${HOSTS[0]}/v1/chat/completions`, {
        ...{ method: 'POST', dispatcher: yori.dispatcher(), body },
        headers: { 'content-type': 'application/json' },
      })
      assert.equal(answer.headers['content-digest'], undefined, 'it spoke of other bytes')
      const text = await answer.body.text()
      const length = answer.headers['content-length']
      assert.ok(length === undefined || Number(length) === Buffer.byteLength(text))
      assert.ok((JSON.parse(text) as object) !== null && text.includes(MAIL))
    }
    const [one, other] = seen
      .slice(before)
      .map((text) => text.slice(text.indexOf('{"model')))
    assert.equal(one, other)
  })

  it('stays out of an answer in a coding that nobody asked for', async () => {
    const answer = await request(`https://${HOSTS[0]}/v1/chat/completions`, {
      ...{ method: 'POST', dispatcher: yori.dispatcher() },
      body: JSON.stringify({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: SAID }],
      }),
      headers: { 'content-type': 'application/json', 'x-coded': 'yes' },
    })
    assert.equal(answer.headers['content-encoding'], 'gzip')
    await answer.body.dump()
  })

  it('is not changed within what is signed: it is blocked', async () => {
    const thinking = { type: 'thinking', thinking: `to ${MAIL}`, signature: 'c2lnbmVk' }
    const body = JSON.stringify({
      ...{ model: 'claude-haiku-4-5', max_tokens: 64 },
      messages: [
        { role: 'user', content: 'to whom?' },
        { role: 'assistant', content: [thinking] },
        { role: 'user', content: `to ${MAIL}` },
      ],
    })
    const before = seen.length
    const answer = await request(`https://${HOSTS[1]}/v1/messages`, {
      ...{ method: 'POST', dispatcher: yori.dispatcher(), body },
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    })
    await answer.body.dump()
    assert.ok(answer.statusCode === 403 || answer.statusCode === 400)
    assert.equal(seen.length, before)
  })

  it('was never sent, and stands in no file of the record', async () => {
    const rows = await yori.rows('exchanges')
    assert.ok(rows.length >= 16 && seen.length >= 16)
    const values = [
      MAIL,
      KEY,
      JSON.stringify(KEY).slice(1, -1),
      'MIIEvQIBADANBgkqhkiG9w0B',
    ]
    for (const value of values) {
      for (const text of seen) assert.ok(!text.includes(value), 'it went up')
      for (const file of filesIn(yori.folder.path))
        assert.ok(!readFileSync(file).includes(value), file)
    }
    const kept = rows.map((row) => String(row['response_body'])).join('')
    assert.match(kept, /\[\[Y-EMAIL_ADDRESS-/, 'the record keeps placeholders')
  })
})

function filesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    const stat = statSync(path)
    return stat.isDirectory() ? filesIn(path) : stat.isFile() ? [path] : []
  })
}
