/** The thread that keeps inbox and outbox, and sends. It has no time of its own but of sending. */
import { parentPort, workerData } from 'node:worker_threads'
import { unreachable } from '../core/unreachable.js'
import { AnswerTokens } from './answer-tokens.js'
import { historyIn } from './history.js'
import { PostOffice } from './post-office.js'
import { send } from './sinks/send.js'
import type { FromWorker, ToWorker } from './words.js'

export interface AlertWorkerData {
  readonly file: string
  readonly database: string
}

const port = parentPort
if (port === null) throw new Error('alerts/worker runs as a worker thread')
const { file, database } = workerData as AlertWorkerData
const tell = (message: FromWorker): void => port.postMessage(message)
/** Shorter than the other side waits for the end. */
const SETTLE_MS = 1_500
let heard = 0

const office = new PostOffice({
  file,
  tokens: AnswerTokens.in(file.replace(/\.db$/, '.key')),
  history: historyIn(database),
  send,
  note: (sink, reason) => tell({ kind: 'note', sink, reason }),
  changed: () => tellState(),
})

function tellState(): void {
  const { waiting, nextDue, isBusy, counts } = office
  tell({ kind: 'state', waiting, nextDue, isBusy, counts, heard })
}

port.on('message', (message: ToWorker) => {
  heard++
  switch (message.kind) {
    case 'settings':
      office.use(message.settings, message.nowMs)
      return tellState()
    case 'take':
      office.take(message.told, message.nowMs)
      return tellState()
    case 'tick':
      office.tick(message.nowMs)
      return tellState()
    case 'ask':
      return answer(message)
    case 'stop':
      return void stop()
    default:
      return unreachable(message)
  }
})

/** What is under way may end, so that it is not sent twice. */
async function stop(): Promise<void> {
  port?.close()
  const late = new Promise<void>((resolve) => setTimeout(resolve, SETTLE_MS))
  await Promise.race([office.settled(), late])
  office[Symbol.dispose]()
  // Ends this thread alone, whatever sockets are still open.
  process.exit()
}

function answer({ id, name, asked, nowMs }: ToWorker & { kind: 'ask' }): void {
  office.ask(name, asked as never, nowMs).then(
    (found) => {
      tell({ kind: 'answer', id, found })
      tellState()
    },
    (cause: unknown) => {
      const failed = cause instanceof Error ? cause.message : String(cause)
      tell({ kind: 'answer', id, failed })
    },
  )
}
