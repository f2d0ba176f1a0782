import assert from 'node:assert/strict'
import { atOnce } from '../../src/core/resting.js'
import { modelsInPath, NamedInBody } from '../../src/providers/named-in-body.js'

function named(...documents: unknown[]): { tools: string[]; models: string[] } {
  const names = new NamedInBody()
  for (const document of documents) atOnce(names.add(document))
  return { tools: [...names.tools], models: [...names.models] }
}

const offeredTools = (body: unknown): string[] => named(body).tools

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
  [
    'under names instead of in a list',
    { tools: { first: fn('a'), second: { name: 'b', parameters: {} } } },
    ['a', 'b'],
  ],
  ['as the one to call', { tool_choice: { type: 'tool', name: 'a' } }, ['a']],
  ['as the function to call', { tool_choice: fn('a') }, ['a']],
  ['as the function to call, as it once was', { function_call: { name: 'a' } }, ['a']],
  [
    'among those to choose from',
    {
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [fn('a'), { type: 'mcp', name: 'b' }] },
      },
    },
    ['a', 'b'],
  ],
  [
    'among those that Gemini may call',
    {
      toolConfig: {
        functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['a', 'b'] },
      },
    },
    ['a', 'b'],
  ],
  [
    'as the one of Converse',
    { toolConfig: { toolChoice: { tool: { name: 'a' } } } },
    ['a'],
  ],
  [
    'among those that need no approval',
    {
      tools: [
        {
          type: 'mcp',
          server_label: 's',
          require_approval: {
            never: { tool_names: ['a'] },
            always: { tool_names: ['b'] },
          },
        },
      ],
    },
    ['s', 'a', 'b'],
  ],
  [
    'in a call of MCP',
    { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a', arguments: {} } },
    ['a'],
  ],
  [
    'in several calls of MCP',
    ['a', 'b'].map((name) => ({
      jsonrpc: '2.0',
      method: 'tools/call',
      params: { name },
    })),
    ['a', 'b'],
  ],
]

/** Where a body says which models are to answer, and their names. */
const MODELS: readonly (readonly [string, unknown, readonly string[]])[] = [
  ['its own', { model: 'a', messages: [] }, ['a']],
  ['those to fall back to', { model: 'a', models: ['b', 'c'] }, ['a', 'b', 'c']],
  ['those to fall back to, each with settings', { fallbacks: [{ model: 'b' }] }, ['b']],
  [
    'those of the requests of a batch',
    { requests: [{ params: { model: 'a' } }, { params: { model: 'b' } }] },
    ['a', 'b'],
  ],
  ['that of a line of a batch', { custom_id: '1', body: { model: 'a' } }, ['a']],
  ['that of a session', { session: { type: 'realtime', model: 'a' } }, ['a']],
  [
    'that of a counted request',
    { generateContentRequest: { model: 'models/a' } },
    ['models/a'],
  ],
  ["that of Amazon's agents", { foundationModel: 'a' }, ['a']],
]

const NO_MODELS: Readonly<Record<string, unknown>> = {
  'metadata of the caller': { metadata: { model: 'mine' } },
  'what writes down what is said': {
    session: { audio: { input: { transcription: { model: 'whisper-1' } } } },
  },
  'what a message tells of': { messages: [{ role: 'user', content: [{ model: 'x' }] }] },
  'the schema of a tool': { tools: [{ name: 't', input_schema: { model: 'x' } }] },
}

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

const PATHS: readonly (readonly [string, readonly string[]])[] = [
  ['/v1/chat/completions', []],
  ['/openai/deployments/my-gpt/chat/completions?api-version=1', ['my-gpt']],
  ['/model/eu.anthropic.claude-v1%3A0/converse', ['eu.anthropic.claude-v1:0']],
  ['/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse', ['gemini-2.5-pro']],
  ['/v1beta/tunedModels/mine-1%3AgenerateContent', ['mine-1']],
  [
    '/v1/projects/p/locations/l/publishers/anthropic/models/claude@20250514:rawPredict',
    ['claude@20250514'],
  ],
]

describe('the models that a path names', () => {
  for (const [path, names] of PATHS)
    it(`are told of ${path}`, () => {
      assert.deepEqual(modelsInPath(path), names)
    })
})

describe('the models that a request names', () => {
  for (const [what, body, names] of MODELS)
    it(`are ${what}`, () => {
      assert.deepEqual(named(body).models, names)
    })

  for (const [what, body] of Object.entries(NO_MODELS))
    it(`are not ${what}`, () => {
      assert.deepEqual(named(body).models, [])
    })

  it('are those of all documents of it', () => {
    assert.deepEqual(named({ model: 'a' }, { body: { model: 'b' } }).models, ['a', 'b'])
  })
})
