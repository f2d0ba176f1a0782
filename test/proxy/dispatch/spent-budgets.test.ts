/**
 * A budget that is spent, and a fallback that costs nothing and is there for that: the budget of
 * a key in every mode, the household's where it blocks. Nothing of the client's credential goes
 * there, and the provider hears nothing any more.
 */
import assert from 'node:assert/strict'
import { request } from 'undici'
import { createKey } from '../../../src/household/keys.js'
import { FickleOrigin } from '../../support/fickle-origin.js'
import { Yori } from '../../support/yori.js'

const messages = [{ role: 'user', content: 'What is the time?' }]
/** A millionth of a dollar: the first answer spends it. */
const LITTLE = 0.000001

describe('a budget that is spent', () => {
  let vendor: FickleOrigin
  let home: FickleOrigin
  let yori: Yori
  let names = 0

  before(async () => {
    vendor = await FickleOrigin.start()
    home = await FickleOrigin.start()
    const base_url = `http://${vendor.address}`
    yori = await Yori.start({
      config: {
        gateway: {
          pools: { health_interval: 0, eject_after: 1000, breaker_requests: 10_000 },
          providers: {
            openai: {
              ...{ base_url, key: 'key-of-the-vendor' },
              fallback: [
                // It costs: it is passed over.
                { provider: 'xai', model: 'grok-4', on: ['budget'] },
                { provider: 'home', model: 'llama3.2', on: ['budget'] },
              ],
            },
            xai: { base_url, key: 'another', fallback: [{ provider: 'home' }] },
            home: {
              base_url: `http://${home.address}`,
              key: 'key-of-the-home',
              api: 'ollama',
            },
          },
        },
      },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    for (const one of [vendor, home]) await one[Symbol.asyncDispose]()
  })

  beforeEach(() => {
    for (const one of [vendor, home]) one.arrived.length = 0
  })
  afterEach(() => home.turn('well'))

  async function ask(
    key: string,
    door = 'openai',
    model = door === 'xai' ? 'grok-4' : 'gpt-4o',
  ) {
    const answered = await request(`${yori.url}/llm/${door}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ model, messages }),
    })
    const text = await answered.body.text()
    return { status: answered.statusCode, headers: answered.headers, text }
  }

  async function keyThatIsSpent(door = 'openai'): Promise<string> {
    const wish = { name: `spender ${names++}`, models: [], usdPerMonth: LITTLE }
    const { key } = await yori.appliance.policyState.change((database) =>
      createKey(database, wish, { by: 'test', nowMs: 0 }),
    )
    const first = await ask(key, door)
    assert.equal(first.status, 200, first.text)
    assert.equal(first.headers['x-yori-fallback'], undefined)
    await yori.rows('exchanges')
    vendor.arrived.length = 0
    return key
  }

  for (const mode of ['observe', 'enforce'] as const)
    it(`of a key leads to who costs nothing in ${mode}`, async () => {
      await yori.reload({
        mode,
        enforcement: {
          enabled: mode === 'enforce',
          consent_accepted: mode === 'enforce',
        },
      })
      const key = await keyThatIsSpent()
      const { status, headers, text } = await ask(key)
      assert.equal(status, 200, text)
      assert.equal(headers['x-yori-fallback'], 'home/llama3.2')
      assert.equal(vendor.arrived.length, 0)
      const [there] = home.arrived
      const all = [
        ...(there?.rawHeaders ?? []),
        there?.target,
        String(there?.body),
      ].join()
      assert.match(all, /"model":"llama3\.2"/)
      for (const secret of [key, 'key-of-the-vendor']) assert.ok(!all.includes(secret))
      const row = (await yori.rows('exchanges')).at(-1)
      assert.deepEqual(
        [row?.['fallback'], row?.['provider'], row?.['model']],
        ['home', 'home', 'llama3.2'],
      )
      assert.ok(Number(row?.['cost_micro_usd'] ?? 0) === 0)
      assert.match(String(row?.['policy_message']), /spent: it may go to a fallback/)
    })

  it('is told where no fallback is there for it', async () => {
    const key = await keyThatIsSpent('xai')
    const { status, text } = await ask(key, 'xai')
    assert.equal(status, 403)
    assert.match(text, /YORI_KEY_BUDGET_SPENT/)
    assert.equal(vendor.arrived.length + home.arrived.length, 0)
  })

  it('never leads back to who costs, where the fallback fails', async () => {
    const key = await keyThatIsSpent()
    await home.turn('refuses')
    const { status } = await ask(key)
    assert.equal(status, 502)
    assert.equal(vendor.arrived.length, 0)
  })

  it('of the household leads there too, while nothing else stands against it', async () => {
    const consent = { enabled: true, consent_accepted: true }
    const enforcing = { mode: 'enforce', enforcement: consent }
    const block = (params: object): object => ({ action: 'block', params })
    // Whoever has no key of ours is a device like others.
    await yori.reload({ mode: 'observe' })
    const first = await ask('none')
    assert.equal(first.headers['x-yori-fallback'], undefined)
    await yori.rows('exchanges')
    for (const one of [vendor, home]) one.arrived.length = 0
    await yori.reload({
      ...enforcing,
      policies: { files: { budget: block({ monthly_usd: LITTLE }) } },
    })
    const { status, headers, text } = await ask('none')
    assert.equal(status, 200, text)
    assert.equal(headers['x-yori-fallback'], 'home/llama3.2')
    assert.equal(vendor.arrived.length, 0)
    const row = (await yori.rows('exchanges')).at(-1)
    assert.equal(row?.['policy_decision'], 'alert')
    assert.equal((await ask('none', 'xai')).status, 403)
    home.arrived.length = 0
    await yori.reload({
      ...enforcing,
      policies: {
        files: {
          budget: block({ monthly_usd: LITTLE }),
          cost_limit: block({ daily_usd: 0, daily_tokens: 1 }),
        },
      },
    })
    // Tokens are used there as anywhere.
    const more = await ask('none')
    assert.equal(more.status, 403, more.text)
    assert.equal(home.arrived.length, 0)
  })
})
