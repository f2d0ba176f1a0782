/**
 * A worker that dies between writing its batches and answering for them, as often as the
 * environment says; then it is the real one. Counts its lives in a file.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { Keeper } from '../../src/audit/batch-keeper.js'
import type { ToWorker, WorkerData } from '../../src/audit/messages.js'

const data = workerData as WorkerData
const lives = `${data.database}.lives`
const life = existsSync(lives) ? Number(readFileSync(lives, 'utf8')) + 1 : 1
const deaths = Number(process.env['DYING_WORKER_DEATHS'])

if (life > deaths) {
  await import('../../src/audit/worker.js')
} else {
  const keeper = new Keeper(data, (message) => {
    if (message.kind === 'opened') writeFileSync(lives, String(life))
    if (message.kind === 'written') process.exit(1)
    parentPort?.postMessage(message)
  })
  parentPort?.on('message', (message: ToWorker) => {
    if (message.kind === 'batch') keeper.take(message.batch)
  })
  keeper.attempt()
}
