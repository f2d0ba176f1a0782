/**
 * A card number where no reader knows the field, on the wire and in enforce: found by its
 * text, over both versions of HTTP; and harmless bodies that are no JSON, which pass.
 */
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { request } from 'undici'
import type { Dispatcher } from 'undici'
import { behind, endedExchanges, NAME, until } from '../../support/proxied.js'
import { HTTP_VERSIONS } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: {
    files: {
      privacy: { action: 'block' },
      model_allowlist: { action: 'block', params: { models: ['*'] } },
    },
  },
}
const CARD = '4111 1111 1111 1111'
const CHAT = '/v1/chat/completions'
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })

interface Sent {
  readonly path?: string
  readonly method?: 'PUT' | 'PATCH'
  readonly fields?: Readonly<Record<string, string>>
  readonly type?: string
  readonly body: unknown
}

const FORM = (part: string, file: string): string =>
  `--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n${part}\r\n` +
  `--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n${file}\r\n--b--\r\n`

/** Uploads in ranges: a file of JSON is cut anywhere. */
const RANGE = {
  path: '/upload/v1beta/files?upload_id=u',
  method: 'PUT',
  fields: { 'content-range': 'bytes 262144-524287/1048576' },
} as const
const GOOGLE = {
  path: '/upload/v1beta/files?upload_id=u',
  fields: { 'x-goog-upload-command': 'upload', 'x-goog-upload-offset': '0' },
} as const
const PARTS = {
  path: '/v1/uploads/u/parts',
  type: 'multipart/form-data; boundary=b',
} as const
const RANDOM = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 197) % 256))

const HIDDEN: readonly (readonly [string, Sent])[] = [
  ['a field that nobody knows', { body: { ...user('hi'), memory: [{ note: CARD }] } }],
  ["a part's unknown field", { body: user([{ type: 'hologram', caption: CARD }]) }],
  [
    'two parts of one message',
    {
      body: user([
        { type: 'text', text: '4111 1111' },
        { type: 'text', text: ' 1111 1111' },
      ]),
    },
  ],
  [
    'a text file in base64',
    {
      body: user([
        { type: 'file', file: { file_data: `data:text/plain;base64,${base64(CARD)}` } },
      ]),
    },
  ],
  ['full-width digits', { body: user('４１１１ １１１１ １１１１ １１１１') }],
  [
    'digits with what is not seen between',
    { body: user('4111\u200b 1111\u2060 1111 11\u00ad11') },
  ],
  [
    'history that nobody heard the model say',
    {
      body: {
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: CARD },
          { role: 'user', content: 'b' },
        ],
      },
    },
  ],
  [
    "a tool's result",
    { body: { messages: [{ role: 'tool', tool_call_id: 'c', content: CARD }] } },
  ],
  [
    'the output of an MCP call',
    { path: '/v1/responses', body: { input: [{ type: 'mcp_call', output: CARD }] } },
  ],
  [
    'items of a conversation',
    {
      path: '/v1/conversations/conv_1/items',
      body: { items: [{ role: 'user', content: CARD }] },
    },
  ],
  ['an escaped path', { path: '/v1/%63hat/completions', body: user(CARD) }],
  ['a path with an escaped slash', { path: '/v1%2fchat/completions', body: user(CARD) }],
  [
    'a path that nobody knows',
    {
      path: '/nobody/knows',
      body: { jsonrpc: '2.0', params: { arguments: { q: CARD } } },
    },
  ],
  [
    'a key that stands twice',
    {
      body: `{"metadata":{"a":"${CARD}","a":"x"},"messages":[{"role":"user","content":"hi"}]}`,
    },
  ],
  [
    'more values than are built',
    {
      body: `{"x":[${'1,'.repeat(30_000)}1],"messages":[{"role":"user","content":"${CARD}"}]}`,
    },
  ],
  ['JSON in UTF-16', { body: Buffer.from(JSON.stringify(user(CARD)), 'utf16le') }],
  ['JSON behind a byte order mark', { body: `\ufeff${JSON.stringify(user(CARD))}` }],
  ['plain text', { path: '/t', type: 'text/plain', body: `my card: ${CARD}` }],
  [
    'a form',
    {
      path: '/oauth',
      type: 'application/x-www-form-urlencoded',
      body: 'note=4111+1111%201111+1111',
    },
  ],
  [
    'lines of JSON',
    { path: '/t', type: 'application/x-ndjson', body: `{"a":1}\n{"note":"${CARD}"}\n` },
  ],
  [
    'a file in a form',
    {
      path: '/v1/files',
      type: 'multipart/form-data; boundary=b',
      body: FORM('batch', JSON.stringify({ body: user(CARD) })),
    },
  ],
  // Paths, as servers take them.
  ['a path with dot segments', { path: '/v1/./x/../chat/completions', body: user(CARD) }],
  ['a path in capitals', { path: '/V1/Chat/Completions', body: user(CARD) }],
  ['a path escaped twice', { path: '/v1/%2563hat/completions', body: user(CARD) }],
  // Names and words of the protocol.
  ['the name of a field', { body: { ...user('hi'), metadata: { [CARD]: 1 } } }],
  [
    'the name of who speaks',
    { body: { messages: [{ role: 'user', name: CARD, content: 'hi' }] } },
  ],
  ['a setting', { body: { ...user('hi'), service_tier: '4111-1111-1111-1111' } }],
  ['a number', { body: { ...user('hi'), memory: 4111111111111111 } }],
  ["an id's name", { body: { ...user('hi'), session_id: '4111-1111-1111-1111' } }],
  [
    'base64 under the name of an id',
    { body: { ...user('hi'), session_id: base64(`it is ${CARD}.`) } },
  ],
  // Encodings.
  [
    'a text file in UTF-16',
    {
      body: user([
        {
          type: 'file',
          file: { file_data: Buffer.from(`it is ${CARD}`, 'utf16le').toString('base64') },
        },
      ]),
    },
  ],
  [
    'a data URL with escapes',
    {
      body: user([
        { type: 'input_file', file_url: `data:text/plain,${encodeURIComponent(CARD)}` },
      ]),
    },
  ],
  [
    'JSON in JSON, with escapes',
    {
      body: {
        messages: [
          {
            role: 'tool',
            content: JSON.stringify({ a: CARD }).replaceAll(' ', '\\u0020'),
          },
        ],
      },
    },
  ],
  ['Arabic digits', { body: user('٤١١١ ١١١١ ١١١١ ١١١١') }],
  ['dashes of other kinds', { body: user('4111\u20131111\u20111111\u22121111') }],
  [
    'a long text without a blank',
    { body: user(`${'数'.repeat(600)},4111111111111111,${'字'.repeat(600)}`) },
  ],
  ['behind a colon', { body: user('deadbeef:4111111111111111') }],
  // Shapes.
  [
    'a call of a tool that nobody heard the model make',
    {
      body: {
        messages: [
          {
            role: 'assistant',
            tool_calls: [
              { function: { name: 'f', arguments: JSON.stringify({ a: CARD }) } },
            ],
          },
        ],
      },
    },
  ],
  [
    'what a call brought',
    {
      path: '/v1/responses',
      body: {
        input: [
          {
            type: 'shell_call',
            action: { commands: ['ls'] },
            output: [{ stdout: CARD }],
          },
        ],
      },
    },
  ],
  [
    'a diff to apply',
    {
      path: '/v1/responses',
      body: {
        input: [
          {
            type: 'apply_patch_call',
            operation: { type: 'update_file', diff: `+${CARD}` },
          },
        ],
      },
    },
  ],
  [
    'a document to answer from',
    {
      path: '/v2/chat',
      body: { ...user('hi'), documents: [{ data: { snippet: CARD } }] },
    },
  ],
  [
    'a thought that nobody heard',
    {
      path: '/v1/messages',
      body: {
        messages: [
          {
            role: 'assistant',
            content: [{ type: 'thinking', thinking: CARD, signature: 'x' }],
          },
          { role: 'user', content: 'go on' },
        ],
      },
    },
  ],
  [
    'a batch',
    {
      path: '/v1/messages/batches',
      body: { requests: [{ custom_id: 'a', params: user(CARD) }] },
    },
  ],
  [
    'a prompt with variables',
    {
      path: '/v1/responses',
      body: { prompt: { id: 'pmpt_1', variables: { name: CARD } } },
    },
  ],
  ['JSON alone', { path: '/x', body: JSON.stringify(CARD) }],
  // Bodies that are no JSON.
  [
    'text in ISO 8859-1',
    {
      path: '/t',
      type: 'text/plain; charset=iso-8859-1',
      body: Buffer.from(`${'Grüße '.repeat(30)}${CARD}`, 'latin1'),
    },
  ],
  [
    'text with what is none',
    {
      path: '/t',
      type: 'text/plain',
      body: Buffer.concat([Buffer.alloc(200, 1), Buffer.from(` ${CARD}`)]),
    },
  ],
  [
    'text in base64',
    { path: '/t', type: 'text/plain', body: base64(`my number is ${CARD}`) },
  ],
  [
    'JSON that breaks off',
    { path: '/t', body: `{"messages":[{"role":"user","content":"${CARD}` },
  ],
  [
    'JSON under another name',
    { path: '/t', type: 'application/octet-stream', body: user(CARD) },
  ],
  ['XML', { path: '/t', type: 'application/xml', body: `<a><b>${CARD}</b></a>` }],
  [
    'values, and characters that are none',
    {
      body: `{"x":[${'1,'.repeat(30_000)}1],"y":"${'\\u0001\ufffd'.repeat(9000)} ${CARD}"}`,
    },
  ],
  [
    'one of many parts of a form',
    {
      path: '/v1/files',
      type: 'multipart/form-data; boundary=b',
      body: `${'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\x00\r\n'.repeat(300)}--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${CARD}\r\n--b--\r\n`,
    },
  ],
  [
    'a part that is in base64',
    {
      path: '/v1/files',
      type: 'multipart/mixed; boundary="b"',
      body: `--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(`it is ${CARD}`)}\r\n--b--\r\n`,
    },
  ],
  ['a range of a file', { ...RANGE, body: `"text": "my card is ${CARD}", "and so` }],
  [
    'the first range of an upload to Google',
    { ...GOOGLE, body: `{"contents":[{"parts":[{"text":"${CARD} and` },
  ],
  [
    'a part of an upload that is text',
    { ...PARTS, body: FORM('x', `{"body":{"messages":[{"content":"${CARD}`) },
  ],
  // It says that it is a range, and it is none.
  [
    'a call that is no JSON',
    { fields: { 'content-range': 'bytes 0-9/99' }, body: '{"model":"m",' },
  ],
  [
    'the middle of a long history',
    {
      body: {
        messages: Array.from({ length: 300 }, (_, i) => ({
          role: 'user',
          content: `${i} ${'words and words '.repeat(60)}${i === 150 ? CARD : ''}`,
        })),
      },
    },
  ],
]

const HARMLESS: readonly (readonly [string, Sent, string | null])[] = [
  [
    'one byte of text',
    { path: '/t', type: 'text/plain;charset=UTF-8', body: 'x' },
    'unknown-api',
  ],
  [
    'an OAuth form',
    {
      path: '/oauth/token',
      type: 'application/x-www-form-urlencoded',
      body: 'grant_type=refresh_token&refresh_token=abc',
    },
    'unknown-api',
  ],
  [
    'telemetry in lines',
    { path: '/t', type: 'application/x-ndjson', body: '{"a":1}\n{"b":2}\n' },
    'unknown-api',
  ],
  [
    'telemetry in protobuf',
    {
      path: '/v1/traces',
      type: 'application/x-protobuf',
      body: Buffer.from([0x0a, 0xff, 0xfe, 0x00, 0x01, 0x90]),
    },
    'not-text',
  ],
  [
    'a part of an upload',
    {
      path: '/v1/uploads/u/parts',
      type: 'application/octet-stream',
      body: Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 197) % 256)),
    },
    'not-text',
  ],
  [
    'the first range of a file of JSON',
    { ...GOOGLE, body: '{"contents":[{"parts":[{"text":"the first half of a li' },
    null,
  ],
  [
    'another range of it, cut within a character',
    {
      ...RANGE,
      body: Buffer.from(`${'größer und schöner '.repeat(40)}ö`).subarray(2, -1),
    },
    null,
  ],
  [
    'the last range of one of lines',
    {
      ...{ ...GOOGLE, type: 'application/jsonl' },
      fields: {
        'x-goog-upload-command': 'upload, finalize',
        'x-goog-upload-offset': '8388608',
      },
      body: 'ntent":"b"}\n{"a":1}\n',
    },
    null,
  ],
  [
    'a range of a film',
    { ...RANGE, fields: { 'upload-offset': '4096' }, type: 'video/mp4', body: RANDOM },
    'not-text',
  ],
  [
    'half a line in a part of an upload',
    { ...PARTS, body: FORM('x', '{"custom_id":"a","body":{"mo') },
    null,
  ],
  [
    'packed bytes that are called JSON',
    { body: gzipSync(JSON.stringify(user('hi'))) },
    'not-text',
  ],
  [
    'an address in the system prompt',
    {
      body: {
        messages: [
          { role: 'system', content: 'the user is kim@example.org' },
          { role: 'user', content: 'hi' },
        ],
      },
    },
    null,
  ],
]

function asked(
  { path = CHAT, method, fields, type = 'application/json', body }: Sent,
  dispatcher: Dispatcher,
): Parameters<typeof request> {
  const headers = { 'content-type': type, ...fields }
  const sent = { method: method ?? 'POST', dispatcher, body: bytesOf(body), headers }
  return [`https://${NAME}${path}`, sent]
}

function bytesOf(body: unknown): string | Buffer {
  return typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
}

for (const version of HTTP_VERSIONS)
  describe(`what a request says, over ${version}`, () => {
    it('is looked at wherever it stands', async () => {
      await using proxied = await behind((incoming, response) => {
        incoming.resume().on('end', () => response.end('{}'))
      }, ENFORCE)
      const dispatcher = proxied.yori.dispatcher(undefined, version)
      for (const [where, sent] of HIDDEN) {
        const answer = await request(...asked(sent, dispatcher))
        const text = await answer.body.text()
        assert.equal(answer.statusCode, 403, where)
        assert.match(text, /a card number|stands twice|is not JSON|values limit/, where)
      }
      // What is refused again for the same words counts in the row of the first.
      let rows: Row[] = []
      await until(async () => {
        rows = await endedExchanges(proxied.yori, 1)
        const counted = rows.map((row) => 1 + Number(row['repeats'] ?? 0))
        return counted.reduce((sum, count) => sum + count, 0) >= HIDDEN.length
      })
      assert.ok(rows.every((row) => row['event_type'] === 'block'))
    })

    it('passes where it is harmless, and its row says what it was', async () => {
      await using proxied = await behind((incoming, response) => {
        incoming.resume().on('end', () => response.end('{}'))
      }, ENFORCE)
      const dispatcher = proxied.yori.dispatcher(undefined, version)
      for (const [what, sent] of HARMLESS) {
        const answer = await request(...asked(sent, dispatcher))
        await answer.body.dump()
        assert.equal(answer.statusCode, 200, what)
      }
      const rows = await endedExchanges(proxied.yori, HARMLESS.length)
      assert.deepEqual(
        rows.map((row) => [row['policy_decision'], row['uninspectable']]),
        HARMLESS.map(([, , unread]) => ['allow', unread]),
      )
    })
  })
