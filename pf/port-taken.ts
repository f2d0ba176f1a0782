/**
 * Does another program of this machine listen at a port? For `access.trust_page_port`, which would
 * hide it from the steered networks. Linux alone; elsewhere nothing is said.
 */
import { readOptional } from './apply.js'

/** `TCP_LISTEN` in `/proc/net/tcp` (proc_net_tcp.rst). */
const LISTENS = '0A'

/** Addresses as the kernel writes them, each once; empty: nobody does, or it cannot be seen. */
export function listenersAt(port: number): string[] {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map(
    (file) => readOptional(file) ?? '',
  )
  return [...new Set(tables.flatMap((table) => listening(table, port)))]
}

/** The local addresses of a table's lines that listen at that port; loopback's own are none. */
export function listening(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/)
    const [address = '', at] = local.split(':')
    const isLoopback = /^[0-9A-F]{6}7F$/.test(address) || /^0{24}01000000$/.test(address)
    return at === wanted && state === LISTENS && !isLoopback ? [address] : []
  })
}
