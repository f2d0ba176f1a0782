import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { errorEnvelope } from '../../src/providers/envelope.js'

const blocked = {
  status: 403,
  code: 'YORI_POLICY',
  message: 'blocked by policy bedtime',
  requestId: 'r-1',
}

/** A `fetch` that answers with our envelope, so that the vendor's library is the judge. */
function answering(provider: string, status: number) {
  const error = { ...blocked, status }
  let calls = 0
  const answer = (): Promise<Response> => {
    calls++
    const made = errorEnvelope(provider, error)
    const headers = { 'content-type': made.contentType, ...made.headers }
    return Promise.resolve(new Response(made.body, { status, headers }))
  }
  return { answer, calls: () => calls }
}

describe('errorEnvelope', () => {
  const openaiClasses: readonly [number, string][] = [
    [400, 'BadRequestError'],
    [403, 'PermissionDeniedError'],
    [404, 'NotFoundError'],
    [429, 'RateLimitError'],
    [502, 'InternalServerError'],
    [504, 'InternalServerError'],
  ]
  for (const [status, name] of openaiClasses) {
    it(`YORI's ${status} raises openai's ${name} after one request`, async () => {
      const origin = answering('openai', status)
      const client = new OpenAI({ apiKey: 'x', fetch: origin.answer })
      const asked = client.chat.completions.create({ model: 'm', messages: [] })
      const error = await asked.then(
        () => undefined,
        (cause: unknown) => cause,
      )
      assert.ok(error instanceof OpenAI.APIError)
      assert.equal(error.constructor.name, name)
      assert.equal(error.status, status)
      assert.equal(error.code, blocked.code)
      assert.match(error.message, /blocked by policy bedtime/)
      assert.equal(origin.calls(), 1)
    })
  }

  const anthropicClasses: readonly [number, string, string][] = [
    [400, 'BadRequestError', 'invalid_request_error'],
    [403, 'PermissionDeniedError', 'permission_error'],
    [413, 'ContentTooLargeError', 'request_too_large'],
    [429, 'RateLimitError', 'rate_limit_error'],
    [502, 'InternalServerError', 'api_error'],
    [504, 'GatewayTimeoutError', 'timeout_error'],
  ]
  for (const [status, name, type] of anthropicClasses) {
    it(`YORI's ${status} raises Anthropic's ${name} after one request`, async () => {
      const origin = answering('anthropic', status)
      const client = new Anthropic({ apiKey: 'x', fetch: origin.answer })
      const asked = client.messages.create({ model: 'm', max_tokens: 1, messages: [] })
      const error = await asked.then(
        () => undefined,
        (cause: unknown) => cause,
      )
      assert.ok(error instanceof Anthropic.APIError)
      assert.equal(error.constructor.name, name)
      assert.equal(error.status, status)
      assert.deepEqual(error.error, {
        type: 'error',
        error: { type, message: blocked.message },
        request_id: 'r-1',
        message: blocked.message,
      })
      assert.equal(origin.calls(), 1)
    })
  }

  const bodies: readonly [string, object][] = [
    [
      'gemini',
      {
        error: {
          code: 403,
          message: blocked.message,
          status: 'PERMISSION_DENIED',
          details: [
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              reason: 'YORI_POLICY',
              domain: 'yori',
              metadata: { request_id: 'r-1' },
            },
          ],
        },
        message: blocked.message,
      },
    ],
    [
      'mistral',
      {
        object: 'error',
        message: blocked.message,
        type: 'permission_error',
        param: null,
        code: 'YORI_POLICY',
        request_id: 'r-1',
      },
    ],
    ['cohere', { id: 'r-1', message: blocked.message }],
    ['ollama', { error: blocked.message, message: blocked.message }],
    ['bedrock', { message: blocked.message }],
  ]
  for (const [provider, body] of bodies) {
    it(`YORI answers a client of ${provider} in its own shape`, () => {
      const made = errorEnvelope(provider, blocked)
      assert.equal(made.contentType, 'application/json')
      assert.deepEqual(JSON.parse(made.body), body)
      assert.equal(made.headers['x-should-retry'], 'false')
    })
  }

  it("YORI answers a client of an unknown provider in OpenAI's shape", () => {
    const made = errorEnvelope(undefined, blocked)
    assert.equal(made.body, errorEnvelope('groq', blocked).body)
    assert.equal(made.body, errorEnvelope('openai', blocked).body)
  })

  it("YORI names Bedrock's exception in the header that its clients read", () => {
    const made = errorEnvelope('bedrock', blocked)
    assert.equal(made.headers['x-amzn-errortype'], 'AccessDeniedException')
  })
})
