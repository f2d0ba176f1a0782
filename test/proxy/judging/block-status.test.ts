/** By which status a program is told of a block: one that it neither repeats nor misreads. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { h2Ask, h2Client } from '../../support/h2.js'
import { ask, behind, disposable, endedExchanges, NAME } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { default: { enabled: true, action: 'block' } } },
}
const BODY = JSON.stringify({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'hello' }],
})

/** As these programs were seen to send them: codex 0.171, claude 2.1.197, copilot 1.0.102. */
const PROGRAMS: readonly (readonly [string, Record<string, string>, number])[] = [
  [
    'Codex',
    {
      'user-agent':
        'codex_exec/0.171.0 (Debian 12.0.0; x86_64) xterm (codex_exec; 0.171.0)',
      originator: 'codex_exec',
      accept: 'text/event-stream',
    },
    400,
  ],
  [
    'Codex, its desktop app',
    { 'user-agent': 'Codex Desktop/0.171.0', accept: '*/*' },
    400,
  ],
  [
    'Claude Code',
    {
      'user-agent': 'claude-cli/2.1.197 (external, sdk-cli)',
      'x-app': 'cli',
      'x-stainless-lang': 'js',
      accept: 'application/json',
    },
    400,
  ],
  [
    'the Copilot CLI, which shows the library that it is built on',
    { 'user-agent': 'OpenAI/JS 5.20.1', 'x-stainless-lang': 'js', 'x-initiator': 'user' },
    400,
  ],
  ['the library itself', { 'user-agent': 'OpenAI/JS 5.20.1' }, 403],
  [
    'opencode, which sends an originator, too',
    {
      'user-agent': 'opencode/1.18.33 ai-sdk/provider-utils/4.0.40',
      originator: 'opencode',
    },
    403,
  ],
  ['curl', { 'user-agent': 'curl/8.5.0', accept: '*/*' }, 403],
  ['a browser', { 'user-agent': 'Mozilla/5.0', accept: 'text/html' }, 403],
  ['a program without a name', {}, 403],
]

async function statusOver(
  version: 'HTTP/1.1' | 'HTTP/2',
  { yori }: Proxied,
  fields: Record<string, string>,
): Promise<{ status: number; body: string }> {
  const all = { ...fields, 'content-type': 'application/json' }
  if (version === 'HTTP/2') {
    using client = await h2Client(yori, NAME)
    const head = {
      ':method': 'POST',
      ':path': '/v1/chat/completions',
      ':authority': NAME,
    }
    const { headers, body } = await h2Ask(client.session, { ...head, ...all }, BODY)
    return { status: headers[':status'] ?? 0, body }
  }
  using client = disposable(await yori.tls(NAME))
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  const head = ['POST /v1/chat/completions HTTP/1.1', `Host: ${NAME}`, ...lines]
  const framed = [...head, `Content-Length: ${BODY.length}`, '', BODY].join('\r\n')
  const text = await ask(client.stream, framed, (soFar) => /[}>]\n?$/.test(soFar))
  return { status: Number(text.split(' ')[1]), body: text.split('\r\n\r\n')[1] ?? '' }
}

describe('the status of a block', () => {
  for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
    for (const [who, fields, expected] of PROGRAMS) {
      it(`is ${expected} for ${who} over ${version}, and stands in the row`, async () => {
        await using setup = await behind((_request, response) => response.end(), ENFORCE)
        const { status, body } = await statusOver(version, setup, fields)
        assert.equal(status, expected)
        const [row] = await endedExchanges(setup.yori, 1)
        assert.equal(row?.['response_status'], expected)
        assert.equal(row['event_type'], 'block')
        if (fields['accept'] === 'text/html') return
        const { message, error } = JSON.parse(body) as {
          message: string
          error: { message: string }
        }
        assert.match(message, /^Blocked by YORI, policy default/)
        assert.equal(error.message, message)
      })
    }
  }

  it("is what a catalogue of one's own says of another program, by name or field", async () => {
    await using setup = await behind((_request, response) => response.end(), ENFORCE)
    const file = setup.yori.folder.file('own.yaml')
    const clients = [
      { name: 'mine', user_agent: ['MyAgent/'], headers: ['X-Mine'], block_status: 422 },
      { name: 'codex', user_agent: ['codex'], block_status: 451 },
    ]
    writeFileSync(file, JSON.stringify({ providers: [], clients }))
    await setup.yori.reload({ ...ENFORCE, catalogue: { file } })
    const told = async (fields: Record<string, string>): Promise<number> =>
      (await statusOver('HTTP/1.1', setup, fields)).status
    assert.equal(await told({ 'user-agent': 'myagent/2' }), 422)
    assert.equal(await told({ 'x-mine': '1' }), 422)
    assert.equal(await told({ 'user-agent': 'codex_exec/0.171.0' }), 451)
    assert.equal(await told({ 'user-agent': 'claude-cli/2.1.197' }), 400)
  })
})
