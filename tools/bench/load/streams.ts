/** Event streams with the time inside, and plain bytes through a tunnel. */
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { EVENTS_PATH } from '../jobs.js'
import type { Job, Target } from '../jobs.js'
import { openTls, openTunnel } from './connections.js'
import { Tally } from './tally.js'

type Events = Extract<Job, { kind: 'events' }>

/** A latency is the time from writing an event at the origin to reading it here. */
export async function eventStreams(target: Target, job: Events): Promise<Tally> {
  const tally = new Tally()
  const streams = Array.from({ length: job.streams }, () => oneStream(target, job, tally))
  await Promise.all(streams)
  return tally
}

async function oneStream(target: Target, job: Events, tally: Tally): Promise<void> {
  const socket = await openTls(target)
  const path = `${EVENTS_PATH}?events=${job.events}&gap=${job.gapMs}`
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${target.host}\r\nAuthorization: Bearer bench\r\n` +
      'Accept: text/event-stream\r\n\r\n',
  )
  let seen = 0
  let rest = ''
  for await (const chunk of socket) {
    const now = process.hrtime.bigint()
    const lines = (rest + (chunk as Buffer).toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue
      tally.count++
      tally.latenciesMs.push(Number(now - BigInt(line.slice('data: '.length))) / 1e6)
      seen++
    }
    if (seen === job.events) break
  }
  socket.destroy()
  if (seen !== job.events) tally.failed(new Error(`${seen} of ${job.events} events`))
}

/** Every chunk's first byte is compared, and the sum of all lengths. */
export async function tunnelBytes(target: Target, bytes: number): Promise<Tally> {
  const hello = await clientHello('bank.test')
  const wanted = Buffer.alloc(8)
  wanted.writeBigUInt64BE(BigInt(bytes))
  const socket = await openTunnel(target)
  const tally = new Tally()
  socket.write(Buffer.concat([hello, wanted]))
  for await (const chunk of socket) {
    const got = chunk as Buffer
    if (got[0] !== 'yori'.charCodeAt(tally.count % 4)) throw new Error('other bytes came')
    tally.count += got.length
  }
  if (tally.count !== bytes) throw new Error(`${tally.count} of ${bytes} bytes came`)
  return tally
}

/** The first flight of Node's own TLS client. */
function clientHello(servername: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer) => {
        resolve(chunk)
        setImmediate(() => client.destroy())
      },
    })
    const client = connectTls({ socket: wire, servername })
    client.on('error', () => undefined)
  })
}
