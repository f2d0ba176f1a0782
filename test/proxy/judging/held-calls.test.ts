/**
 * A call that cannot be undone waits for an adult: by the official client of MCP before it is
 * made, by OpenAI's and Anthropic's own packages where its result comes back. Yes goes on, no and
 * nobody end as the provider would end it. Over HTTP/1.1 and HTTP/2; in observe nothing waits.
 */
import assert from 'node:assert/strict'
import { PermissionDeniedError as AnthropicDenied } from '@anthropic-ai/sdk'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import Sqlite from 'better-sqlite3'
import { PermissionDeniedError } from 'openai'
import { Controlled } from '../../support/control.js'
import { startMcpServers } from '../../support/mcp-servers.js'
import type { McpServers } from '../../support/mcp-servers.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { until } from '../../support/proxied.js'
import { anthropicSdk, openaiSdk } from '../../support/sdk.js'
import { TestCa } from '../../support/test-ca.js'
import { HTTP_VERSIONS } from '../../support/yori.js'
import type { Row, Yori } from '../../support/yori.js'

const HOSTS = ['api.openai.com', 'api.anthropic.com']
const ca = new TestCa()
const REMOVES = 'cd /srv && rm -rf data'

const answers: Readonly<Record<string, object>> = {
  '/v1/chat/completions': {
    id: 'c',
    object: 'chat.completion',
    model: 'gpt-5',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'done' },
        finish_reason: 'stop',
      },
    ],
  },
  '/v1/responses': {
    id: 'r',
    object: 'response',
    model: 'gpt-5',
    status: 'completed',
    output: [
      {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'done', annotations: [] }],
      },
    ],
  },
  '/v1/messages': {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [{ type: 'text', text: 'done' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 1, output_tokens: 1 },
  },
}

type Ways = Readonly<
  Record<string, (yori: Yori, isH2: boolean, command: string) => Promise<string>>
>

/** What the client goes on with when the tool has run. */
const WAYS: Ways = {
  'chat completions': async (yori, isH2, command) => {
    const { chat } = openaiSdk({
      dispatcher: yori.dispatcher(undefined, isH2 ? 'h2' : 'h1'),
    })
    const { choices } = await chat.completions.create({
      model: 'gpt-5',
      messages: [
        { role: 'user', content: 'tidy up' },
        {
          role: 'assistant',
          tool_calls: [
            {
              id: 'one',
              type: 'function',
              function: { name: 'shell', arguments: JSON.stringify({ command }) },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'one', content: 'ok' },
      ],
    })
    return choices[0]?.message.content ?? ''
  },
  responses: async (yori, isH2, command) => {
    const { responses } = openaiSdk({
      dispatcher: yori.dispatcher(undefined, isH2 ? 'h2' : 'h1'),
    })
    const { output_text } = await responses.create({
      model: 'gpt-5',
      input: [
        { role: 'user', content: 'tidy up' },
        {
          type: 'function_call',
          call_id: 'one',
          name: 'shell',
          arguments: JSON.stringify({ command: ['bash', '-lc', command] }),
        },
        { type: 'function_call_output', call_id: 'one', output: 'ok' },
      ],
    })
    return output_text
  },
  messages: async (yori, isH2, command) => {
    const { messages } = anthropicSdk({
      dispatcher: yori.dispatcher(undefined, isH2 ? 'h2' : 'h1'),
    })
    const { content } = await messages.create({
      model: 'claude-sonnet-4-5',
      max_tokens: 10,
      messages: [
        { role: 'user', content: 'tidy up' },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'I remove it.' },
            { type: 'tool_use', id: 'one', name: 'Bash', input: { command } },
          ],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'one', content: 'ok' }],
        },
      ],
    })
    const [first] = content
    return first?.type === 'text' ? first.text : ''
  },
}

async function rowsOf(yori: Yori, sql: string): Promise<Row[]> {
  await yori.appliance.audit.flush()
  const database = new Sqlite(yori.database, { readonly: true })
  try {
    return database.prepare<[], Row>(sql).all()
  } finally {
    database.close()
  }
}

interface Held {
  readonly code: string
  readonly policy: string
  readonly reason: string
  readonly device: { readonly ip: string }
}

async function heldNow(controlled: Controlled): Promise<readonly Held[]> {
  const { body } = await controlled.ask('/api/approvals')
  return (body as { held: readonly Held[] }).held
}

/** Once one waits. */
async function oneHeld(controlled: Controlled): Promise<Held> {
  await until(async () => (await heldNow(controlled)).length === 1)
  const [held] = await heldNow(controlled)
  assert.ok(held)
  return held
}

async function say(controlled: Controlled, code: string, word: string, body?: object) {
  const said = await controlled.ask(`/api/approvals/${code}/${word}`, {
    method: 'POST',
    ...(body === undefined ? {} : { body }),
  })
  assert.ok(said.status < 300, said.text)
}

const enforcing = { enabled: true, consent_accepted: true }
const files = {
  destructive_tools: { action: 'block', params: { allow: ['rm -rf cache'] } },
}

describe('a call that cannot be undone', () => {
  let origin: Origin
  let servers: McpServers
  let controlled: Controlled
  let asked: string[] = []
  const start = async (over: object): Promise<Controlled> =>
    Controlled.start({
      config: {
        mode: 'enforce',
        policies: { files },
        endpoints: HOSTS.map((domain) => ({ domain })),
        mcp: { servers: { old: { url: `${servers.url}/old` } } },
        ...over,
      },
      origins: Object.fromEntries(HOSTS.map((host) => [host, origin])),
      trust: [ca],
    })
  before(async () => {
    origin = await startOrigin({
      certificate: ca.issue({ names: HOSTS }),
      handler: (request, response) => {
        asked.push(request.url ?? '')
        request.resume()
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(answers[request.url ?? '']))
      },
    })
    servers = await startMcpServers()
    controlled = await start({ enforcement: { ...enforcing, hold_seconds: 600 } })
  })
  after(async () => {
    await controlled?.[Symbol.asyncDispose]()
    await servers?.[Symbol.asyncDispose]()
    await origin?.[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    asked = []
    servers.calls.length = 0
  })

  for (const [name, ask] of Object.entries(WAYS))
    for (const version of HTTP_VERSIONS) {
      const isH2 = version === 'h2'
      it(`waits for yes, and goes on: ${name}, ${version}`, async () => {
        const answer = ask(controlled.yori, isH2, REMOVES)
        const { code, policy, reason } = await oneHeld(controlled)
        assert.deepEqual(asked, [])
        assert.equal(policy, 'destructive_tools')
        assert.match(
          reason,
          /^(?:shell|Bash) cannot be undone \(delete_tree\): rm -rf data$/,
        )
        await say(controlled, code, 'approve', { once: true })
        assert.equal(await answer, 'done')
        assert.equal(asked.length, 1)
        assert.deepEqual(await heldNow(controlled), [])
      })

      it(`ends by no as its provider would end it: ${name}, ${version}`, async () => {
        const answer = ask(controlled.yori, isH2, REMOVES)
        const refused = assert.rejects(answer, (error: unknown) => {
          const isOwn =
            error instanceof PermissionDeniedError || error instanceof AnthropicDenied
          return isOwn && error.message.includes('an adult said no')
        })
        const { code } = await oneHeld(controlled)
        await say(controlled, code, 'deny')
        await refused
        assert.deepEqual(asked, [])
      })
    }

  it('lets the same pass for a while where yes is for that long, and nothing else', async () => {
    const ask = WAYS['chat completions'] as NonNullable<(typeof WAYS)[string]>
    const answer = ask(controlled.yori, false, 'git push --force')
    const { code } = await oneHeld(controlled)
    await say(controlled, code, 'approve', { for: '30m' })
    assert.equal(await answer, 'done')
    assert.equal(await ask(controlled.yori, false, 'git push --force'), 'done')
    const other = ask(controlled.yori, false, 'git push --mirror')
    const held = await oneHeld(controlled)
    await say(controlled, held.code, 'approve', { once: true })
    assert.equal(await other, 'done')
  })

  it('is not waited for where it spares something, or where a person speaks after it', async () => {
    const ask = WAYS['chat completions'] as NonNullable<(typeof WAYS)[string]>
    for (const command of ['rm notes.txt', 'rm -rf cache', 'echo "rm -rf /"'])
      assert.equal(await ask(controlled.yori, false, command), 'done')
    const { chat } = openaiSdk({ dispatcher: controlled.yori.dispatcher() })
    const { choices } = await chat.completions.create({
      model: 'gpt-5',
      messages: [{ role: 'user', content: `what does ${REMOVES} do?` }],
    })
    assert.equal(choices[0]?.message.content, 'done')
  })

  it('waits no longer than its client does', async () => {
    const client = openaiSdk({ dispatcher: controlled.yori.dispatcher() })
    const stop = new AbortController()
    const answer = client.chat.completions.create(
      {
        model: 'gpt-5',
        messages: [
          { role: 'user', content: 'tidy up' },
          {
            role: 'assistant',
            tool_calls: [
              {
                id: 'one',
                type: 'function',
                function: { name: 'sql', arguments: '{"query":"DROP TABLE users"}' },
              },
            ],
          },
          { role: 'tool', tool_call_id: 'one', content: 'ok' },
        ],
      },
      { signal: stop.signal },
    )
    const left = assert.rejects(answer)
    await oneHeld(controlled)
    stop.abort()
    await left
    await until(async () => (await heldNow(controlled)).length === 0)
    assert.ok(controlled.yori.appliance.holds.told.gone >= 1)
    assert.deepEqual(asked, [])
  })

  const mcp = async (yori: Yori): Promise<Client> => {
    const client = new Client({ name: 'one', version: '1' })
    const url = new URL(`${yori.url}/mcp/servers/old`)
    await client.connect(new StreamableHTTPClientTransport(url))
    return client
  }
  const calling = async (client: Client): Promise<[boolean, string]> => {
    const { isError = false, content } = await client.callTool({
      name: 'greet',
      arguments: { who: REMOVES },
    })
    const [first] = content as readonly { readonly text: string }[]
    return [isError === true, first?.text ?? '']
  }

  it('is made by MCP after yes alone', async () => {
    const client = await mcp(controlled.yori)
    const answer = calling(client)
    const { code, reason } = await oneHeld(controlled)
    assert.match(reason, /^greet cannot be undone/)
    assert.deepEqual(servers.calls, [])
    await say(controlled, code, 'approve', { once: true })
    assert.deepEqual(await answer, [false, `greet ${REMOVES} äöü`])
    const again = calling(client)
    const held = await oneHeld(controlled)
    await say(controlled, held.code, 'deny')
    const [isError, text] = await again
    assert.ok(isError)
    assert.match(text, /an adult said no/)
    assert.deepEqual(servers.calls, ['greet'])
    await client.close()
  })

  it('is told of by an event, in the row, and in metrics', async () => {
    const { yori } = controlled
    const events = await rowsOf(
      yori,
      "SELECT details FROM events WHERE event_type = 'call_held'",
    )
    assert.ok(events.length > 0)
    const notes = await rowsOf(
      yori,
      "SELECT policy_message AS note, bypass FROM exchanges WHERE policy_message LIKE '%held%approved by%'",
    )
    assert.ok(notes.length > 0)
    assert.ok(notes.every(({ bypass }) => bypass === 'approval'))
    const { text } = await controlled.ask('/metrics')
    assert.match(text, /^yori_holds_total\{word="approved"\} [1-9]/m)
    assert.match(text, /^yori_held_for_approval 0$/m)
  })

  it('is refused when nobody says anything, or too many wait', async () => {
    await using other = await start({
      enforcement: { ...enforcing, hold_seconds: 1 },
      limits: { held_for_approval: 1 },
    })
    for (const [name, ask] of Object.entries(WAYS)) {
      const before = { ...other.yori.appliance.holds.told }
      const errors = await Promise.all(
        [false, true].map((isH2) =>
          ask(other.yori, isH2, REMOVES).then(
            () => 'let past',
            (error: unknown) => String(error),
          ),
        ),
      )
      assert.deepEqual(
        [
          errors.some((one) => one.includes('nobody said yes in time')),
          errors.some((one) => one.includes('too many requests wait for an adult')),
        ],
        [true, true],
        name,
      )
      const { timeout, full } = other.yori.appliance.holds.told
      assert.deepEqual([timeout, full], [before.timeout + 1, before.full + 1])
    }
    const client = await mcp(other.yori)
    const [isError, text] = await calling(client)
    assert.ok(isError)
    assert.match(text, /nobody said yes in time.*with the code/s)
    await client.close()
    assert.deepEqual([asked, servers.calls], [[], []])
  })

  it('does not wait in observe, and is written down', async () => {
    await using other = await start({ mode: 'observe', enforcement: undefined })
    for (const ask of Object.values(WAYS))
      for (const isH2 of [false, true])
        assert.equal(await ask(other.yori, isH2, REMOVES), 'done')
    const client = await mcp(other.yori)
    assert.deepEqual(await calling(client), [false, `greet ${REMOVES} äöü`])
    await client.close()
    const rows = await rowsOf(
      other.yori,
      "SELECT policy_decision AS made FROM exchanges WHERE policy_name = 'destructive_tools'",
    )
    assert.deepEqual(new Set(rows.map(({ made }) => made)), new Set(['deny']))
    assert.equal(rows.length, 7)
  })
})
