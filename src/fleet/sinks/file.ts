/**
 * Lines at the end of a file, on the disk before they count as taken. The file is opened anew for
 * each batch, so that whoever rotates it just renames it; a line that a crash cut is taken off.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import type { Carrier, Document } from './words.js'

const TAIL_BYTES = 64 * 1024
const LINE_FEED = 0x0a

export class FileCarrier implements Carrier {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  open(): Promise<void> {
    return Promise.resolve()
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a failure is a rejection
  async send(documents: readonly Document[]): Promise<number> {
    const bytes = Buffer.from(documents.map(({ text }) => `${text}\n`).join(''))
    const descriptor = openSync(this.#path, 'a+', 0o600)
    try {
      mend(descriptor)
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    return 0
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** Nobody but this process writes there: what has no end is a line that it did not finish. */
function mend(descriptor: number): void {
  const { size } = fstatSync(descriptor)
  const chunk = Buffer.alloc(TAIL_BYTES)
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - TAIL_BYTES)
    const length = readSync(descriptor, chunk, 0, end - start, start)
    const last = chunk.subarray(0, length).lastIndexOf(LINE_FEED)
    if (last >= 0) {
      if (start + last + 1 < size) ftruncateSync(descriptor, start + last + 1)
      return
    }
    end = start
  }
  if (size > 0) ftruncateSync(descriptor, 0)
}
