/**
 * `yori mcp-wrap`: the official client starts the official server as a program, and every message
 * between them goes by the door: the tools are governed, and in the record.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { packageFile } from '../../src/core/package-root.js'
import { LineReader } from '../../src/mcp/lines.js'
import { everySplit } from '../support/splits.js'
import { Yori } from '../support/yori.js'

const MAIN = packageFile('dist', 'src', 'cli', 'main.js')
const SDK = packageFile(
  'node_modules',
  '@modelcontextprotocol',
  'sdk',
  'dist',
  'esm',
  'server',
)

/** Two tools; `later` has the server tell something by itself. */
const PROGRAM = `
import { McpServer } from '${SDK}/mcp.js'
import { StdioServerTransport } from '${SDK}/stdio.js'
const server = new McpServer({ name: 'program', version: '1' })
const text = (said) => ({ content: [{ type: 'text', text: said }] })
server.registerTool('greet', {}, () => text('Grüße ' + process.argv[2]))
server.registerTool('wipe', {}, () => { process.exit(9) })
server.registerTool('later', {}, () => {
  server.sendToolListChanged()
  return text('told')
})
await server.connect(new StdioServerTransport())
`

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

describe('yori mcp-wrap', () => {
  it('leads a server that is a program by the door', async () => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}/`
    await using yori = await Yori.start({
      config: { mcp: { servers: { files: { url, tools: { wipe: 'deny' } } } } },
    })
    const program = yori.folder.file('program.mjs')
    writeFileSync(program, PROGRAM)
    const conf = yori.folder.file('yori.conf')
    const args = [MAIN, 'mcp-wrap', 'files', '-c', conf, '--door', yori.url, '--']
    const client = new Client({ name: 'one', version: '1' })
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [...args, process.execPath, program, 'Jürgen'],
      }),
    )
    try {
      const { tools } = await client.listTools()
      assert.deepEqual(
        tools.map(({ name }) => name),
        ['greet', 'wipe', 'later'],
      )
      const greeted = await client.callTool({ name: 'greet', arguments: {} })
      assert.deepEqual(greeted.content, [{ type: 'text', text: 'Grüße Jürgen' }])
      const denied = await client.callTool({ name: 'wipe', arguments: {} })
      assert.equal(denied.isError, true)
      const changed = new Promise<void>((resolve) => {
        client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve())
      })
      await client.callTool({ name: 'later', arguments: {} })
      await changed
      // The port is nobody else's to ask.
      const foreign = await fetch(url, { method: 'POST', body: '{}' })
      assert.equal(foreign.status, 403)
    } finally {
      await client.close()
    }
    await yori.appliance.audit.flush()
    const rows = await yori.rows('exchanges')
    assert.ok(rows.some((row) => row['tool_calls'] === '["greet"]'))
    assert.ok(rows.some((row) => row['policy_name'] === 'mcp_tools'))
  })

  it('reads lines however they come, and leaves one out that is too long', () => {
    const bytes = Buffer.from('{"ä":1}\n\n{"long":"xxxxxxxxxxxxxxxxxxxx"}\n{"b":2}\nrest')
    for (const chunks of everySplit(bytes)) {
      const lines: string[] = []
      const reader = new LineReader(12, (line) => lines.push(line))
      for (const chunk of chunks) reader.push(Buffer.from(chunk))
      assert.deepEqual(lines, ['{"ä":1}', '{"b":2}'])
    }
  })
})
