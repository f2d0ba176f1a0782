// Usage: npm run fuzz -- KIND [--minutes N] [--seed N]
// Tries changed texts until the time is over. Prints each text that was not taken well, and
// last how many were tried. Recorded cases are seeds too when YORI_CASES names their folder.
// Exit code 0 when all went well, 1 when something did not, 2 when the command cannot run.
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { kinds } from './kinds.js'
import type { FuzzMessage, FuzzOrder } from './worker.js'

/** Silence after which a text counts as a hang: the trying runs in a thread of its own. */
const HANG_MS = 10_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
  },
})
const [name] = positionals
const minutes = Number(values.minutes)
if (
  name === undefined ||
  !kinds.some((kind) => kind.name === name) ||
  Number.isNaN(minutes)
) {
  const known = kinds.map((kind) => `  ${kind.name.padEnd(8)}${kind.about}`).join('\n')
  process.stderr.write(`usage: npm run fuzz -- KIND [--minutes N] [--seed N]\n${known}\n`)
  process.exitCode = 2
} else {
  const order = { name, durationMs: minutes * 60_000, seed: Number(values.seed) }
  process.exitCode = (await fuzz(order)) ? 0 : 1
}

function fuzz(order: FuzzOrder): Promise<boolean> {
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
