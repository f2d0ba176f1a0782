/** Rules that pf takes, and that would still not be right for steering. Pure. */
import type { PfRule } from './check-rules.js'

/** What pf takes, and what would still not be right for steering. */
export function adviceFor({
  action,
  interfaces: on,
  passes,
  target,
  from,
  to,
  tagged,
}: PfRule): string[] {
  const advice: string[] = []
  if (action === 'rdr') {
    const leads = (target ?? []).length > 0
    if (passes === true)
      advice.push(
        'rdr pass skips every filter rule: devices that are blocked get through',
      )
    if (leads && on.length === 0)
      advice.push('rdr without on takes packets of every interface, the outer one too')
    if ((target ?? []).some(({ text }) => text === '::1'))
      advice.push('::1 is never reached from another interface: use an address on lo0')
  }
  const anybody = from.every(({ kind, not }) => kind === 'any' && !not)
  if (action === 'pass' && tagged === 'YORI' && anybody)
    advice.push(
      'lets in whoever was led here, also those that a default deny keeps out: say from (IFACE:network)',
    )
  for (const { bits, text, kind } of [...from, ...to])
    if (bits === 0 && kind === 'address')
      advice.push(`${text}/0 is every address there is: say any, or a table`)
  return advice
}
