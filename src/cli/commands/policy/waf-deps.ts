/** What `yori waf` is given. */
import type { Config } from '../../../../config/schema.js'
import type { Clock } from '../../../core/clock.js'

export interface WafCommandDeps {
  readonly config: (path?: string) => Config
  readonly clock: Clock
  readonly print: (text: string) => void
  readonly note: (text: string) => void
  readonly exit: (code: number) => void
}
