import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { PAGE_ROWS } from '../../src/audit/pages.js'
import type { ExchangeRecord } from '../../src/core/record.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { closed } from '../audit/support.js'
import { Controlled } from '../support/control.js'
import { openaiSdk } from '../support/sdk.js'

interface Listing {
  readonly exchanges: readonly Record<string, unknown>[]
  readonly next: string | null
}

const NOW = Date.now()
const MINUTE = 60_000

describe('the record, as the control plane tells it', () => {
  let on: Controlled
  before(async () => {
    on = await Controlled.start()
    const { audit } = on.yori.appliance
    const add = (fields: Partial<ExchangeRecord>): void => {
      const record = closed(fields)
      audit.exchangeOpened(record)
      audit.exchangeClosed(record)
    }
    // Two of each moment, so that time alone tells no order.
    for (let n = 0; n < 120; n++)
      add({
        requestId: `turn-${String(n).padStart(3, '0')}`,
        startedAt: NOW - 200 * MINUTE + Math.floor(n / 2) * MINUTE,
        sessionId: `session-${n % 12}`,
        agentId: n % 2 === 0 ? 'even' : 'odd',
        device: { ip: `192.168.1.${n % 3}`, mac: `aa:bb:cc:00:00:0${n % 3}` },
        model: n % 4 === 0 ? 'claude-sonnet-4-5' : 'gpt-4o-mini',
        provider: 'openai',
        call: true,
        inputTokens: 10,
        outputTokens: 1,
        costMicroUsd: 5,
        latencyMs: 100,
        toolCalls: n % 10 === 0 ? ['search', 'search'] : ['read'],
        toolsOffered: ['search', 'read', 'write'],
        promptPreview: n === 7 ? 'the moons of Neptune' : 'hello',
        ...(n % 20 === 19
          ? {
              outcome: 'error' as const,
              code: 'YORI_UPSTREAM_TIMEOUT' as const,
              status: 504,
            }
          : {}),
      })
    await audit.flush()
  })
  after(() => on[Symbol.asyncDispose]())

  const list = async (query: string): Promise<Listing> => {
    const { status, body, text } = await on.ask(`/api/exchanges${query}`)
    assert.equal(status, 200, text)
    return body as Listing
  }
  const ids = ({ exchanges }: Listing) => exchanges.map((row) => row['request_id'])

  it('is read by a thread that gives way to the loop', async () => {
    if (process.platform !== 'linux') return
    await list('')
    // proc_pid_stat(5): the nice value is field 19; behind the name in brackets the 17th.
    const nice = readdirSync('/proc/self/task').map((thread) => {
      const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
      return [thread, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]] as const
    })
    assert.ok(nice.some(([, value]) => value === '19'))
    assert.equal(nice.find(([thread]) => thread === String(process.pid))?.[1], '0')
  })

  it('is listed in pages of 50, newest first, each row once', async () => {
    const seen: unknown[] = []
    const sizes: number[] = []
    for (let query = ''; ;) {
      const page = await list(query)
      seen.push(...ids(page))
      sizes.push(page.exchanges.length)
      if (page.next === null) break
      // Rows that come meanwhile move no page.
      const record = closed({ requestId: `late-${sizes.length}`, startedAt: Date.now() })
      on.yori.appliance.audit.exchangeOpened(record)
      on.yori.appliance.audit.exchangeClosed(record)
      await on.yori.appliance.audit.flush()
      query = `?before=${page.next}`
    }
    const expected = Array.from(
      { length: 120 },
      (_, n) => `turn-${String(n).padStart(3, '0')}`,
    )
    assert.deepEqual(seen, expected.reverse())
    assert.deepEqual(sizes, [PAGE_ROWS, PAGE_ROWS, 20])
  })

  it('is filtered as `yori audit list` filters', async () => {
    const filters: [string, (n: number) => boolean][] = [
      ['model=CLAUDE', (n) => n % 4 === 0],
      ['device=192.168.1.2', (n) => n % 3 === 2],
      ['device=AA:BB:CC:00:00:01', (n) => n % 3 === 1],
      ['outcome=error', (n) => n % 20 === 19],
      ['session=session-3', (n) => n % 12 === 3],
      ['code=yori_upstream_timeout', (n) => n % 20 === 19],
      ['text=neptune', (n) => n === 7],
      ['endpoint=OpenAI', () => true],
      ['agent=odd', (n) => n % 2 === 1],
      ['agent=od', () => false],
      [`until=${new Date(NOW - 151 * MINUTE).toISOString()}`, (n) => n < 98],
      ['id=-042', (n) => n === 42],
      ['policy=none', () => false],
      [`since=${new Date(NOW - 151 * MINUTE).toISOString()}`, (n) => n >= 98],
      ['model=gpt&outcome=error&device=192.168.1.1', (n) => n % 20 === 19 && n % 3 === 1],
    ]
    for (const [query, fits] of filters) {
      const found = ids(await list(`?limit=200&${query}`)).filter(
        (id) => !String(id).startsWith('late'),
      )
      const all = Array.from({ length: 120 }, (_, n) => n).filter(fits)
      const names = all.map((n) => `turn-${String(n).padStart(3, '0')}`)
      assert.deepEqual(found, names.reverse(), query)
    }
  })

  it('refuses what is no filter, place or number', async () => {
    const wrong = [
      '?x=1',
      '?before=x',
      '?limit=0',
      '?limit=201',
      '?since=x',
      '?until=x',
      '?outcome=x',
    ]
    wrong.push(`?text=${'x'.repeat(300)}`, `?before=${'A'.repeat(200)}`)
    for (const query of wrong)
      assert.equal((await on.ask(`/api/exchanges${query}`)).status, 400, query)
  })

  it('takes no SQL', async () => {
    const words = ["'", '"; DROP TABLE exchanges; --', '%', "' OR '1'='1", '\u0000']
    for (const word of words) {
      assert.equal((await list(`?text=${encodeURIComponent(word)}`)).exchanges.length, 0)
      const { status } = await on.ask(`/api/session/${encodeURIComponent(word)}`)
      assert.equal(status, 404)
    }
  })

  it('answers 404 for what it does not hold', async () => {
    for (const path of ['exchanges/nothing', 'agent/nothing', 'session/nothing'])
      assert.equal((await on.ask(`/api/${path}`)).status, 404, path)
    // No end of an id is an id.
    assert.equal((await on.ask('/api/session/ssion-3')).status, 404)
  })

  it('tells sessions once each, newest first, page by page', async () => {
    const all: string[] = []
    for (let query = '?limit=5'; ;) {
      const { body } = await on.ask(`/api/sessions${query}`)
      const { sessions, next } = body as {
        sessions: { id: string; exchanges: number; device: string }[]
        next: string | null
      }
      all.push(...sessions.map(({ id }) => id))
      if (next === null) break
      query = `?limit=5&before=${next}`
    }
    assert.equal(new Set(all).size, 12)
    assert.equal(all[0], 'session-11')
    const { body } = await on.ask('/api/sessions?limit=1')
    const [newest] = (body as { sessions: Record<string, unknown>[] }).sessions
    assert.equal(newest?.['exchanges'], 10)
    assert.equal(newest['prompt_tokens'], 100)
    assert.equal(newest['errors'], 2)
  })

  it('tells the overview by the names of the published API', async () => {
    const { body } = await on.ask('/api/dashboard')
    const { agents, sessions_count, latest_session } = body as {
      agents: Record<string, unknown>[]
      sessions_count: number
      latest_session: { id: string }
    }
    assert.equal(sessions_count, 12)
    assert.equal(latest_session.id, 'session-11')
    const even = agents.find(({ id }) => id === 'even')
    assert.ok(even !== undefined)
    const { last_seen, last_seen_relative, ...rest } = even
    assert.match(String(last_seen), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.match(String(last_seen_relative), /^\dh ago$/)
    assert.deepEqual(rest, {
      id: 'even',
      id_short: 'even',
      total_sessions: 6,
      active_sessions: 0,
      completed_sessions: 6,
      total_messages: 60,
      total_tokens: 660,
      total_tools: 72,
      unique_tools: 2,
      total_errors: 0,
      avg_response_time_ms: 100,
      risk_status: 'ok',
      current_sessions: 6,
      min_sessions_required: 5,
    })
  })

  it('tells one agent, and one session', async () => {
    const one = (await on.ask('/api/agent/odd')).body as {
      agent: Record<string, unknown>
      analytics: { token_summary: Record<string, unknown>; models: unknown[] }
      risk_analysis: {
        status: string
        checks: { id: string; status: string; says: string; evidence: string[] }[]
      }
    }
    assert.equal(one.agent['total_errors'], 6)
    assert.deepEqual(one.agent['available_tools'], ['read', 'search', 'write'])
    assert.equal(one.agent['tools_utilization_percent'], 33.3)
    assert.equal(one.agent['avg_messages_per_session'], 10)
    const { status, checks } = one.risk_analysis
    assert.equal(status, 'ok')
    const coverage = checks.find(({ id }) => id === 'ENV_002')
    assert.equal(coverage?.status, 'warning')
    assert.equal(coverage.says, '33 % of 3 tools are used')
    assert.ok(coverage.evidence.every((id) => /^turn-\d+$/.test(id)))
    assert.deepEqual(one.analytics.token_summary, {
      total: 660,
      input: 600,
      output: 60,
      total_cost: 0.0003,
      models_used: 1,
      pricing_last_updated: null,
    })
    const { session, events, timeline } = (await on.ask('/api/session/session-7'))
      .body as {
      session: Record<string, unknown>
      events: { name: string; session_id: string }[]
      timeline: unknown[]
    }
    assert.equal(session['id'], 'session-7')
    assert.equal(session['message_count'], 10)
    assert.equal(session['total_tokens'], 110)
    assert.equal(session['is_active'], false)
    assert.equal(session['is_completed'], true)
    assert.deepEqual(session['tool_usage_details'], { read: 10 })
    assert.equal(timeline.length, 10)
    const named = new Set(events.map(({ name }) => name))
    assert.deepEqual([...named].sort(), [
      'llm.call.error',
      'llm.call.finish',
      'llm.call.start',
      'tool.execution',
    ])
    assert.ok(events.every(({ session_id: id }) => id === 'session-7'))
  })

  it('tells devices, coverage, use, people, policies and approvals', async () => {
    const { devices } = (await on.ask('/api/devices')).body as {
      devices: { id: string; calls: number; tokens: number }[]
    }
    assert.deepEqual(
      devices
        .filter(({ id }) => id.startsWith('aa:bb:cc:00:00'))
        .map(({ id, calls, tokens }) => [id, calls, tokens])
        .sort(),
      [0, 1, 2].map((n) => [`aa:bb:cc:00:00:0${n}`, 40, 440]),
    )
    for (const path of ['coverage', 'usage', 'people', 'policies', 'approvals', 'agents'])
      assert.equal((await on.ask(`/api/${path}`)).status, 200, path)
  })

  it('tells an admin who looked at whose conversations, once', async () => {
    await on.ask('/api/exchanges/turn-003')
    await on.ask('/api/exchanges/turn-003')
    await on.yori.appliance.audit.flush()
    const { body } = await on.ask('/api/access-log?limit=200')
    const { events } = body as {
      events: { kind: string; actor: string; details: Record<string, unknown> }[]
    }
    const looks = events.filter(({ details }) => details['id'] === 'turn-003')
    assert.equal(looks.length, 1)
    assert.deepEqual(looks[0]?.details, {
      what: 'exchange',
      id: 'turn-003',
      device: '192.168.1.0',
    })
    assert.equal(looks[0]?.actor, 'token')
  })
})

describe('one exchange, as the control plane tells it', () => {
  it('is its conversation, its times, its decision, and its bodies as far as kept', async () => {
    await using simulator = await Simulator.start()
    await using on = await Controlled.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      config: { audit: { bodies: 'both' } },
    })
    const sdk = openaiSdk({ dispatcher: on.yori.dispatcher() })
    const answer = await sdk.chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Name a moon.' },
        { role: 'assistant', content: 'Io.' },
        { role: 'user', content: 'Another.' },
      ],
    })
    await on.yori.closeClients()
    await on.yori.appliance.audit.flush()
    const { exchanges } = (await on.ask('/api/exchanges')).body as Listing
    assert.equal(exchanges.length, 1)
    const id = String(exchanges[0]?.['request_id'])
    assert.ok(!JSON.stringify(exchanges).includes('Be brief'), 'no body in a list')
    const told = (await on.ask(`/api/exchanges/${id}`)).body as {
      exchange: Record<string, unknown>
      messages: { role: string; text: string }[]
      timings: Record<string, number>
      decision: Record<string, unknown>
      raw: { request_body: string; response_body: string }
    }
    assert.deepEqual(
      told.messages.map(({ role, text }) => [role, text]),
      [
        ['system', 'Be brief.'],
        ['user', 'Name a moon.'],
        ['assistant', 'Io.'],
        ['user', 'Another.'],
        ['assistant', answer.choices[0]?.message.content],
      ],
    )
    assert.equal(told.exchange['model'], 'gpt-4o-mini')
    assert.equal(told.decision['action'], 'allow')
    assert.ok((told.timings['latency_ms'] ?? -1) >= 0)
    const sent = JSON.parse(told.raw.request_body) as { messages: unknown[] }
    assert.equal(sent.messages.length, 4)
  })
})
