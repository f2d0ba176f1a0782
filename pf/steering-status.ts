/** What the supervisor writes of itself, as `key=value` lines. Pure. */
import type { Family } from './rules.js'

/** The supervisor's own words: what it was told, what it holds, and why. */
export interface SteeringStatus {
  readonly wish: string
  /** `off`, `closed`, `both`, `inet`, `inet6`, or `stale` until it could be loaded. */
  readonly holds: string
  /** Seconds since 1970. */
  readonly since: number
  readonly backend: string
  readonly why: string
  /** What the probe of each family met last; empty: it is not asked. */
  readonly probes: Readonly<Record<Family, string>>
  /** What the probe met where devices get the certificate; empty: it was not asked. */
  readonly page: string
  /** `renamed` or `enslaved`: an interface by which its network does not come any more. */
  readonly link: string
}

/** A key that is not there is empty. */
export function parseStatus(text: string): SteeringStatus {
  const values = new Map(
    text.split('\n').map((line) => {
      const at = line.indexOf('=')
      return [line.slice(0, at), line.slice(at + 1)]
    }),
  )
  return {
    wish: values.get('wish') ?? '',
    holds: values.get('holds') ?? '',
    since: Number(values.get('since') ?? 0),
    backend: values.get('backend') ?? '',
    why: values.get('why') ?? '',
    probes: {
      inet: values.get('probe_inet') ?? '',
      inet6: values.get('probe_inet6') ?? '',
    },
    page: values.get('page') ?? '',
    link: values.get('link') ?? '',
  }
}
