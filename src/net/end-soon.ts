/** Ends a connection politely, but within a bound. */
import type { Duplex } from 'node:stream'

/** How long the other side may take to end its own. */
const LINGER_MS = 2_000

/**
 * Sends the last word, if any, and FIN. What still comes is dropped, for closing over it would
 * be a reset that may overtake the word; a peer that does not end its side is cut off.
 */
export function endSoon(socket: Duplex, lastWord?: string | Buffer): void {
  if (lastWord === undefined) socket.end()
  else socket.end(lastWord)
  socket.resume()
  cutSoon(socket)
}

/** Leaves a connection that is ending two seconds (`LINGER_MS`) for it. */
export function cutSoon(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
