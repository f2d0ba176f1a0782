/** A provider that answers by path as far as it is told, then waits; it says how far it came. */
import type { Socket } from 'node:net'
import { startRawOrigin } from './origins.js'
import type { Origin } from './origins.js'
import { readUntil } from './streams.js'
import type { Issued } from './test-ca.js'

export const WHOLE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
export const HALF_HEAD = 'HTTP/1.1 200 OK\r\nContent-Le'
export const HALF_BODY = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this'

const ANSWERS: Readonly<Record<string, string>> = {
  ok: WHOLE,
  mute: '',
  'half-head': HALF_HEAD,
  'half-body': HALF_BODY,
}

export interface FaultOrigin extends Origin {
  /** Resolves when the request `/ANSWER/ID` has come and its answer was written. */
  reached(id: string): Promise<void>
}

/** Requests are GET or HEAD, or the answer comes before their body is read. */
export async function faultOrigin(certificate: Issued): Promise<FaultOrigin> {
  const waiting = new Map<string, () => void>()
  const seen = new Set<string>()
  const serve = async (socket: Socket): Promise<void> => {
    for (;;) {
      const head = await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
      const [, answer = '', id = ''] =
        /^\w+ \/([^/ ]+)\/(\S+)/.exec(head.toString()) ?? []
      socket.write(ANSWERS[answer] ?? '')
      seen.add(id)
      waiting.get(id)?.()
    }
  }
  const origin = await startRawOrigin(serve, { certificate })
  return Object.assign(Object.create(origin) as Origin, {
    reached: (id: string) =>
      seen.has(id)
        ? Promise.resolve()
        : new Promise<void>((resolve) => waiting.set(id, resolve)),
  })
}
