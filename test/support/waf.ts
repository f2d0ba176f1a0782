/** The firewall beside a YORI of a test: its process, and what became of it. */
import { systemClock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import { WafKeeper } from '../../src/waf/keeper.js'
import { wafSettingsOf } from '../../src/waf/settings-of.js'
import type { Yori } from './yori.js'

export interface Firewall extends AsyncDisposable {
  readonly keeper: WafKeeper
  /** Events of it that were to be recorded. */
  readonly events: { readonly kind: string; readonly details: Record<string, unknown> }[]
  /** Of its process; it has one. */
  readonly pid: number
}

/** As the configuration of that YORI has it; resolves once it serves. */
export async function firewallOf(yori: Yori): Promise<Firewall> {
  const events: { kind: string; details: Record<string, unknown> }[] = []
  const keeper = new WafKeeper({
    ...{ stateDir: yori.folder.file('state'), clock: systemClock, log: silentLog },
    event: (kind, details) => void events.push({ kind, details }),
  })
  await keeper.use(wafSettingsOf(yori.appliance.current.config))
  return {
    ...{ keeper, events },
    get pid() {
      const { pid } = keeper.state
      if (pid === undefined) throw new Error('the firewall does not run')
      return pid
    },
    [Symbol.asyncDispose]: () => keeper.stop(),
  }
}
