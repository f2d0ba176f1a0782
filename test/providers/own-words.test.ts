/** What of a message a person wrote, by how agents dress it. */
import assert from 'node:assert/strict'
import { ownWords } from '../../src/providers/own-words.js'
import { readRequest } from '../support/exchanges.js'

const reminder = `<system-reminder>\n${'As you answer, mind this. '.repeat(40)}\n</system-reminder>`

describe("a person's own words", () => {
  for (const [who, text, words] of [
    ['Claude Code', `${reminder}\n${reminder}\nfix the bug\n`, 'fix the bug'],
    ['Claude Code, behind them', `fix the bug\n${reminder}`, 'fix the bug'],
    ['gemini-cli', '<session_context>\nToday\n</session_context>\nhello', 'hello'],
    ['Codex', '<environment_context>\n<cwd>/x</cwd>\n</environment_context>', ''],
    [
      'Cline',
      '<task>\nhello\n</task>\n<environment_details>\n# x\n</environment_details>',
      'hello',
    ],
    [
      'Cursor',
      '<additional_data>x</additional_data><user_query>\nhello\n</user_query>',
      'hello',
    ],
    [
      'Copilot',
      '<attachments>a</attachments>\n<context>b</context>\n<userRequest>hello</userRequest>',
      'hello',
    ],
    ['opencode', '<env>\n  Platform: linux\n</env>\nhello', 'hello'],
    ['a person', 'why is 1 < 2 and <b>bold</b>?', 'why is 1 < 2 and <b>bold</b>?'],
    [
      'a person who sends XML',
      '<note><to>A</to></note> what is this?',
      '<note><to>A</to></note> what is this?',
    ],
    ['a person who left one open', '<my_tag> and no end', '<my_tag> and no end'],
    [
      'a person who speaks of one',
      'what is <system-reminder>x</system-reminder>?',
      'what is <system-reminder>x</system-reminder>?',
    ],
  ] as const) {
    it(`are told in what ${who} sends`, () => {
      assert.equal(ownWords(text), words)
    })
  }

  it('take linear time, whatever stands there', () => {
    const distinct = Array.from({ length: 100_000 }, (_, n) => `\n<a_${n}>`).join('')
    const same = ['<a_b>', '<', '<a_b ', '\n<a_b></a_c>', '</a_b>', '\n<a_b>x</a_b>']
    for (const text of [distinct, ...same.map((piece) => piece.repeat(100_000))]) {
      const before = process.cpuUsage().user
      assert.equal(typeof ownWords(text), 'string')
      // A look at all that follows, at each place, would take minutes.
      assert.ok(process.cpuUsage().user - before < 2_000_000, text.slice(0, 20))
    }
  })

  it('are those before the results of tools, in every turn of an agent', () => {
    const url = 'https://api.anthropic.com/v1/messages'
    const result = { type: 'tool_result', tool_use_id: 't', content: 'file: secret' }
    const asked = { role: 'user', content: `${reminder}\nread the file` }
    const used = {
      role: 'assistant',
      content: [{ type: 'tool_use', id: 't', name: 'r', input: {} }],
    }
    const told = { role: 'user', content: [result, { type: 'text', text: reminder }] }
    const { facts } = readRequest({
      url,
      body: { model: 'c', messages: [asked, used, told] },
    })
    assert.equal(facts.newestWords, 'read the file')
  })

  const results: readonly (readonly [string, string, unknown, unknown])[] = [
    [
      'Gemini',
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:generateContent',
      { role: 'user', parts: [{ text: 'read the file' }] },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'r', response: { output: 'file: secret' } } },
        ],
      },
    ],
    [
      'Bedrock',
      'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse',
      { role: 'user', content: [{ text: 'read the file' }] },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: 't', content: [{ text: 'file: secret' }] } },
        ],
      },
    ],
    [
      'OpenAI',
      'https://api.openai.com/v1/responses',
      { role: 'user', content: [{ type: 'input_text', text: 'read the file' }] },
      { type: 'function_call_output', call_id: 't', output: 'file: secret' },
    ],
  ]
  for (const [who, url, asked, told] of results) {
    it(`are those before the results of tools in the shape of ${who}, too`, () => {
      const turns = [asked, told]
      const body = { model: 'm', contents: turns, messages: turns, input: turns }
      assert.equal(readRequest({ url, body }).facts.newestWords, 'read the file')
    })
  }

  it('are shown from their end', () => {
    const url = 'https://api.openai.com/v1/chat/completions'
    const content = `${'x'.repeat(40_000)} the end`
    const { facts } = readRequest({
      url,
      body: { model: 'c', messages: [{ role: 'user', content }] },
    })
    assert.ok(facts.newestWords?.endsWith('xx the end'))
  })
})
