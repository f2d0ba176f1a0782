import assert from 'node:assert/strict'
import {
  closed,
  connection,
  event,
  exchange,
  sqlite3,
  startStore,
  temporaryFolder,
} from './support.js'
import { needs } from '../support/needs.js'

const DAY_MS = 86_400_000

/** The judge is the `sqlite3` program, at a database that is being written. */
describe('audit database under the sqlite3 program', () => {
  before(function () {
    needs(this, 'sqlite3')
  })

  it('answers what was blocked, for whom, by which policy and why', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    store.exchangeClosed(closed())
    store.exchangeClosed(
      closed({
        device: { ip: '192.168.1.40' },
        outcome: 'block',
        policyName: 'bedtime',
        policyDecision: 'deny',
        reason: 'no homework help after 21:00',
      }),
    )
    await store.flush()
    assert.deepEqual(
      sqlite3(
        folder.database,
        "SELECT event_type, client_ip, policy_name, reason FROM audit_events WHERE event_type='block';",
      ),
      [['block', '192.168.1.40', 'bedtime', 'no homework help after 21:00']],
    )
  })

  it('shows the last five events whole', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    for (let i = 0; i < 7; i++) store.exchangeClosed(closed({ requestId: `r${i}` }))
    await store.flush()
    const rows = sqlite3(
      folder.database,
      'SELECT * FROM audit_events ORDER BY timestamp DESC LIMIT 5;',
    )
    assert.deepEqual(
      rows.map((row) => row[3]),
      ['r6', 'r5', 'r4', 'r3', 'r2'],
    )
  })

  it('has every column that its documents name', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const record = closed({
      requestId: 'all',
      startedAt: Date.UTC(2026, 10, 20, 9, 8, 7, 65),
      requestBody: '{"model":"gpt-4o"}',
      responseBody: '{"id":"1"}',
      policyDecision: 'alert',
      policyMessage: 'long prompt',
    })
    store.exchangeClosed(record)
    await store.flush()
    const names =
      'timestamp, request_id, device_ip, device_mac, device_hostname, user_agent, ' +
      'endpoint_domain, http_method, http_path, model, request_body, response_body, ' +
      'policy_decision, policy_message, latency_ms'
    assert.deepEqual(
      sqlite3(folder.database, `SELECT ${names} FROM audit_events WHERE id = 1;`),
      [
        [
          '2026-11-20 09:08:07.065',
          'all',
          '192.168.1.23',
          'aa:bb:cc:00:11:22',
          'desk',
          'curl/8.5.0',
          'api.openai.com',
          'POST',
          '/v1/chat/completions',
          'gpt-4o-mini',
          '{"model":"gpt-4o"}',
          '{"id":"1"}',
          'alert',
          'long prompt',
          '812',
        ],
      ],
    )
  })

  it('cleans up by the documented statement while rows are written, and only what is old', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const now = Date.now()
    store.exchangeClosed(closed({ requestId: 'old', startedAt: now - 366 * DAY_MS }))
    store.exchangeClosed(closed({ requestId: 'kept', startedAt: now - 364 * DAY_MS }))
    await store.flush()
    for (let i = 0; i < 500; i++) store.exchangeClosed(closed({ startedAt: now }))
    sqlite3(
      folder.database,
      "PRAGMA busy_timeout=5000; DELETE FROM audit_events WHERE timestamp < datetime('now', '-365 days');",
    )
    await store.flush()
    assert.deepEqual(
      sqlite3(
        folder.database,
        "SELECT request_id FROM audit_events WHERE request_id IN ('old', 'kept')",
      ),
      [['kept']],
    )
    assert.deepEqual(sqlite3(folder.database, 'SELECT count(*) FROM audit_events'), [
      ['501'],
    ])
    assert.deepEqual(sqlite3(folder.database, 'PRAGMA integrity_check'), [['ok']])
  })

  it('shows an open exchange as a request, and events in the audit log', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    store.exchangeOpened(exchange({ requestId: 'open' }))
    store.event(
      event({ kind: 'override.failed', fromIp: '192.168.1.9', details: { tries: 2 } }),
    )
    await store.flush()
    assert.deepEqual(
      sqlite3(folder.database, 'SELECT request_id, event_type FROM audit_events'),
      [['open', 'request']],
    )
    assert.deepEqual(
      sqlite3(
        folder.database,
        'SELECT timestamp, event_type, client_ip, details FROM audit_log',
      ),
      [['2026-01-02 03:04:05.006', 'override.failed', '192.168.1.9', '{"tries":2}']],
    )
  })

  it('says what enforcement did', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const { device } = closed()
    store.exchangeClosed(closed({ device, outcome: 'block' }))
    store.exchangeClosed(closed({ bypass: 'allowlist' }))
    store.exchangeClosed(closed({ bypass: 'emergency' }))
    store.exchangeClosed(closed({ policyDecision: 'alert' }))
    store.exchangeClosed(closed())
    await store.flush()
    assert.deepEqual(
      sqlite3(
        folder.database,
        'SELECT enforcement_action FROM audit_events ORDER BY id',
      ).flat(),
      ['block', 'allowlist_bypass', 'override', 'alert', 'allow'],
    )
  })

  it('keeps standing reports: by day, the last blocks, the policies that block most', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const startedAt = Date.now() - 1000
    const blocked = { outcome: 'block', startedAt } as const
    store.exchangeClosed(
      closed({ startedAt, inputTokens: 10, outputTokens: 5, latencyMs: 100 }),
    )
    store.exchangeClosed(closed({ startedAt, outcome: 'error', latencyMs: 300 }))
    store.exchangeClosed(closed({ ...blocked, policyName: 'a', latencyMs: 200 }))
    store.exchangeClosed(closed({ ...blocked, policyName: 'b', latencyMs: 200 }))
    store.exchangeClosed(closed({ ...blocked, policyName: 'b', latencyMs: 200 }))
    store.exchangeClosed(
      closed({ ...blocked, startedAt: startedAt - 8 * DAY_MS, policyName: 'long ago' }),
    )
    await store.flush()
    const today = new Date(startedAt).toISOString().slice(0, 10)
    assert.deepEqual(
      sqlite3(
        folder.database,
        'SELECT date, total, responses, blocks, errors, devices, prompt_tokens, average_latency_ms FROM daily_stats LIMIT 1',
      ),
      [[today, '5', '1', '3', '1', '1', '10', '200.0']],
    )
    assert.deepEqual(
      sqlite3(folder.database, 'SELECT policy_name, blocks FROM top_blocking_policies'),
      [
        ['b', '2'],
        ['a', '1'],
      ],
    )
    assert.deepEqual(
      sqlite3(
        folder.database,
        'SELECT count(*), max(timestamp) > min(timestamp) FROM recent_blocks',
      ),
      [['4', '1']],
    )
  })

  it('keeps standing reports: what was done in 30 days, and overrides by day', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const startedAt = Date.now() - 1000
    const other = { ip: '192.168.1.99' }
    store.exchangeClosed(closed({ startedAt, outcome: 'block', policyName: 'a' }))
    store.exchangeClosed(
      closed({ startedAt, outcome: 'block', policyName: 'b', device: other }),
    )
    store.exchangeClosed(closed({ startedAt, bypass: 'emergency' }))
    store.exchangeClosed(closed({ startedAt: startedAt - 31 * DAY_MS }))
    const at = Date.UTC(2026, 3, 5, 12)
    for (const kind of [
      'override_failed',
      'override_failed',
      'override_success',
    ] as const)
      store.event(event({ at, kind, fromIp: '192.168.1.23' }))
    store.event(event({ at: at - DAY_MS, kind: 'override_limited', fromIp: other.ip }))
    await store.flush()
    assert.deepEqual(
      sqlite3(
        folder.database,
        'SELECT enforcement_action, exchanges, devices, policies FROM enforcement_stats',
      ),
      [
        ['block', '2', '2', '2'],
        ['override', '1', '1', '0'],
      ],
    )
    assert.deepEqual(
      sqlite3(
        folder.database,
        'SELECT date, succeeded, failed, limited, devices FROM override_stats',
      ),
      [
        ['2026-04-05', '1', '2', '0', '1'],
        ['2026-04-04', '0', '0', '1', '1'],
      ],
    )
  })

  it('finds its rows by index: time, device, endpoint, model and blocks', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    store.connection(connection())
    await store.flush()
    const plan = (where: string): string =>
      sqlite3(
        folder.database,
        `EXPLAIN QUERY PLAN SELECT * FROM audit_events WHERE ${where}`,
      )
        .flat()
        .join()
    assert.match(plan("timestamp >= '2026'"), /exchanges_timestamp/)
    assert.match(plan("device_ip = '192.168.1.23'"), /exchanges_device_ip/)
    assert.match(plan("endpoint_domain = 'api.openai.com'"), /exchanges_endpoint/)
    assert.match(plan("model = 'gpt-4o'"), /exchanges_model/)
    assert.match(plan("event_type = 'block'"), /exchanges_blocked/)
    assert.match(plan("request_id = 'x'"), /autoindex/)
  })
})
