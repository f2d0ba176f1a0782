/** Keeps the lessons in their file, and takes what a command has changed there. */
import type { Log } from '../core/log.js'
import type { Service } from '../core/service.js'
import type { Watched } from '../core/watched.js'
import type { Deadlines } from '../net/deadlines.js'
import { lessonsVersion, readLessons, writeLessons } from '../net/lessons-file.js'
import type { LearnedNames } from './learned.js'

export interface LessonsKeeperOptions {
  readonly path: string
  readonly memory: LearnedNames
  readonly deadlines: Deadlines
  readonly log: Log
}

export class LessonsKeeper implements Service, Watched {
  readonly name = 'lessons'
  readonly #options: LessonsKeeperOptions
  #version = ''
  #written = 0
  #busy: Promise<void> | undefined

  constructor(options: LessonsKeeperOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#written = this.#options.memory.revision
    await this.#sync()
    this.#options.deadlines.watch(this)
  }

  async stop(): Promise<void> {
    this.#options.deadlines.unwatch(this)
    await this.#busy
    await this.#sync()
  }

  tick(): void {
    this.#busy ??= this.#sync().finally(() => {
      this.#busy = undefined
    })
  }

  /** What others wrote counts before what we would write. A disk that fails costs no traffic. */
  async #sync(): Promise<void> {
    const { path, memory, log } = this.#options
    try {
      const version = await lessonsVersion(path)
      if (version !== this.#version) {
        this.#version = version
        memory.import(await readLessons(path))
        this.#written = memory.revision
      } else if (memory.revision !== this.#written) {
        this.#written = memory.revision
        await writeLessons(path, memory.export())
        this.#version = await lessonsVersion(path)
      }
    } catch (cause) {
      log.warn(
        { path, reason: cause instanceof Error ? cause.message : String(cause) },
        'what was learned of clients could not be kept',
      )
    }
  }
}
