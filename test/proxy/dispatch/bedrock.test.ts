/**
 * Bedrock through its door: Amazon's own library with a key of ours in the place of its token,
 * and a service that lets pass what is signed for it alone. One YORI in observe and one in
 * enforce.
 */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import {
  BedrockRuntimeClient,
  BedrockRuntimeServiceException,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { request } from 'undici'
import { createKey } from '../../../src/household/keys.js'
import { bedrockEvent } from '../../support/event-stream.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { checkSigned } from '../../support/sigv4.js'
import type { Arrived } from '../../support/sigv4.js'
import { collect } from '../../support/streams.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

const REGION = 'eu-central-1'
const HOST = `bedrock-runtime.${REGION}.amazonaws.com`
const OTHER = 'bedrock-runtime.us-west-2.amazonaws.com'
const SECRET = 'a-secret-for-nobody'
const TOKEN = 'a-token-for-a-while'
const MODEL = 'anthropic.claude-haiku-4-5-20251001-v1:0'
const messages = [{ role: 'user' as const, content: [{ text: 'What is the time?' }] }]
const usage = { inputTokens: 3, outputTokens: 1, totalTokens: 4 }
const MODES = {
  observe: {},
  enforce: {
    mode: 'enforce',
    enforcement: { enabled: true, consent_accepted: true },
    policies: {
      files: { model_allowlist: { action: 'block', params: { models: [MODEL] } } },
    },
  },
}

const ca = new TestCa()

/** The service: what it answers to who is signed, and what it was asked. */
async function startBedrock(): Promise<Origin & { readonly arrived: Arrived[] }> {
  const arrived: Arrived[] = []
  const origin = await startOrigin({
    certificate: ca.issue({ names: [HOST, OTHER] }),
    handler: (asked, response) => {
      const { method = '', url = '', rawHeaders } = asked
      void collect(asked).then((body) => {
        const one = { method, url, rawHeaders, body }
        arrived.push(one)
        answer(response, one)
      })
    },
  })
  return Object.assign(origin, { arrived })
}

function answer(response: ServerResponse, asked: Arrived): void {
  const say = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  const path = asked.url.split('?', 1)[0] as string
  if (!checkSigned(asked, SECRET).holds) {
    say(403, { message: 'The request signature we calculated does not match.' })
  } else if (path.endsWith('/converse')) {
    const { toolConfig } = JSON.parse(asked.body.toString()) as { toolConfig?: object }
    const content = [
      toolConfig === undefined
        ? { text: 'hello' }
        : { toolUse: { toolUseId: 't', name: 'clock', input: {} } },
    ]
    const stopReason = toolConfig === undefined ? 'end_turn' : 'tool_use'
    say(200, { output: { message: { role: 'assistant', content } }, stopReason, usage })
  } else if (path.endsWith('/converse-stream')) {
    response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
    for (const [name, event] of [
      ['messageStart', { role: 'assistant' }],
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'hel' } }],
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'lo' } }],
      ['messageStop', { stopReason: 'end_turn' }],
      ['metadata', { usage, metrics: { latencyMs: 1 } }],
    ] as const)
      response.write(bedrockEvent(name, event))
    response.end()
  } else say(200, { embedding: [0.5], inputTextTokenCount: 3 })
}

for (const [mode, config] of Object.entries(MODES))
  describe(`bedrock by credentials of ours, in ${mode}`, () => {
    let there: Awaited<ReturnType<typeof startBedrock>>
    let yori: Yori
    let key: string

    before(async () => {
      there = await startBedrock()
      const aws = { region: REGION, access_key_id: 'nobody', secret_access_key: SECRET }
      yori = await Yori.start({
        origins: { [HOST]: there, [OTHER]: there },
        trust: [ca],
        config: {
          ...config,
          gateway: {
            providers: {
              bedrock: { aws: { ...aws, session_token: TOKEN } },
              both: {
                aws,
                pool: [{ base_url: `https://${OTHER}` }],
              },
            },
          },
        },
      })
      key = await yori.appliance.policyState.change(
        (database) =>
          createKey(
            database,
            { name: 'app', models: [MODEL, 'amazon.*'] },
            { by: 'test', nowMs: 0 },
          ).key,
      )
    })

    after(async () => {
      await yori[Symbol.asyncDispose]()
      await there[Symbol.asyncDispose]()
    })

    /** As its user makes it: a base URL and a token; it speaks HTTP/2, in the clear too. */
    const client = (door = 'bedrock', token = key): BedrockRuntimeClient =>
      new BedrockRuntimeClient({
        region: REGION,
        endpoint: `${yori.url}/llm/${door}`,
        token: { token },
        authSchemePreference: ['httpBearerAuth'],
        maxAttempts: 1,
      })

    const signedFor = (host: string, asked: Arrived | undefined): void => {
      assert.ok(asked !== undefined)
      const { holds, fields } = checkSigned(asked, SECRET)
      assert.equal(holds, true)
      assert.ok(fields.includes('host'))
      const at = asked.rawHeaders.findIndex((name) => name.toLowerCase() === 'host')
      assert.equal(asked.rawHeaders[at + 1], host)
      assert.ok(!JSON.stringify([asked.rawHeaders, asked.url]).includes(key))
    }

    it("serves Amazon's library: whole, in a stream, with a tool, embedded", async () => {
      const sdk = client()
      const said = await sdk.send(new ConverseCommand({ modelId: MODEL, messages }))
      assert.equal(said.output?.message?.content?.[0]?.text, 'hello')
      const tools = [
        { toolSpec: { name: 'clock', inputSchema: { json: { type: 'object' } } } },
      ]
      const called = await sdk.send(
        new ConverseCommand({ modelId: MODEL, messages, toolConfig: { tools } }),
      )
      assert.equal(called.output?.message?.content?.[0]?.toolUse?.name, 'clock')
      const streamed = await sdk.send(
        new ConverseStreamCommand({ modelId: MODEL, messages }),
      )
      let text = ''
      for await (const event of streamed.stream ?? [])
        text += event.contentBlockDelta?.delta?.text ?? ''
      assert.equal(text, 'hello')
      if (mode === 'observe')
        await sdk.send(
          new InvokeModelCommand({
            modelId: 'amazon.titan-embed-text-v2:0',
            body: '{"inputText":"words"}',
          }),
        )
      for (const asked of there.arrived) {
        signedFor(HOST, asked)
        assert.ok(asked.rawHeaders.includes(TOKEN))
      }
      const rows = (await yori.rows('exchanges')).filter(
        (row) => row['access_key'] === 'app',
      )
      assert.equal(rows.length, there.arrived.length)
      for (const row of rows)
        assert.deepEqual(
          [row['provider'], row['response_status'], row['prompt_tokens']],
          ['bedrock', 200, 3],
        )
      assert.equal(rows[0]?.['model'], MODEL)
    })

    it('signs for the region in which a target of a pool stands', async () => {
      const said = await client('both').send(
        new ConverseCommand({ modelId: MODEL, messages }),
      )
      assert.equal(said.output?.message?.content?.[0]?.text, 'hello')
      const asked = there.arrived.at(-1)
      signedFor(OTHER, asked)
      assert.match(
        JSON.stringify(asked?.rawHeaders),
        /\/us-west-2\/bedrock\/aws4_request/,
      )
    })

    it('tells its library what it may not', async () => {
      const before = there.arrived.length
      const refused = (token: string, modelId: string, status: number) =>
        assert.rejects(
          client('bedrock', token).send(new ConverseCommand({ modelId, messages })),
          (error) =>
            error instanceof BedrockRuntimeServiceException &&
            error.$metadata.httpStatusCode === status &&
            error.name === 'AccessDeniedException',
        )
      await refused('yori-nobody', MODEL, 401)
      await refused(key, 'meta.llama3-70b-instruct-v1:0', 403)
      assert.equal(there.arrived.length, before)
    })

    it('leads nothing on that is signed for our own host', async () => {
      const before = there.arrived.length
      const signing = new BedrockRuntimeClient({
        region: REGION,
        endpoint: `${yori.url}/llm/bedrock`,
        credentials: { accessKeyId: 'theirs', secretAccessKey: 'theirs' },
        maxAttempts: 1,
      })
      await assert.rejects(
        signing.send(new ConverseCommand({ modelId: MODEL, messages })),
        (error) =>
          error instanceof BedrockRuntimeServiceException &&
          error.name === 'ValidationException' &&
          error.$metadata.httpStatusCode === 400 &&
          error.message.includes('signed for our own host'),
      )
      const { statusCode, body } = await request(
        `${yori.url}/llm/bedrock/model/${encodeURIComponent(MODEL)}/converse?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0`,
        { method: 'POST', body: '{}' },
      )
      await body.dump()
      assert.equal(statusCode, 400)
      assert.equal(there.arrived.length, before)
    })

    it("leaves a client's own token as it is", async () => {
      const theirs = client('bedrock', 'theirs-of-bedrock')
      await assert.rejects(
        theirs.send(new ConverseCommand({ modelId: MODEL, messages })),
        (error) =>
          error instanceof BedrockRuntimeServiceException &&
          error.$metadata.httpStatusCode === 403,
      )
      const asked = there.arrived.at(-1)
      assert.ok(asked?.rawHeaders.includes('Bearer theirs-of-bedrock'))
    })
  })
