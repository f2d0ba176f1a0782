import assert from 'node:assert/strict'
import { Controlled } from '../support/control.js'

const PATH = '/beta/litellm_basic_guardrail_api'

describe('YORI as a guardrail', () => {
  let on: Controlled
  before(async () => {
    on = await Controlled.start({
      config: {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        control: { listen: '127.0.0.1:0' },
        policies: {
          files: { privacy: { action: 'block', params: { redact: ['EMAIL_ADDRESS'] } } },
        },
      },
    })
  })
  after(() => on[Symbol.asyncDispose]())

  function ask(texts: unknown, more: object = {}, headers: Record<string, string> = {}) {
    const body = { texts, images: [], input_type: 'request', ...more }
    return on.ask(PATH, {
      ...{ method: 'POST', body, token: null },
      headers: { 'content-type': 'application/json', 'x-api-key': on.token, ...headers },
    })
  }

  it('lets pass what policies let pass', async () => {
    const { status, body } = await ask(['hello', 'how are you?'])
    assert.equal(status, 200)
    assert.deepEqual(body, { action: 'NONE', blocked_reason: null })
    const bearer = await on.ask(PATH, {
      ...{ method: 'POST', body: { texts: [] } },
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(bearer.status, 200)
  })

  it('blocks by the word of a policy', async () => {
    // The number that card networks give for tests; its check digit holds (ISO/IEC 7812-1).
    const { body } = await ask(['hello', 'my card is 4111 1111 1111 1111'])
    const { action, blocked_reason: reason } = body as Record<string, string>
    assert.equal(action, 'BLOCKED')
    assert.match(reason ?? '', /^policy privacy: /)
  })

  it('gives texts back without what is to be taken out', async () => {
    const { body } = await ask(['be kind', 'write to jane.doe@example.org'])
    const { action, texts } = body as { action: string; texts: string[] }
    assert.equal(action, 'GUARDRAIL_INTERVENED')
    assert.equal(texts[0], 'be kind')
    assert.match(texts[1] ?? '', /^write to \[\[Y-EMAIL_ADDRESS-/)
  })

  it('asks for the token, and for texts', async () => {
    for (const key of ['x', `${on.token}x`])
      assert.equal((await ask([], {}, { 'x-api-key': key })).status, 401)
    const none = await on.ask(PATH, { method: 'POST', body: { texts: [] }, token: null })
    assert.equal(none.status, 401)
    for (const texts of ['hello', [1], { a: 1 }])
      assert.equal((await ask(texts)).status, 400)
    assert.equal((await ask([], { input_type: 'both' })).status, 400)
  })
})
