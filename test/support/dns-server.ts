/**
 * A DNS server over UDP that answers A and AAAA as it is told (RFC 1035 §4). Knows no
 * compression but the pointer to the question.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { addressBytes } from '../../src/core/address.js'

export type DnsAnswer =
  | {
      readonly kind: 'addresses'
      readonly addresses: readonly string[]
      readonly ttl: number
    }
  | { readonly kind: 'no-such-name' }
  | { readonly kind: 'failure' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'silence' }

export type Family = 4 | 6

const CODES = { addresses: 0, failure: 2, 'no-such-name': 3, refused: 5 } as const

export class DnsServer implements AsyncDisposable {
  /** Called for each question; a family without addresses is an answer without records. */
  answer: (name: string, family: Family) => DnsAnswer | Promise<DnsAnswer> = () => ({
    kind: 'no-such-name',
  })
  /** `name A` or `name AAAA`, in order of arrival. */
  readonly questions: string[] = []
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', async (message, peer) => {
      const reply = await this.#reply(message)
      if (reply !== undefined) socket.send(reply, peer.port, peer.address)
    })
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new DnsServer(socket)
  }

  /** `address:port`. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((closed) => this.#socket.close(() => closed()))
  }

  async #reply(message: Buffer): Promise<Buffer | undefined> {
    const { name, end } = readName(message, 12)
    const family = message.readUInt16BE(end) === 28 ? 6 : 4
    this.questions.push(`${name} ${family === 4 ? 'A' : 'AAAA'}`)
    const answer = await this.answer(name, family)
    if (answer.kind === 'silence') return undefined
    if (answer.kind === 'garbage')
      return Buffer.from([...message.subarray(0, 2), 1, 2, 3])
    const records = answer.kind === 'addresses' ? recordsOf(answer, family) : []
    const header = Buffer.from(message.subarray(0, 12))
    header.writeUInt16BE(0x8180 | CODES[answer.kind], 2)
    header.writeUInt16BE(records.length, 6)
    header.writeUInt32BE(0, 8)
    return Buffer.concat([header, message.subarray(12, end + 4), ...records])
  }
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = []
  let at = start
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

function recordsOf(
  answer: Extract<DnsAnswer, { kind: 'addresses' }>,
  family: Family,
): Buffer[] {
  return answer.addresses
    .map((address) => addressBytes(address) ?? new Uint8Array())
    .filter((bytes) => bytes.length === (family === 4 ? 4 : 16))
    .map((bytes) => {
      const fixed = Buffer.alloc(12)
      fixed.writeUInt16BE(0xc00c, 0)
      fixed.writeUInt16BE(family === 4 ? 1 : 28, 2)
      fixed.writeUInt16BE(1, 4)
      fixed.writeUInt32BE(answer.ttl, 6)
      fixed.writeUInt16BE(bytes.length, 10)
      return Buffer.concat([fixed, bytes])
    })
}
