/**
 * Where the control plane is to be had: a Unix socket in the state folder (0600) and an address
 * of TCP. What cannot be had is told, and is no reason not to serve.
 */
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { chmod, unlink } from 'node:fs/promises'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { join } from 'node:path'

/** Longer paths are cut by the system without a word (`sun_path`: 104 bytes on the BSDs). */
const MOST_PATH_BYTES = 103
const SOCKET_MASK = 0o177
const SOCKET_MODE = 0o600
/** Beyond it connections wait for nothing: they are closed. */
export const MOST_CONNECTIONS = 128

export function socketPath(stateDir: string): string {
  return join(stateDir, 'control.sock')
}

export const HTTP_OPTIONS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
} as const

/** One server; requests to it are `listener`'s. */
function newServer(listener: RequestListener): Server {
  const server = createServer(HTTP_OPTIONS, listener)
  server.maxConnections = MOST_CONNECTIONS
  return server
}

/**
 * On the path; whatever lies there is taken away, since one YORI alone has a state folder.
 * @throws what the system says, or that the path is too long
 */
export async function listenOnSocket(
  path: string,
  listener: RequestListener,
): Promise<Server> {
  if (Buffer.byteLength(path) > MOST_PATH_BYTES)
    throw new Error(`${path} is too long for a socket: ${MOST_PATH_BYTES} bytes at most`)
  await unlink(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause
  })
  const server = newServer(listener)
  // It is bound within this call, so that it never is open to others.
  const before = process.umask(SOCKET_MASK)
  try {
    const bound = listening(server)
    server.listen(path)
    process.umask(before)
    await bound
  } finally {
    process.umask(before)
  }
  await chmod(path, SOCKET_MODE)
  return server
}

/** @throws what the system says */
export async function listenOnPort(
  { host, port }: { readonly host: string; readonly port: number },
  listener: RequestListener,
): Promise<Server> {
  const server = newServer(listener)
  const bound = listening(server)
  server.listen({ host, port, ...(host.includes(':') ? { ipv6Only: true } : {}) })
  await bound
  return server
}

/** What is asked of one, whatever it listens by. */
export type Listening = Pick<Server, 'address' | 'close' | 'closeAllConnections'>

export function addressOf(server: Listening): AddressInfo {
  return server.address() as AddressInfo
}

/** Ends it with all its connections. */
export async function close(server: Listening | undefined): Promise<void> {
  if (server === undefined) return
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}

export function listening(server: NetServer): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      // No descriptors left: that one connection is lost.
      server.on('error', () => undefined)
      resolve()
    })
  })
}
