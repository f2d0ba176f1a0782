/** The thread of `http_recorder`: frames come in, sanitised lines go into files. */
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { shippedDetector } from '../../config/read-detect.js'
import { makeFolder } from '../core/make-folder.js'
import { FrameReader } from '../replay/frames.js'
import { RecordingBuilder } from '../replay/recording-builder.js'
import { Sanitiser } from '../replay/sanitiser.js'
import { linesOf } from './http-recorder-lines.js'

export interface HttpRecorderData {
  readonly folder: string
  /** Events of one file. */
  readonly perFile: number
}

export type ToRecorder =
  { readonly kind: 'bytes'; readonly bytes: Uint8Array } | { readonly kind: 'end' }
export type FromRecorder =
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'ended' }

const { folder, perFile } = workerData as HttpRecorderData
makeFolder(folder, 0o700)
let number = lastNumber() + 1
let events = 0

const builder = new RecordingBuilder({
  sanitiser: new Sanitiser(shippedDetector(), 'credentials'),
  leftOut: () => undefined,
  recorded: (recording) => {
    const lines = linesOf(recording)
    if (events > 0 && events + lines.length > perFile) {
      number++
      events = 0
    }
    events += lines.length
    const name = `recording_${String(number).padStart(3, '0')}.jsonl`
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    try {
      appendFileSync(join(folder, name), text, { mode: 0o600 })
    } catch (cause) {
      tell({ kind: 'failed', reason: String(cause) })
    }
  },
})
const reader = new FrameReader((frame, bytes) => builder.take(frame, bytes))

parentPort?.on('message', (message: ToRecorder) => {
  if (message.kind === 'bytes') {
    reader.push(Buffer.from(message.bytes))
    tell({ kind: 'taken', bytes: message.bytes.length })
    return
  }
  void builder.settled().then(() => {
    tell({ kind: 'ended' })
    parentPort?.close()
  })
})

function tell(message: FromRecorder): void {
  parentPort?.postMessage(message)
}

/** Files of before are not written to. */
function lastNumber(): number {
  const numbers = readdirSync(folder).map((name) =>
    Number(/^recording_(\d+)\.jsonl$/.exec(name)?.[1] ?? 0),
  )
  return Math.max(0, ...numbers)
}
