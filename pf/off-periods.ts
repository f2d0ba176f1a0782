/**
 * The periods in which steering was wished for and could not be: lines that the supervisor
 * writes, `NUMBER FROM TO CAUSE STATE`, seconds since 1970, TO `-` while it lasts. Pure.
 */

export interface OffPeriod {
  /** Grows; the end of a period is a line of its own. */
  readonly number: number
  readonly fromMs: number
  /** Undefined: it had not ended when this was written. */
  readonly toMs: number | undefined
  /** One of `OFF_CAUSES`, or a word of a later supervisor. */
  readonly cause: string
  /** Meanwhile LLM traffic went direct, was refused, or had no answer. */
  readonly state: 'open' | 'closed_llm' | 'lost'
}

export const MEANWHILE: Readonly<Record<OffPeriod['state'], string>> = {
  open: 'LLM traffic went direct',
  closed_llm: 'LLM traffic was refused',
  lost: 'LLM traffic had no answer',
}

/** What each cause means, and what keeps it from coming again. */
export const OFF_CAUSES: Readonly<
  Record<string, { readonly what: string; readonly mend?: string }>
> = {
  ended: { what: 'YORI ended' },
  'no-answer': { what: 'YORI did not answer' },
  'no-handshake': { what: 'YORI answered no TLS handshake' },
  starting: { what: 'YORI had just started' },
  stopped: { what: 'the supervisor was stopped' },
  'not-loaded': { what: 'the packet filter refused the rules', mend: 'yori pf apply' },
  flushed: {
    what: 'another program emptied the packet filter, such as a reload of nftables',
    mend:
      'in /etc/nftables.conf, in place of `flush ruleset`: ' +
      '`table inet filter; delete table inet filter` for each table of yours',
  },
  changed: {
    what: 'another program changed the table `inet yori`',
    mend: 'change the configuration, then yori pf apply',
  },
  bridged: {
    what: "br_netfilter, which Docker loads, shows a bridge's packets to the rules: TPROXY loses them",
    mend:
      'sysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0, ' +
      'or yori pf apply --backend nft-redirect',
  },
  asking: { what: "clients' way had not been asked yet" },
  'not-let-in': {
    what: 'this machine drops what is led to YORI: an input or output rule, or a check of sources',
    mend: 'yori pf check prints the rule and the line that lets it in',
  },
  'not-ours': {
    what: 'another program answers where YORI should: a redirection that comes first',
    mend: 'nft list ruleset: a dnat, redirect or tproxy of port 443 before ours',
  },
  'table-full': {
    what: 'the table of connections was full',
    mend: 'sysctl -w net.netfilter.nf_conntrack_max=1048576, also in /etc/sysctl.d',
  },
  renamed: {
    what: 'a steered interface has another name now',
    mend: 'steer.interfaces: its name, then yori pf apply',
  },
  enslaved: {
    what: 'a steered interface is a port of a bridge or bond that is not steered',
    mend: 'steer.interfaces: the bridge or bond, then yori pf apply',
  },
  'no-route': {
    what: 'another program removed the rule of routing for led packets',
    mend:
      'in networkd.conf: ManageForeignRoutingPolicyRules=no and ManageForeignRoutes=no; ' +
      'a script of a VPN must delete its own rules alone',
  },
}

/** What keeps those from coming again, each once. */
export function remediesFor(periods: readonly OffPeriod[]): string[] {
  const known = periods.flatMap(({ cause }) => OFF_CAUSES[cause]?.mend ?? [])
  return [...new Set(known)]
}

const LINE =
  /^(\d{1,15}) (\d{1,12}) (-|\d{1,12}) ([a-z][a-z-]{0,31}) (open|closed_llm|lost)$/

/** Lines of another form are left out. */
export function parseOffPeriods(text: string): OffPeriod[] {
  return text.split('\n').flatMap((line) => {
    const [, number, from, to, cause, state] = LINE.exec(line) ?? []
    if (number === undefined || cause === undefined) return []
    return [
      {
        number: Number(number),
        fromMs: Number(from) * 1000,
        toMs: to === '-' ? undefined : Number(to) * 1000,
        cause,
        state: state === 'closed_llm' || state === 'lost' ? state : 'open',
      },
    ]
  })
}

/** Those that were not recorded yet; all of them when the count began anew. */
export function unseenOffPeriods(
  periods: readonly OffPeriod[],
  seen: number,
): OffPeriod[] {
  const last = periods.at(-1)?.number ?? 0
  return periods.filter(({ number }) => last < seen || number > seen)
}

/** Each period once, without those that had ended before; the last may still go on. */
export function offPeriodsSince(
  periods: readonly OffPeriod[],
  sinceMs: number,
): OffPeriod[] {
  const ended = new Set(
    periods.flatMap(({ fromMs, toMs }) => (toMs === undefined ? [] : [fromMs])),
  )
  return periods.filter(({ fromMs, toMs }) =>
    toMs === undefined ? !ended.has(fromMs) : toMs >= sinceMs,
  )
}

/** Milliseconds of the span in which nothing was steered. */
export function offMs(
  periods: readonly OffPeriod[],
  { sinceMs, nowMs }: { readonly sinceMs: number; readonly nowMs: number },
): number {
  return offPeriodsSince(periods, sinceMs).reduce((sum, { fromMs, toMs }) => {
    const from = Math.max(fromMs, sinceMs)
    return sum + Math.max(0, Math.min(toMs ?? nowMs, nowMs) - from)
  }, 0)
}
