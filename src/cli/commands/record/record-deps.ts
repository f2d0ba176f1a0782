/** What the commands on the record are given, and the flags that all of them have. */
import type { Writable } from 'node:stream'
import type { AuditOptions } from '../../../audit/store-options.js'
import type { Asked, Question } from '../../../control/ask.js'
import type { Clock } from '../../../core/clock.js'

export interface AuditCommandDeps {
  /** The audit part of the configuration at this path, or of the one found without a path. */
  readonly auditOptions: (
    configPath: string | undefined,
  ) => AuditOptions | Promise<AuditOptions>
  /** In which people read times; the system's when left out. */
  readonly zone?: (configPath: string | undefined) => string | undefined
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly clock: Clock
  /** Asks the YORI that runs on that configuration's state; absent: only files are read. */
  readonly ask?: (configPath: string | undefined, question: Question) => Promise<Asked>
  /** For people; absent: nobody is told. */
  note?(text: string): void
  /** How far long work is, for somebody who watches; absent: nobody does. */
  progress?(done: number, total: number): void
  exit?(code: number): void
}

export interface CommonFlags {
  readonly config?: string
  readonly json?: boolean
}

/** Of commands that change the file itself. */
export interface AuditFileDeps extends AuditCommandDeps {
  /** Where the state and the CA are, of the same configuration. */
  readonly places: (configPath: string | undefined) => {
    readonly stateDir: string
    readonly caDirectory: string
  }
}
