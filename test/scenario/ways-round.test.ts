/**
 * Ways round policies that block, tried by one who knows them: each is a request that carries
 * what is blocked, in a shape that a reader might miss. None reaches the provider. The whole list,
 * with the tests of the other ways, is in `docs/WAYS-ROUND.md`.
 */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { request } from 'undici'
import { startOrigin } from '../support/origins.js'
import type { Origin } from '../support/origins.js'
import { NAME, originCa } from '../support/proxied.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { HTTP_VERSIONS, Yori } from '../support/yori.js'

/** As in the README. */
const NO_RECIPES = `# Denies recipes.
package yori.no_recipes
deny contains "ask the cook" if contains(lower(input.said.person), "recipe")
`
const GEMINI = 'generativelanguage.googleapis.com'
const AZURE = 'home.openai.azure.com'
const BEDROCK = 'bedrock-runtime.eu-central-1.amazonaws.com'
const VERTEX = 'europe-west1-aiplatform.googleapis.com'
const NAMES = [NAME, GEMINI, AZURE, BEDROCK, VERTEX]
/** `certificate` of the other tests is for one name. */
const certificate = originCa.issue({ names: NAMES })
const CHAT = '/v1/chat/completions'
const WORD = 'a recipe for soup'
const CARD = 'my card is 4111 1111 1111 1111'

interface Attempt {
  readonly host?: string
  readonly path?: string
  readonly method?: 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Record<string, string>
  readonly body: string | Buffer
}

const chat = (content: unknown, more: object = {}): string =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...more })

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function utf16(text: string, order: 'le' | 'be'): Buffer {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return order === 'le' ? bytes : bytes.swap16()
}

const offer = (tool: object, more: object = {}): string =>
  chat('hi', { tools: [tool], ...more })
const named = (name: string): string => offer({ type: 'function', function: { name } })
const asks = (model: string): string => chat('hi', { model })

function gemini(body: object): Attempt {
  const contents = [{ role: 'user', parts: [{ text: 'hi' }] }]
  return {
    host: GEMINI,
    path: '/v1beta/models/gemini-2.5-pro:generateContent',
    body: JSON.stringify({ contents, ...body }),
  }
}

const inGemini = (part: object): Attempt =>
  gemini({ contents: [{ role: 'user', parts: [part] }] })

function underCharset(charset: string, body: string | Buffer): Attempt {
  return { headers: { 'content-type': `application/json; charset=${charset}` }, body }
}

const file = (file_data: string): string =>
  chat([{ type: 'file', file: { file_data, filename: 'x' } }])

/** Longer than what is kept beside what it decodes to. */
const FILLER = 'and so on, '.repeat(20)

function form(...parts: readonly (readonly [head: string, body: string])[]): Attempt {
  const texts = parts.map(
    ([head, body]) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`,
  )
  return {
    path: '/v1/files',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: `${texts.join('')}--b--\r\n`,
  }
}

function behind(before: string, after: string): Attempt {
  const { body, ...rest } = form(['name="file"', 'hi'])
  return { ...rest, body: `${before}\r\n${body.toString()}${after}` }
}

const azure = (model: string) => ({
  host: AZURE,
  path: `/openai/deployments/${model}/chat/completions?api-version=2024-10-21`,
})

function bedrock(call: string, body: object): Attempt {
  return { host: BEDROCK, path: `/model/${call}`, body: JSON.stringify(body) }
}

function vertex(call: string, body: object): Attempt {
  const place = '/v1/projects/p/locations/europe-west1/publishers'
  return { host: VERTEX, path: `${place}/${call}`, body: JSON.stringify(body) }
}

/** A file of a batch; its lines hold requests. */
function batch(body: object): Attempt {
  const line = JSON.stringify({ custom_id: '1', method: 'POST', url: CHAT, body })
  return form(['name="file"; filename="b.jsonl"', `${line}\n`])
}

/** As batches of HTTP have it. */
function within(body: string): Attempt {
  const head = `POST ${CHAT} HTTP/1.1\r\ncontent-type: application/json\r\n`
  return {
    path: '/batch',
    headers: { 'content-type': 'multipart/mixed; boundary=b' },
    body: `--b\r\nContent-Type: application/http\r\n\r\n${head}\r\n${body}\r\n--b--\r\n`,
  }
}

/** As many bytes as one has, behind those by which it is known. */
const PICTURE = Buffer.from(`\x89PNG\r\n\x1a\n${'\0\xfe'.repeat(40)}`, 'latin1').toString(
  'base64',
)
const escaped = [...WORD].map(
  (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
)
const plain = chat(WORD)

const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  plainly: { body: plain },
  'a card, plainly': { body: chat(CARD) },
  'by escapes of JSON': { body: plain.replace(WORD, escaped.join('')) },
  'in capitals': { body: chat('A RECIPE') },
  'with zero-width spaces': { body: chat('a re\u200bci\u200dpe') },
  'with soft hyphens': { body: chat('a re\u00adci\u00adpe') },
  'in full-width letters': { body: chat('ｒｅｃｉｐｅ') },
  'in mathematical letters': { body: chat('𝐫𝐞𝐜𝐢𝐩𝐞') },
  'in base64': { body: chat(base64(`${WORD}, please, and a good one`)) },
  'in a data URL': { body: chat(`data:text/plain;base64,${base64(WORD)}`) },
  'as a file in base64': {
    body: chat([
      {
        type: 'file',
        file: { file_data: `data:text/plain;base64,${base64(WORD)}`, filename: 'x' },
      },
    ]),
  },
  'in a data URL in capitals': {
    body: file(`DATA:text/plain;BASE64,${base64(WORD)}`),
  },
  'in a data URL behind a blank': { body: file(` data:;base64,${base64(WORD)}`) },
  'in a data URL with blanks': {
    body: file(`data:text/plain; charset=utf-8; base64,${base64(WORD)}`),
  },
  'in a parameter of a data URL': {
    body: chat(`data:text/plain;x=${WORD},${FILLER}`),
  },
  'in a parameter of a picture': {
    body: chat(`data:image/png;x=${WORD};base64,${PICTURE}`),
  },
  'as the type of a data URL': {
    body: chat(`data:recipe/soup,${FILLER}`),
  },
  'with control characters': { body: chat('a re\u0000ci\u0007pe') },
  'with control characters as they are': {
    body: plain.replace('recipe', 're\u0000ci\u0001pe'),
  },
  'with half a pair': { body: plain.replace('recipe', 're\\ud800cipe') },
  'with bytes that are no UTF-8': {
    body: Buffer.from(plain.replace('recipe', 're\xffcipe'), 'latin1'),
  },
  'a card with control characters': {
    body: chat(CARD.replaceAll('1 1', '1\u00011')),
  },
  'a card behind a zero-width space': {
    body: chat('it is\u200b4111 1111 1111 1111\u200bthat'),
  },
  'a card behind a control character': {
    body: chat('it is\u00074111 1111 1111 1111\u0007that'),
  },
  'as JSON that is called gRPC': {
    headers: { 'content-type': 'application/grpc' },
    body: plain,
  },
  'behind an empty message of gRPC': {
    headers: { 'content-type': 'application/grpc' },
    body: Buffer.concat([Buffer.alloc(5), Buffer.from(plain)]),
  },
  'in a message of gRPC that has no end': {
    headers: { 'content-type': 'application/grpc+proto' },
    body: Buffer.concat([Buffer.from([0, 0, 1, 0, 0]), Buffer.from(WORD)]),
  },
  'in a message of gRPC-Web': {
    headers: { 'content-type': 'application/grpc-web+proto' },
    body: Buffer.concat([Buffer.from([0, 0, 0, 0, WORD.length]), Buffer.from(WORD)]),
  },
  'in Protocol Buffers': {
    headers: { 'content-type': 'application/x-protobuf' },
    body: Buffer.concat([Buffer.from([0x0a, WORD.length]), Buffer.from(WORD)]),
  },
  'a card over lines': { body: chat(CARD.replaceAll(' 1', '\n1')) },
  'a card over lines and parts': {
    body: chat(['4111\n1111\n', '1111\n1111'].map((text) => ({ type: 'text', text }))),
  },
  'a card in dots': { body: chat(CARD.replaceAll(' 1', '.1')) },
  'split over parts': {
    body: chat(['a rec', 'ipe'].map((text) => ({ type: 'text', text }))),
  },
  'in UTF-16, little end first': { body: utf16(plain, 'le') },
  'in UTF-16, big end first': { body: utf16(plain, 'be') },
  'behind a BOM': { body: `\ufeff${plain}` },
  'in a field that nobody knows': { body: chat('hi', { x_new: { deep: [WORD] } }) },
  'as the name of a field': { body: chat('hi', { [WORD]: 1 }) },
  'as the name of who speaks': {
    body: JSON.stringify({ messages: [{ role: 'user', name: WORD, content: 'hi' }] }),
  },
  'as what a model is to have said': {
    body: JSON.stringify({ messages: [{ role: 'assistant', content: WORD }] }),
  },
  'in a role of its own': {
    body: JSON.stringify({ messages: [{ role: 'wizard', content: WORD }] }),
  },
  'under a key that stands twice': {
    body: `{"model":"m","messages":[{"role":"user","content":"${WORD}"}],"messages":[]}`,
  },
  'in JSON with a comma too many': { body: plain.replace(/}$/, ',}') },
  'in JSON with NaN': { body: plain.replace(/}$/, ',"t":NaN}') },
  'in JSON with a comment': { body: `/* x */${plain}` },
  'in JSON5': { body: `{model:'m',messages:[{role:'user',content:'${WORD}'}]}` },
  'in two documents': { body: `${chat('hi')}\n${plain}` },
  'under the name of a picture': {
    headers: { 'content-type': 'image/png' },
    body: plain,
  },
  'under the name of bytes': {
    headers: { 'content-type': 'application/octet-stream' },
    body: plain,
  },
  'under the name of a form': {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `prompt=${escape(WORD)}&model=m`,
  },
  'under a charset': {
    headers: { 'content-type': 'application/json; charset=utf-16le' },
    body: utf16(plain, 'le'),
  },
  'as a field of a form': form(['name="prompt"', WORD]),
  'as a file of a form': form(['name="file"; filename="x.bin"', WORD]),
  'as the name of a file': form([`name="file"; filename="${WORD}"`, 'hi']),
  'as the name of a file in its other form': form([
    `name="file"; filename*=UTF-8''a%20%72ecipe`,
    'hi',
  ]),
  'as a field of a part': form([`name="file"\r\nX-Note: ${WORD}`, 'hi']),
  'in quoted-printable': form([
    'name="file"; filename="x"\r\nContent-Transfer-Encoding: quoted-printable',
    'a re=63i=\r\npe',
  ]),
  'before the first part': behind(WORD, ''),
  'behind the last part': behind('', WORD),
  'as a part of an upload': {
    ...form(['name="data"; filename="part"', WORD]),
    path: '/v1/uploads/u/parts',
  },
  'as a batch of a file': form([
    'name="file"; filename="b.jsonl"',
    JSON.stringify({ custom_id: '1', body: JSON.parse(plain) as unknown }),
  ]),
  'under gzip': { headers: { 'content-encoding': 'gzip' }, body: gzipSync(plain) },
  'under brotli': {
    headers: { 'content-encoding': 'br' },
    body: brotliCompressSync(plain),
  },
  'under deflate': {
    headers: { 'content-encoding': 'deflate' },
    body: deflateSync(plain),
  },
  'under gzip twice': {
    headers: { 'content-encoding': 'gzip, gzip' },
    body: gzipSync(gzipSync(plain)),
  },
  'under a coding that nobody knows': {
    headers: { 'content-encoding': 'x-mine' },
    body: plain,
  },
  'under gzip that is none': { headers: { 'content-encoding': 'gzip' }, body: plain },
  'at an escaped path': { path: '/v1/%63hat/completions', body: plain },
  'at a path with an escaped slash': { path: '/v1%2fchat/completions', body: plain },
  'at a path in capitals': { path: '/V1/CHAT/COMPLETIONS', body: plain },
  'at a path with two slashes': { path: '/v1//chat/completions', body: plain },
  'at a path with dots': { path: '/v1/models/../chat/completions', body: plain },
  'at a path that nobody knows': { path: '/x/y', body: plain },
  'with PUT': { method: 'PUT', body: plain },
  'with PATCH': { method: 'PATCH', body: plain },
  'with DELETE': { method: 'DELETE', body: plain },
  'with another method in a field': {
    headers: { 'x-http-method-override': 'GET' },
    body: plain,
  },
  'as a call of MCP': {
    path: '/mcp',
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
      params: { name: 'ask', arguments: { q: WORD } },
    }),
  },
  'as what is to be spoken': {
    path: '/v1/audio/speech',
    body: JSON.stringify({ model: 'tts', input: WORD, voice: 'x' }),
  },
  'as a picture that is asked for': {
    path: '/v1/images/generations',
    body: JSON.stringify({ prompt: WORD }),
  },
  'in UTF-7': underCharset('utf-7', chat('a +AHIAZQBjAGkAcABl- for soup')),
  'in UTF-7 between quotes': underCharset('"utf-7"', chat('a +AHIAZQBjAGkAcABl-')),
  'in EBCDIC': underCharset(
    'ibm037',
    // {"recipe":10}
    Buffer.from('c07f9985838997857f7af1f0d0', 'hex'),
  ),
  'in Shift_JIS': underCharset(
    'shift_jis',
    Buffer.from(
      `7b227822 3a22 ${'8292828582838289829082 85'} 227d`.replaceAll(' ', ''),
      'hex',
    ),
  ),
  'in base64 twice': { body: chat(base64(base64(`${WORD}, please, and a good one`))) },
  'in base64 four times': {
    body: chat(base64(base64(base64(base64(`${WORD}, please`))))),
  },
  'in base64 twice in a data URL': {
    body: file(`data:text/plain;base64,${base64(base64(`${WORD}, please, and more`))}`),
  },
  'as a file of one word': inGemini({
    inlineData: { mimeType: 'text/plain', data: base64('recipe') },
  }),
  'as a drawing in escapes': {
    body: chat(
      `data:image/svg+xml;utf8,${[...`<svg><text>${WORD}</text></svg>`]
        .map((c) => `%${c.charCodeAt(0).toString(16)}`)
        .join('')}`,
    ),
  },
  'a card over parts that end where its groups do': {
    body: chat(
      ['my card is 4111 1111', '1111 1111'].map((text) => ({ type: 'text', text })),
    ),
  },
  'a card on keys of a telephone': {
    body: chat(CARD.replaceAll(/[0-9]/g, '$&\ufe0f\u20e3')),
  },
  'between marks of annotations': { body: chat('re\ufffbcipe') },
  'a tool': { body: named('delete_file') },
  'a tool in other letters': { body: named('Ｄelete_File') },
  'a tool with zero-width spaces': { body: named('del\u200bete_file') },
  'a tool with control characters': { body: named('delete\u0000_file') },
  'a tool behind a blank': { body: named(' delete_file') },
  'a tool under keys in capitals': {
    body: chat('hi', {
      Tools: [{ Type: 'function', Function: { Name: 'delete_file' } }],
    }),
  },
  'a tool under keys of both cases': {
    body: offer({ function: { name: 'read', Name: 'delete_file' } }),
  },
  'a tool that is no list': gemini({
    tools: { functionDeclarations: { name: 'delete_file' } },
  }),
  'a tool in the other spelling': gemini({
    tools: [{ function_declarations: [{ name: 'delete_file' }] }],
  }),
  'a model': { body: asks('bad-model') },
  'a model in other letters': { body: asks('ＢAD-Model') },
  'a model with zero-width spaces': { body: asks('bad\u200b-model') },
  'a model between blanks': { body: asks(' bad-model ') },
  'a model behind a provider': { body: asks('openai/bad-model') },
  'a model behind models/': { body: asks('models/bad-model') },
  'a model before a version': { body: asks('openai/bad-model:free') },
  'a model under a key in capitals': {
    body: JSON.stringify({ Model: 'bad-model', Messages: [{ role: 'user' }] }),
  },
  'a model under keys of both cases': { body: chat('hi', { Model: 'bad-model' }) },
  'a model in an escaped path': {
    ...gemini({}),
    path: '/v1beta/models/b%61d-model%3AgenerateContent',
  },
  'at Azure': { ...azure('m'), body: plain },
  'at Azure, by its newer paths': {
    host: AZURE,
    path: '/openai/v1/responses',
    body: JSON.stringify({ model: 'm', input: WORD }),
  },
  'a model of Azure, in the path': { ...azure('bad-model-2'), body: chat('hi') },
  'a tool at Azure': { ...azure('m'), body: named('delete_file') },
  'at Bedrock, by Converse': bedrock('m/converse', {
    messages: [{ role: 'user', content: [{ text: WORD }] }],
  }),
  'at Bedrock, in a stream': bedrock('m/invoke-with-response-stream', {
    messages: [{ role: 'user', content: WORD }],
  }),
  'at Bedrock, to a model that nobody knows': bedrock('m/invoke', { inputText: WORD }),
  'a model of Bedrock': bedrock('eu.anthropic.bad-model-v1%3A0/converse', {}),
  'a model of Bedrock by its ARN': bedrock(
    `${encodeURIComponent('arn:aws:bedrock:eu-central-1::foundation-model/bad-model')}/invoke`,
    {},
  ),
  'a tool at Bedrock': bedrock('m/converse', {
    toolConfig: { tools: [{ toolSpec: { name: 'delete_file' } }] },
  }),
  'at Vertex': vertex('google/models/gemini-2.5-pro:generateContent', {
    contents: [{ role: 'user', parts: [{ text: WORD }] }],
  }),
  'at Vertex, to Claude': vertex('anthropic/models/claude-sonnet-4@20250514:rawPredict', {
    messages: [{ role: 'user', content: WORD }],
  }),
  'a model of Vertex': vertex('google/models/bad-model:streamGenerateContent', {}),
  'a tool at Vertex': vertex('anthropic/models/claude:streamRawPredict', {
    tools: [{ name: 'delete_file' }],
  }),
  'in a part of a resumable upload': {
    host: GEMINI,
    path: '/upload/v1beta/files?upload_id=x&upload_protocol=resumable',
    method: 'PUT',
    headers: {
      'content-type': 'text/plain',
      'content-range': 'bytes 100-115/400',
      'x-goog-upload-command': 'upload',
      'x-goog-upload-offset': '100',
    },
    body: WORD,
  },
  'a model to fall back to': {
    body: asks('m').replace(/}$/, ',"models":["x/bad-model"]}'),
  },
  'a model in a line of a batch': batch({ model: 'bad-model' }),
  'a model in the body beside that of the path': gemini({ model: 'models/bad-model' }),
  'a model in the requests of a batch': {
    path: '/v1/messages/batches',
    body: JSON.stringify({
      requests: [{ custom_id: '1', params: { model: 'bad-model' } }],
    }),
  },
  'a tool in a line of a batch': batch({
    tools: [{ type: 'function', function: { name: 'delete_file' } }],
  }),
  'a tool in lines of JSON': {
    path: '/x/y',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${chat('hi')}\n${named('delete_file')}\n`,
  },
  'a tool in a request within a part': within(named('delete_file')),
  'a model in a request within a part': within(asks('bad-model')),
  'a tool to choose': {
    body: chat('hi', {
      tool_choice: { type: 'function', function: { name: 'delete_file' } },
    }),
  },
  'a tool of those to choose from': gemini({
    toolConfig: { functionCallingConfig: { allowedFunctionNames: ['delete_file'] } },
  }),
  'a tool under a name of its own': {
    body: chat('hi', { tools: { one: { function: { name: 'delete_file' } } } }),
  },
  'a tool in a call of MCP': {
    path: '/mcp',
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
      params: { name: 'delete_file', arguments: {} },
    }),
  },
  'a tool in JSON with a comment': { body: `/* x */${named('delete_file')}` },
  'a tool whose name stands twice': {
    body: named('read').replace('"name":"read"', '"name":"delete_file","name":"read"'),
  },
  'a tool in a second document': { body: `${chat('hi')}${named('delete_file')}` },
  'a tool in JSON with a comma too many': {
    body: named('delete_file').replace(/}$/, ',}'),
  },
  'as an item of a conversation': {
    path: '/v1/conversations/c/items',
    body: JSON.stringify({
      items: [{ role: 'user', content: [{ type: 'input_text', text: WORD }] }],
    }),
  },
}

describe('a way round', () => {
  let origin: Origin
  let yori: Yori
  let folder: TempFolder
  let heard: string[] = []

  before(async () => {
    folder = await tempFolder()
    mkdirSync(folder.file('own'))
    writeFileSync(folder.file('own/no_recipes.rego'), NO_RECIPES)
    origin = await startOrigin({
      certificate,
      handler: (incoming, response) => {
        heard.push(incoming.url ?? '')
        incoming.resume()
        response.end('{}')
      },
    })
    yori = await Yori.start({
      origins: Object.fromEntries(NAMES.map((name) => [name, origin])),
      trust: [originCa],
      config: {
        mode: 'enforce',
        endpoints: NAMES.map((domain) => ({ domain })),
        enforcement: { enabled: true, consent_accepted: true },
        policies: {
          directory: folder.file('own'),
          files: {
            no_recipes: { action: 'block' },
            privacy: { action: 'block' },
            tool_guard: { action: 'block', params: { denied_tools: ['delete_*'] } },
            model_allowlist: {
              action: 'block',
              params: { models: ['*'], denied: ['bad-model*'] },
            },
          },
        },
      },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  for (const version of HTTP_VERSIONS)
    for (const [what, attempt] of Object.entries(ATTEMPTS)) {
      // undici itself cannot send this one.
      if (version === 'h2' && attempt.method === 'DELETE') continue
      it(`is closed: ${what}, over ${version}`, async () => {
        heard = []
        const { host = NAME, path = CHAT, method = 'POST', headers = {} } = attempt
        const { body } = attempt
        const answer = await yori.dispatcher(undefined, version).request({
          origin: `https://${host}`,
          path,
          method,
          headers: { 'content-type': 'application/json', ...headers },
          body,
        })
        await answer.body.dump()
        assert.deepEqual(heard, [], 'the provider heard it')
        // A call of gRPC is answered by 200, and by a status of its own.
        const { statusCode, headers: fields } = answer
        const isTold = fields['grpc-status'] === '7'
        assert.ok(isTold || (statusCode >= 400 && statusCode < 500), String(statusCode))
      })
    }

  it('is none for what is harmless', async () => {
    heard = []
    const answer = await request(`https://${NAME}${CHAT}`, {
      method: 'POST',
      dispatcher: yori.dispatcher(),
      headers: { 'content-type': 'application/json' },
      body: chat('hello'),
    })
    await answer.body.dump()
    assert.deepEqual([answer.statusCode, heard], [200, [CHAT]])
  })
})
