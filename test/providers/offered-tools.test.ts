import assert from 'node:assert/strict'
import { atOnce } from '../../src/core/resting.js'
import { offeredTools as offered } from '../../src/providers/offered-tools.js'

const offeredTools = (body: unknown): string[] => atOnce(offered(body))

const fn = (name: string) => ({ type: 'function', function: { name } })

/** Where providers have tools, and their names. */
const REQUESTS: readonly (readonly [string, unknown, readonly string[]])[] = [
  [
    'beside the messages',
    { messages: [], tools: [fn('a'), { type: 'custom', custom: { name: 'b' } }] },
    ['a', 'b'],
  ],
  ['as functions', { functions: [{ name: 'a' }] }, ['a']],
  [
    'of the provider',
    {
      tools: [
        { type: 'web_search_20250305', name: 'web_search' },
        { type: 'code_interpreter' },
      ],
    },
    ['web_search', 'code_interpreter'],
  ],
  [
    'in a namespace',
    {
      tools: [
        {
          type: 'namespace',
          name: 'shell',
          tools: [
            { type: 'function', name: 'exec' },
            { type: 'namespace', name: 'n', tools: [{ name: 'deep' }] },
          ],
        },
      ],
    },
    ['shell', 'exec', 'n', 'deep'],
  ],
  [
    'among the items',
    {
      input: [
        { role: 'user', content: 'x' },
        { type: 'additional_tools', tools: [fn('later')] },
      ],
    },
    ['later'],
  ],
  [
    'listed by an MCP server',
    {
      input: [{ type: 'mcp_list_tools', server_label: 's', tools: [{ name: 'query' }] }],
    },
    ['query'],
  ],
  [
    'that an MCP server may serve',
    {
      tools: [
        {
          type: 'mcp',
          server_label: 'files',
          allowed_tools: { tool_names: ['delete_file'] },
        },
        { type: 'mcp', server_label: 'mail', allowed_tools: ['send'] },
      ],
    },
    ['files', 'delete_file', 'mail', 'send'],
  ],
  [
    'of a toolset',
    {
      mcp_servers: [{ name: 's', tool_configuration: { allowed_tools: ['x'] } }],
      tools: [
        { type: 'mcp_toolset', mcp_server_name: 's', configs: { y: { enabled: true } } },
      ],
    },
    ['x', 's', 'y'],
  ],
  [
    'of Gemini',
    {
      tools: [
        { functionDeclarations: [{ name: 'a' }] },
        { function_declarations: [{ name: 'b' }], googleSearch: {} },
      ],
    },
    ['a', 'googleSearch', 'b'],
  ],
  [
    'of Converse',
    {
      toolConfig: {
        tools: [{ toolSpec: { name: 'a' } }, { cachePoint: { type: 'default' } }],
      },
    },
    ['a'],
  ],
  [
    'of a session',
    { type: 'session.update', session: { tools: [{ type: 'function', name: 'a' }] } },
    ['a'],
  ],
  [
    'of the requests of a batch',
    {
      requests: [
        { params: { tools: [{ name: 'a' }] } },
        { params: { tools: [{ name: 'b' }] } },
      ],
    },
    ['a', 'b'],
  ],
  [
    'of a wrapped request',
    { project: 'p', request: { tools: [{ functionDeclarations: [{ name: 'a' }] }] } },
    ['a'],
  ],
]

describe('the tools that a request offers', () => {
  for (const [where, body, names] of REQUESTS)
    it(`are found ${where}`, () => {
      assert.deepEqual(offeredTools(body).sort(), [...names].sort())
    })

  it('are not those of which its messages tell', () => {
    const told = { tools: [fn('told')] }
    const body = {
      messages: [
        { role: 'tool', content: [told] },
        { role: 'user', content: [{ type: 'text', text: 'x', ...told }] },
      ],
      input: [{ type: 'function_call_output', output: told }],
      tools: [{ name: 'a', input_schema: { properties: { tools: { type: 'array' } } } }],
    }
    assert.deepEqual(offeredTools(body), ['a'])
  })

  it('are all of them, however many, and of any nesting', () => {
    const many = Array.from({ length: 5000 }, (_, i) => fn(`f${i}`))
    assert.equal(offeredTools({ tools: many }).length, 5000)
    let deep: unknown = { name: 'x' }
    for (let i = 0; i < 10_000; i++) deep = { type: 'namespace', tools: [deep] }
    assert.deepEqual(offeredTools({ tools: [deep] }), ['namespace'])
  })
})
