/**
 * Keys of our own at the gateway's doors: sent where a library sends its provider's, changed for
 * that there, held to what they are for in observe as in every mode, and nowhere to be found
 * afterwards. One YORI and one origin for all.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Mistral } from '@mistralai/mistralai'
import { CohereClientV2 } from 'cohere-ai'
import OpenAI from 'openai'
import { ProxyAgent, request } from 'undici'
import { createKey, revokeKey } from '../../../src/household/keys.js'
import type { KeyWish } from '../../../src/household/keys.js'
import { startLlmOrigin } from '../../support/llm-origin.js'
import type { LlmOrigin } from '../../support/llm-origin.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

const HOSTS = {
  openai: 'api.openai.com',
  anthropic: 'api.anthropic.com',
  gemini: 'generativelanguage.googleapis.com',
  mistral: 'api.mistral.ai',
  cohere: 'api.cohere.com',
} as const

const VENDOR = 'the-key-of-the-vendor'
const messages = [{ role: 'user' as const, content: 'What is the time?' }]
const noRetry = { maxRetries: 0 }
const JSON_TYPE = { 'content-type': 'application/json' }
const author = { by: 'test', nowMs: 0 }

describe('a key of ours at the doors', () => {
  let there: LlmOrigin
  let yori: Yori
  const ca = new TestCa()
  const lines: string[] = []
  const given: string[] = []
  const keep = (fields: object, message: string): void => {
    lines.push(message, JSON.stringify(fields))
  }

  const make = async (wish: KeyWish): Promise<string> => {
    const made = await yori.appliance.policyState.change((database) =>
      createKey(database, wish, author),
    )
    given.push(made.key)
    return made.key
  }

  const chat = (
    key: string,
    model = 'gpt-4o',
    path = '/llm/openai/v1/chat/completions',
  ) =>
    request(yori.url + path, {
      method: 'POST',
      headers: { ...JSON_TYPE, authorization: `Bearer ${key}` },
      body: JSON.stringify({ model, messages }),
    })

  before(async () => {
    there = await startLlmOrigin({ ca, names: Object.values(HOSTS) })
    const named = Object.keys(HOSTS).map((name) => [name, { key: VENDOR }] as const)
    yori = await Yori.start({
      origins: Object.fromEntries(Object.values(HOSTS).map((host) => [host, there])),
      trust: [ca],
      log: { debug: keep, info: keep, warn: keep, error: keep },
      config: {
        mode: 'observe',
        audit: { bodies: 'both' },
        gateway: {
          providers: Object.fromEntries(named),
          limits: [{ kind: 'tag', name: 'team:slow', requests_per_minute: 1 }],
        },
      },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    await there[Symbol.asyncDispose]()
  })

  it('takes the place of the vendor’s in each library, and the vendor’s goes up', async () => {
    const apiKey = await make({ name: 'libraries', models: [], tags: ['team:search'] })
    const base = `${yori.url}/llm`
    const asks: readonly [keyof typeof HOSTS, string, () => Promise<unknown>][] = [
      [
        'openai',
        'authorization',
        () =>
          new OpenAI({
            apiKey,
            baseURL: `${base}/openai/v1`,
            ...noRetry,
          }).chat.completions.create({ model: 'gpt-4o', messages }),
      ],
      [
        'anthropic',
        'x-api-key',
        () =>
          new Anthropic({
            apiKey,
            baseURL: `${base}/anthropic`,
            ...noRetry,
          }).messages.create({ model: 'claude-x', max_tokens: 9, messages }),
      ],
      [
        'gemini',
        'x-goog-api-key',
        () =>
          new GoogleGenAI({
            apiKey,
            httpOptions: { baseUrl: `${base}/gemini` },
          }).models.generateContent({ model: 'gemini-2.5-flash', contents: 'hi' }),
      ],
      [
        'mistral',
        'authorization',
        () =>
          new Mistral({ apiKey, serverURL: `${base}/mistral` }).chat.complete({
            model: 'mistral-small-latest',
            messages,
          }),
      ],
      [
        'cohere',
        'authorization',
        () =>
          new CohereClientV2({ token: apiKey, environment: `${base}/cohere` }).chat({
            model: 'command-a-03-2025',
            messages,
          }),
      ],
    ]
    for (const [name, field, ask] of asks) {
      const before = there.arrived.length
      await ask()
      const [seen] = there.arrived.slice(before)
      assert.ok(seen, name)
      assert.match(String(seen.headers[field]), new RegExp(`^(Bearer )?${VENDOR}$`), name)
      assert.ok(!JSON.stringify([seen.rawHeaders, seen.target]).includes(apiKey), name)
    }
    // Gemini's by its query, and OpenAI's path of our own host, which names no door.
    for (const [path, body] of [
      [
        `/llm/gemini/v1beta/models/gemini-2.5-flash:generateContent?key=${apiKey}&alt=json`,
        { contents: [{ parts: [{ text: 'hi' }] }] },
      ],
      ['/v1/chat/completions', { model: 'gpt-4o', messages }],
      ['/openai/v1/chat/completions', { model: 'gpt-4o', messages }],
      ['/v1/chat/completions', { model: 'openai/gpt-4o', messages }],
    ] as const) {
      const before = there.arrived.length
      const answer = await request(yori.url + path, {
        method: 'POST',
        headers: path.includes('key=')
          ? JSON_TYPE
          : { ...JSON_TYPE, authorization: `Bearer ${apiKey}` },
        body: JSON.stringify(body),
      })
      await answer.body.dump()
      assert.equal(answer.statusCode, 200, path)
      const [seen] = there.arrived.slice(before)
      assert.ok(!JSON.stringify([seen?.rawHeaders, seen?.target]).includes('yori-'), path)
      assert.ok(JSON.stringify(seen?.headers).includes(VENDOR), path)
    }
    const rows = await yori.rows('exchanges')
    const own = rows.filter((row) => row['access_key'] === 'libraries')
    assert.equal(own.length, 9)
    assert.ok(own.every((row) => row['tags'] === '{"team":"search"}'))
  })

  it('is for the models that it was made for, whatever the mode', async () => {
    const key = await make({ name: 'models', models: ['gpt-4o-mini', 'claude-*'] })
    const before = there.arrived.length
    const sdk = new OpenAI({
      apiKey: key,
      baseURL: `${yori.url}/llm/openai/v1`,
      ...noRetry,
    })
    await assert.rejects(
      sdk.chat.completions.create({ model: 'gpt-4o', messages }),
      (error) =>
        error instanceof OpenAI.PermissionDeniedError &&
        error.code === 'YORI_KEY_MODEL_REFUSED',
    )
    // Two names in one body, whichever the provider would take; and none.
    for (const body of [
      '{"model":"gpt-4o-mini","messages":[],"model":"gpt-4o"}',
      '{"model":"gpt-4o","messages":[],"model":"gpt-4o-mini"}',
      '{"messages":[]}',
      '[{"model":"gpt-4o"}]',
      'no JSON',
    ]) {
      const { statusCode, body: answer } = await request(
        `${yori.url}/llm/openai/v1/chat/completions`,
        {
          method: 'POST',
          headers: { ...JSON_TYPE, authorization: `Bearer ${key}` },
          body,
        },
      )
      await answer.dump()
      assert.equal(statusCode, 403, body)
    }
    assert.equal(there.arrived.length, before)
    await sdk.chat.completions.create({ model: 'gpt-4o-mini', messages })
    await sdk.models.list()
    assert.equal(there.arrived.length, before + 2)
    const row = (await yori.rows('exchanges')).find(
      (one) => one['code'] === 'YORI_KEY_MODEL_REFUSED',
    )
    assert.equal(row?.['access_key'], 'models')
    assert.equal(row['event_type'], 'error')
    assert.equal(row['response_status'], 403)
  })

  it('asks no more often than it may, and says when again', async () => {
    const key = await make({ name: 'rate', models: [], requestsPerMinute: 2 })
    for (const status of [200, 200, 429]) {
      const { statusCode, headers, body } = await chat(key)
      const said = (await body.json()) as { error?: { type: string } }
      assert.equal(statusCode, status)
      if (status === 200) continue
      assert.equal(headers['retry-after'], '30')
      assert.equal(headers['x-should-retry'], undefined)
      assert.equal(said.error?.type, 'rate_limit_error')
    }
    const anthropic = new Anthropic({
      apiKey: key,
      baseURL: `${yori.url}/llm/anthropic`,
      ...noRetry,
    })
    await assert.rejects(
      anthropic.messages.create({ model: 'claude-x', max_tokens: 9, messages }),
      (error) => error instanceof Anthropic.RateLimitError,
    )
  })

  it('shares the rate of its tag', async () => {
    const [a, b] = [
      await make({ name: 'slow a', models: [], tags: ['team:slow'] }),
      await make({ name: 'slow b', models: [], tags: ['team:slow'] }),
    ]
    const statuses = [await chat(a), await chat(b)].map(({ statusCode }) => statusCode)
    assert.deepEqual(statuses, [200, 429])
  })

  it('asks for no more tokens a minute than it may', async () => {
    const key = await make({ name: 'tokens', models: [], tokensPerMinute: 10 })
    const first = await chat(key)
    await first.body.dump()
    await yori.rows('exchanges')
    const second = await chat(key)
    assert.deepEqual([first.statusCode, second.statusCode], [200, 429])
    assert.ok(Number(second.headers['retry-after']) >= 1)
  })

  it('never passes a budget by more than one of a hundred at once', async () => {
    const one = await make({ name: 'price', models: [], usdPerMonth: 100 })
    await (await chat(one)).body.dump()
    const [price] = (await yori.rows('exchanges')).filter(
      (row) => row['access_key'] === 'price',
    )
    const cost = Number(price?.['cost_micro_usd'])
    assert.ok(cost > 0)
    const usdPerMonth = Number(((cost * 3.5) / 1e6).toFixed(6))
    const key = await make({ name: 'budget', models: [], usdPerMonth })
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const { statusCode, headers, body } = await chat(key)
        await body.dump()
        if (statusCode === 403) assert.equal(headers['x-should-retry'], 'false')
        return statusCode
      }),
    )
    assert.equal(answers.filter((status) => status === 200).length, 4)
    assert.equal(answers.filter((status) => status === 403).length, 96)
  })

  it('is good for nothing once it is revoked, has expired, or was none', async () => {
    const key = await make({ name: 'gone', models: [] })
    await (await chat(key)).body.dump()
    await yori.appliance.policyState.change((database) => revokeKey(database, 'gone'))
    const old = await make({ name: 'old', models: [], expiresAt: 1 })
    const before = there.arrived.length
    for (const wrong of [key, old, 'yori-nobody', `${key}x`]) {
      const sdk = new OpenAI({
        apiKey: wrong,
        baseURL: `${yori.url}/llm/openai/v1`,
        ...noRetry,
      })
      await assert.rejects(
        sdk.chat.completions.create({ model: 'gpt-4o', messages }),
        (error) => error instanceof OpenAI.AuthenticationError,
      )
      for (const path of ['/v1/chat/completions', '/openai/v1/chat/completions']) {
        const { statusCode, headers } = await chat(wrong, 'gpt-4o', path)
        assert.equal(statusCode, 401)
        assert.match(String(headers['www-authenticate']), /^Bearer /)
      }
    }
    assert.equal(there.arrived.length, before)
  })

  it('goes to no provider by another way', async () => {
    const key = await make({ name: 'astray', models: [] })
    const before = there.arrived.length
    const { statusCode } = await request(`https://${HOSTS.openai}/v1/models`, {
      dispatcher: yori.dispatcher(),
      headers: { authorization: `Bearer ${key}` },
    })
    assert.equal(statusCode, 401)
    const explicit = await request(`http://${HOSTS.openai}/v1/models`, {
      dispatcher: new ProxyAgent({ uri: yori.url, proxyTunnel: false }),
      headers: { authorization: `Bearer ${key}` },
    })
    assert.equal(explicit.statusCode, 401)
    assert.equal(there.arrived.length, before)
  })

  it('is asked for where the configuration says so', async () => {
    await yori.reload({
      gateway: { require_key: 'always', providers: { openai: { key: VENDOR } } },
    })
    const bare = await request(`${yori.url}/llm/openai/v1/models`)
    assert.equal(bare.statusCode, 401)
    const theirs = await chat('sk-theirs', 'gpt-4o', '/v1/chat/completions')
    assert.equal(theirs.statusCode, 401)
    assert.match(await theirs.body.text(), /YORI_KEY_REQUIRED/)
    assert.equal((await chat(await make({ name: 'asked', models: [] }))).statusCode, 200)
  })

  it('stands in no log and no file', async () => {
    await yori.rows('exchanges')
    assert.ok(given.length >= 10)
    const state = yori.folder.file('state')
    const files = readdirSync(state, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => readFileSync(join(one.parentPath, one.name), 'latin1'))
    assert.ok(files.some((text) => text.includes('libraries')))
    for (const text of [...files, lines.join('\n')])
      for (const key of [...given, VENDOR]) assert.ok(!text.includes(key))
  })
})
