/** `event_recorder`: the events of calls, tools and sessions, a file a session. */
import { join } from 'node:path'
import type { CallEvent } from '../core/call-event.js'
import { LinesFile } from './lines-file.js'

/** Sessions whose files are held ready; the oldest is let go. */
const MOST_FILES = 256

export class EventRecorder {
  readonly #folder: string
  readonly #failed: (cause: unknown) => void
  readonly #files = new Map<string, LinesFile>()

  constructor(folder: string, failed: (cause: unknown) => void) {
    this.#folder = folder
    this.#failed = failed
  }

  event(event: CallEvent): void {
    const name = `${event.session_id.replace(/[^\w-]/g, '_').slice(0, 64)}.jsonl`
    const file =
      this.#files.get(name) ?? new LinesFile(join(this.#folder, name), this.#failed)
    this.#files.delete(name)
    this.#files.set(name, file)
    const [oldest] = this.#files.keys()
    if (this.#files.size > MOST_FILES && oldest !== undefined) this.#files.delete(oldest)
    file.add(event)
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.settled()))
  }
}
