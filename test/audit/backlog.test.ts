import assert from 'node:assert/strict'
import { Backlog } from '../../src/audit/backlog.js'
import { auditLimits } from '../../src/audit/store-options.js'
import { closed, connection, event, exchange } from './support.js'
import { exchangeColumns } from '../../src/audit/tables.js'

const backlogOf = (limits: Partial<typeof auditLimits> = {}): Backlog =>
  new Backlog({ ...auditLimits, ...limits })

const NOW = 1000
const AT_ONCE = Number.POSITIVE_INFINITY

describe('audit backlog', () => {
  it('merges an exchange that opened and closed in between into one row', () => {
    const backlog = backlogOf()
    const record = exchange({ requestId: 'quick' })
    backlog.exchangeOpened(record, NOW)
    record.outcome = 'response'
    backlog.exchangeClosed(record)
    const batch = backlog.take(1, AT_ONCE)
    assert.equal(batch?.exchanges.length, 1)
    assert.equal(batch.open.length, 0)
    backlog.settled()
    assert.equal(backlog.take(2, AT_ONCE), undefined)
    assert.equal(backlog.held, 0)
  })

  it('writes an open exchange only when it has been open long enough, and then once', () => {
    const backlog = backlogOf()
    backlog.exchangeOpened(exchange({ requestId: 'old' }), NOW)
    backlog.exchangeOpened(exchange({ requestId: 'young' }), NOW + 50)
    const batch = backlog.take(1, NOW + 10)
    assert.deepEqual(
      batch?.open.map((row) => row[1]),
      ['old'],
    )
    backlog.settled()
    assert.equal(backlog.take(2, NOW + 10), undefined)
    assert.equal(backlog.held, 2)
  })

  it('refuses rows at its limit and counts them by kind', () => {
    const backlog = backlogOf({ queueRows: 3 })
    for (let i = 0; i < 5; i++) backlog.connection(connection())
    for (let i = 0; i < 4; i++) backlog.exchangeClosed(closed())
    assert.deepEqual(backlog.dropped, { connections: 2, exchanges: 4, events: 0 })
    assert.equal(backlog.held, 3)
  })

  it('keeps a reserve for events, and bounds that too', () => {
    const backlog = backlogOf({ queueRows: 1 })
    backlog.connection(connection())
    for (let i = 0; i < 300; i++) backlog.event(event())
    assert.deepEqual(backlog.dropped, { connections: 0, exchanges: 0, events: 44 })
  })

  it('never drops the end of an exchange that it admitted', () => {
    const backlog = backlogOf({ queueRows: 2 })
    const admitted = [exchange(), exchange()]
    const refused = exchange()
    for (const record of [...admitted, refused]) backlog.exchangeOpened(record, NOW)
    backlog.connection(connection())
    for (const record of [...admitted, refused]) backlog.exchangeClosed(record)
    assert.deepEqual(backlog.dropped, { connections: 1, exchanges: 1, events: 0 })
    const batch = backlog.take(1, AT_ONCE)
    assert.deepEqual(
      batch?.exchanges.map((row) => row[1]),
      admitted.map(({ requestId }) => requestId),
    )
  })

  it('changes a row in no batch before the one that carries it', () => {
    const backlog = backlogOf({ batchMaxRows: 2 })
    const records = [1, 2, 3].map((n) => closed({ requestId: `r-${n}` }))
    for (const record of records) backlog.exchangeClosed(record)
    const device = { ip: '10.0.0.1' }
    for (const requestId of ['r-3', 'gone'])
      backlog.exchangeChanged({
        kind: 'answered',
        row: {
          requestId,
          device,
          told: { inputTokens: 7 },
          more: { tokens: 7, microUsd: 0, atMostMicroUsd: 0 },
        },
      })
    const changes = [1, 2].map((sequence) => {
      const batch = backlog.take(sequence, AT_ONCE)
      backlog.settled()
      return batch?.changes.map(({ requestId }) => requestId)
    })
    assert.deepEqual(changes, [[], ['r-3', 'gone']])
    assert.equal(backlog.held, 0)
  })

  it('admits at the end an exchange for which there was no place at its start', () => {
    const backlog = backlogOf({ queueRows: 1 })
    backlog.connection(connection())
    const record = exchange()
    backlog.exchangeOpened(record, NOW)
    backlog.take(1, AT_ONCE)
    backlog.settled()
    backlog.exchangeClosed(record)
    assert.equal(backlog.dropped.exchanges, 0)
    assert.equal(backlog.take(2, AT_ONCE)?.exchanges.length, 1)
  })

  it('lets bodies go before rows when their bytes are too many', () => {
    const backlog = backlogOf({ queueBytes: 20_000 })
    const requestBody = 'x'.repeat(6000)
    backlog.exchangeClosed(closed({ requestBody }))
    backlog.exchangeClosed(closed({ requestBody }))
    const batch = backlog.take(1, AT_ONCE)
    const bodies = batch?.exchanges.map((row) => valueOf(row, 'request_body'))
    assert.deepEqual(bodies, [requestBody, null])
    assert.equal(backlog.bodiesDropped, 1)
    assert.equal(backlog.dropped.exchanges, 0)
  })

  it('bounds the bytes that wait, and frees them when the batch is settled', () => {
    const backlog = backlogOf({ queueBytes: 1000 })
    const big = () => connection({ serverName: 'n'.repeat(500) })
    backlog.connection(big())
    backlog.connection(big())
    assert.equal(backlog.dropped.connections, 1)
    backlog.take(1, AT_ONCE)
    backlog.connection(big())
    assert.equal(backlog.dropped.connections, 2)
    backlog.settled()
    backlog.connection(big())
    assert.equal(backlog.dropped.connections, 2)
  })

  it('hands over no more rows and bytes than a batch may have, but always one', () => {
    const backlog = backlogOf({ batchMaxRows: 4, batchMaxBytes: 5000 })
    for (let i = 0; i < 6; i++) backlog.connection(connection())
    backlog.exchangeClosed(closed({ requestBody: 'y'.repeat(8000) }))
    backlog.exchangeClosed(closed({ requestBody: 'y'.repeat(8000) }))
    const sizes: number[][] = []
    for (let sequence = 1; ; sequence++) {
      const batch = backlog.take(sequence, AT_ONCE)
      if (batch === undefined) break
      sizes.push([batch.connections.length, batch.exchanges.length])
      backlog.settled()
    }
    assert.deepEqual(sizes, [
      [4, 0],
      [2, 0],
      [0, 1],
      [0, 1],
    ])
  })

  it('cuts over-long texts of the client', () => {
    const backlog = backlogOf({ textLength: 10 })
    backlog.exchangeClosed(closed({ path: '/'.repeat(99), requestBody: 'b'.repeat(99) }))
    const row = backlog.take(1, AT_ONCE)?.exchanges[0]
    assert.deepEqual(
      [valueOf(row, 'http_path'), valueOf(row, 'request_body')],
      ['/'.repeat(10), 'b'.repeat(99)],
    )
  })
})

/** The value of a column of `exchanges`, wherever it stands. */
function valueOf(row: readonly unknown[] | undefined, name: string): unknown {
  return row?.[exchangeColumns.findIndex((column) => column.name === name)]
}
