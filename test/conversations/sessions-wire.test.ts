import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { Simulator } from '../../tools/sim/simulator.js'
import { anthropicSdk, openaiSdk } from '../support/sdk.js'
import { tempFolder } from '../support/temp-folder.js'
import { Yori } from '../support/yori.js'

async function withProvider(
  config: Record<string, unknown> = {},
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

describe('sessions and cost of exchanges', () => {
  it('YORI joins the turns of the openai package, and of the Anthropic one', async () => {
    await using setup = await withProvider()
    const { yori } = setup
    const openai = openaiSdk({ dispatcher: yori.dispatcher() })
    const anthropic = anthropicSdk({ dispatcher: yori.dispatcher() })
    const model = 'gpt-4o-mini'
    const first = { role: 'user', content: 'What is a router?' } as const
    const second = { role: 'user', content: 'And a switch?' } as const

    const answer = await openai.chat.completions.create({ model, messages: [first] })
    const said = answer.choices[0]?.message.content ?? ''
    const assistant = { role: 'assistant', content: said } as const
    await openai.chat.completions.create({ model, messages: [first, assistant, second] })
    const claude = { model: 'claude-haiku-4-5', max_tokens: 50 }
    const message = await anthropic.messages.create({ ...claude, messages: [first] })
    const { content } = message
    await anthropic.messages
      .stream({ ...claude, messages: [first, { role: 'assistant', content }, second] })
      .finalMessage()

    const rows = await yori.rows('audit_events')
    const sessions = rows.map((row) => row['session_id'])
    assert.equal(rows.length, 4)
    assert.equal(rows[1]?.['prompt_preview'], 'And a switch?')
    assert.match(String(sessions[0]), /^[0-9a-f-]{36}$/)
    assert.equal(sessions[1], sessions[0])
    assert.equal(sessions[3], sessions[2])
    assert.notEqual(sessions[2], sessions[0])
    assert.equal(rows[0]?.['response_id'], answer.id)
    assert.equal(rows[2]?.['response_id'], message.id)
    assert.ok(rows.every((row) => row['fragmented'] === null))
  })

  it('YORI reads the ids and tags that a client gives, and keeps them to itself', async () => {
    await using setup = await withProvider()
    const { yori, simulator } = setup
    const client = openaiSdk({ dispatcher: yori.dispatcher() })
    const headers = {
      'x-yori-session-id': 'night-run',
      'X-Cylestio-Agent-Id': 'gardener',
      'x-yori-tags': 'team:green,beta',
      'x-other': 'stays',
    }
    for (const content of ['One', 'Two'])
      await client.chat.completions.create(
        { model: 'gpt-4o-mini', messages: [{ role: 'user', content }] },
        { headers },
      )
    const rows = await yori.rows('audit_events')
    assert.deepEqual(
      rows.map((row) => [row['session_id'], row['agent_id'], row['tags']]),
      Array(2).fill(['night-run', 'gardener', '{"team":"green","beta":""}']),
    )
    for (const { head } of simulator.requests.all) {
      const sent = head.rawHeaders.filter((_, at) => at % 2 === 0)
      const names = sent.filter((name) => /^x-(yori|cylestio|other)/i.test(name))
      assert.deepEqual(names, ['x-other'])
    }
  })

  it('YORI knows what an exchange cost, and when it does not know', async () => {
    await using folder = await tempFolder()
    const file = folder.file('own.yaml')
    writeFileSync(
      file,
      'priced_on: 2026-01-31\nproviders:\n  - name: openai\n    models:\n' +
        '      - { id: house-model, input: 1000, output: 2000 }\n',
    )
    await using setup = await withProvider({ catalogue: { file } })
    const { yori } = setup
    const client = openaiSdk({ dispatcher: yori.dispatcher() })
    const used: [number, number][] = []
    for (const model of ['gpt-4o-mini', 'house-model', 'nobody-knows-it']) {
      const { usage } = await client.chat.completions.create({
        model,
        messages: [{ role: 'user', content: 'What does it cost?' }],
      })
      used.push([usage?.prompt_tokens ?? 0, usage?.completion_tokens ?? 0])
    }
    const rows = await yori.rows('audit_events')
    assert.deepEqual(
      rows.map((row) => [row['prompt_tokens'], row['response_tokens']]),
      used,
    )
    const [[input = 0, output = 0] = []] = used
    assert.ok(input > 0 && output > 0)
    assert.deepEqual(
      rows.map((row) => row['cost_micro_usd']),
      // Dollars a million tokens are micro-dollars a token.
      [Math.round(input * 0.15 + output * 0.6), input * 1000 + output * 2000, null],
    )
  })

  it('YORI keeps events of calls only when asked, and no prompt in them', async () => {
    const ask = async (yori: Yori): Promise<void> => {
      const client = openaiSdk({ dispatcher: yori.dispatcher() })
      await client.chat.completions.create({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: 'A private matter' }],
      })
    }
    await using silent = await withProvider()
    await ask(silent.yori)
    await using telling = await withProvider({ audit: { call_events: true } })
    await ask(telling.yori)

    const kinds = (await silent.yori.rows('audit_log')).map((row) => row['event_type'])
    assert.deepEqual(kinds, ['start'])
    const rows = await telling.yori.rows('audit_log')
    assert.deepEqual(
      rows.map((row) => row['event_type']),
      ['start', 'session.start', 'llm.call.start', 'llm.call.finish'],
    )
    const finish = JSON.parse(String(rows[3]?.['details'])) as Record<string, unknown>
    const [exchange] = await telling.yori.rows('audit_events')
    assert.equal(finish['session_id'], exchange?.['session_id'])
    assert.equal(
      (finish['attributes'] as Record<string, unknown>)['llm.usage.input_tokens'],
      exchange?.['prompt_tokens'],
    )
    assert.doesNotMatch(JSON.stringify(rows), /private matter/)
  })

  it('YORI keeps bodies only when asked, and of them what it is told to', async () => {
    const messages = [{ role: 'user', content: 'A private matter' }] as const
    const kept = async (audit: object): Promise<unknown[]> => {
      await using setup = await withProvider({ audit })
      const client = openaiSdk({ dispatcher: setup.yori.dispatcher() })
      const model = 'gpt-4o-mini'
      await client.chat.completions.create({ model, messages: [...messages] })
      const [row] = await setup.yori.rows('exchanges')
      return [row?.['request_body'], row?.['response_body']]
    }
    assert.deepEqual(await kept({}), [null, null])
    const [request, response] = await kept({ bodies: 'both' })
    const asked = JSON.parse(String(request)) as { messages: unknown }
    assert.deepEqual(asked.messages, messages)
    const said = JSON.parse(String(response)) as { object: string }
    assert.equal(said.object, 'chat.completion')
    const [some, none] = await kept({ bodies: 'request', body_bytes: 10 })
    assert.equal(some, '{"model":"')
    assert.equal(none, null)
  })

  it('YORI tells of the end of sessions when it stops', async () => {
    await using setup = await withProvider({ audit: { call_events: true } })
    const { yori } = setup
    const client = openaiSdk({ dispatcher: yori.dispatcher() })
    await client.chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'Good night' }],
    })
    const [exchange] = await yori.rows('audit_events')
    await yori.closeClients()
    await yori.appliance.stop()
    const database = new Sqlite(yori.database, { readonly: true })
    const ended = database
      .prepare<[], { details: string }>(
        "SELECT details FROM audit_log WHERE event_type = 'session.end'",
      )
      .all()
    database.close()
    assert.equal(ended.length, 1)
    const details = JSON.parse(ended[0]?.details ?? '') as { session_id: string }
    assert.equal(details.session_id, exchange?.['session_id'])
  })
})
