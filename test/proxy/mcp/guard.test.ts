/**
 * The policy `mcp_guard`, before servers of the configuration and before MCP that is intercepted:
 * by server, tool and argument; what asks goes on once it is approved, and nothing else with it.
 * The official clients of both lines, in observe and in enforce.
 */
import assert from 'node:assert/strict'
import { Client as NewClient } from '@modelcontextprotocol/client'
import { StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { fetch as undiciFetch, request } from 'undici'
import { approveCommand } from '../../../src/cli/commands/household/approve.js'
import { startMcpServers } from '../../support/mcp-servers.js'
import type { McpServers } from '../../support/mcp-servers.js'
import { runCommand } from '../../support/policy-command.js'
import { tempFolder } from '../../support/temp-folder.js'
import { TestCa } from '../../support/test-ca.js'
import { ALLOW, block as blockOf, UdsAgent } from '../../support/uds-agent.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'

const NAME = 'api.openai.com'
const enforcing = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
} as const
const files = {
  mcp_guard: {
    action: 'block',
    params: {
      deny: ['*/wipe', 'greet who=*mallory*'],
      ask: ['new/pay', 'old/pay', 'sse/pay', `${NAME}/pay`],
    },
  },
} as const

interface Told {
  readonly content: readonly { readonly text: string }[]
  readonly isError?: boolean
}

/** As both lines' clients have it. */
interface Calling {
  callTool(asked: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

async function call(client: Calling, name: string, who = 'you'): Promise<Told> {
  return (await client.callTool({ name, arguments: { who } })) as Told
}

/** By its error, or by what stands in its result. */
async function refusal(told: Promise<Told>): Promise<string> {
  try {
    const { isError, content } = await told
    assert.equal(isError, true)
    return content[0]?.text ?? ''
  } catch (error) {
    return String(error)
  }
}

async function approved(yori: Yori, text: string): Promise<void> {
  const [, code = ''] = /with the code (\w{3}-\w{3})/.exec(text) ?? []
  assert.notEqual(code, '', text)
  await yori.appliance.audit.flush()
  const ran = await runCommand(yori, approveCommand, 'approve', code, '--once')
  assert.equal(ran.code, 0, ran.notes)
}

async function isGoverned(client: Calling, yori: Yori, calls: string[]): Promise<void> {
  assert.match((await call(client, 'greet', 'Zoë')).content[0]?.text ?? '', /greet Zoë/)
  const denied = await refusal(call(client, 'wipe'))
  assert.match(denied, /the tool wipe of \S+ may not be called here/)
  assert.doesNotMatch(denied, /with the code/)
  assert.match(
    await refusal(call(client, 'greet', 'Mallory')),
    /the tool greet of \S+ may not be called here/,
  )
  const asked = await refusal(call(client, 'pay'))
  assert.match(asked, /the tool pay of \S+ is called only once that is approved/)
  assert.deepEqual(calls, ['greet'])
  await approved(yori, asked)
  assert.match(await refusal(call(client, 'wipe')), /may not be called/)
  assert.match((await call(client, 'pay')).content[0]?.text ?? '', /pay you/)
  assert.match(await refusal(call(client, 'pay')), /only once that is approved/)
  assert.deepEqual(calls, ['greet', 'pay'])
}

describe('mcp_guard', () => {
  let servers: McpServers
  let yori: Yori
  before(async () => {
    servers = await startMcpServers()
    yori = await Yori.start({
      config: {
        ...enforcing,
        policies: { files },
        mcp: {
          servers: {
            old: { url: `${servers.url}/old` },
            new: { url: `${servers.url}/new` },
            sse: { url: `${servers.url}/sse` },
          },
        },
      },
    })
  })
  after(async () => {
    await yori?.[Symbol.asyncDispose]()
    await servers?.[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    servers.calls.length = 0
    servers.seen.length = 0
  })

  const url = (name: string) => new URL(`${yori.url}/mcp/servers/${name}`)
  const PAIRS: Readonly<Record<string, () => Promise<Calling>>> = {
    'the older line': async () => {
      const client = new Client({ name: 'one', version: '1' })
      await client.connect(new StreamableHTTPClientTransport(url('old')))
      return client
    },
    'the older line, HTTP+SSE': async () => {
      const client = new Client({ name: 'one', version: '1' })
      await client.connect(new SSEClientTransport(url('sse')))
      return client
    },
    'the newer line': async () => {
      const client = new NewClient(
        { name: 'one', version: '1' },
        { versionNegotiation: { mode: 'auto' } },
      )
      await client.connect(new NewTransport(url('new')))
      return client
    },
  }
  for (const [line, open] of Object.entries(PAIRS)) {
    it(`denies and asks at a door: ${line}`, async () => {
      const client = await open()
      try {
        await isGoverned(client, yori, servers.calls)
      } finally {
        await client.close()
      }
    })
  }

  async function post(body: unknown): Promise<{ status: number; text: string }> {
    const answer = await request(url('new'), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(body),
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  }
  const asks = (name: unknown, id = 1, given: unknown = {}): object => ({
    ...{ jsonrpc: '2.0', id, method: 'tools/call' },
    params: { name, arguments: given },
  })

  const WAYS: Readonly<Record<string, unknown>> = {
    'in another case': asks('WiPe'),
    'with what is not seen': asks(' wi\u200bpe'),
    'in full width': asks('\uff57ipe'),
    'under keys in another case': {
      ...{ jsonrpc: '2.0', id: 1, Method: 'tools/call' },
      Params: { Name: 'wipe', Arguments: {} },
    },
    'in a list': [asks('greet'), asks('wipe', 2)],
    'by an argument in another case': asks('greet', 1, { WHO: 'MALLORY' }),
    'by an argument in a list': asks('greet', 1, { who: [['x', 'mallory']] }),
    'by more arguments than are looked at': asks('greet', 1, {
      a: Array.from({ length: 3000 }, () => 0),
      who: 'mallory',
    }),
  }
  for (const [how, body] of Object.entries(WAYS)) {
    it(`does not show its server a denied call ${how}`, async () => {
      const { text } = await post(body)
      assert.match(text, /policy mcp_guard/)
      assert.deepEqual(servers.seen, [])
    })
  }

  it('answers each of a list, and an approval is for that very list', async () => {
    const both = [asks('greet', 7), asks('pay', 8)]
    const { status, text } = await post(both)
    assert.equal(status, 200)
    const answers = JSON.parse(text) as { id: number }[]
    assert.deepEqual(
      answers.map(({ id }) => id),
      [7, 8],
    )
    await approved(yori, text)
    assert.match((await post([...both, asks('pay', 9)])).text, /only once/)
    assert.deepEqual(servers.seen, [])
  })

  it('tells names apart that are shown in ASCII', async () => {
    const { text } = await post(asks('pay\u202e<b>"\\'))
    assert.doesNotMatch(text, /mcp_guard/)
    const rows = [await post(asks('wipe')), await post(asks('wipe\u0000'))]
    assert.match(rows[0]?.text ?? '', /the tool wipe of/)
    assert.match(rows[1]?.text ?? '', /the tool wipe\\\\u\{0\} of|Unknown|not found/i)
  })

  for (const version of HTTP_VERSIONS) {
    it(`denies and asks where it is intercepted, over ${version}`, async () => {
      const ca = new TestCa()
      await using origin = await startMcpServers({
        certificate: ca.issue({ names: [NAME] }),
      })
      await using between = await Yori.start({
        config: { ...enforcing, policies: { files } },
        origins: { [NAME]: origin.origin },
        trust: [ca],
      })
      const dispatcher = between.dispatcher(undefined, version)
      const fetching = ((to: string, init: object) =>
        undiciFetch(to, { ...init, dispatcher })) as unknown as typeof fetch
      const client = new Client({ name: 'one', version: '1' })
      const to = new URL(`https://${NAME}/old`)
      await client.connect(new StreamableHTTPClientTransport(to, { fetch: fetching }))
      try {
        await isGoverned(client, between, origin.calls)
      } finally {
        await client.close()
      }
      await between.appliance.audit.flush()
      const rows = await between.rows('exchanges')
      assert.ok(rows.some((row) => row['policy_name'] === 'mcp_guard'))
    })
  }

  it('tells a call that a processor blocks by a result, and its outage by HTTP', async () => {
    await using folder = await tempFolder()
    await using agent = await UdsAgent.start(folder.file('guard.sock'))
    // 0x11 is a body, of the agent protocol v2.
    agent.say = ({ type }) => (type === 0x11 ? blockOf(403, 'not this one') : ALLOW)
    const about = { name: 'guard', dialect: 'uds', address: agent.path }
    await using between = await Yori.start({
      config: {
        ...enforcing,
        processors: [{ ...about, events: ['request_body'], fail_mode: 'closed' }],
        mcp: { servers: { new: { url: `${servers.url}/new` } } },
      },
    })
    const ask = (body: object) =>
      request(new URL(`${between.url}/mcp/servers/new`), {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
      })
    const blocked = await ask(asks('greet', 5))
    assert.equal(blocked.statusCode, 200)
    const { id, result } = (await blocked.body.json()) as { id: number; result: Told }
    assert.equal(id, 5)
    assert.equal(result.isError, true)
    assert.match(result.content[0]?.text ?? '', /policy guard: not this one/)
    agent.say = () => 'end'
    const out = await ask(asks('greet', 6))
    await out.body.dump()
    assert.equal(out.statusCode, 503)
    assert.deepEqual(servers.seen, [])
  })

  it('only notes in observe', async () => {
    await using watching = await Yori.start({
      config: {
        mode: 'observe',
        policies: { files },
        mcp: { servers: { new: { url: `${servers.url}/new` } } },
      },
    })
    const client = new NewClient({ name: 'one', version: '1' })
    await client.connect(new NewTransport(new URL(`${watching.url}/mcp/servers/new`)))
    try {
      assert.match((await call(client, 'wipe')).content[0]?.text ?? '', /wipe you/)
    } finally {
      await client.close()
    }
    await watching.appliance.audit.flush()
    const rows = await watching.rows('exchanges')
    const row = rows.find((one) => one['policy_name'] === 'mcp_guard')
    assert.match(String(row?.['reason']), /the tool wipe of new may not be called here/)
  })
})
