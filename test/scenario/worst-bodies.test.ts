/** Bodies made to cost the most, all at once, under the heap flags that YORI ships with. */
import assert from 'node:assert/strict'
import { request } from 'undici'
import { YoriProcess } from '../../tools/dev/yori-process.js'
import { tempFolder } from '../support/temp-folder.js'

const MIB = 1024 * 1024
const AT_ONCE = 16

const bodies: readonly (readonly [string, string])[] = [
  ['empty objects', `{"messages":[${'{},'.repeat(349_000)}{}]}`],
  ['nesting', `{"messages":${'['.repeat(500_000)}${']'.repeat(500_000)}}`],
  ['one text', `{"model":"gpt-4o","messages":"${'x'.repeat(MIB - 64)}"}`],
  ['escapes', `{"model":"gpt-4o","messages":"${'\\u0000'.repeat(170_000)}"}`],
]

describe('YORI under the worst bodies', () => {
  it(`lives through ${AT_ONCE} of each kind at once and blocks every one`, async () => {
    await using folder = await tempFolder()
    await using yori = await YoriProcess.start({
      folder: folder.path,
      config: {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: {
          files: {
            privacy: { action: 'block' },
            model_allowlist: { action: 'block', params: { models: ['gpt-4o-mini'] } },
          },
        },
      },
    })
    const url = `http://127.0.0.1:${yori.port}`
    for (const [kind, body] of bodies) {
      assert.ok(body.length <= MIB, kind)
      const sent = Array.from({ length: AT_ONCE }, async () => {
        const answer = await request(`${url}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body,
        })
        await answer.body.dump()
        return answer.statusCode
      })
      assert.deepEqual(await Promise.all(sent), Array(AT_ONCE).fill(403), kind)
    }
    // A million lines that nobody heard the model say.
    const lines = 'a line\\n'.repeat((7 * MIB) / 8)
    const answer = await request(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: `{"model":"gpt-4o","messages":[{"role":"assistant","content":"${lines}"}]}`,
    })
    await answer.body.dump()
    assert.equal(answer.statusCode, 403)
    const health = await request(`${url}/health`)
    await health.body.dump()
    assert.equal(health.statusCode, 200)
    assert.equal(await yori.stop(), 0)
  })
})
