/** An approval is for what was refused, and ends the matter. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { request } from 'undici'
import { approveCommand } from '../../../src/cli/commands/household/approve.js'
import { h2Ask, h2Client } from '../../support/h2.js'
import { runCommand } from '../../support/policy-command.js'
import { behind, NAME } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'

const PRIVACY = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}
const CARD = 'my card is 4111 1111 1111 1111'
const OTHER_CARD = 'and 5555 5555 5555 4444'
const REPLY = 'Good day to you; tell me what I can do for you this afternoon.'
const SSN = 'my number is 123-45-6789'

type Turn = readonly [role: 'user' | 'assistant', content: string]
const user = (content: string): Turn => ['user', content]
const model = (content: string): Turn => ['assistant', content]

interface Answer {
  readonly status: number
  readonly code: string
}

type Say = (turns: readonly Turn[], model?: string) => Promise<Answer>

const read = (status: number, text: string): Answer => ({
  status,
  code: /with the code (\w{3}-\w{3})/.exec(text)?.[1] ?? '',
})

function bodyOf(turns: readonly Turn[], name: string): string {
  const messages = turns.map(([role, content]) => ({ role, content }))
  return JSON.stringify({ model: name, messages })
}

const OVER: Readonly<Record<string, (setup: Proxied) => Say>> = {
  'HTTP/1.1': ({ yori }) => {
    const dispatcher = yori.dispatcher()
    return async (turns, name = 'gpt-4o') => {
      const { statusCode, body } = await request(`https://${NAME}/v1/chat/completions`, {
        method: 'POST',
        dispatcher,
        headers: { 'content-type': 'application/json' },
        body: bodyOf(turns, name),
      })
      return read(statusCode, await body.text())
    }
  },
  'HTTP/2':
    ({ yori }) =>
    async (turns, name = 'gpt-4o') => {
      using client = await h2Client(yori, NAME)
      const head = { ':method': 'POST', ':path': '/v1/chat/completions' }
      const { headers, body } = await h2Ask(
        client.session,
        { ...head, ':authority': NAME, 'content-type': 'application/json' },
        bodyOf(turns, name),
      )
      return read(headers[':status'] ?? 0, body)
    },
}

async function approve({ yori }: Proxied, code: string, ...flags: string[]) {
  await yori.appliance.audit.flush()
  const ran = await runCommand(yori, approveCommand, 'approve', code, ...flags)
  assert.equal(ran.code, 0, ran.notes)
  return ran.out
}

let n = 0
const provider = () =>
  behind((incoming, response) => {
    incoming.resume()
    incoming.on('end', () => {
      const message = { role: 'assistant', content: REPLY }
      const choices = [{ index: 0, message, finish_reason: 'stop' }]
      const answer = { id: `chatcmpl-${n++}`, object: 'chat.completion', choices }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answer))
    })
  }, PRIVACY)

describe('an approval', () => {
  for (const [version, over] of Object.entries(OVER)) {
    it(`lets what was refused past over ${version}, whatever the model, as often as it is said`, async () => {
      await using setup = await provider()
      const say = over(setup)
      const refused = await say([user(CARD)])
      assert.equal(refused.status, 403)
      const printed = await approve(setup, refused.code)
      assert.match(printed, /what was refused passes until /)
      // At once: nothing was waited for.
      for (const name of ['gpt-4o', 'o3-mini', 'gpt-4o'])
        assert.equal((await say([user(CARD)], name)).status, 200, name)
      const rows = await setup.yori.rows('audit_events')
      assert.deepEqual(
        rows.map((row) => row['bypass']),
        [null, 'approval', 'approval', 'approval'],
      )
    })

    it(`lets nothing else past over ${version}: no other card, no other kind of data`, async () => {
      await using setup = await provider()
      const say = over(setup)
      await approve(setup, (await say([user(CARD)])).code)
      assert.equal((await say([user(OTHER_CARD)], 'o3-mini')).status, 403)
      assert.equal((await say([user(SSN)], 'o3-mini')).status, 403)
      assert.equal((await say([user(`${CARD} ${OTHER_CARD}`)])).status, 403)
      assert.equal((await say([user(CARD)])).status, 200)
    })

    it(`is not used up by a side call over ${version}, which wraps the same in other words`, async () => {
      await using setup = await provider()
      const say = over(setup)
      await approve(setup, (await say([user(CARD)])).code)
      const title = user(`Write a title for this: <text>${CARD}</text>`)
      assert.equal((await say([title], 'gpt-4o-mini')).status, 200)
      assert.equal((await say([user(CARD)])).status, 200)
    })

    it(`ends the matter over ${version}: later turns repeat it, and what blocks is what is new`, async () => {
      await using setup = await provider()
      const say = over(setup)
      await approve(setup, (await say([user(CARD)])).code)
      const history = [user(CARD), model('Noted: that is a test number.')]
      assert.equal((await say(history.slice(0, 1))).status, 200)
      assert.equal((await say([...history, user('thank you')])).status, 200)
      assert.equal((await say([...history, user(OTHER_CARD)])).status, 403)
      assert.equal((await say([...history, user('something else')])).status, 200)
    })
  }

  it('that is over holds in the conversation that it let past, and in no other', async () => {
    await using setup = await provider()
    const say = OVER['HTTP/1.1']?.(setup) as Say
    assert.equal((await say([user('hello there')])).status, 200)
    const turns = [user('hello there'), model(REPLY), user(CARD)]
    await approve(setup, (await say(turns)).code)
    assert.equal((await say(turns)).status, 200)
    const [grant] = setup.yori.appliance.policyState.current.grants
    await runCommand(setup.yori, approveCommand, 'approve', '--revoke', grant?.id ?? '')
    assert.equal((await say([...turns, model(REPLY), user('go on')])).status, 200)
    assert.equal((await say([user(CARD)])).status, 403)
  })

  it('by --once is for what was refused, too, and for once', async () => {
    await using setup = await provider()
    const say = OVER['HTTP/1.1']?.(setup) as Say
    const printed = await approve(setup, (await say([user(CARD)])).code, '--once')
    assert.match(printed, /what was refused passes once/)
    assert.equal((await say([user(SSN)])).status, 403)
    // Neither is it used up by what the agent asks aside.
    assert.equal((await say([user(`A title for: ${CARD}`)])).status, 200)
    assert.equal((await say([user(CARD)])).status, 200)
    assert.equal((await say([user(`And again: ${CARD}`)])).status, 403)
  })

  it('of a request whose model is refused is for that, and not for what else the policy blocks', async () => {
    await using setup = await provider()
    const file = setup.yori.folder.file('mixed.rego')
    await writeFile(
      file,
      `package yori.mixed
deny contains "no o3" if input.model == "o3"
deny contains "no tiger" if contains(input.prompt, "tiger")
`,
    )
    const mixed = { action: 'block' }
    await setup.yori.reload({
      ...PRIVACY,
      policies: { directory: setup.yori.folder.path, files: { mixed } },
    })
    const say = OVER['HTTP/1.1']?.(setup) as Say
    const refused = await say([user('hello')], 'o3')
    assert.equal(refused.status, 403)
    await approve(setup, refused.code)
    assert.equal((await say([user('hello')], 'o3')).status, 200)
    assert.equal((await say([user('something else')], 'o3')).status, 200)
    assert.equal((await say([user('a tiger')], 'gpt-4o')).status, 403)
    const both = await say([user('a tiger')], 'o3')
    assert.equal(both.status, 403)
    await approve(setup, both.code)
    assert.equal((await say([user('a tiger')], 'o3')).status, 200)
    assert.equal((await say([user('a tiger')], 'gpt-4o')).status, 200)
    assert.equal((await say([user('another tiger')], 'o3')).status, 403)
  })

  it('of a policy that does not look at what is said lets the device past it for a while', async () => {
    await using setup = await provider()
    await setup.yori.reload({
      ...PRIVACY,
      policies: {
        files: { bedtime: { action: 'block', params: { start_hour: 0, end_hour: 24 } } },
      },
    })
    const say = OVER['HTTP/1.1']?.(setup) as Say
    await approve(setup, (await say([user('hello')])).code)
    assert.equal((await say([user('hello')])).status, 200)
    assert.equal((await say([user('what else?')], 'o3')).status, 200)
  })

  it('keeps no card number, neither in the record nor with the grant', async () => {
    await using setup = await provider()
    const say = OVER['HTTP/1.1']?.(setup) as Say
    await approve(setup, (await say([user(CARD)])).code)
    const [row] = await setup.yori.rows('exchanges')
    assert.doesNotMatch(String(row?.['found_marks']), /4111/)
    const grants = JSON.stringify(setup.yori.appliance.policyState.current.grants)
    assert.doesNotMatch(grants, /4111/)
  })
})
