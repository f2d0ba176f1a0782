/**
 * MCP that is intercepted, on whatever host and path: read by its shape, so that its tools are in
 * the record and before policies as at a door. The official client, over YORI as its proxy.
 */
import assert from 'node:assert/strict'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { fetch as undiciFetch } from 'undici'
import { startMcpServers } from '../../support/mcp-servers.js'
import { TestCa } from '../../support/test-ca.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'

const NAME = 'api.openai.com'

describe('intercepted MCP', () => {
  for (const version of HTTP_VERSIONS) {
    it(`is governed by what it calls, over ${version}`, async () => {
      const ca = new TestCa()
      await using servers = await startMcpServers({
        certificate: ca.issue({ names: [NAME] }),
      })
      await using yori = await Yori.start({
        config: {
          mode: 'enforce',
          enforcement: { enabled: true, consent_accepted: true },
          policies: {
            files: {
              tool_guard: { action: 'block', params: { denied_tools: ['wipe'] } },
            },
          },
        },
        origins: { [NAME]: servers.origin },
        trust: [ca],
      })
      const dispatcher = yori.dispatcher(undefined, version)
      const client = new Client({ name: 'one', version: '1' })
      const transport = new StreamableHTTPClientTransport(
        new URL(`https://${NAME}/old`),
        {
          fetch: ((url: string, init: object) =>
            undiciFetch(url, { ...init, dispatcher })) as unknown as typeof fetch,
        },
      )
      await client.connect(transport)
      try {
        await client.listTools()
        const greeted = await client.callTool({ name: 'greet', arguments: {} })
        assert.match(JSON.stringify(greeted.content), /greet you/)
        const { content, isError } = await client.callTool({
          name: 'wipe',
          arguments: {},
        })
        assert.equal(isError, true)
        assert.match(JSON.stringify(content), /the tool wipe may not be used here/)
      } finally {
        await client.close()
      }
      assert.deepEqual(servers.calls, ['greet'])
      await yori.appliance.audit.flush()
      const rows = await yori.rows('exchanges')
      const names = rows.map((row) => [row['tools_offered'], row['tool_calls']])
      assert.ok(names.some(([offered]) => offered === '["greet","wipe","pay"]'))
      assert.ok(names.some(([, calls]) => calls === '["greet"]'))
      assert.ok(rows.some((row) => row['policy_name'] === 'tool_guard'))
    })
  }
})
