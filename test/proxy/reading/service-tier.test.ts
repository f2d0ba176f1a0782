/** What another service tier than the standard one served has its own price, or none. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { request } from 'undici'
import { behind, endedExchanges, NAME } from '../../support/proxied.js'
import { HTTP_VERSIONS } from '../../support/yori.js'
import { tempFolder } from '../../support/temp-folder.js'

/** gpt-4o-mini: $0.15 and $0.60 for a million. */
const answer = (told: object): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4o-mini',
  choices: [{ index: 0, finish_reason: 'stop', message: { content: 'ok' } }],
  usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
  ...told,
})
const STANDARD = 210

const OWN = `priced_on: 2026-10-01
providers:
  - name: openai
    models:
      - id: gpt-4o-mini
        input: 0.15
        output: 0.6
        tiers: [{ name: flex, input: 0.075, output: 0.3 }]
`

/** What is asked for, what the answer says, the column, and the cost in micro-dollars. */
const CASES: readonly (readonly [object, object, string | null, number | null])[] = [
  [{}, {}, null, STANDARD],
  [{}, { service_tier: 'default' }, 'default', STANDARD],
  [{ service_tier: 'auto' }, { service_tier: 'default' }, 'default', STANDARD],
  [{ service_tier: 'flex' }, { service_tier: 'default' }, 'default', STANDARD],
  [{ service_tier: 'flex' }, { service_tier: 'flex' }, 'flex', STANDARD / 2],
  [{}, { service_tier: 'priority' }, 'priority', null],
  // Which one served it nobody says: it may be the one that was asked for.
  [{ service_tier: 'priority' }, {}, null, null],
]

describe('the service tier of an answer', () => {
  for (const version of HTTP_VERSIONS)
    it(`is recorded, and none is paid as another, over ${version}`, async () => {
      await using folder = await tempFolder()
      const file = folder.file('own.yaml')
      await writeFile(file, OWN)
      let told: object = {}
      await using setup = await behind(
        (asked, reply) => {
          asked.resume().on('end', () => {
            reply.setHeader('content-type', 'application/json')
            reply.end(JSON.stringify(answer(told)))
          })
        },
        { catalogue: { file } },
      )
      const { yori } = setup
      for (const [index, [asks, says]] of CASES.entries()) {
        told = says
        const { body } = await request(`https://${NAME}/v1/chat/completions`, {
          method: 'POST',
          dispatcher: yori.dispatcher(undefined, version),
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            model: 'gpt-4o-mini',
            messages: [{ role: 'user', content: 'hi' }],
            ...asks,
          }),
        })
        await body.dump()
        await endedExchanges(yori, index + 1)
      }
      const rows = await yori.rows('audit_events')
      assert.deepEqual(
        rows.map((row) => [row['service_tier'], row['cost_micro_usd']]),
        CASES.map(([, , tier, cost]) => [tier, cost]),
      )
    })
})
