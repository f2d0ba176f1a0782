/**
 * Names of interfaces and tables, as every packet filter takes them: no character and no word
 * that means something else in the texts that are written. Pure.
 */

/** `IFNAMSIZ` and `PF_TABLE_NAME_SIZE` of the kernels, each without its closing zero. */
const LONGEST = { interface: 15, table: 31 } as const

/** Words of pf's and nft's own languages: as a name they would be read as something else. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'all allow-opts altq anchor antispoof any bandwidth binat binat-anchor bitmask block ' +
    'block-policy bridge-to buckets cbq code codelq const counters crop debug divert-reply ' +
    'divert-to dnpipe dnqueue drop drop-ovl dup-to ether fail-policy fairq fastroute file fingerprints flags floating flush for ' +
    'fragment from global group hfsc hogs hostid icmp-type icmp6-type if-bound in include ' +
    'inet inet6 interval keep keepcounters l3 label limit linkshare load log loginterface ' +
    'map-e-portset match ' +
    'max max-mss max-src-conn max-src-conn-rate max-src-nodes max-src-states min-ttl modulate ' +
    'nat nat-anchor no no-df no-route no-sync on optimization os out overload pass pflow port ' +
    'prio priority priq probability proto qlimit queue quick random random-id rdr rdr-anchor ' +
    'realtime reassemble reply-to require-order return return-icmp return-icmp6 return-rst ridentifier ' +
    'round-robin route route-to rtable rule ruleset-optimization scrub self set set-prio ' +
    'set-tos skip sloppy source-hash source-track state state-defaults state-policy ' +
    'static-port sticky-address syncookies synproxy table tag tagged target tbrsize timeout ' +
    'to tos ttl upperlimit urpf-failed user'
  ).split(' '),
)

/** What is wrong with a name; undefined when it can stand in a rule. */
export function nameProblem(
  kind: 'interface' | 'table',
  name: string,
): string | undefined {
  const longest = LONGEST[kind]
  const shown = JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}...` : name)
  if (name === '')
    return `an empty name of ${kind === 'table' ? 'a table' : 'an interface'}`
  if (!/^[\w.-]+$/.test(name) || (kind === 'table' && /[.-]/.test(name)))
    return `${shown} holds characters that no ${kind} name has`
  if (!/^[A-Za-z_]/.test(name)) return `${shown} does not start with a letter`
  if (name.length > longest)
    return `${shown} is ${name.length} characters long, and ${kind} names at most ${longest}`
  if (RESERVED.has(name)) return `${shown} is a word of the packet filter's own language`
  return undefined
}

export function isReservedWord(word: string): boolean {
  return RESERVED.has(word)
}
