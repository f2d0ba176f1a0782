/** The worker thread: one database, one keeper, messages in and out. */
import { parentPort, workerData } from 'node:worker_threads'
import { unreachable } from '../core/unreachable.js'
import { Keeper } from './batch-keeper.js'
import type { FromWorker, ToWorker, WorkerData } from './messages.js'

const port = parentPort
if (port === null) throw new Error('audit/worker runs as a worker thread')

const say = (message: FromWorker): void => port.postMessage(message)
const keeper = new Keeper(workerData as WorkerData, say)

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'batch':
      return keeper.take(message.batch)
    case 'prune':
      return keeper.prune(message)
    case 'stop':
      keeper.stop()
      return port.close()
    default:
      return unreachable(message)
  }
})
keeper.attempt()
