/** A network of its own in which every provider's name leads to one address. */
import { spawnSync } from 'node:child_process'
import type { Agent } from './programs.js'

/** Where every provider's name leads; routed to loopback, and redirected from there. */
export const FAR = '198.51.100.7'

/** For `sh -c`: `$0` is the hosts file, the rest what is run. */
export const PREPARE = [
  'mount --bind "$0" /etc/hosts',
  'ip link set lo up',
  `ip route add local 198.51.100.0/24 dev lo src 127.0.0.1`,
  'exec "$@"',
].join(' && ')

export function hostsFile(agents: readonly Agent[]): string {
  const hosts = new Set(agents.flatMap(({ hosts: all }) => all))
  return ['127.0.0.1 localhost', ...[...hosts].map((host) => `${FAR} ${host}`), ''].join(
    '\n',
  )
}

/** Undefined: programs can be run here. */
export function whyNoPlace(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root'
  for (const words of [
    ['nft', '-v'],
    ['setpriv', '--version'],
    ['ip', '-V'],
  ])
    if (spawnSync(words[0] ?? '', words.slice(1)).status !== 0)
      return `${words[0] ?? ''} is not installed`
  const made = spawnSync('unshare', ['--net', '--mount', 'true'])
  return made.status === 0 ? undefined : 'no namespaces'
}
