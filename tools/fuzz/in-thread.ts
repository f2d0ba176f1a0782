/**
 * Fuzzing of texts in a thread of its own: what hangs there can still be named and ended.
 */
import { Worker } from 'node:worker_threads'
import type { FuzzMessage, FuzzOrder } from './worker.js'

/** Silence after which a text counts as a hang. */
const HANG_MS = 10_000

/** True when all went well. Prints each text that was not taken well. */
export function fuzzInThread(order: FuzzOrder): Promise<boolean> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: order,
  })
  let current = ''
  return new Promise((resolve, reject) => {
    const hung = (): void => {
      console.log(`--- no end within ${HANG_MS} ms\n${JSON.stringify(current)}`)
      void worker.terminate()
      resolve(false)
    }
    let watch = setTimeout(hung, HANG_MS)
    worker.on('message', (message: FuzzMessage) => {
      clearTimeout(watch)
      if (message.kind === 'done') {
        console.log(message.summary)
        resolve(message.failures === 0)
        return
      }
      if (message.kind === 'failed') {
        console.log(`--- ${message.wrong}\n${JSON.stringify(current)}`)
      } else {
        current = message.text
      }
      watch = setTimeout(hung, HANG_MS)
    })
    worker.on('error', reject)
  })
}
