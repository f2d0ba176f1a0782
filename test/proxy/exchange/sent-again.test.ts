/** May a request go once more whose connection was closed without an answer, by RFC 9110 §9.2.2. */
import assert from 'node:assert/strict'
import { maySendAgain } from '../../../src/proxy/exchange/sent-again.js'
import { openai } from '../../../src/providers/openai.js'

const CHAT = { method: 'POST', path: '/v1/chat/completions', fields: [] }
const LATE = { isUnsent: false, afterMs: 60_000 }

describe('a request that was left without an answer', () => {
  it('goes again for its method alone, by the table of the RFC', () => {
    const yes = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']
    for (const method of [...yes, 'POST', 'PATCH', 'CONNECT', 'get', 'PROPFIND']) {
      const sent = { ...CHAT, method, recognised: undefined }
      assert.equal(maySendAgain(sent, LATE), yes.includes(method), method)
    }
  })

  it('goes again by a key in any case of letters, and by no other field', () => {
    for (const [fields, may] of [
      [['a', 'b', 'IDEMPOTENCY-key', 'k'], true],
      [['idempotency-key', ' '], false],
      [['x-idempotency-key', 'k'], false],
      [['k', 'idempotency-key'], false],
    ] as const)
      assert.equal(maySendAgain({ ...CHAT, fields, recognised: undefined }, LATE), may)
  })

  it('goes again as an inference within a second, and as nothing else', () => {
    const recognised = { provider: openai, api: 'chat' } as const
    for (const [path, api, afterMs, may] of [
      [CHAT.path, 'chat', 1_000, true],
      [CHAT.path, 'chat', 1_001, false],
      ['/v1/chat/completions/chatcmpl-1', 'chat', 0, false],
      ['/v1/batches', 'batches', 0, false],
      ['/v1/responses', 'responses', 0, true],
      ['/v1/responses/r/cancel', 'responses', 0, false],
    ] as const) {
      const sent = { ...CHAT, path, recognised: { ...recognised, api } }
      assert.equal(maySendAgain(sent, { isUnsent: false, afterMs }), may, path)
    }
    assert.ok(
      maySendAgain({ ...CHAT, recognised: undefined }, { ...LATE, isUnsent: true }),
    )
  })
})
