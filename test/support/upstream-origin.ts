/** Origins that answer by hand what an upstream asks, and turns of the loop to wait for. */
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { startRawOrigin } from './origins.js'
import type { Origin } from './origins.js'
import { readUntil } from './streams.js'
import { TestCa } from './test-ca.js'
import { HOST } from './upstream-asked.js'

export const ca = new TestCa()
export const certificate = ca.issue({ names: [HOST] })

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
export const headOf = (text: string): string =>
  text.slice(0, text.indexOf('\r\n\r\n') + 4)

/** Answers each head on a connection; `seen` has all that came. */
export function answering(
  answer: (head: string, socket: Socket, index: number) => void,
  secure = false,
): Promise<Origin> {
  let index = 0
  const serve = async (socket: Socket): Promise<void> => {
    socket.setNoDelay(true)
    for (;;) {
      const head = await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
      answer(head.toString('latin1'), socket, index++)
    }
  }
  return startRawOrigin(serve, secure ? { certificate } : {})
}

export const fixed = (bytes: string, secure = false): Promise<Origin> =>
  answering((_head, socket) => void socket.write(bytes, 'latin1'), secure)

/** Two turns: what came has been read, and a connection is free again. */
export const settled = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

/** True: it took more within a bound of turns. */
export async function drained(stream: Writable): Promise<boolean> {
  for (let turns = 0; turns < 200; turns++) {
    if (!stream.writableNeedDrain) return true
    await new Promise((resolve) => setImmediate(resolve))
  }
  return false
}
