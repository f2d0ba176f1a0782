/**
 * The doors as a sidecar's, source 003: governed by the event that its policies get, denied in
 * the shape of the provider with the policy's id, changed, asked about, or let pass and counted.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { request } from 'undici'
import { startLlmOrigin } from '../../support/llm-origin.js'
import type { LlmOrigin } from '../../support/llm-origin.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

const HOSTS = ['api.openai.com', 'api.anthropic.com']
const AS_CLIENT = { 'content-type': 'application/json', authorization: 'Bearer k' }
const POLICY = `package yori.agents

deny contains sprintf("no %s", [input.event.tool_name]) if {
  input.event.event_type == "pre_tool_use"
  input.event.channel == "llm"
  input.event.producer_can_apply_modify
  contains(input.event.tool_input.messages[0].content, "steal")
}

ask contains "a person looks at payments" if contains(input.event.tool_input.messages[0].content, "pay")

modify := object.union(input.event.tool_input, {"user": "nobody"}) if {
  contains(input.event.tool_input.messages[0].content, "secret")
}

deny contains "no unknown tools" if input.event.tool_input.tool == "rm"
`

describe('a sidecar', () => {
  const ca = new TestCa()
  let there: LlmOrigin
  let yori: Yori
  let folder: TempFolder

  before(async () => {
    folder = await tempFolder()
    writeFileSync(folder.file('agents.rego'), POLICY)
    there = await startLlmOrigin({ ca, names: HOSTS })
    yori = await Yori.start({
      origins: Object.fromEntries(HOSTS.map((host) => [host, there])),
      trust: [ca],
      config: { gateway: { sidecar: true } },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    await there[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const ask = async (
    content: string,
    path = '/llm/openai/v1/chat/completions',
  ): Promise<{ status: number; text: string }> => {
    const { statusCode: status, body } = await request(yori.url + path, {
      method: 'POST',
      headers: AS_CLIENT,
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }),
    })
    return { status, text: await body.text() }
  }

  it('serves nothing while nobody governs it, whatever is asked', async () => {
    for (const path of ['/llm/openai/v1/models', '/llm/nobody/x', '/llm/openai/../x']) {
      const { statusCode, body } = await request(`${yori.url}${path}`)
      assert.equal(statusCode, 503, path)
      await body.dump()
    }
    assert.match((await ask('hi')).text, /YORI_NOT_GOVERNED/)
    assert.equal(there.arrived.length, 0)
  })

  describe('with a policy', () => {
    before(() =>
      yori.reload({
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { directory: folder.path },
      }),
    )

    it('lets pass what no policy minds, as it came', async () => {
      const body = '{ "model":"gpt-4o", "messages":[{"role":"user","content":"hi"}] }'
      const { statusCode, body: answer } = await request(
        `${yori.url}/llm/openai/v1/chat/completions?x=1`,
        { method: 'POST', headers: AS_CLIENT, body },
      )
      await answer.dump()
      assert.equal(statusCode, 200)
      assert.equal(there.arrived.at(-1)?.body.toString(), body)
      const row = (await yori.rows('exchanges')).at(-1)
      assert.equal(row?.['tool_name'], 'openai.v1.chat.completions')
      assert.equal(row['ungoverned'], null)
    })

    it('denies in the shape of each library, with the policy', async () => {
      const before = there.arrived.length
      const messages = [{ role: 'user' as const, content: 'steal it' }]
      const openai = new OpenAI({ apiKey: 'k', baseURL: `${yori.url}/llm/openai/v1` })
      await assert.rejects(
        openai.chat.completions.create({ model: 'gpt-4o', messages }),
        (error) =>
          error instanceof OpenAI.PermissionDeniedError &&
          (error.error as { policy_id: string }).policy_id === 'agents' &&
          error.message.includes('no openai.v1.chat.completions'),
      )
      const anthropic = new Anthropic({
        apiKey: 'k',
        baseURL: `${yori.url}/llm/anthropic`,
      })
      await assert.rejects(
        anthropic.messages.create({ model: 'claude-x', max_tokens: 1, messages }),
        (error) =>
          error instanceof Anthropic.PermissionDeniedError &&
          error.message.includes('no anthropic.v1.messages'),
      )
      // Without any mark of a library, too.
      const { status, text } = await ask('steal it')
      assert.equal(status, 403)
      assert.equal(
        (JSON.parse(text) as { error: { policy_id: string } }).error.policy_id,
        'agents',
      )
      assert.equal(there.arrived.length, before)
    })

    it('governs objects on paths that nobody knows', async () => {
      const { statusCode, body } = await request(`${yori.url}/llm/openai/v1/tools/run`, {
        method: 'POST',
        body: '{"tool":"rm"}',
      })
      await body.dump()
      assert.equal(statusCode, 403)
      const row = (await yori.rows('exchanges')).at(-1)
      assert.equal(row?.['tool_name'], 'openai.v1.tools.run')
    })

    it('puts another body in the place of the one that came', async () => {
      assert.equal((await ask('a secret')).status, 200)
      assert.deepEqual(JSON.parse(there.arrived.at(-1)?.body.toString() ?? ''), {
        messages: [{ role: 'user', content: 'a secret' }],
        model: 'gpt-4o',
        user: 'nobody',
      })
      assert.equal(
        there.arrived.at(-1)?.headers['content-length'],
        String(there.arrived.at(-1)?.body.length),
      )
    })

    it('asks by a block with a code', async () => {
      const { status, text } = await ask('pay the bill')
      assert.equal(status, 403)
      assert.match(
        text,
        /a person looks at payments.*with the code [0-9A-Z]{3}-[0-9A-Z]{3}/,
      )
    })

    for (const [what, body, why] of [
      ['nothing', '', 'empty'],
      ['no JSON', 'steal: it', 'not_json'],
      ['a list', '[{"messages":[{"content":"steal"}]}]', 'not_an_object'],
      ['a text', '"steal"', 'not_an_object'],
    ] as const)
      it(`lets ${what} pass, and counts it as ungoverned`, async () => {
        const before = there.arrived.length
        const { body: answer } = await request(
          `${yori.url}/llm/openai/v1/chat/completions`,
          {
            method: 'POST',
            headers: AS_CLIENT,
            body,
          },
        )
        await answer.dump()
        assert.equal(there.arrived.at(before)?.body.toString(), body)
        const row = (await yori.rows('exchanges')).at(-1)
        assert.equal(row?.['ungoverned'], why)
      })
  })
})
