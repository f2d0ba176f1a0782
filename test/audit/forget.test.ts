import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { ChainWriter } from '../../src/audit/evidence/chain-writer.js'
import { forget } from '../../src/audit/forget.js'
import { openDatabase } from '../../src/audit/queries.js'
import type { TemporaryFolder } from './support.js'
import {
  closed,
  connection,
  event,
  exchange,
  query,
  single,
  startStore,
  temporaryFolder,
  verdictOf,
} from './support.js'

const ADA = { ip: '192.168.1.23', mac: 'aa:bb:cc:00:11:22', hostname: 'adas-phone' }
const BEN = { ip: '192.168.1.24', mac: 'aa:bb:cc:00:11:33' }
/** Shows no MAC. */
const TV = { ip: '192.168.1.50' }

async function recorded(): Promise<TemporaryFolder> {
  const folder = temporaryFolder()
  const store = await startStore(folder.database)
  for (let i = 0; i < 450; i++) {
    const said = { promptPreview: `adas-secret-${i}`, requestBody: `{"adas-body": ${i}}` }
    store.exchangeClosed(closed({ device: ADA, ...said }))
  }
  store.exchangeClosed(closed({ device: BEN, promptPreview: 'bens-secret' }))
  store.exchangeClosed(closed({ device: TV, promptPreview: 'tvs-secret' }))
  store.exchangeOpened(
    exchange({ device: ADA, requestId: 'open', promptPreview: 'adas-open' }),
  )
  store.connection(connection({ device: ADA, serverName: 'adas-name.test' }))
  store.connection(connection({ device: BEN }))
  store.event(event({ kind: 'login', fromIp: ADA.ip, details: { who: 'adas-login' } }))
  store.event(event({ kind: 'start' }))
  await store.stop()
  return folder
}

function forgotten(folder: TemporaryFolder, devices: string[], contentOnly = false) {
  const db = openDatabase(folder.database, false)
  try {
    const steps = forget(
      db,
      { devices, contentOnly },
      new ChainWriter(db, folder.database),
    )
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
    }
  } finally {
    db.close()
  }
}

/** Every byte of the record: the file, and its log. */
const bytesOf = ({ database }: TemporaryFolder): string =>
  ['', '-wal', '-shm']
    .filter((end) => existsSync(database + end))
    .map((end) => readFileSync(database + end, 'latin1'))
    .join('')

describe('forgetting somebody', () => {
  it('takes out every row of their devices, to the last byte, and the chain holds', async () => {
    using folder = await recorded()
    assert.match(bytesOf(folder), /adas-secret-7/)
    assert.deepEqual(forgotten(folder, [ADA.mac]), {
      ...{ exchanges: 451, connections: 1, events: 1 },
    })
    assert.doesNotMatch(bytesOf(folder), /adas-|192\.168\.1\.23|aa:bb:cc:00:11:22/)
    assert.deepEqual(
      query(folder.database, 'SELECT device_ip FROM exchanges ORDER BY 1'),
      [{ device_ip: BEN.ip }, { device_ip: TV.ip }],
    )
    const { findings, rows } = verdictOf(folder.database)
    assert.deepEqual(findings, [])
    assert.ok(rows >= 4)
  })

  it('takes out only what was said, and leaves when, whom and how much', async () => {
    using folder = await recorded()
    assert.equal(forgotten(folder, [ADA.mac], true).exchanges, 451)
    assert.doesNotMatch(bytesOf(folder), /adas-(secret|body|open)/)
    assert.equal(
      single(
        folder.database,
        `SELECT count(*) FROM exchanges WHERE device_ip = '${ADA.ip}'`,
      ),
      451,
    )
    assert.equal(
      single(
        folder.database,
        `SELECT count(*) FROM exchanges WHERE prompt_preview LIKE '%s-secret'`,
      ),
      2,
    )
    assert.deepEqual(verdictOf(folder.database).findings, [])
  })

  it('knows a device without a MAC by its address, and leaves what is of nobody asked for', async () => {
    using folder = await recorded()
    assert.deepEqual(forgotten(folder, [TV.ip]), {
      ...{ exchanges: 1, connections: 0, events: 0 },
    })
    // That address belongs to a device that shows a MAC: its rows are another's.
    assert.equal(forgotten(folder, [BEN.ip]).exchanges, 0)
    assert.equal(forgotten(folder, []).exchanges, 0)
    assert.deepEqual(verdictOf(folder.database).findings, [])
  })
})
