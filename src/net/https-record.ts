/**
 * Asks a DNS server for the HTTPS record of a name (type 65, RFC 9460) and says what it offers
 * to clients: ECH (RFC 9849) and HTTP/3. One UDP datagram each way; Node's resolver has no word
 * for the type. For looking only: no address is taken from the answer.
 */
import { createSocket } from 'node:dgram'
import { randomInt } from 'node:crypto'
import { isIPv6 } from 'node:net'

/** What clients are offered: Encrypted Client Hello, HTTP/3. */
export interface HttpsRecord {
  readonly ech: boolean
  readonly h3: boolean
}

const TYPE_HTTPS = 65
const CLASS_IN = 1
const KEY_ALPN = 1
const KEY_ECH = 5
const NO_SUCH_NAME = 3
const HEADER_BYTES = 12
/** Records that are looked at; a name has one or two. */
const MOST_RECORDS = 32

/**
 * `server` is `address` or `address:port`, IPv6 with a port in brackets; `name` is in
 * ASCII; `waitMs`: for the answer. Undefined without an answer, also where the server
 * cannot be reached at all. Never rejects.
 */
export function askHttpsRecord(
  server: string,
  name: string,
  waitMs: number,
): Promise<HttpsRecord | undefined> {
  const { address, port } = serverOf(server)
  const id = randomInt(65_536)
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  return new Promise((resolve) => {
    let ended = false
    const end = (record: HttpsRecord | undefined): void => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      socket.close()
      resolve(record)
    }
    const timer = setTimeout(() => end(undefined), waitMs)
    socket.on('error', () => end(undefined))
    socket.on('message', (message) => {
      if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== id) return
      end(readHttpsAnswer(message))
    })
    // Connected, it hears at once that nobody is there, and only from whom it asked.
    // The callback hears of a failure, too (node:dgram): then nothing can be sent.
    const connected = (error?: Error): void => {
      if (error !== undefined) end(undefined)
      else if (!ended) socket.send(httpsQuestion(id, name))
    }
    socket.connect(port, address, connected)
  })
}

/**
 * The datagram that asks, recursion desired. `id`: 16 bits. `name`: labels of at most 63
 * bytes, which is not checked. RFC 1035 §4.1, RFC 9460 §14.2.
 */
export function httpsQuestion(id: number, name: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(0x0100, 2) // recursion desired
  header.writeUInt16BE(1, 4)
  const labels = name.split('.').map((label) => {
    const bytes = Buffer.from(label, 'latin1')
    return Buffer.concat([Buffer.of(bytes.length), bytes])
  })
  const tail = Buffer.of(0, 0, TYPE_HTTPS, 0, CLASS_IN)
  return Buffer.concat([header, ...labels, tail])
}

/**
 * What all its HTTPS records offer together, of the first 32 answers (`MOST_RECORDS`). Never
 * throws: undefined for no answer or a malformed one.
 */
export function readHttpsAnswer(message: Buffer): HttpsRecord | undefined {
  try {
    // A server that failed or refused has not said that there is none. RFC 1035 §4.1.1.
    const code = message.readUInt8(3) & 0x0f
    if (code !== 0 && code !== NO_SUCH_NAME) return undefined
    const answers = Math.min(message.readUInt16BE(6), MOST_RECORDS)
    let at = afterName(message, HEADER_BYTES) + 4
    let found = { ech: false, h3: false }
    for (let i = 0; i < answers; i++) {
      at = afterName(message, at)
      const type = message.readUInt16BE(at)
      const length = message.readUInt16BE(at + 8)
      const data = message.subarray(at + 10, at + 10 + length)
      at += 10 + length
      if (type !== TYPE_HTTPS || data.length < length) continue
      const offers = parametersOf(data)
      found = { ech: offers.ech || found.ech, h3: offers.h3 || found.h3 }
    }
    return found
  } catch {
    return undefined
  }
}

/** Priority, target, then keys with values, RFC 9460 §2.2. */
function parametersOf(data: Buffer): HttpsRecord {
  let at = afterName(data, 2)
  let ech = false
  let h3 = false
  while (at + 4 <= data.length) {
    const key = data.readUInt16BE(at)
    const length = data.readUInt16BE(at + 2)
    const value = data.subarray(at + 4, at + 4 + length)
    if (key === KEY_ECH && length > 0) ech = true
    if (key === KEY_ALPN) h3 = value.includes(Buffer.from('\x02h3', 'latin1'))
    at += 4 + length
  }
  return { ech, h3 }
}

/** Where a name ends: at its root label or at a pointer. Each step goes forward. */
function afterName(message: Buffer, start: number): number {
  let at = start
  for (;;) {
    const length = message.readUInt8(at)
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2
    at += 1 + length
  }
}

function serverOf(server: string): { address: string; port: number } {
  const bracketed = /^\[(.+)\]:(\d+)$/.exec(server) ?? /^([^:]+):(\d+)$/.exec(server)
  if (bracketed === null) return { address: server.replace(/^\[(.*)\]$/, '$1'), port: 53 }
  return { address: bracketed[1] as string, port: Number(bracketed[2]) }
}
