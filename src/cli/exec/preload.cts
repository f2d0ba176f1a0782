/**
 * Runs first in every Node process of `yori exec`. `fetch`, the SDKs, HTTP/2 and WebSocket
 * clients of Node 20 know nothing of proxy variables; all of them end in `tls.connect`, and
 * there they are led to the relay that waits for them. A program that takes its way by a proxy
 * itself brings a socket, and is left alone. Nothing else is changed.
 *
 * CommonJS, by NODE_OPTIONS=--require: what is given by --import does not run in workers whose
 * program is a text (`eval: true`).
 */
const { syncBuiltinESMExports } = require('node:module') as typeof import('node:module')
const net = require('node:net') as typeof import('node:net')
const tls = require('node:tls') as typeof import('node:tls')

type ConnectionOptions = import('node:tls').ConnectionOptions
type TLSSocket = import('node:tls').TLSSocket

const HTTPS = 443

interface Relay {
  readonly host: string
  readonly port: number
}

function lead({ host, port }: Relay, noProxy: string): void {
  const direct = tls.connect.bind(tls) as (...args: unknown[]) => TLSSocket
  const isDirect = exceptions(noProxy)
  const led = (...args: unknown[]): TLSSocket => {
    const asked = read(args)
    if (asked === undefined || isDirect(asked.host)) return direct(...args)
    const socket = net.connect({ host, port })
    // The relay answers nothing to this: what comes back is TLS from its first byte on.
    const target = net.isIPv6(asked.host) ? `[${asked.host}]` : asked.host
    const to = `${target}:${HTTPS}`
    socket.write(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\nX-Yori-Exec: quiet\r\n\r\n`)
    const servername =
      asked.options.servername ?? (net.isIP(asked.host) === 0 ? asked.host : '')
    const secured = direct({ ...asked.options, socket, servername }, asked.ready)
    // As a socket that it dialled itself would: who ends the one ends the other.
    secured.once('close', () => socket.destroy())
    return secured
  }
  Object.assign(tls, { connect: led })
  syncBuiltinESMExports()
}

interface Asked {
  readonly host: string
  readonly options: ConnectionOptions
  readonly ready: (() => void) | undefined
}

/** Of `connect(options)` and `connect(port, host, options)`; undefined: it is not for us. */
function read(args: readonly unknown[]): Asked | undefined {
  const last = args.at(-1)
  const ready = typeof last === 'function' ? (last as () => void) : undefined
  const given = args.find((arg) => typeof arg === 'object' && arg !== null) ?? {}
  const [first, second] = args
  const options: ConnectionOptions = {
    ...(typeof first === 'number' || typeof first === 'string'
      ? { port: Number(first) }
      : {}),
    ...(typeof second === 'string' ? { host: second } : {}),
    ...given,
  }
  const { host, port, path, socket } = options
  if (host === undefined || Number(port) !== HTTPS) return undefined
  if (path !== undefined && path !== null && !('pathname' in options) && first === path)
    return undefined
  return socket === undefined || socket === null ? { host, options, ready } : undefined
}

/** NO_PROXY as curl has it: names and their ends, addresses, `*`. */
function exceptions(text: string): (host: string) => boolean {
  const names = text
    .split(/[\s,]+/)
    .map((name) =>
      name
        .toLowerCase()
        .replace(/^\*?\./, '')
        .replace(/^\[|\]$/g, ''),
    )
    .filter((name) => name !== '')
  return (host) => {
    const plain = host.toLowerCase()
    return names.some(
      (name) => name === '*' || plain === name || plain.endsWith(`.${name}`),
    )
  }
}

const { YORI_EXEC_RELAY: relay, NO_PROXY: noProxy, no_proxy: lower } = process.env
const place = relay === undefined ? null : /^(.+):(\d+)$/.exec(relay)
if (place !== null)
  lead({ host: String(place[1]), port: Number(place[2]) }, noProxy ?? lower ?? '')
