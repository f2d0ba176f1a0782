/** What is known of one TCP connection from a client, kept from accept to its record. */
import type { Socket } from 'node:net'
import { canonicalAddress } from '../../core/address.js'
import type { SocketAddress } from '../../core/address.js'
import type { Clock } from '../../core/clock.js'
import type { ErrorCode } from '../../core/errors.js'
import { isProbe } from '../../core/own-probe.js'
import type { ConnectionRecord, Program } from '../../core/record.js'
import type { Target } from '../../net/dial.js'
import type { Endpoint } from '../../policy/endpoints.js'
import type { Caller } from '../../policy/access.js'
import type { Party } from '../../learned/memory.js'
import type { ClientHello } from '../../tls/client-hello.js'
import type { RequestHead } from '../../http/head.js'
import { ConnectionLog } from './connection-log.js'

export interface ConnectionState {
  /** The TCP socket, below any TLS. */
  readonly raw: Socket
  /** Its row, which `log` writes. */
  readonly record: Readonly<ConnectionRecord>
  readonly log: ConnectionLog
  readonly caller: Caller
  /** The supervisor asks as clients do: opened whatever was learned, and no device. */
  readonly probe: boolean
  readonly localPort: number
  /** A redirected client's original destination. */
  known: SocketAddress | undefined
  /** Set once TLS is ended here for a provider: the one name of this connection. */
  intercepted: Intercepted | undefined
  /** The target of a CONNECT whose tunnel this is. */
  connectTarget: Target | undefined
  /** Of a client on this machine: who it is, once that is known. Never rejects. */
  program: Promise<Program | undefined> | undefined
  /** Fields of ours of that CONNECT: they count for each request in its tunnel. */
  tunnelOwn: RequestHead['own']
  /** The addresses that were found fit for a CONNECT: these are dialled, no others. */
  admitted: readonly SocketAddress[] | undefined
  /** By which it was routed, and is again after a reload. */
  hello: ClientHello | undefined
  /** Of its ClientHello; empty before that was read. */
  fingerprint: string
  /** Its client offers HTTP/2 and no HTTP/1.x: it goes up as HTTP/2 where that is spoken. */
  onlyH2: boolean
  /** Requests that are under way. */
  active: number
  /** Ends when the tunnel of a CONNECT does, which is a little after its socket. */
  nested: Promise<void> | undefined
}

export interface Intercepted {
  /** As the configuration has it now. */
  endpoint: Endpoint
  readonly party: Party
  /** A reload refuses what was intercepted before: every request is answered so. */
  noLonger: ErrorCode | undefined
  /** SHA-256 of the root that the client was shown a chain to. */
  readonly root: string
  /** Under a self-test of the staged root: what comes of it teaches nothing else. */
  readonly onTrial: boolean
  /** A request has come under it. */
  heard: boolean
  /** `host` is the SNI. */
  readonly target: Target
  /** The address that the client itself had dialled, by a firewall or a CONNECT to it. */
  readonly known?: SocketAddress
  /** A CONNECT named another host: every request is answered 421. */
  readonly misdirected: boolean
  /** Over `limits.connections_per_endpoint`: every request is answered 503. */
  readonly isOneTooMany: boolean
}

export function openConnection(client: Socket, clock: Clock): ConnectionState {
  const address = canonicalAddress(client.remoteAddress ?? '') ?? 'unknown'
  const local = canonicalAddress(client.localAddress ?? '')
  const log = new ConnectionLog({
    ip: address,
    clientPort: client.remotePort ?? 0,
    at: clock.now(),
  })
  return {
    raw: client,
    record: log.record,
    log,
    // From an address to itself: this machine, too, and nobody else could be.
    caller: { address, loopback: isLoopback(address) || address === local },
    probe: isProbe(address),
    localPort: client.localPort ?? 0,
    known: undefined,
    tunnelOwn: undefined,
    program: undefined,
    intercepted: undefined,
    connectTarget: undefined,
    admitted: undefined,
    hello: undefined,
    fingerprint: '',
    onlyH2: false,
    active: 0,
    nested: undefined,
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
