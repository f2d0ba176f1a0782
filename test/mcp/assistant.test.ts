/**
 * `yori mcp` and `POST /mcp`: the official clients of both lines ask, and what they are told is what
 * the control plane tells; without a role nothing can be changed, with one nothing by one call. One
 * YORI for all, with a few requests in its record.
 */
import assert from 'node:assert/strict'
import { Client as NewClient } from '@modelcontextprotocol/client'
import { StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport as NewStdio } from '@modelcontextprotocol/client/stdio'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { request } from 'undici'
import { packageFile } from '../../src/core/package-root.js'
import { Controlled } from '../support/control.js'
import { startMcpServers } from '../support/mcp-servers.js'
import type { McpServers } from '../support/mcp-servers.js'

const MAIN = packageFile('dist', 'src', 'cli', 'main.js')

interface Tool {
  readonly name: string
  readonly annotations?: { readonly readOnlyHint?: boolean | undefined } | undefined
  readonly inputSchema: { readonly properties?: object | undefined }
}

/** As both lines' clients have it. */
interface Asking {
  listTools(): Promise<{ tools: readonly Tool[] }>
  callTool(asked: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

interface Told {
  readonly content: readonly { readonly text: string }[]
  readonly structuredContent: Record<string, unknown>
  readonly isError?: boolean
}

const MOMENTS = new Set([
  ...['now', 'last_updated', 'last_seen_relative', 'uptime_seconds', 'duration_ms'],
  ...['sinceMs', 'untilMs'],
])

const isIgnored = (name: string): boolean => MOMENTS.has(name)

/** Without what tells the moment of asking. */
function lasting(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lasting)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([name]) => !isIgnored(name))
  return Object.fromEntries(entries.map(([name, inner]) => [name, lasting(inner)]))
}

describe('an assistant that asks YORI', () => {
  let servers: McpServers
  let controlled: Controlled
  let code: string
  /** Of a tool, at the door. */
  let call: (name: string) => Promise<string>
  let blockedId: string
  /** Of the newer line, on standard input and output, without a role. */
  let looking: NewClient

  before(async () => {
    servers = await startMcpServers()
    controlled = await Controlled.start({
      config: {
        mcp: { servers: { new: { url: `${servers.url}/new`, tools: { pay: 'ask' } } } },
      },
    })
    call = async (name: string): Promise<string> => {
      const answer = await request(`${controlled.yori.url}/mcp/servers/new`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({
          ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
          params: { name, arguments: {} },
        }),
      })
      return answer.body.text()
    }
    await call('greet')
    const told = await call('pay')
    code = /with the code (\w{3}-\w{3})/.exec(told)?.[1] ?? ''
    blockedId = /\(request ([^)]+)\)/.exec(told)?.[1] ?? ''
    await controlled.yori.appliance.audit.flush()
    looking = new NewClient(
      { name: 'one', version: '1' },
      { versionNegotiation: { mode: 'auto' } },
    )
    await looking.connect(new NewStdio(stdio()))
  })
  after(async () => {
    await looking?.close()
    await controlled?.[Symbol.asyncDispose]()
    await servers?.[Symbol.asyncDispose]()
  })

  const stdio = (...args: string[]) => ({
    command: process.execPath,
    args: [MAIN, 'mcp', '-c', controlled.yori.folder.file('yori.conf'), ...args],
  })
  const url = () => new URL(`http://${controlled.address}/mcp`)
  const headers = () => ({ authorization: `Bearer ${controlled.token}` })

  const CLIENTS: Readonly<Record<string, () => Promise<Asking>>> = {
    'the older client, stdio': async () => {
      const client = new Client({ name: 'one', version: '1' })
      await client.connect(new StdioClientTransport(stdio()))
      return client
    },
    'the newer client, stdio': () => Promise.resolve(looking as Asking),
    'the older client, HTTP': async () => {
      const client = new Client({ name: 'one', version: '1' })
      const requestInit = { headers: headers() }
      const transport = new StreamableHTTPClientTransport(url(), { requestInit })
      await client.connect(transport)
      return client
    },
    'the newer client, HTTP': async () => {
      const client = new NewClient(
        { name: 'one', version: '1' },
        { versionNegotiation: { mode: 'auto' } },
      )
      await client.connect(
        new NewTransport(url(), { requestInit: { headers: headers() } }),
      )
      return client
    },
  }

  const ask = async (
    client: Asking,
    name: string,
    given: Record<string, unknown> = {},
  ): Promise<Told> => (await client.callTool({ name, arguments: given })) as Told

  for (const [name, open] of Object.entries(CLIENTS)) {
    it(`is answered: ${name}`, async () => {
      const client = await open()
      try {
        const { tools } = await client.listTools()
        const usage = tools.find((tool) => tool.name === 'usage_last_day')
        assert.deepEqual(Object.keys(usage?.inputSchema.properties ?? {}), [])
        assert.equal(usage?.annotations?.readOnlyHint, true)
        if (name.endsWith('stdio'))
          assert.ok(tools.every(({ annotations }) => annotations?.readOnlyHint === true))
        const told = await ask(client, 'usage_last_day')
        assert.notEqual(told.isError, true)
        const { body } = await controlled.ask('/api/usage?since=24h')
        assert.deepEqual(told.structuredContent, body)
        assert.deepEqual(JSON.parse(told.content[0]?.text ?? ''), body)
      } finally {
        if (client !== looking) await client.close()
      }
    })
  }

  it('is told in ten answers what the control plane tells', async () => {
    const questions: readonly (readonly [string, Record<string, unknown>, string])[] = [
      ['usage', { outcome: 'block' }, '/api/usage?outcome=block'],
      ['overview', {}, '/api/overview'],
      ['status', {}, '/api/status'],
      ['sessions', { limit: 5 }, '/api/sessions?limit=5'],
      ['agents', { days: 3 }, '/api/agents?days=3'],
      ['exchanges', { provider: 'mcp-new' }, '/api/exchanges?provider=mcp-new'],
      ['exchange', { id: blockedId }, `/api/exchanges/${blockedId}`],
      ['coverage', { days: 1 }, '/api/coverage?days=1'],
      ['waiting_approvals', {}, '/api/approvals'],
      ['report', { since: '7d' }, '/api/report?since=7d'],
      ['devices', {}, '/api/devices'],
      ['alerts', { limit: 3 }, '/api/alerts?limit=3'],
    ]
    for (const [tool, given, path] of questions) {
      const told = await ask(looking, tool, given)
      const { status, body } = await controlled.ask(path)
      assert.equal(status, 200, path)
      assert.notEqual(told.isError, true, told.content[0]?.text)
      assert.deepEqual(lasting(told.structuredContent), lasting(body), tool)
    }
    const why = await ask(looking, 'why_blocked', { code })
    const { exchange } = why.structuredContent as { exchange: Record<string, unknown> }
    assert.equal(exchange['request_id'], blockedId)
    assert.match(String(exchange['reason']), /the tool pay/)
    assert.equal(
      (await ask(looking as Asking, 'why_blocked', { code: '000-000' })).isError,
      true,
    )
    assert.equal(
      (await ask(looking as Asking, 'session', { id: 'nobody' })).isError,
      true,
    )
  })

  it('may read the report of the week as a resource, and have it told', async () => {
    const { contents } = await looking.readResource({ uri: 'yori://report/week' })
    assert.match(JSON.stringify(contents), /"mimeType":"application\/json"/)
    const { messages } = await looking.getPrompt({ name: 'weekly_report' })
    assert.equal(messages.length, 1)
  })

  it('changes nothing without a role, and with one only what was told back', async () => {
    const approving = new NewClient({ name: 'one', version: '1' })
    await approving.connect(new NewStdio(stdio('--role', 'household')))
    try {
      const refused = await ask(looking as Asking, 'approve', { code }).catch(
        (error: unknown) => error,
      )
      assert.ok(refused instanceof Error || (refused as Told).isError)
      const granted = async (): Promise<number> => {
        const { body } = await controlled.ask('/api/approvals')
        return (body as { grants: unknown[] }).grants.length
      }
      const before = await granted()
      const told = await ask(approving, 'approve', { code, once: true })
      assert.equal(told.structuredContent['confirmed'], false)
      assert.equal(await granted(), before)
      const confirm = String(told.structuredContent['confirm'])
      const other = await ask(approving, 'approve', { code, confirm })
      assert.equal(other.structuredContent['confirmed'], false)
      assert.equal(await granted(), before)
      const done = await ask(approving, 'approve', {
        once: true,
        code,
        confirm,
      })
      assert.notEqual(done.isError, true)
      assert.equal(done.structuredContent['code'], code)
      assert.equal(await granted(), before + 1)
      const { tools } = await approving.listTools()
      assert.ok(tools.some(({ name }) => name === 'pause'))
      assert.ok(!tools.some(({ name }) => name === 'set_policy'))
    } finally {
      await approving.close()
    }
  })

  it('pauses, denies and switches a policy by two calls, and none by one', async () => {
    const admin = new NewClient({ name: 'one', version: '1' })
    await admin.connect(new NewStdio(stdio('--role', 'admin')))
    const changed = async (
      name: string,
      given: Record<string, unknown>,
      state: () => Promise<unknown>,
    ): Promise<unknown> => {
      const before = await state()
      const told = await ask(admin, name, given)
      assert.equal(told.structuredContent['confirmed'], false)
      const wrong = await ask(admin, name, { ...given, confirm: 'AAAAAAAAAAAAAAAA' })
      assert.equal(wrong.structuredContent['confirmed'], false)
      assert.deepEqual(await state(), before, name)
      const { confirm } = told.structuredContent
      const done = await ask(admin, name, { ...given, confirm })
      assert.notEqual(done.isError, true, done.content[0]?.text)
      const after = await state()
      assert.notDeepEqual(after, before, name)
      return after
    }
    try {
      const { tools } = await admin.listTools()
      for (const name of ['pause', 'approve', 'deny', 'set_policy'])
        assert.equal(
          tools.find((tool) => tool.name === name)?.annotations?.readOnlyHint,
          false,
        )
      // What was approved once is used up by this.
      await call('pay')
      const text = await call('pay')
      const [, fresh = ''] = /with the code (\w{3}-\w{3})/.exec(text) ?? []
      await controlled.yori.appliance.audit.flush()
      const waiting = async (): Promise<unknown> => {
        const { body } = await controlled.ask('/api/approvals')
        const { blocked } = body as { blocked: { code: string; answer: unknown }[] }
        return blocked.find((one) => one.code === fresh)?.answer
      }
      assert.equal(await changed('deny', { code: fresh }, waiting), 'denied')
      const config = async (): Promise<unknown> =>
        lasting((await controlled.ask('/api/settings')).body)
      const set = { name: 'bedtime', enabled: true, action: 'alert' }
      const now = await changed('set_policy', set, config)
      assert.match(JSON.stringify(now), /bedtime/)
      await changed('pause', { target: '127.0.0.1', minutes: 5 }, async () =>
        (await call('greet')).includes('isError'),
      )
    } finally {
      await admin.close()
    }
  })

  it('is let in as every other is: by a token, from no other site, under our name', async () => {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    const asked = (headers: Record<string, string>, token?: string | null) =>
      controlled.ask('/mcp', {
        method: 'POST',
        headers,
        body,
        ...(token === undefined ? {} : { token }),
      })
    assert.equal((await asked({}, null)).status, 401)
    assert.equal((await asked({}, 'wrong')).status, 401)
    assert.equal((await asked({ origin: 'https://elsewhere.example' })).status, 403)
    assert.equal((await asked({ host: 'elsewhere.example' })).status, 421)
    assert.equal((await controlled.ask('/mcp')).status, 405)
  })
})
