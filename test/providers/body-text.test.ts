/**
 * All text of a request by whose words it is. The shapes are those of the providers' own
 * references; each text says where it stands.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { atOnce } from '../../src/core/resting.js'
import { WHO } from '../../src/core/who.js'
import { folded } from '../../src/detect/fold.js'
import { BodyTextReader } from '../../src/providers/body-text.js'
import type { BodyText } from '../../src/providers/body-text.js'
import { recordedCases } from '../support/needs.js'

function textOf(body: unknown): BodyText {
  const reader = new BodyTextReader()
  atOnce(reader.read(body))
  return reader.end()
}

/** By who said it, each on a line. */
function saidIn(body: unknown): Record<string, string> {
  const { units } = textOf(body)
  const pieces = units.flatMap((unit) => unit.pieces)
  return Object.fromEntries(
    WHO.map((who) => [
      who,
      pieces.flatMap((piece) => (piece.who === who ? [piece.text] : [])).join('\n'),
    ]),
  )
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Where `W` (a text of its own) stands, and whose it is. */
const PLACES: readonly (readonly [string, string, (w: string) => unknown])[] = [
  // Chat completions.
  ['person', 'a message', (w) => ({ messages: [{ role: 'user', content: w }] })],
  [
    'person',
    "a part's text",
    (w) => ({ messages: [{ role: 'user', content: [{ type: 'text', text: w }] }] }),
  ],
  [
    'person',
    'a part of a kind that nobody knows',
    (w) => ({
      messages: [{ role: 'user', content: [{ type: 'hologram', caption: { de: w } }] }],
    }),
  ],
  [
    'person',
    'the name of who speaks',
    (w) => ({ messages: [{ role: 'user', name: w, content: 'x' }] }),
  ],
  [
    'person',
    'a message of a role that nobody knows',
    (w) => ({ messages: [{ role: 'narrator', content: w }] }),
  ],
  [
    'person',
    'a message that says its role last',
    (w) => ({ messages: [{ content: w, role: 'user' }] }),
  ],
  [
    'person',
    'a file that is text',
    (w) => ({
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'file',
              file: {
                filename: 'a.txt',
                file_data: `data:text/plain;base64,${base64(w)}`,
              },
            },
          ],
        },
      ],
    }),
  ],
  [
    'person',
    "a file's name",
    (w) => ({
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'file',
              file: {
                filename: w,
                file_data: 'data:application/pdf;base64,JVBERi0xLjcK',
              },
            },
          ],
        },
      ],
    }),
  ],
  [
    'person',
    'a predicted output',
    (w) => ({ messages: [], prediction: { type: 'content', content: w } }),
  ],
  ['person', 'a field that nobody knows', (w) => ({ messages: [], memory_hint: w })],
  [
    'person',
    'a field of a field that nobody knows',
    (w) => ({ messages: [], x: [[{ y: { z: w } }]] }),
  ],
  ['person', 'the name of a field', (w) => ({ messages: [], x: { [w]: 1 } })],
  [
    'program',
    'the system prompt',
    (w) => ({ messages: [{ role: 'system', content: w }] }),
  ],
  [
    'program',
    "the developer's orders in parts",
    (w) => ({ messages: [{ role: 'developer', content: [{ type: 'text', text: w }] }] }),
  ],
  [
    'program',
    "a tool's description",
    (w) => ({ tools: [{ type: 'function', function: { name: 'f', description: w } }] }),
  ],
  [
    'program',
    "a schema's description",
    (w) => ({
      tools: [
        {
          type: 'function',
          function: {
            name: 'f',
            parameters: { type: 'object', properties: { a: { description: w } } },
          },
        },
      ],
    }),
  ],
  [
    'program',
    "an answer's schema",
    (w) => ({
      response_format: {
        type: 'json_schema',
        json_schema: { schema: { description: w } },
      },
    }),
  ],
  [
    'tool',
    "a tool's result",
    (w) => ({ messages: [{ role: 'tool', tool_call_id: 'call_1', content: w }] }),
  ],
  [
    'tool',
    "a function's result",
    (w) => ({ messages: [{ role: 'function', name: 'f', content: w }] }),
  ],
  [
    'model',
    'what the model said',
    (w) => ({ messages: [{ role: 'assistant', content: w }] }),
  ],
  [
    'model',
    'what the model called',
    (w) => ({
      messages: [
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', function: { name: 'f', arguments: w } }],
        },
      ],
    }),
  ],
  [
    'model',
    'what the model thought',
    (w) => ({ messages: [{ role: 'assistant', reasoning_content: w, content: 'x' }] }),
  ],
  // Completions, embeddings, images, moderations.
  ['person', 'a prompt', (w) => ({ prompt: w })],
  ['person', 'one of several prompts', (w) => ({ prompt: ['x', w] })],
  ['person', 'a suffix', (w) => ({ prompt: 'x', suffix: w })],
  ['person', 'one of several inputs', (w) => ({ input: ['x', w] })],
  // Responses.
  ['person', 'an input', (w) => ({ input: w })],
  [
    'person',
    'a message of it',
    (w) => ({ input: [{ role: 'user', content: [{ type: 'input_text', text: w }] }] }),
  ],
  [
    'person',
    'a variable of a stored prompt',
    (w) => ({ prompt: { id: 'pmpt_1', variables: { city: w } } }),
  ],
  ['program', 'instructions', (w) => ({ instructions: w, input: 'x' })],
  [
    'program',
    'tools that are given later',
    (w) => ({
      input: [{ type: 'additional_tools', tools: [{ name: 'f', description: w }] }],
    }),
  ],
  [
    'program',
    'tools of a namespace',
    (w) => ({
      tools: [{ type: 'namespace', name: 'n', tools: [{ name: 'f', description: w }] }],
    }),
  ],
  [
    'program',
    'tools of an MCP server',
    (w) => ({
      input: [
        {
          type: 'mcp_list_tools',
          server_label: 's',
          tools: [{ name: 'f', description: w }],
        },
      ],
    }),
  ],
  [
    'tool',
    'the output of a call',
    (w) => ({ input: [{ type: 'function_call_output', call_id: 'c', output: w }] }),
  ],
  [
    'tool',
    'the output of a call in parts',
    (w) => ({
      input: [
        {
          type: 'custom_tool_call_output',
          call_id: 'c',
          output: [{ type: 'input_text', text: w }],
        },
      ],
    }),
  ],
  [
    'tool',
    'the output of an MCP call',
    (w) => ({ input: [{ type: 'mcp_call', name: 'f', arguments: '{}', output: w }] }),
  ],
  [
    'tool',
    "a program's result",
    (w) => ({ input: [{ type: 'program_output', result: w }] }),
  ],
  [
    'tool',
    "a shell's output",
    (w) => ({
      input: [{ type: 'shell_call_output', output: [{ stdout: w, stderr: '' }] }],
    }),
  ],
  [
    'tool',
    'what code wrote',
    (w) => ({
      input: [
        {
          type: 'code_interpreter_call',
          code: 'x',
          outputs: [{ type: 'logs', logs: w }],
        },
      ],
    }),
  ],
  [
    'tool',
    'what a file search found',
    (w) => ({
      input: [{ type: 'file_search_call', queries: ['x'], results: [{ text: w }] }],
    }),
  ],
  [
    'model',
    'code that the model wrote',
    (w) => ({ input: [{ type: 'code_interpreter_call', code: w }] }),
  ],
  [
    'model',
    "a patch's diff",
    (w) => ({
      input: [
        {
          type: 'apply_patch_call',
          operation: { type: 'update_file', path: 'a', diff: w },
        },
      ],
    }),
  ],
  [
    'model',
    "a shell's commands",
    (w) => ({ input: [{ type: 'shell_call', action: { commands: [w] } }] }),
  ],
  [
    'model',
    'the summary of its reasoning',
    (w) => ({
      input: [{ type: 'reasoning', summary: [{ type: 'summary_text', text: w }] }],
    }),
  ],
  [
    'model',
    'an earlier answer',
    (w) => ({
      input: [
        {
          type: 'message',
          role: 'assistant',
          content: [{ type: 'output_text', text: w }],
        },
      ],
    }),
  ],
  [
    'person',
    'an item of a conversation',
    (w) => ({
      items: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: w }] },
      ],
    }),
  ],
  // Messages.
  [
    'program',
    'system blocks',
    (w) => ({ system: [{ type: 'text', text: w }], messages: [] }),
  ],
  [
    'person',
    'a text document',
    (w) => ({
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              source: { type: 'text', media_type: 'text/plain', data: w },
            },
          ],
        },
      ],
    }),
  ],
  [
    'person',
    'a text document in base64',
    (w) => ({
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              source: { type: 'base64', media_type: 'text/plain', data: base64(w) },
            },
          ],
        },
      ],
    }),
  ],
  [
    'person',
    "a document's title and context",
    (w) => ({
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              title: w,
              source: { type: 'url', url: 'https://a.example' },
            },
          ],
        },
      ],
    }),
  ],
  [
    'tool',
    'a tool result among its blocks',
    (w) => ({
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 't',
              content: [{ type: 'text', text: w }],
            },
          ],
        },
      ],
    }),
  ],
  [
    'tool',
    'what a web search found',
    (w) => ({
      messages: [
        {
          role: 'assistant',
          content: [
            {
              type: 'web_search_tool_result',
              content: [{ type: 'web_search_result', title: w }],
            },
          ],
        },
      ],
    }),
  ],
  [
    'model',
    'a tool use',
    (w) => ({
      messages: [
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 't', name: 'f', input: { q: w } }],
        },
      ],
    }),
  ],
  [
    'model',
    'thinking',
    (w) => ({
      messages: [
        {
          role: 'assistant',
          content: [{ type: 'thinking', thinking: w, signature: 's' }],
        },
      ],
    }),
  ],
  [
    'person',
    'a message of a batch',
    (w) => ({
      requests: [
        { custom_id: 'a', params: { messages: [{ role: 'user', content: w }] } },
      ],
    }),
  ],
  [
    'program',
    'the system prompt of a batch',
    (w) => ({ requests: [{ custom_id: 'a', params: { system: w, messages: [] } }] }),
  ],
  // Gemini.
  ['person', 'a part', (w) => ({ contents: [{ role: 'user', parts: [{ text: w }] }] })],
  ['person', 'contents without a role', (w) => ({ contents: { parts: [{ text: w }] } })],
  [
    'person',
    'inline text',
    (w) => ({
      contents: [{ parts: [{ inlineData: { mimeType: 'text/csv', data: base64(w) } }] }],
    }),
  ],
  [
    'person',
    'inline text, with underscores',
    (w) => ({
      contents: [
        { parts: [{ inline_data: { mime_type: 'text/csv', data: base64(w) } }] },
      ],
    }),
  ],
  [
    'program',
    'systemInstruction',
    (w) => ({ systemInstruction: { parts: [{ text: w }] } }),
  ],
  [
    'program',
    'system_instruction beside it',
    (w) => ({
      systemInstruction: { parts: [{ text: 'x' }] },
      system_instruction: { parts: [{ text: w }] },
    }),
  ],
  [
    'program',
    'a declared function',
    (w) => ({ tools: [{ functionDeclarations: [{ name: 'f', description: w }] }] }),
  ],
  [
    'tool',
    "a function's response",
    (w) => ({
      contents: [
        {
          role: 'user',
          parts: [{ functionResponse: { name: 'f', response: { a: w } } }],
        },
      ],
    }),
  ],
  [
    'model',
    "a function's call",
    (w) => ({
      contents: [
        { role: 'model', parts: [{ functionCall: { name: 'f', args: { a: w } } }] },
      ],
    }),
  ],
  [
    'tool',
    "code's result",
    (w) => ({
      contents: [{ role: 'model', parts: [{ codeExecutionResult: { output: w } }] }],
    }),
  ],
  // Converse, Cohere, Ollama.
  [
    'tool',
    "Converse's tool result",
    (w) => ({
      messages: [
        {
          role: 'user',
          content: [{ toolResult: { toolUseId: 't', content: [{ json: { a: w } }] } }],
        },
      ],
    }),
  ],
  [
    'program',
    "Converse's tool",
    (w) => ({ toolConfig: { tools: [{ toolSpec: { name: 'f', description: w } }] } }),
  ],
  [
    'person',
    "a Converse document's bytes",
    (w) => ({
      messages: [
        {
          role: 'user',
          content: [
            { document: { format: 'txt', name: 'n', source: { bytes: base64(w) } } },
          ],
        },
      ],
    }),
  ],
  ['program', 'a preamble', (w) => ({ preamble: w, message: 'x' })],
  [
    'person',
    'a document to answer from',
    (w) => ({ message: 'x', documents: [{ text: w }] }),
  ],
  [
    'model',
    'what the chatbot said',
    (w) => ({ message: 'x', chat_history: [{ role: 'CHATBOT', message: w }] }),
  ],
  [
    'tool',
    "results of Cohere's tools",
    (w) => ({
      message: 'x',
      tool_results: [{ call: { name: 'f' }, outputs: [{ a: w }] }],
    }),
  ],
  // Realtime, MCP, and what nobody knows.
  [
    'program',
    "a session's instructions",
    (w) => ({ type: 'session.update', session: { instructions: w } }),
  ],
  [
    'program',
    "a session's tool",
    (w) => ({
      type: 'session.update',
      session: { tools: [{ type: 'function', name: 'f', description: w }] },
    }),
  ],
  [
    'person',
    'an item of a session',
    (w) => ({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: w }] },
    }),
  ],
  [
    'tool',
    'an output in a session',
    (w) => ({
      type: 'conversation.item.create',
      item: { type: 'function_call_output', output: w },
    }),
  ],
  [
    'person',
    'an MCP call',
    (w) => ({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'f', arguments: { a: w } },
    }),
  ],
  [
    'person',
    'an event of telemetry',
    (w) => ({ events: [{ eventName: 'e', metadata: { note: w } }] }),
  ],
  ['person', 'a JSON text alone', (w) => w],
  ['person', 'a list of texts alone', (w) => [['x'], [w]]],
]

/** Longer than what decodes to nothing by accident, and no id. */
const WORDS = 'these are the words that are looked for'

describe('the text of a request', () => {
  for (const [who, where, body] of PLACES)
    it(`has ${where} as the ${who}'s`, () => {
      const said = saidIn(body(WORDS))
      for (const other of WHO)
        assert.equal(said[other]?.includes(WORDS), other === who, `${where}: ${other}`)
    })

  it("has nothing but their words as the person's", () => {
    const chat = {
      model: 'gpt-4o-mini',
      stream: true,
      temperature: 0.2,
      reasoning_effort: 'low',
      messages: [
        { role: 'system', content: 'be kind' },
        { role: 'user', content: [{ type: 'text', text: 'hello' }] },
      ],
      tools: [
        { type: 'function', function: { name: 'f', parameters: { type: 'object' } } },
      ],
    }
    assert.equal(saidIn(chat)['person'], 'hello')
  })

  it('leaves out ids and media, and counts them', () => {
    const picture =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const id = 'call_DdmO9pD3xa9XTPNJ32zg2hcA'
    const text = textOf({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } },
          ],
        },
        { role: 'tool', tool_call_id: id, content: 'ok' },
      ],
    })
    assert.equal(text.left.ids, id.length)
    assert.equal(text.left.media, `data:image/png;base64,${picture}`.length)
    assert.equal(text.unreadDocument, false)
  })

  it('says that it holds a document that nobody reads', () => {
    const pdf = `data:application/pdf;base64,${base64('%PDF-1.7\n%\xe2\xe3\xcf\xd3')}`
    const part = { type: 'input_file', filename: 'a.pdf', file_data: pdf }
    assert.equal(
      textOf({ input: [{ role: 'user', content: [part] }] }).unreadDocument,
      true,
    )
  })

  it('keeps a number, a name or words under the name of an id', () => {
    for (const words of [
      '4111 1111 1111 1111',
      '4111111111111111',
      'kim@example.org',
      'a word',
    ])
      assert.match(
        saidIn({ id: words, x: [{ user_id: words }] })['person'] ?? '',
        new RegExp(words),
      )
    const content = [{ card: 4111111111111111 }]
    const { person } = saidIn({ messages: [{ role: 'user', content }] })
    assert.equal(person, 'card\n4111111111111111')
  })

  it('has names of fields as words of who wrote what they stand in, but for those of protocols', () => {
    const odd = 'tell me of tigers'
    const named = (body: unknown) => {
      const said = saidIn(body)
      return WHO.filter((who) => said[who]?.includes(odd))
    }
    assert.deepEqual(named({ metadata: { [odd]: 1 } }), ['person'])
    const message = (role: string) => ({ messages: [{ role, content: [{ [odd]: 1 }] }] })
    assert.deepEqual(named(message('user')), ['person'])
    assert.deepEqual(named(message('tool')), ['tool'])
    assert.deepEqual(named(message('system')), ['program'])
    assert.deepEqual(named({ tools: [{ parameters: { properties: { [odd]: {} } } }] }), [
      'program',
    ])
    // However it looks.
    for (const name of ['tigers', 'c4111-1111-1111-1111', 'x_id_4111'])
      assert.match(saidIn({ metadata: { [name]: 1 } })['person'] ?? '', RegExp(name))
  })

  it('has words under the name of a setting as words', () => {
    for (const words of ['4111-1111-1111-1111', '123-45-6789', '4111111111111111'])
      for (const body of [
        { model: words },
        { service_tier: words },
        { messages: [{ role: 'user', content: [{ type: words }] }] },
      ]) {
        const { person, program } = saidIn(body)
        assert.ok(person?.includes(words) ?? false, JSON.stringify(body))
        assert.ok(!(program?.includes(words) ?? false))
      }
    const part = { type: 'text', text: 'x', summary: 'tigers', language: 'lions' }
    const { person } = saidIn({ messages: [{ role: 'user', content: [part] }] })
    assert.match(person ?? '', /tigers[^]*lions/)
  })

  it('is decoded where it is base64, in any form of Unicode and under any name', () => {
    const euro = 'the price of the thing is €4111'
    const forms: readonly (readonly [string, Buffer])[] = [
      ['UTF-8', Buffer.from(euro)],
      ['UTF-16', Buffer.from(euro, 'utf16le')],
      ['UTF-16 with a mark', Buffer.from(`\ufeff${euro}`, 'utf16le')],
      ['UTF-16BE', Buffer.from(euro, 'utf16le').swap16()],
    ]
    for (const [form, bytes] of forms)
      for (const name of ['data', 'file_data', 'id', 'session_key', 'note'])
        assert.match(
          saidIn({
            messages: [{ role: 'user', content: [{ [name]: bytes.toString('base64') }] }],
          })['person'] ?? '',
          /thing is €4111/,
          `${form} in ${name}`,
        )
    const latin = Buffer.from('für die Grüße an Jörg und Käthe übermäßig: 4111', 'latin1')
    const url = `data:text/plain;charset=iso-8859-1;base64,${latin.toString('base64')}`
    assert.match(saidIn({ x: url })['person'] ?? '', /Grüße an Jörg/)
  })

  it('is without its escapes where it is JSON in JSON', () => {
    const inner = '{"card":"4111\\u0020\\u0031111 1111 1111","at":"a\\/b"}'
    const { tool } = saidIn({ messages: [{ role: 'tool', content: inner }] })
    assert.match(tool ?? '', /4111 1111 1111 1111/)
    const long = `${'x'.repeat(32 * 1024 - 3)}\\u0034111 1111 1111 1111`
    assert.match(saidIn({ input: [long] })['person'] ?? '', /x4111 1111/)
  })

  it('joins the parts of one message', () => {
    const parts = ['my card is 4111 11', '11 1111', ' 1111, thanks'].map((text) => ({
      type: 'text',
      text,
    }))
    const { units } = textOf({ messages: [{ role: 'user', content: parts }] })
    assert.deepEqual(
      units.flatMap((unit) => unit.joined),
      [
        { who: 'person', text: 'my card is 4111 1111 1111 1111, thanks' },
        // Groups may end where the parts do.
        { who: 'person', text: 'my card is 4111 11 11 1111  1111, thanks' },
      ],
    )
    const strings = textOf({
      messages: [{ role: 'user', content: ['4111 1111', ' 1111 1111'] }],
    })
    assert.deepEqual(
      strings.units.flatMap((unit) => unit.joined.map(({ text }) => text)),
      ['4111 1111 1111 1111'],
    )
  })

  it('is the same unit where a message is said again', () => {
    const first = { role: 'user', content: 'first' }
    const unitsOf = (body: unknown) =>
      textOf(body).units.map(({ pieces }) => JSON.stringify(pieces))
    const tool = { name: 'f', description: 'a tool' }
    const once = unitsOf({
      system: 'be kind',
      tools: [tool],
      messages: [first],
      user: 'a',
    })
    const again = unitsOf({
      ...{ system: 'be kind', tools: [tool], user: 'b' },
      messages: [
        first,
        { role: 'assistant', content: 'answer' },
        { role: 'user', content: 'next' },
      ],
    })
    const said = (units: string[], text: string) =>
      units.find((unit) => unit.includes(text))
    for (const text of ['first', 'a tool'])
      assert.equal(said(once, `"${text}"`), said(again, `"${text}"`))
  })

  it('takes nesting and width without recursion', () => {
    let deep: unknown = WORDS
    for (let i = 0; i < 50_000; i++) deep = [deep]
    assert.equal(saidIn(deep)['person'], WORDS)
    const wide = Array.from({ length: 50_000 }, () => ({}))
    assert.equal(textOf(wide).units.length, 0)
  })
})

interface Pair {
  readonly id: string
  readonly request: { readonly url: string; readonly body: unknown }
}

/** Every string of a JSON value, names of fields among them; by another walk than ours. */
function stringsOf(json: string): { text: string; name: string }[] {
  const strings: { text: string; name: string }[] = []
  JSON.parse(json, (name, value: unknown) => {
    if (typeof value === 'string') strings.push({ text: value, name })
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const key of Object.keys(value)) strings.push({ text: key, name: '' })
    return value
  })
  return strings
}

describe('the text of recorded requests', () => {
  it('is every string of them but for ids and media (YORI_CASES)', function () {
    const file = recordedCases(this, 'llm', 'pairs.jsonl')
    const rows = readFileSync(file, 'utf8').trim().split('\n')
    const left = { ids: 0, sealed: 0, media: 0, found: 0, requests: 0 }
    for (const row of rows) {
      const { id, request } = JSON.parse(row) as Pair
      if (typeof request.body !== 'string' || !/^\s*[{[]/.test(request.body)) continue
      const body = textOf(JSON.parse(request.body) as unknown)
      const all = body.units.flatMap(({ pieces }) => pieces.map(({ text }) => text))
      const text = folded(all.join('\n'))
      left.requests++
      const missing = { ids: 0, sealed: 0, media: 0 }
      for (const { text: said, name } of stringsOf(request.body)) {
        if (text.includes(folded(said))) left.found += said.length
        else if (/signature$|^encrypted_content$/i.test(name))
          missing.sealed += said.length
        else if (/(?:id|key)$/i.test(name) && !/\s/.test(said)) missing.ids += said.length
        else if (/^(?:data:[^,]*;base64,)?[\w+/=-]*$/.test(said))
          missing.media += said.length
        else assert.fail(`${id} ${name}: ${said.slice(0, 80)}`)
      }
      left.ids += missing.ids
      left.media += missing.media
      left.sealed += missing.sealed
      const { ids, media } = body.left
      assert.equal(missing.ids + missing.sealed + missing.media, ids + media, id)
    }
    assert.ok(left.requests > 100)
    // What is left out is little: recorded requests are words.
    assert.ok(left.ids + left.media < left.found / 50, JSON.stringify(left))
  })

  it('is not all there, where a prompt is given as the numbers of its tokens', () => {
    for (const body of [{ prompt: [1, 2] }, { input: [[1, 2]] }, { context: [1] }])
      assert.equal(textOf(body).unreadDocument, true, JSON.stringify(body))
    for (const body of [{ prompt: ['x'] }, { input: [] }, { sizes: [1] }])
      assert.equal(textOf(body).unreadDocument, false, JSON.stringify(body))
  })
})
