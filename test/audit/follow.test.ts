/** Who follows the record sees each exchange once, when it has ended; live rows are the record's. */
import assert from 'node:assert/strict'
import { Follower } from '../../src/audit/follow.js'
import { openReader } from '../../src/audit/queries.js'
import { seenRow } from '../../src/audit/seen-row.js'
import type { ExchangeRecord } from '../../src/core/record.js'
import { until } from '../support/proxied.js'
import { closed, startStore, temporaryFolder } from './support.js'

const COLUMNS = ['request_id', 'event_type']

async function seenBy(follower: Follower, count: number): Promise<string[]> {
  const ids: string[] = []
  await until(() => {
    ids.push(...follower.look().ended.map((row) => String(row['request_id'])))
    return ids.length >= count
  })
  return ids
}

describe('a follower of the record', () => {
  it('is told of each exchange once, when it has ended, and of nothing from before', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    store.exchangeClosed(closed({ requestId: 'before' }))
    const open = closed({ requestId: 'open' })
    delete open.outcome
    store.exchangeOpened(open)
    await store.flush()
    using follower = new Follower(folder.database, {}, COLUMNS)
    assert.deepEqual(follower.look().ended, [])
    store.exchangeClosed(closed({ requestId: 'first' }))
    assert.deepEqual(await seenBy(follower, 1), ['first'])
    open.outcome = 'error'
    store.exchangeClosed(open)
    store.exchangeClosed(closed({ requestId: 'second' }))
    assert.deepEqual((await seenBy(follower, 2)).toSorted(), ['open', 'second'])
    assert.deepEqual(follower.look(), { ended: [], more: false, lost: 0 })
  })

  it('is told of what fits alone, however much there is', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    await store.flush()
    using follower = new Follower(folder.database, { model: 'WANTED' }, COLUMNS)
    for (let i = 0; i < 1_200; i++)
      store.exchangeClosed(
        closed({ requestId: `r${i}`, model: i % 100 === 0 ? 'one-wanted-8b' : 'other' }),
      )
    const ids = await seenBy(follower, 12)
    assert.deepEqual(
      ids,
      Array.from({ length: 12 }, (_, i) => `r${i * 100}`),
    )
  })
})

describe('an exchange that is seen live', () => {
  it('is the row that the record will show', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const records: readonly Partial<ExchangeRecord>[] = [
      { outcome: 'block', policyName: 'bedtime', reason: 'late', status: 403 },
      { outcome: 'response', redacted: 2, model: 'm', inputTokens: 3, outputTokens: 4 },
      { outcome: 'response', bypass: 'allowlist:phone', call: true },
      { outcome: 'response', bypass: 'grant' },
      { outcome: 'response', policyDecision: 'alert', promptPreview: 'words' },
      { outcome: 'error', code: 'YORI_UPSTREAM_UNREACHABLE', latencyMs: 12.6 },
      { outcome: 'response', tags: { a: 'b' }, toolCalls: ['x'], costMicroUsd: 0.4 },
    ]
    const all = records.map((fields, i) => closed({ requestId: `r${i}`, ...fields }))
    for (const record of all) store.exchangeClosed(record)
    await store.flush()
    using reader = openReader(folder.database)
    const rows = [...reader.each({}, reader.columns)]
    assert.equal(rows.length, all.length)
    for (const [i, row] of rows.entries()) {
      const live = seenRow(all[i] as ExchangeRecord)
      for (const [name, value] of Object.entries(row))
        if (!['id', 'request_body', 'response_body'].includes(name))
          assert.equal(live[name], value, `${name} of row ${i}`)
    }
  })
})
