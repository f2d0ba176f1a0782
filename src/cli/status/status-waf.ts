/** The firewall: does it look, by which rules, and what came of it. */
import { printable } from '../../audit/printable.js'
import { readState } from '../../waf/state-file.js'
import type { Finding, StatusSection } from './status-section.js'

export const wafSection: StatusSection = {
  name: 'firewall',
  read({ config }): Finding {
    if (!config.waf.enabled)
      return { level: 'good', facts: { state: 'off' }, lines: ['off: waf.enabled'] }
    const stood = readState(config.state_dir)
    if (stood === undefined) {
      const lines = ['no YORI runs it here']
      return { level: 'notice', facts: { state: 'unknown' }, lines }
    }
    const { state, version, rules, why, fallback, restarts, counts } = stood
    const looks = state === 'running'
    return {
      level: looks && fallback === undefined ? 'good' : 'notice',
      facts: stood,
      lines: [
        looks
          ? `looks, by ${rules} rules of CRS ${printable(version ?? '')}`
          : `${state}: ${printable(why ?? 'it is being started')}`,
        ...(fallback === undefined
          ? []
          : [`rules of before, since: ${printable(fallback)}`]),
        ...(restarts === 0 ? [] : [`started again ${restarts} times`]),
        `${counts?.judged ?? 0} requests judged, ${counts?.objected ?? 0} objected to`,
      ],
    }
  },
}
