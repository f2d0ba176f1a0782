// Usage: node dial-each.js '[{"host":"192.0.2.1","port":443,"from":"10.0.0.3","udp":true}]'
// Dials one after the other and prints, a line each, what was answered or went wrong.
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { PATIENCE_MS } from './patience.js'

export interface Dial {
  readonly host: string
  readonly port: number
  readonly from?: string
  readonly udp?: true
}

function dialTcp({ host, port, from }: Dial): Promise<string> {
  return new Promise((resolve) => {
    const local = from === undefined ? {} : { localAddress: from }
    const socket = connect({ host, port, ...local })
    socket.setTimeout(PATIENCE_MS, () => done('timeout'))
    socket.on('connect', () => void socket.write('hello'))
    socket.on('data', (data) => done(data.toString()))
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'error'))
    const done = (answer: string): void => {
      socket.destroy()
      resolve(answer)
    }
  })
}

function dialUdp({ host, port, from }: Dial): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    const timer = setTimeout(() => done('timeout'), PATIENCE_MS)
    const done = (answer: string): void => {
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    socket.on('message', (data) => done(data.toString()))
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'error'))
    socket.bind({ address: from ?? (isIPv6(host) ? '::' : '0.0.0.0') }, () => {
      socket.connect(port, host, () => socket.send('hello'))
    })
  })
}

for (const dial of JSON.parse(process.argv[2] ?? '[]') as readonly Dial[])
  console.log(await (dial.udp === true ? dialUdp(dial) : dialTcp(dial)))
