/** Looks at the head of a plain request on a connection and gives every byte of it back. */
import type { Socket } from 'node:net'

/** How long and how far is looked. */
export interface HeadOptions {
  readonly maxBytes: number
  readonly timeoutMs: number
}

const HEAD_END = /\r?\n\r?\n/

/**
 * The head as it stands, in ISO 8859-1; undefined: it did not come whole in time, or is longer.
 * Never rejects.
 */
export function peekHead(
  socket: Socket,
  { maxBytes, timeoutMs }: HeadOptions,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0)
    const settle = (head: string | undefined): void => {
      clearTimeout(timer)
      socket.off('readable', look)
      socket.off('close', gone)
      if (seen.length > 0 && !socket.destroyed) socket.unshift(seen)
      resolve(head)
    }
    const look = (): void => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      seen = Buffer.concat([seen, chunk])
      const text = seen.toString('latin1')
      const end = HEAD_END.exec(text)
      if (end !== null) settle(text.slice(0, end.index))
      else if (seen.length > maxBytes) settle(undefined)
    }
    const gone = (): void => settle(undefined)
    const timer = setTimeout(gone, timeoutMs)
    socket.on('readable', look)
    socket.on('close', gone)
    look()
  })
}
