import assert from 'node:assert/strict'
import { PermissionDeniedError as AnthropicDenied } from '@anthropic-ai/sdk'
import { PermissionDeniedError as OpenaiDenied } from 'openai'
import { readdirSync } from 'node:fs'
import { request } from 'undici'
import { Simulator } from '../../../tools/sim/simulator.js'
import { PolicyDatabase } from '../../../src/household/policy-database.js'
import { packageFile } from '../../../src/core/package-root.js'
import { blockPage } from '../../../src/proxy/answers/block-page.js'
import {
  ask,
  behind,
  disposable,
  endedExchanges,
  NAME,
  until,
} from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { anthropicSdk, openaiSdk } from '../../support/sdk.js'
import { Yori } from '../../support/yori.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { default: { enabled: true, action: 'block' } } },
}
const MODELS = {
  ...ENFORCE,
  policies: {
    files: {
      model_allowlist: { action: 'block', params: { models: ['gpt-4o-mini'] } },
    },
  },
}

async function simulated(
  config: Record<string, unknown>,
): Promise<{ simulator: Simulator; yori: Yori } & AsyncDisposable> {
  const simulator = await Simulator.start()
  const yori = await Yori.start({
    origins: { 'api.openai.com': simulator, 'api.anthropic.com': simulator },
    trust: [simulator.ca],
    config,
  })
  return {
    simulator,
    yori,
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await simulator[Symbol.asyncDispose]()
    },
  }
}

/** Counts what reaches the provider, and echoes the length of each body. */
async function counted(
  config: Record<string, unknown>,
): Promise<Proxied & { readonly seen: { requests: number; bytes: number } }> {
  const seen = { requests: 0, bytes: 0 }
  const proxied = await behind((incoming, response) => {
    seen.requests++
    let length = 0
    incoming.on('data', (chunk: Buffer) => (length += chunk.length))
    incoming.on('end', () => {
      seen.bytes += length
      response.end(JSON.stringify({ length }))
    })
  }, config)
  return Object.assign(proxied, { seen })
}

function post(yori: Yori, body: string | Buffer, headers: Record<string, string> = {}) {
  return request(`https://${NAME}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: yori.dispatcher(),
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
}

const QUESTION = JSON.stringify({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'hello' }],
})

describe('a blocked request', () => {
  for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'plain'
    it(`makes the openai package raise its permission error once, ${how}`, async () => {
      await using setup = await simulated(ENFORCE)
      const { yori, simulator } = setup
      const client = openaiSdk({ dispatcher: yori.dispatcher() }).withOptions({
        maxRetries: 2,
      })
      const messages = [{ role: 'user' as const, content: 'hello' }]

      await assert.rejects(
        async () =>
          await client.chat.completions.create({ model: 'gpt-4o', stream, messages }),
        (error) => {
          assert.ok(error instanceof OpenaiDenied)
          assert.equal(error.status, 403)
          assert.equal(error.code, 'policy_blocked')
          assert.match(error.message, /Blocked by YORI, policy default/)
          return true
        },
      )

      assert.equal(simulator.requests.all.length, 0)
      const rows = await yori.rows('audit_events')
      assert.equal(rows.length, 1)
      const [row] = rows
      assert.equal(row?.['event_type'], 'block')
      assert.equal(row['policy_name'], 'default')
      assert.equal(row['policy_decision'], 'deny')
      assert.equal(row['enforcement_action'], 'block')
      assert.equal(row['reason'], 'the default policy blocks every request')
      assert.equal(row['response_status'], 403)
      assert.equal(row['model'], 'gpt-4o')
      assert.equal(row['prompt_preview'], 'hello')
    })

    it(`makes the Anthropic package raise its permission error once, ${how}`, async () => {
      await using setup = await simulated(ENFORCE)
      const { yori, simulator } = setup
      const client = anthropicSdk({ dispatcher: yori.dispatcher() }).withOptions({
        maxRetries: 2,
      })

      await assert.rejects(
        async () =>
          await client.messages.create({
            model: 'claude-sonnet-4-5',
            max_tokens: 10,
            stream,
            messages: [{ role: 'user', content: 'hello' }],
          }),
        (error) => {
          assert.ok(error instanceof AnthropicDenied)
          assert.match(error.message, /Blocked by YORI, policy default/)
          assert.match(JSON.stringify(error.error), /"type":"permission_error"/)
          return true
        },
      )

      assert.equal(simulator.requests.all.length, 0)
      assert.equal((await yori.rows('audit_events')).length, 1)
    })
  }

  it('is 403 to a WebSocket upgrade, and nothing goes up', async () => {
    await using setup = await counted(ENFORCE)
    const { yori, seen } = setup
    using client = disposable(await yori.tls(NAME))
    const answer = await ask(
      client.stream,
      `GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nHost: ${NAME}\r\n` +
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1\.1 403 /)
    assert.equal(seen.requests, 0)
    const [row] = await endedExchanges(yori, 1)
    assert.equal(row?.['event_type'], 'block')
  })

  it('is answered by the envelope or the page, as the client asks', async () => {
    await using setup = await counted(ENFORCE)
    const { yori } = setup
    const typeFor = async (headers: Record<string, string>): Promise<unknown> => {
      const { statusCode, headers: fields, body } = await post(yori, QUESTION, headers)
      await body.dump()
      assert.equal(statusCode, 403)
      return fields['content-type']
    }
    const page = 'text/html; charset=utf-8'
    assert.equal(await typeFor({ accept: '*/*' }), 'application/json')
    assert.equal(await typeFor({ accept: 'text/html,*/*;q=0.8' }), page)
    assert.equal(
      await typeFor({ accept: 'text/html, application/json' }),
      'application/json',
    )
    assert.equal(
      await typeFor({ accept: 'text/html', 'x-stainless-lang': 'js' }),
      'application/json',
    )
  })
})

describe('the block page', () => {
  it('allows its own style alone, needs no script and escapes what it is told', async () => {
    const config = {
      ...MODELS,
      access: {},
    }
    await using setup = await counted(config)
    const evil = `<script>alert(1)</script>"'&`
    const { headers, body } = await post(
      setup.yori,
      JSON.stringify({ model: evil, messages: [] }),
      { accept: 'text/html' },
    )
    const html = await body.text()
    assert.match(html, /<h1>Request Blocked by YORI<\/h1>/)
    assert.match(html, /model_allowlist/)
    assert.match(html, /&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&#39;&amp;/)
    assert.doesNotMatch(html, /<script/)
    assert.match(html, /contact your network administrator/)
    assert.ok(html.includes(String(headers['x-yori-request-id'])))
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; style-src 'sha256-/)
    assert.doesNotMatch(policy, /unsafe/)
  })
})

describe('what the household says of a policy', () => {
  for (const policy of ['default', 'bedtime'] as const) {
    it(`stands on the page and in the envelope of ${policy}, escaped`, async () => {
      const message = 'Ask <Mum> first'
      const params =
        policy === 'bedtime' ? { params: { start_hour: 0, end_hour: 24 } } : {}
      const files = { [policy]: { action: 'block', message, ...params } }
      await using setup = await counted({ ...ENFORCE, policies: { files } })
      const page = await post(setup.yori, QUESTION, { accept: 'text/html' })
      assert.match(await page.body.text(), /<p class=\"why\">Ask &lt;Mum&gt; first<\/p>/)
      const envelope = await post(setup.yori, QUESTION)
      const { error } = (await envelope.body.json()) as { error: { message: string } }
      assert.match(
        error.message,
        new RegExp(`policy ${policy}: .*; Ask <Mum> first; an adult`),
      )
    })
  }

  it('is our own explanation, one for each ready-made policy, where it says nothing', () => {
    const about = { reason: 'r', requestId: 'i', endpoint: 'e', atMs: 0 }
    const names = readdirSync(packageFile('config', 'policies'))
      .filter((file) => file.endsWith('.rego') && !file.endsWith('_test.rego'))
      .map((file) => file.slice(0, -'.rego'.length))
      .map((name) => (name === 'home_default' ? 'default' : name))
    assert.ok(names.length >= 10)
    for (const name of names) {
      assert.doesNotMatch(
        blockPage({ ...about, policy: name }),
        /A rule of this network/,
        name,
      )
    }
    assert.match(blockPage({ ...about, policy: 'own' }), /A rule of this network/)
  })
})

describe('a held body', () => {
  for (const [whose, limits] of [
    ['all devices', { held_body_bytes: '64KiB' }],
    ['one device', { held_body_bytes_per_client: '64KiB' }],
  ] as const) {
    it(`that finds no room in what may be held of ${whose} cannot be inspected`, async () => {
      await using setup = await counted({ ...MODELS, limits })
      const body = JSON.stringify({ messages: 'y'.repeat(100_000), model: 'gpt-4o-mini' })
      const { statusCode, body: answer } = await post(setup.yori, body)
      assert.equal(statusCode, 403)
      assert.match(await answer.text(), /could not be inspected/)
      assert.equal(setup.seen.requests, 0)
      const small = await post(setup.yori, QUESTION.replace('gpt-4o', 'gpt-4o-mini'))
      await small.body.dump()
      assert.equal(small.statusCode, 200, 'what was held is given back')
    })
  }
})

describe('the decision', () => {
  it('is made on the whole body, and what is allowed goes up unchanged', async () => {
    await using setup = await counted(MODELS)
    const { yori, seen } = setup
    const filler = 'x'.repeat(300_000)
    const body = JSON.stringify({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: filler }],
    })
    const allowed = await post(yori, body)
    assert.equal(allowed.statusCode, 200)
    assert.deepEqual(await allowed.body.json(), { length: body.length })
    const denied = await post(yori, body.replace('gpt-4o-mini', 'gpt-4o'))
    assert.equal(denied.statusCode, 403)
    assert.match(await denied.body.text(), /model gpt-4o is not among those allowed/)
    assert.equal(seen.requests, 1)
  })

  it('waits for a body without a length, too', async () => {
    await using setup = await counted(MODELS)
    const { yori, seen } = setup
    using client = disposable(await yori.tls(NAME))
    const piece = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
    const answer = await ask(
      client.stream,
      `POST /v1/chat/completions HTTP/1.1\r\nHost: ${NAME}\r\nTransfer-Encoding: chunked\r\n` +
        `\r\n${piece(QUESTION.slice(0, 9))}${piece(QUESTION.slice(9))}0\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 403 /)
    assert.equal(seen.requests, 0)
  })

  it('blocks what it cannot inspect, or sends all of it on where the operator says so', async () => {
    const inspect = { max_body_bytes: 4096 }
    const body = JSON.stringify({ messages: 'y'.repeat(200_000), model: 'gpt-4o-mini' })
    {
      await using setup = await counted({ ...MODELS, inspect })
      const { statusCode, body: answer } = await post(setup.yori, body)
      assert.equal(statusCode, 403)
      assert.match(await answer.text(), /larger than what is inspected/)
      assert.equal(setup.seen.requests, 0)
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['policy_name'], 'uninspectable')
    }
    {
      const allow = { ...inspect, on_uninspectable: 'allow' }
      await using setup = await counted({ ...MODELS, inspect: allow })
      const { statusCode, body: answer } = await post(setup.yori, body)
      assert.equal(statusCode, 200)
      assert.deepEqual(await answer.json(), { length: body.length })
    }
  })

  it('does not believe a key that stands twice', async () => {
    await using setup = await counted(MODELS)
    const twice = '{"model":"gpt-4o","messages":[],"model":"gpt-4o-mini"}'
    const { statusCode, body } = await post(setup.yori, twice)
    assert.equal(statusCode, 403)
    assert.match(await body.text(), /stands twice/)
  })

  for (const [mode, verdict] of [
    ['observe', 'deny'],
    ['advisory', 'alert'],
  ] as const) {
    it(`is recorded and not enforced in ${mode}`, async () => {
      await using setup = await counted({ ...ENFORCE, mode })
      const { statusCode, body } = await post(setup.yori, QUESTION)
      await body.dump()
      assert.equal(statusCode, 200)
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['event_type'], 'response')
      assert.equal(row['policy_name'], 'default')
      assert.equal(row['policy_decision'], verdict)
    })
  }

  it('lets past who is on the allowlist of the file, and says so', async () => {
    const allowlist = { devices: [{ name: 'test client', ip: '127.0.0.1' }] }
    const enforcement = { ...ENFORCE.enforcement, allowlist }
    await using setup = await counted({ ...ENFORCE, enforcement })
    const { statusCode, body } = await post(setup.yori, QUESTION)
    await body.dump()
    assert.equal(statusCode, 200)
    const [row] = await setup.yori.rows('audit_events')
    assert.equal(row?.['event_type'], 'response')
    assert.equal(row['bypass'], 'allowlist (test client)')
    assert.equal(row['enforcement_action'], 'allowlist_bypass')
    assert.equal(row['policy_name'], 'default')
  })

  it('yields to an emergency override, and then to a time exception', async () => {
    const emergency = { emergency_override: { enabled: true } }
    const enforcement = { ...ENFORCE.enforcement, ...emergency, timezone: 'UTC' }
    await using setup = await counted({ ...ENFORCE, enforcement })
    const { yori } = setup
    const status = async (): Promise<number> => {
      const { statusCode, body } = await post(yori, QUESTION)
      await body.dump()
      return statusCode
    }
    assert.equal(await status(), 403)
    using database = new PolicyDatabase(yori.folder.file('state/policy.db'))
    const activatedAt = Date.now()
    const expiresAt = activatedAt + 60_000
    database.activate({ activatedAt, expiresAt, by: 'anna', reason: 'doctor' })
    await until(async () => (await status()) === 200)
    database.deactivate(Date.now(), 'anna')
    await until(async () => (await status()) === 403)
    const always = { start: 0, end: 24 * 60, days: [], ips: [], macs: [], groups: [] }
    const value = { ...always, name: 'party', enabled: true }
    database.put('exception', { key: 'party', value, addedAt: 1, addedBy: 'anna' })
    await until(async () => (await status()) === 200)
    const rows = await yori.rows('audit_events')
    const bypasses = new Set(rows.map((row) => row['bypass']))
    assert.deepEqual([...bypasses], [null, 'emergency_override', 'time_exception'])
  })

  it('never lets X-YORI-Override reach the provider', async () => {
    let received: unknown
    await using setup = await behind((incoming, response) => {
      received = incoming.headers['x-yori-override']
      response.end('{}')
    })
    const { body } = await post(setup.yori, QUESTION, { 'x-yori-override': 'secret' })
    await body.dump()
    assert.equal(received, undefined)
  })
})
