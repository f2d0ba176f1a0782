// Usage: node ask-dns.js SERVER '[["yori.home.arpa","A"]]'
// Asks a resolver over UDP, again until it answers, and prints for each question a line of JSON:
// the response code and the data of its answers of that type. RFC 1035, RFC 3596, RFC 9460.
import { createSocket } from 'node:dgram'
import { PATIENCE_MS } from './patience.js'

export interface DnsSaid {
  readonly code: number
  /** Of A and AAAA as hexadecimal digits, of HTTPS the whole data. */
  readonly answers: readonly string[]
}

const TYPES = { A: 1, AAAA: 28, HTTPS: 65 } as const
export type DnsType = keyof typeof TYPES

const AGAIN_MS = 100
const FIXED = 10

function query(name: string, type: DnsType): Buffer {
  const labels = name.split('.').map((label) => {
    const text = Buffer.from(label, 'latin1')
    return Buffer.concat([Buffer.from([text.length]), text])
  })
  const head = Buffer.from([0, TYPES[type], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, TYPES[type], 0, 1])])
}

/** Behind the name that begins at `at`; a pointer ends it. */
function afterName(message: Buffer, at: number): number {
  for (let next = at; ;) {
    const length = message.readUInt8(next)
    if (length === 0) return next + 1
    if (length >= 0xc0) return next + 2
    next += 1 + length
  }
}

function read(message: Buffer, type: DnsType): DnsSaid {
  const answers: string[] = []
  let at = afterName(message, 12) + 4
  for (let left = message.readUInt16BE(6); left > 0; left--) {
    const fields = afterName(message, at)
    const length = message.readUInt16BE(fields + FIXED - 2)
    at = fields + FIXED + length
    if (message.readUInt16BE(fields) === TYPES[type])
      answers.push(message.toString('hex', fields + FIXED, at))
  }
  return { code: message.readUInt8(3) & 15, answers }
}

async function ask(server: string, name: string, type: DnsType): Promise<DnsSaid> {
  const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4')
  const send = (): void => socket.send(query(name, type), 53, server)
  // Refused while the resolver starts.
  socket.on('error', () => undefined)
  const again = setInterval(send, AGAIN_MS)
  const over = setTimeout(() => {
    throw new Error(`${server} says nothing of ${name}`)
  }, PATIENCE_MS)
  try {
    return await new Promise((resolve) => {
      socket.on('message', (message) => resolve(read(message, type)))
      send()
    })
  } finally {
    clearInterval(again)
    clearTimeout(over)
    socket.close()
  }
}

const [server = '', asks = '[]'] = process.argv.slice(2)
for (const [name, type] of JSON.parse(asks) as [string, DnsType][])
  console.log(JSON.stringify(await ask(server, name, type)))
