/** The worker thread that reads the record: one connection, which cannot write. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Database } from 'better-sqlite3'
import { openDatabase } from '../audit/queries.js'
import { yieldThread } from '../core/yielding-thread.js'
import { READS } from './reads.js'
import type { FromReader, ToReader } from './reads.js'

const port = parentPort
if (port === null) throw new Error('control/reader-worker runs as a worker thread')
const { database } = workerData as { database: string }
let db: Database | undefined
// Where cores are few, a search would take turns of the loop.
yieldThread()

port.on('message', ({ id, name, asked }: ToReader) => {
  if (name === 'stop') {
    db?.close()
    return port.close()
  }
  try {
    db ??= openDatabase(database, true)
    const found: unknown = READS[name](db, asked as never)
    port.postMessage({ id, found } satisfies FromReader)
  } catch (cause) {
    const failed = cause instanceof Error ? cause.message : String(cause)
    // The file may have been moved aside: it is opened anew by the next question.
    db?.close()
    db = undefined
    port.postMessage({ id, failed } satisfies FromReader)
  }
})
