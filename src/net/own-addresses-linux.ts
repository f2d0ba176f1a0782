/**
 * What Linux itself takes for local addresses: `/proc/net/fib_trie` (IPv4) and
 * `/proc/net/if_inet6`. Elsewhere the lists are empty. The parsers are pure.
 */
import { closeSync, openSync, readSync } from 'node:fs'

/** Of either file: a thousand routes. Reading stays well under a millisecond. */
const MAX_FILE_BYTES = 256 * 1024

/**
 * Of both families, as the kernel writes them (IPv6 in full). Of each file the first 256
 * KiB are read, synchronously; one that cannot be read is empty. Never throws.
 */
export function readKernelAddresses(): string[] {
  if (process.platform !== 'linux') return []
  return [
    ...localIpv4(readStart('/proc/net/fib_trie')),
    ...localIpv6(readStart('/proc/net/if_inet6')),
  ]
}

/**
 * A leaf `|-- 192.0.2.1` and below it `/32 host LOCAL`. Only the tables Main and Local say what
 * is ours: further ones (`Id 100:`) lead foreign addresses here on purpose.
 */
export function localIpv4(trie: string): string[] {
  const found: string[] = []
  let leaf = ''
  let ours = false
  for (const line of trie.split('\n')) {
    const text = line.trim()
    if (text.endsWith(':')) ours = text === 'Main:' || text === 'Local:'
    else if (text.startsWith('|-- ')) leaf = text.slice(4)
    else if (ours && text === '/32 host LOCAL') found.push(leaf)
  }
  return [...new Set(found)]
}

/** `/proc/net/if_inet6`: 32 hexadecimal digits, then numbers and the interface's name. */
export function localIpv6(table: string): string[] {
  return table
    .split('\n')
    .filter((line) => /^[0-9a-f]{32} /.test(line))
    .map((line) => (line.slice(0, 32).match(/.{4}/g) ?? []).join(':'))
}

function readStart(path: string): string {
  try {
    const file = openSync(path, 'r')
    try {
      const bytes = Buffer.alloc(MAX_FILE_BYTES)
      let length = 0
      // The kernel hands out such files a page at a time.
      for (let read = 1; read > 0 && length < bytes.length; length += read)
        read = readSync(file, bytes, length, bytes.length - length, null)
      return bytes.toString('latin1', 0, length)
    } finally {
      closeSync(file)
    }
  } catch {
    // No such file: a kernel without IPv6, or a sandbox. Node's list stands alone.
    return ''
  }
}
