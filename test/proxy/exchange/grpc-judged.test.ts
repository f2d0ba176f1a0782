/**
 * What calls of gRPC say is read and judged: @grpc/grpc-js at both ends, messages by
 * protobufjs. A harmless call passes with the same answer, its model and its tokens; a bad one
 * does not reach the provider, and its library tells why.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { compressionAlgorithms, status } from '@grpc/grpc-js'
import type {
  Client,
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  ServiceError,
  StatusObject,
} from '@grpc/grpc-js'
import { bytesMethod, grpcClient, startGrpcOrigin } from '../../support/grpc.js'
import { encoded, GEMINI_SERVICE, writer } from '../../support/llm-protos.js'
import { endedExchanges, originCa } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'

const HOST = 'generativelanguage.googleapis.com'
const certificate = originCa.issue({ names: [HOST] })
const CARD = 'my card is 4012 8888 8888 1881'

const METHODS = {
  generateContent: bytesMethod(`${GEMINI_SERVICE}/GenerateContent`, false, false),
  stream: bytesMethod(`${GEMINI_SERVICE}/StreamGenerateContent`, false, true),
  bidi: bytesMethod(`${GEMINI_SERVICE}/BidiGenerateContent`, true, true),
  other: bytesMethod('/some.thing.Unknown/Do', false, false),
}

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}

const answer = (text: string): Buffer =>
  encoded('gemini.Answer', {
    candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 1 }],
    usageMetadata: { promptTokenCount: 11, candidatesTokenCount: 5 },
    modelVersion: 'gemini-2.5-flash',
  })

interface Setup extends AsyncDisposable {
  readonly yori: Yori
  readonly client: Client
  /** Messages that reached the provider. */
  readonly heard: Buffer[]
}

async function between(
  config: Record<string, unknown>,
  options: Record<string, number> = {},
): Promise<Setup> {
  const heard: Buffer[] = []
  const generateContent: handleUnaryCall<Buffer, Buffer> = ({ request }, done) => {
    heard.push(request)
    done(null, answer('an answer'))
  }
  const stream: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    heard.push(call.request)
    for (const piece of ['an ', 'answer']) call.write(answer(piece))
    call.end()
  }
  const bidi: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on('data', (bytes: Buffer) => {
      heard.push(bytes)
      call.write(bytes)
    })
    call.on('end', () => call.end())
    call.on('error', () => undefined)
  }
  const service = { generateContent, stream, bidi, other: generateContent }
  const origin = await startGrpcOrigin(certificate, service, {}, METHODS)
  const yori = await Yori.start({
    origins: { [HOST]: origin },
    trust: [originCa],
    config,
  })
  const client = grpcClient(`127.0.0.1:${yori.port}`, HOST, yori.rootPem, options)
  return {
    yori,
    client,
    heard,
    async [Symbol.asyncDispose]() {
      client.close()
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

const asks = (text: string, more: object = {}): Buffer =>
  encoded('gemini.Request', {
    model: 'models/gemini-2.5-flash',
    contents: [{ role: 'user', parts: [{ text }] }],
    ...more,
  })

interface Said {
  readonly error: ServiceError | null
  readonly bytes: Buffer | undefined
}

function ask(
  client: Client,
  bytes: Buffer,
  { path }: { readonly path: string } = METHODS.generateContent,
): Promise<Said> {
  const same = (value: Buffer): Buffer => value
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, same, same, bytes, (error, value) =>
      resolve({ error, bytes: value }),
    )
  })
}

function talk(client: Client) {
  const same = (value: Buffer): Buffer => value
  const call = client.makeBidiStreamRequest(METHODS.bidi.path, same, same)
  call.on('error', () => undefined)
  return call
}

/** However it ended: where it failed, its error comes first. */
function statusOf(call: ReturnType<typeof talk>): Promise<StatusObject> {
  call.resume()
  return new Promise((resolve) => call.on('status', resolve))
}

const says = (text: string): Buffer =>
  encoded('gemini.Client', {
    clientContent: { turns: [{ role: 'user', parts: [{ text }] }] },
  })

const MODES = { observe: {}, enforce: ENFORCE }

describe('a harmless call of gRPC', () => {
  for (const [mode, config] of Object.entries(MODES)) {
    it(`is answered, and read: in ${mode}`, async () => {
      await using setup = await between(config)
      const said = await ask(setup.client, asks('hello'))
      assert.deepEqual(said, { error: null, bytes: answer('an answer') })
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['event_type'], 'response')
      assert.equal(row['model'], 'gemini-2.5-flash')
      assert.equal(row['prompt_tokens'], 11)
      assert.equal(row['response_tokens'], 5)
      assert.equal(row['prompt_preview'], 'hello')
      assert.equal(row['uninspectable'], null)
    })

    it(`streams its answer: in ${mode}`, async () => {
      await using setup = await between(config)
      const same = (value: Buffer): Buffer => value
      const { path } = METHODS.stream
      const call = setup.client.makeServerStreamRequest(path, same, same, asks('hello'))
      const pieces: Buffer[] = []
      for await (const piece of call) pieces.push(piece as Buffer)
      assert.deepEqual(pieces, [answer('an '), answer('answer')])
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['response_tokens'], 5)
      assert.equal(row['prompt_preview'], 'hello')
    })

    it(`both sides of which talk in turns is not waited for: in ${mode}`, async () => {
      await using setup = await between(config)
      const call = talk(setup.client)
      for (const word of ['one', 'two', 'three']) {
        const heard = once(call, 'data')
        call.write(says(word))
        const [bytes] = (await heard) as [Buffer]
        assert.deepEqual(bytes, says(word))
      }
      const ended = once(call, 'status')
      call.resume().end()
      const [end] = (await ended) as [StatusObject]
      assert.equal(end.code, status.OK)
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['event_type'], 'response')
      assert.equal(row['uninspectable'], null)
    })
  }

  it('of a service that nobody knows passes, and the row says so', async () => {
    await using setup = await between(ENFORCE)
    const bytes = writer().uint32(10).string('hello').finish()
    const said = await ask(setup.client, Buffer.from(bytes), METHODS.other)
    assert.deepEqual(said.bytes, answer('an answer'))
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['uninspectable'], 'unknown-api')
  })

  it('of many megabytes passes as it came', async () => {
    await using setup = await between(ENFORCE)
    const large = asks('and so on, '.repeat(300_000))
    const said = await ask(setup.client, large)
    assert.equal(said.error, null)
    assert.ok(large.equals(setup.heard[0] ?? large.subarray(1)))
  })
})

describe('a bad call of gRPC', () => {
  const bad: Readonly<Record<string, readonly [Buffer, { readonly path: string }?]>> = {
    'in a prompt': [asks(CARD)],
    'in a field that is new': [asks('hello', { novelty: CARD })],
    'over parts of one message': [
      asks('x', {
        contents: [
          {
            role: 'user',
            parts: [{ text: CARD.slice(0, 20) }, { text: CARD.slice(20) }],
          },
        ],
      }),
    ],
    'in a file of text': [
      asks('x', {
        contents: [
          {
            parts: [{ inlineData: { mimeType: 'text/plain', data: Buffer.from(CARD) } }],
          },
        ],
      }),
    ],
    'in the result of a tool': [
      asks('x', {
        contents: [
          {
            parts: [
              {
                functionResponse: {
                  name: 'f',
                  response: { fields: { a: { stringValue: CARD } } },
                },
              },
            ],
          },
        ],
      }),
    ],
    'to a service that nobody knows': [
      Buffer.from(writer().uint32(26).string(CARD).finish()),
      METHODS.other,
    ],
    'as bare text': [Buffer.from(CARD), METHODS.other],
    'that is no message of its service': [Buffer.from(`\u0007${CARD}`)],
  }
  let shared: Setup
  before(async () => {
    shared = await between(ENFORCE)
  })
  after(() => shared[Symbol.asyncDispose]())
  for (const [where, [bytes, method]] of Object.entries(bad))
    it(`is refused, and its library says why: a card ${where}`, async () => {
      const { client, heard, yori } = shared
      const { error } = await ask(client, bytes, method)
      assert.equal(error?.code, status.PERMISSION_DENIED)
      assert.match(error.details, /^Blocked by YORI, policy privacy: .*card/i)
      assert.deepEqual(heard, [])
      // The same words again may count in the same row.
      for (const row of await endedExchanges(yori, 1)) {
        assert.equal(row['event_type'], 'block')
        assert.equal(row['policy_name'], 'privacy')
      }
    })

  for (const [coding, algorithm] of [
    ['gzip', compressionAlgorithms.gzip],
    ['deflate', compressionAlgorithms.deflate],
  ] as const)
    it(`is refused where its messages are compressed: ${coding}`, async () => {
      const options = { 'grpc.default_compression_algorithm': algorithm }
      await using setup = await between(ENFORCE, options)
      const long = 'and so on, '.repeat(100)
      const { error } = await ask(setup.client, asks(`${long}${CARD}`))
      assert.match(error?.details ?? '', /^Blocked by YORI, policy privacy/)
      assert.deepEqual(setup.heard, [])
      const said = await ask(setup.client, asks(long))
      assert.equal(said.error, null)
      assert.deepEqual(setup.heard, [asks(long)])
    })

  it('is ended in its middle, and what was said before has gone up', async () => {
    await using setup = await between(ENFORCE)
    const call = talk(setup.client)
    const heard = once(call, 'data')
    call.write(says('one'))
    await heard
    const end = statusOf(call)
    call.write(says(CARD))
    const { code, details } = await end
    assert.equal(code, status.PERMISSION_DENIED)
    assert.match(details, /^Blocked by YORI, policy privacy/)
    assert.deepEqual(setup.heard, [says('one')])
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['event_type'], 'block')
  })

  it('is ended where several messages come at once', async () => {
    await using setup = await between(ENFORCE)
    const call = talk(setup.client)
    const end = statusOf(call)
    for (const word of ['one', 'two', CARD, 'three']) call.write(says(word))
    assert.equal((await end).code, status.PERMISSION_DENIED)
    assert.ok(setup.heard.every((bytes) => !bytes.includes('4012')))
  })
})
