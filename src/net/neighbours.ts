/**
 * The neighbour table: which MAC answers for which address on the links of this machine. Reads
 * what the system's own tools print; a client behind another router is not in it. The parsers
 * are pure and take any text.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { canonicalAddress } from '../core/address.js'

/** Canonical address to MAC, `aa:bb:cc:dd:ee:ff`. */
export type Neighbours = ReadonlyMap<string, string>

/** Entries that are kept; a flat network of a household or an office is far below. */
const MAX_NEIGHBOURS = 4_096
/** Incomplete entries are lines too. */
const MAX_LINES = 16_384
const SLICE_LINES = 256
const MAX_TOOL_BYTES = 2 * 1024 * 1024
const TOOL_TIMEOUT_MS = 2_000

/** Lower case with two digits each. Undefined for anything but a unicast hardware address. */
export function canonicalMac(text: string): string | undefined {
  const parts = text.toLowerCase().split(/[:-]/)
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-f]{1,2}$/.test(part)))
    return undefined
  const mac = parts.map((part) => part.padStart(2, '0')).join(':')
  // The lowest bit of the first octet means a group; all zeroes, nobody.
  const multicast = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1
  return multicast || mac === '00:00:00:00:00:00' ? undefined : mac
}

/** Chosen by software (private Wi-Fi addresses, virtual machines), not by a vendor. */
export function isLocallyAdministered(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 2) !== 0
}

/**
 * `/proc/net/arp`: address, type, flags (2: complete), MAC, mask, device. As the others
 * here it gives what `Neighbours` is, the first 4,096 (`MAX_NEIGHBOURS`), and passes over
 * other lines.
 */
export function parseLinuxArp(text: string): Map<string, string> {
  return collect(text, (words) => {
    const [address, , flags, mac] = words
    return (Number(flags) & 2) === 0 ? undefined : [address, mac]
  })
}

/** `ip neigh show`: `ADDRESS dev NAME lladdr MAC [router] STATE`; FAILED has no lladdr. */
export function parseIpNeigh(text: string): Map<string, string> {
  return collect(text, (words) => {
    const at = words.indexOf('lladdr')
    return at < 0 ? undefined : [words[0], words[at + 1]]
  })
}

/** FreeBSD `arp -an`: `? (ADDRESS) at MAC on NAME ...`. */
export function parseArpAn(text: string): Map<string, string> {
  return collect(text, (words) => {
    const [, address, at, mac] = words
    return at === 'at' ? [address?.replace(/^\(|\)$/g, ''), mac] : undefined
  })
}

/** FreeBSD `ndp -an`: a heading, then `ADDRESS MAC NETIF EXPIRE STATE`. */
export function parseNdpAn(text: string): Map<string, string> {
  return collect(text, ([address, mac]) => [address, mac])
}

type Entry = readonly [address: string | undefined, mac: string | undefined]

function collect(
  text: string,
  read: (words: readonly string[]) => Entry | undefined,
): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of text.split('\n')) {
    if (found.size >= MAX_NEIGHBOURS) break
    const [address, mac] = read(line.trim().split(/\s+/, 12)) ?? []
    const canonical = address === undefined ? undefined : canonicalAddress(address)
    const hardware = mac === undefined ? undefined : canonicalMac(mac)
    if (canonical !== undefined && hardware !== undefined) found.set(canonical, hardware)
  }
  return found
}

/**
 * Both families of this machine, or what of it can be read; empty but on Linux and
 * FreeBSD. A tool has two seconds and 2 MiB. Never rejects.
 */
export async function readNeighbours(platform = process.platform): Promise<Neighbours> {
  const tables = await Promise.all(tablesOf(platform))
  return new Map(tables.flatMap((table) => [...table]))
}

function tablesOf(platform: NodeJS.Platform): Promise<Neighbours>[] {
  const none = (): Neighbours => new Map()
  switch (platform) {
    case 'linux':
      return [
        parsed(readFile('/proc/net/arp', 'latin1'), parseLinuxArp).catch(none),
        parsed(run('ip', ['-6', 'neigh', 'show']), parseIpNeigh).catch(none),
      ]
    case 'freebsd':
      return [
        parsed(run('/usr/sbin/arp', ['-an']), parseArpAn).catch(none),
        parsed(run('/usr/sbin/ndp', ['-an']), parseNdpAn).catch(none),
      ]
    default:
      return []
  }
}

/** In slices, with the event loop in between: a full table costs 20 ms. */
async function parsed(
  printing: Promise<string>,
  parse: (text: string) => Map<string, string>,
): Promise<Neighbours> {
  const lines = (await printing).split('\n', MAX_LINES)
  const found = new Map<string, string>()
  for (let at = 0; at < lines.length && found.size < MAX_NEIGHBOURS; at += SLICE_LINES) {
    if (at > 0) await nextTurn()
    const slice = lines.slice(at, at + SLICE_LINES).join('\n')
    for (const [address, mac] of parse(slice)) found.set(address, mac)
  }
  return found
}

function run(command: string, args: readonly string[]): Promise<string> {
  const options = { timeout: TOOL_TIMEOUT_MS, maxBuffer: MAX_TOOL_BYTES }
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout) =>
      error === null ? resolve(stdout) : reject(new Error(`${command} failed`)),
    )
  })
}
