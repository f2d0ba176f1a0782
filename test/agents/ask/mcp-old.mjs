import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ask, prompt } from './lib.mjs'

const client = new Client({ name: 'matrix', version: '1.0.0' })
await ask(async () => {
  await client.connect(
    new StreamableHTTPClientTransport(new URL('https://mcp.example.com/mcp')),
  )
  const said = await client.callTool({ name: 'ask', arguments: { question: prompt } })
  return said.content[0].text
})
await client.close()
