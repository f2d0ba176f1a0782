/** Reads lease files as they lie on Linux, OpenWrt, FreeBSD and OPNsense. */
import { open, stat } from 'node:fs/promises'
import { leaseParser, type Lease, type LeaseFormat } from './leases.js'

/** A file, and who writes it. */
export interface LeaseFile {
  readonly format: LeaseFormat
  readonly path: string
}

/** Where the servers keep their leases when nobody says otherwise. */
export const usualLeaseFiles: readonly LeaseFile[] = [
  { format: 'dnsmasq', path: '/var/lib/misc/dnsmasq.leases' },
  { format: 'dnsmasq', path: '/var/db/dnsmasq.leases' },
  { format: 'dnsmasq', path: '/tmp/dhcp.leases' },
  // Kea cleans its journal up by writing `.2` and starting anew.
  { format: 'kea', path: '/var/lib/kea/kea-leases4.csv.2' },
  { format: 'kea', path: '/var/lib/kea/kea-leases4.csv' },
  { format: 'kea', path: '/var/lib/kea/kea-leases6.csv.2' },
  { format: 'kea', path: '/var/lib/kea/kea-leases6.csv' },
  { format: 'kea', path: '/var/db/kea/kea-leases4.csv.2' },
  { format: 'kea', path: '/var/db/kea/kea-leases4.csv' },
  { format: 'kea', path: '/var/db/kea/kea-leases6.csv.2' },
  { format: 'kea', path: '/var/db/kea/kea-leases6.csv' },
  { format: 'isc', path: '/var/lib/dhcp/dhcpd.leases' },
  { format: 'isc', path: '/var/dhcpd/var/db/dhcpd.leases' },
]

/** Journals grow: of a longer file its heading and its end are read. */
const MAX_FILE_BYTES = 4 * 1024 * 1024
const HEADING_BYTES = 4_096
/** Parsed between two turns of the event loop: well under a millisecond. */
const CHUNK_BYTES = 32 * 1024

/**
 * Keeps what it read until a file changes. Of a file over 4 MiB (`MAX_FILE_BYTES`) its
 * heading and its end are read.
 */
export class LeaseFiles {
  readonly #files: readonly LeaseFile[]
  readonly #read = new Map<string, { stamp: string; leases: readonly Lease[] }>()

  constructor(files: readonly LeaseFile[] = usualLeaseFiles) {
    this.#files = files
  }

  /** Files that are not there, or cannot be read, count as empty. Never rejects. */
  async leases(): Promise<readonly Lease[]> {
    const all: Lease[] = []
    for (const file of this.#files) all.push(...(await this.#leasesOf(file)))
    return all
  }

  async #leasesOf(file: LeaseFile): Promise<readonly Lease[]> {
    try {
      const { mtimeMs, size, ino } = await stat(file.path)
      const stamp = `${mtimeMs} ${size} ${ino}`
      const known = this.#read.get(file.path)
      if (known?.stamp === stamp) return known.leases
      const leases = await readLeases(file, size)
      this.#read.set(file.path, { stamp, leases })
      return leases
    } catch {
      this.#read.delete(file.path)
      return []
    }
  }
}

async function readLeases(file: LeaseFile, size: number): Promise<readonly Lease[]> {
  const parser = leaseParser(file.format)
  const skip = Math.max(0, size - MAX_FILE_BYTES)
  await using handle = await open(file.path, 'r')
  if (skip > 0) {
    const heading = Buffer.alloc(HEADING_BYTES)
    const { bytesRead } = await handle.read(heading, 0, HEADING_BYTES, 0)
    const [first = ''] = heading.toString('utf8', 0, bytesRead).split('\n', 1)
    parser.push(first)
  }
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let rest = ''
  let at = skip
  for (const end = skip + MAX_FILE_BYTES; at < end;) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, at)
    if (bytesRead === 0) break
    // Names are ASCII or fail to match; a character cut by a chunk's edge cannot matter.
    const lines = (rest + chunk.toString('latin1', 0, bytesRead)).split('\n')
    rest = (lines.pop() ?? '').slice(0, CHUNK_BYTES)
    // Where the start was skipped, the first line is a piece of one.
    if (at === skip && skip > 0) lines.shift()
    for (const line of lines) parser.push(line.endsWith('\r') ? line.slice(0, -1) : line)
    at += bytesRead
  }
  parser.push(rest)
  return [...parser.leases.values()]
}
