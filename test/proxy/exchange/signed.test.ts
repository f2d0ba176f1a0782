/** Requests whose fields are signed: Amazon's own library signs, a service's check reads. */
import assert from 'node:assert/strict'
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { fetch } from 'undici'
import { startOrigin } from '../../support/origins.js'
import { checkSigned } from '../../support/sigv4.js'
import type { Arrived } from '../../support/sigv4.js'
import { collect } from '../../support/streams.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

const NAME = 'bedrock-runtime.us-east-1.amazonaws.com'
const SECRET = 'a-secret-for-nobody'
const ca = new TestCa()
const certificate = ca.issue({ names: [NAME] })
const enforce = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { prompt_length: { action: 'block' } } },
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

/** Amazon's client that adds a field before it signs, by the way that is given. */
function bedrockBy(send: (sent: Sent) => Promise<{ status: number; body: string }>) {
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'nobody', secretAccessKey: SECRET },
    requestHandler: {
      async handle(request: Sent) {
        const { status, body } = await send(request)
        const headers = { 'content-type': 'application/json' }
        const bytes = new Response(body).body
        return { response: { statusCode: status, headers, body: bytes } } as never
      },
    },
  })
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as Sent
      headers['accept-encoding'] = 'zstd, gzip;q=0.5, br'
      return next(args)
    },
    { step: 'build', name: 'codings' },
  )
  return client
}

describe('a request that is signed', () => {
  for (const [mode, config] of [
    ['observe', {}],
    ['enforce', enforce],
  ] as const) {
    it(`keeps its signature in ${mode}, accept-encoding among the signed fields`, async () => {
      const arrived: Arrived[] = []
      await using origin = await startOrigin({
        certificate,
        handler: (request, response) => {
          const { method = '', url = '', rawHeaders } = request
          void collect(request).then((body) => {
            arrived.push({ method, url, rawHeaders, body })
            response.writeHead(200, { 'content-type': 'application/json' })
            const content = [{ text: 'hello' }]
            const usage = { inputTokens: 3, outputTokens: 1, totalTokens: 4 }
            const message = { role: 'assistant', content }
            const answer = { output: { message }, stopReason: 'end_turn', usage }
            response.end(JSON.stringify(answer))
          })
        },
      })
      await using yori = await Yori.start({
        origins: { [NAME]: origin },
        trust: [ca],
        config: { endpoints: [{ domain: NAME }], ...config },
      })
      const dispatcher = yori.dispatcher()
      const client = bedrockBy(async ({ method, path, headers, body }) => {
        const { host: _host, 'content-length': _length, ...rest } = headers
        const url = `https://${NAME}${path}`
        const answer = await fetch(url, { method, headers: rest, body, dispatcher })
        return { status: answer.status, body: await answer.text() }
      })
      const messages = [{ role: 'user' as const, content: [{ text: 'hi' }] }]
      const modelId = 'anthropic.claude-haiku-4-5-20251001-v1:0'
      const said = await client.send(new ConverseCommand({ modelId, messages }))
      assert.equal(said.output?.message?.content?.[0]?.text, 'hello')
      const [request] = arrived
      assert.ok(request !== undefined)
      const { holds, fields } = checkSigned(request, SECRET)
      assert.ok(fields.includes('accept-encoding'), fields.join(' '))
      assert.equal(holds, true)
      // A check that cannot fail is none.
      const changed = request.rawHeaders.map((text) => text.replace('zstd, ', ''))
      assert.equal(checkSigned({ ...request, rawHeaders: changed }, SECRET).holds, false)
    })
  }
})
