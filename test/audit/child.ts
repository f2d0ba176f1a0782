/**
 * A process of its own that writes rows without end, for tests that kill it or take its disk
 * away. Arguments: the database, how many rows to wait for between two steps,
 * how many rows are held at most, and the id of an exchange that stays open. Reports to
 * its parent; `finish` makes it stop in order.
 */
import { openAuditStore } from '../../src/audit/store.js'
import { systemClock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import { closed, exchange } from './support.js'

const [, , database = '', rows = '50', limit = '1000', open = 'never closed'] =
  process.argv
const store = openAuditStore({
  database,
  log: {
    ...silentLog,
    warn: (fields) => tell('trouble', fields),
    info: () => tell('recovered'),
  },
  clock: systemClock,
  queueRows: Number(limit),
})

const tell = (kind: string, fields: object = {}): void => {
  process.send?.({ kind, ...fields, counts: store.counts })
}

let finishing = false
process.on('message', () => {
  finishing = true
})

await store.start()
store.exchangeOpened(exchange({ requestId: open }))
await store.flush()
const body = 'b'.repeat(1000)
while (!finishing) {
  for (let i = 0; i < Number(rows); i++)
    store.exchangeClosed(
      closed({ requestId: `child-${process.pid}-${count()}`, requestBody: body }),
    )
  await Promise.race([store.flush(), new Promise((resolve) => setTimeout(resolve, 50))])
  tell('wrote')
}
await store.stop()
tell('stopped')
process.disconnect()

function count(): number {
  return store.counts.offered.exchanges
}
