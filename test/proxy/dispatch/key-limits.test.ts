/**
 * What keys share whose app, person, group or tag has limits, in observe and in enforce; and what
 * they cost, by key and by tag.
 */
import assert from 'node:assert/strict'
import OpenAI from 'openai'
import { createKey } from '../../../src/household/keys.js'
import type { KeyWish } from '../../../src/household/keys.js'
import { runCli } from '../../support/cli.js'
import { startLlmOrigin } from '../../support/llm-origin.js'
import type { LlmOrigin } from '../../support/llm-origin.js'
import { Yori } from '../../support/yori.js'

const messages = [{ role: 'user' as const, content: 'What is the time?' }]
const KINDS = ['app', 'person', 'group', 'tag'] as const
interface Line {
  readonly name: string
  readonly exchanges: number
  readonly errors: number
  readonly costMicroUsd: number | null
}

const MODES = {
  observe: { mode: 'observe' },
  enforce: {
    mode: 'enforce',
    enforcement: { enabled: true, consent_accepted: true },
  },
}

for (const [mode, config] of Object.entries(MODES))
  describe(`limits that keys share, in ${mode}`, () => {
    let origin: LlmOrigin
    let yori: Yori

    before(async () => {
      origin = await startLlmOrigin()
      const base_url = `http://127.0.0.1:${origin.port}`
      const name = (kind: string, what: string): string =>
        kind === 'tag' ? `kind:${what}` : what
      yori = await Yori.start({
        config: {
          ...config,
          gateway: {
            providers: { openai: { base_url, key: 'the-vendors' } },
            limits: KINDS.flatMap((kind) => [
              { kind, name: name(kind, 'slow'), requests_per_minute: 1 },
              { kind, name: name(kind, 'poor'), monthly_usd: 0.000_001 },
              { kind, name: name(kind, 'narrow'), models: ['gpt-4o-mini'] },
            ]),
          },
        },
      })
    })

    after(async () => {
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    })

    const make = async (wish: KeyWish): Promise<OpenAI> => {
      const apiKey = await yori.appliance.policyState.change(
        (database) => createKey(database, wish, { by: 'test', nowMs: 0 }).key,
      )
      return new OpenAI({
        apiKey,
        baseURL: `${yori.url}/llm/openai/v1`,
        maxRetries: 0,
      })
    }
    const wishFor = (kind: (typeof KINDS)[number], what: string, n: number): KeyWish => ({
      name: `${kind} ${what} ${n}`,
      models: [],
      ...(kind === 'tag' ? { tags: [`kind:${what}`] } : { [kind]: what }),
    })
    const ask = async (sdk: OpenAI, model = 'gpt-4o'): Promise<unknown> => {
      const said = await sdk.chat.completions.create({ model, messages }).then(
        () => 200,
        (error: unknown) => error,
      )
      // What it cost is counted once its row is complete.
      await yori.rows('exchanges')
      return said
    }

    for (const kind of KINDS)
      it(`hold for all keys of one ${kind} together`, async () => {
        for (const [what, code, status] of [
          ['slow', 'YORI_KEY_RATE_LIMITED', 429],
          ['poor', 'YORI_KEY_BUDGET_SPENT', 403],
        ] as const) {
          const [first, second] = [
            await make(wishFor(kind, what, 1)),
            await make(wishFor(kind, what, 2)),
          ]
          assert.equal(await ask(first), 200, what)
          const told = await ask(second)
          assert.ok(told instanceof OpenAI.APIError, String(told))
          assert.deepEqual([told.status, told.code], [status, code])
          const headers = told.headers as Headers
          if (status === 429) assert.ok(Number(headers.get('retry-after')) > 0)
          else assert.equal(headers.get('x-should-retry'), 'false')
        }
        const narrow = await make(wishFor(kind, 'narrow', 1))
        assert.equal(await ask(narrow, 'gpt-4o-mini'), 200)
        const told = await ask(narrow)
        assert.ok(told instanceof OpenAI.PermissionDeniedError)
        assert.equal(told.code, 'YORI_KEY_MODEL_REFUSED')
      })

    it('are told with what each key and each tag has cost', async () => {
      const file = yori.folder.file('yori.conf')
      const { stdout, stderr, status } = await runCli(
        ['stats', '--since', '1d', '--json', '--config', file],
        { cwd: yori.folder.path },
      )
      assert.equal(status, 0, stderr)
      const { keys, tags } = JSON.parse(stdout) as Record<'keys' | 'tags', Line[]>
      // gpt-4o at $2.50 and $10 a million tokens, by its vendor's list.
      const costMicroUsd = Math.round(5 * 2.5 + 12 * 10)
      for (const [lines, name, exchanges, errors] of [
        [keys, 'app poor 1', 1, 0],
        [keys, 'app poor 2', 1, 1],
        [tags, 'kind:poor', 2, 1],
      ] as const) {
        const line = lines.find((one) => one.name === name)
        assert.ok(line !== undefined, name)
        const cost = name === 'app poor 2' ? null : costMicroUsd
        assert.deepEqual(
          [line.exchanges, line.errors, line.costMicroUsd],
          [exchanges, errors, cost],
          name,
        )
      }
    })
  })
