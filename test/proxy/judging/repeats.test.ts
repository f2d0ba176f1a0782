/** What a program sends again after it was refused has the code and the row of the first. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { request } from 'undici'
import { approveCommand } from '../../../src/cli/commands/household/approve.js'
import { runCommand } from '../../support/policy-command.js'
import { tempFolder } from '../../support/temp-folder.js'
import { behind, NAME } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'

const PRIVACY = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}
const CARD = 'my card is 4111 1111 1111 1111'
const OTHER = 'and this is 5555 5555 5555 4444'

interface Answer {
  readonly status: number
  readonly code: string
  readonly told: string
  readonly requestId: string
}

interface Asking {
  readonly path?: string
  readonly body: object
  readonly from?: string
}

const VERSIONS = ['h1', 'h2'] as const

function asker({ yori }: Proxied, version: (typeof VERSIONS)[number]) {
  return async ({
    path = '/v1/chat/completions',
    body,
    from,
  }: Asking): Promise<Answer> => {
    const answer = await request(`https://${NAME}${path}`, {
      method: 'POST',
      dispatcher: yori.dispatcher(from, version),
      headers: { 'content-type': 'application/json', 'user-agent': 'codex_exec/0.171.0' },
      body: JSON.stringify(body),
    })
    const text = await answer.body.text()
    return {
      status: answer.statusCode,
      code: /with the code (\w{3}-\w{3})/.exec(text)?.[1] ?? '',
      told: /\(request ([\w-]+)\)/.exec(text)?.[1] ?? '',
      requestId: String(answer.headers['x-yori-request-id']),
    }
  }
}

const chat = (model: string, ...contents: string[]) => ({
  model,
  messages: contents.map((content) => ({ role: 'user', content })),
})

async function blocks({ yori }: Proxied) {
  await yori.appliance.audit.flush()
  return (await yori.rows('audit_events')).filter((row) => row['event_type'] === 'block')
}

const NO_RECIPES = `# Denies recipes.
package yori.no_recipes
deny contains "ask the cook" if contains(lower(input.said.person), "recipe")
`
const RECIPE = 'please - write a recipe (for soup)'

/** What programs ask beside, of what a person said. */
const BESIDE: Readonly<Record<string, (words: string) => object>> = {
  'a title, as opencode asks for one': (words) => ({
    model: 'gpt-5-nano',
    messages: [
      { role: 'system', content: 'You are a title generator.' },
      { role: 'user', content: 'Generate a title for this conversation:\n' },
      { role: 'user', content: words },
    ],
  }),
  'a title that quotes it': (words) =>
    chat('gpt-5-nano', `Write a title of five words for:\n<text>${words}</text>`),
  'a summary of the conversation so far': (words) => ({
    model: 'gpt-5',
    messages: [
      { role: 'user', content: words },
      { role: 'assistant', content: 'I may not.' },
      { role: 'user', content: 'Summarize what was said so far.' },
    ],
  }),
  'a memory, as a text of JSON': (words) =>
    chat('gpt-5', `Remember: ${JSON.stringify({ said: [words], by: 'user' })}`),
  'the result of a tool that read it back': (words) => ({
    model: 'gpt-5',
    messages: [
      { role: 'user', content: 'what did I say?' },
      { role: 'tool', tool_call_id: 'c', content: `user: "${words}"` },
    ],
  }),
}

const provider = () => behind((_request, response) => response.end('{}'), PRIVACY)

describe('a block of the same', () => {
  for (const version of VERSIONS) {
    it(`has the code, the id and the row of the first over ${version}, whatever the model and the body`, async () => {
      await using setup = await provider()
      const ask = asker(setup, version)
      const answers = [
        await ask({ body: chat('gpt-5', CARD) }),
        await ask({ body: chat('gpt-5', CARD) }),
        await ask({ body: { ...chat('gpt-5-mini', 'hello', CARD), stream: true } }),
        await ask({
          path: '/v1/responses',
          body: { model: 'gpt-5', instructions: 'be brief', input: CARD },
        }),
      ]
      const [first] = answers
      assert.match(first?.code ?? '', /^\w{3}-\w{3}$/)
      for (const answer of answers) assert.deepEqual(answer, first)
      assert.equal(first?.told, first?.requestId)
      const rows = await blocks(setup)
      assert.deepEqual(
        rows.map((row) => [row['request_id'], row['repeats'], row['model']]),
        [[first?.requestId, 3, 'gpt-5']],
      )
    })

    it(`is the same where a program quotes it beside over ${version}, and its code is for that, too`, async () => {
      await using setup = await provider()
      const ask = asker(setup, version)
      const { code } = await ask({ body: chat('gpt-5', CARD) })
      for (const [what, body] of Object.entries(BESIDE))
        assert.equal((await ask({ body: body(CARD) })).code, code, what)
      assert.equal((await blocks(setup)).length, 1)
      // One that quotes another card, or this and another.
      const other = await ask({ body: BESIDE['a title that quotes it']?.(OTHER) ?? {} })
      assert.notEqual(other.code, code)
      const both = await ask({
        body: chat('gpt-5', `title for: ${CARD}, 3782 822463 10005`),
      })
      assert.notEqual(both.code, code)
      await setup.yori.appliance.audit.flush()
      const ran = await runCommand(setup.yori, approveCommand, 'approve', code)
      assert.equal(ran.code, 0, ran.notes)
      for (const [what, body] of Object.entries(BESIDE))
        assert.equal((await ask({ body: body(CARD) })).status, 200, what)
    })

    it(`is another where other words are said over ${version}, or by another device`, async () => {
      await using setup = await provider()
      const ask = asker(setup, version)
      const codes = [
        await ask({ body: chat('gpt-5', CARD) }),
        await ask({ body: chat('gpt-5', OTHER) }),
        await ask({ body: chat('gpt-5', CARD), from: '127.0.0.2' }),
      ].map(({ code }) => code)
      assert.equal(new Set(codes).size, 3)
      assert.equal((await blocks(setup)).length, 3)
    })

    it(`is another after an adult has decided over ${version}, and one code is for all of them`, async () => {
      await using setup = await provider()
      const ask = asker(setup, version)
      const { code } = await ask({ body: chat('gpt-5', CARD) })
      // The same newest words, and more before them.
      assert.equal((await ask({ body: chat('gpt-5', OTHER, CARD) })).code, code)
      await setup.yori.appliance.audit.flush()
      const ran = await runCommand(setup.yori, approveCommand, 'approve', code)
      assert.equal(ran.code, 0, ran.notes)
      assert.equal((await ask({ body: chat('gpt-5', CARD) })).status, 200)
      assert.equal((await ask({ body: chat('gpt-5', OTHER, CARD) })).status, 200)
      const third = 'and 3782 822463 10005 too'
      const again = await ask({ body: chat('gpt-5', third, CARD) })
      assert.equal(again.status, 400)
      assert.notEqual(again.code, code)
    })
  }

  it('is the same where words that a policy denies are quoted, and another where more are', async () => {
    await using folder = await tempFolder()
    writeFileSync(folder.file('no_recipes.rego'), NO_RECIPES)
    await using setup = await behind((_request, response) => response.end('{}'), {
      ...PRIVACY,
      policies: { directory: folder.path, files: { no_recipes: { action: 'block' } } },
    })
    const ask = asker(setup, 'h1')
    const { code } = await ask({ body: chat('gpt-5', RECIPE) })
    // That policy looks at what a person said.
    const quoted = Object.entries(BESIDE).filter(([what]) => !what.includes('a tool'))
    for (const [what, body] of quoted)
      assert.equal((await ask({ body: body(RECIPE) })).code, code, what)
    assert.equal((await blocks(setup)).length, 1)
    const more = await ask({ body: chat('gpt-5', `${RECIPE}, and a recipe for bread`) })
    assert.notEqual(more.code, code)
  })

  it('counts by itself where nothing was said: each try of a person has its page', async () => {
    await using setup = await behind((_request, response) => response.end('{}'), {
      ...PRIVACY,
      policies: { files: { default: { action: 'block' } } },
    })
    const dispatcher = setup.yori.dispatcher()
    for (let n = 0; n < 2; n++) {
      const { body } = await request(`https://${NAME}/v1/models`, { dispatcher })
      await body.dump()
    }
    assert.deepEqual(
      (await blocks(setup)).map((row) => row['repeats']),
      [null, null],
    )
  })
})
