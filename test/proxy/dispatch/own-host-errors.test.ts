/** What the providers' own libraries are told by our own host, where something is wrong. */
import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { request } from 'undici'
import { Yori } from '../../support/yori.js'

const key = { apiKey: 'simulated-key', maxRetries: 2 }
const ask = { model: 'gpt-5', messages: [{ role: 'user' as const, content: 'hello' }] }

/** The error of a library whose class and words its user sees. */
async function errorOf<E extends Error>(
  asked: Promise<unknown>,
  kind: abstract new (...args: never[]) => E,
): Promise<E> {
  const error = await asked.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  assert.ok(error instanceof kind, String(error))
  return error
}

describe('our own host', () => {
  it("tells a library that nothing is at a path, in the library's own words", async () => {
    await using yori = await Yori.start()
    const openai = new OpenAI({ ...key, baseURL: `${yori.url}/nothing` })
    const told = await errorOf(openai.chat.completions.create(ask), OpenAI.NotFoundError)
    assert.match(told.message, /YORI: nothing at that path/)
    assert.equal(told.code, 'YORI_NOT_FOUND')

    const anthropic = new Anthropic({ ...key, baseURL: `${yori.url}/nothing` })
    const asked = anthropic.messages.create({ ...ask, max_tokens: 1 })
    const said = await errorOf(asked, Anthropic.NotFoundError)
    assert.match(said.message, /YORI: nothing at that path/)
    assert.equal(said.type, 'not_found_error')
  })

  for (const [who, headers, path, shape] of [
    [
      'Gemini',
      { 'x-goog-api-client': 'google-genai-sdk/1.0' },
      '/x',
      /"status":"NOT_FOUND"/,
    ],
    ['Cohere', { 'user-agent': 'cohere-typescript' }, '/x', /^\{"id":/],
    ['anybody', {}, '/x', /^\{"error":\{"message":"YORI: nothing at that path/],
  ] as const)
    it(`answers ${who} in its shape`, async () => {
      await using yori = await Yori.start()
      const { statusCode, body } = await request(`${yori.url}${path}`, { headers })
      assert.equal(statusCode, 404)
      assert.match(await body.text(), shape)
    })

  it('tells a page of another site why it is refused', async () => {
    await using yori = await Yori.start()
    const { statusCode, body } = await request(`${yori.url}/v1/messages`, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'cross-site', 'content-type': 'application/json' },
      body: '{}',
    })
    assert.equal(statusCode, 403)
    const { type, error } = (await body.json()) as { type: string; error: object }
    assert.equal(type, 'error')
    assert.match(JSON.stringify(error), /a cross-site request to our own host/)
  })
})
