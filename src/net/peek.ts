/**
 * Looks at the first bytes of an accepted connection and gives every one of them back, so that
 * whoever serves the connection next reads the stream from its start. Knows node's streams;
 * what the bytes mean is `first-bytes.ts`.
 */
import type { Socket } from 'node:net'
import type { ClientHello } from '../tls/client-hello.js'
import { FirstBytesReader, type Verdict } from './first-bytes.js'

export type FirstBytes =
  | {
      readonly kind: 'hello'
      readonly hello: ClientHello
      /** How many bytes of the stream the hello took, record headers included. */
      readonly bytes: number
    }
  /** A method token and a space; `speaksH2`: see `Verdict`. */
  | { readonly kind: 'http'; readonly speaksH2?: true }
  /** Neither a TLS handshake nor HTTP; `likeTls`: see `Verdict`. */
  | { readonly kind: 'other'; readonly likeTls?: true }
  /** TLS records, but no ClientHello can come of them. */
  | { readonly kind: 'malformed'; readonly reason: string }
  /** Not one byte in `firstBytesTimeoutMs`. */
  | { readonly kind: 'silent' }
  /** The deadline, the signal or the client's FIN came with half a hello. */
  | { readonly kind: 'partial'; readonly bytes: number }
  /**
   * The client reset the connection, or sent FIN before its first byte: then the socket is not
   * destroyed and can still be written to, and its 'end' may be over.
   */
  | { readonly kind: 'closed' }

/** How long and how far is looked. */
export interface PeekOptions {
  /** Of the stream, record headers included; a hello that is not whole by then is malformed. */
  readonly maxBytes: number
  /** From the first byte to the verdict. */
  readonly helloTimeoutMs: number
  /** From the call to the first byte; `helloTimeoutMs` when absent. */
  readonly firstBytesTimeoutMs?: number
  /** Aborting decides at once, as the deadline would. */
  readonly signal?: AbortSignal
}

/**
 * Never rejects. All bytes read are back in the socket (`unshift`) in the same tick in which
 * the verdict is taken, and no listener of its own is left. The caller has its own 'error'
 * listener on the socket before the call and keeps it.
 */
export function peek(socket: Socket, options: PeekOptions): Promise<FirstBytes> {
  return new Promise((resolve) => new Peeking(socket, options, resolve).start())
}

class Peeking {
  readonly #socket: Socket
  readonly #options: PeekOptions
  readonly #resolve: (found: FirstBytes) => void
  readonly #reader: FirstBytesReader
  /** First of the first byte, then of the verdict. */
  #deadline: NodeJS.Timeout | undefined
  #begun = false
  #settled = false

  constructor(
    socket: Socket,
    options: PeekOptions,
    resolve: (found: FirstBytes) => void,
  ) {
    this.#socket = socket
    this.#options = options
    this.#resolve = resolve
    this.#reader = new FirstBytesReader(options.maxBytes)
  }

  start(): void {
    const { helloTimeoutMs, firstBytesTimeoutMs, signal } = this.#options
    if (this.#socket.destroyed || this.#socket.readableEnded) {
      this.#resolve({ kind: 'closed' })
      return
    }
    this.#deadline = setTimeout(this.#onTime, firstBytesTimeoutMs ?? helloTimeoutMs)
    this.#socket.on('error', this.#onClosed)
    this.#socket.on('close', this.#onClosed)
    this.#socket.on('readable', this.#onReadable)
    signal?.addEventListener('abort', this.#onDeadline)
    // What came before the call is judged now: an aborted signal then costs no bytes.
    if (this.#socket.readableLength > 0 || finReceived(this.#socket)) this.#onReadable()
    if (signal?.aborted === true) this.#onDeadline()
  }

  readonly #onReadable = (): void => {
    if (this.#settled) return
    const chunk = this.#socket.read() as Buffer | null
    if (chunk !== null && chunk.length > 0) {
      const verdict = this.#reader.push(chunk)
      if (verdict !== undefined) return this.#settle(verdict)
      if (!this.#begun) {
        this.#begun = true
        clearTimeout(this.#deadline)
        this.#deadline = setTimeout(this.#onTime, this.#options.helloTimeoutMs)
      }
    }
    // The bytes must be back before 'end' is emitted: after it `unshift` is refused.
    if (finReceived(this.#socket)) this.#settle(this.#unfinished('closed'))
  }

  /** Timers come before what has arrived is read: we may be late, not the client. */
  readonly #onTime = (): void => {
    const timer = this.#deadline
    setImmediate(() => {
      if (this.#deadline === timer) this.#onDeadline()
    })
  }

  readonly #onDeadline = (): void => {
    this.#settle(this.#unfinished('silent'))
  }

  readonly #onClosed = (): void => {
    this.#settle({ kind: 'closed' })
  }

  #unfinished(whenEmpty: 'silent' | 'closed'): FirstBytes {
    const bytes = this.#reader.bytes.length
    if (bytes === 0) return { kind: whenEmpty }
    return this.#reader.atEnd() ?? { kind: 'partial', bytes }
  }

  #settle(found: FirstBytes | Verdict): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#deadline)
    this.#options.signal?.removeEventListener('abort', this.#onDeadline)
    this.#socket.off('readable', this.#onReadable)
    this.#socket.off('error', this.#onClosed)
    this.#socket.off('close', this.#onClosed)
    const bytes = this.#reader.bytes
    if (bytes.length > 0 && !this.#socket.destroyed) this.#socket.unshift(bytes)
    this.#resolve(found)
  }
}

/**
 * Has the client's FIN arrived? Node has no public word for an end that was received but not
 * yet read. Where the field is missing, a FIN after half a hello is found at the deadline.
 */
function finReceived(socket: Socket): boolean {
  const { _readableState: state } = socket as unknown as {
    _readableState?: { ended?: boolean }
  }
  return state?.ended === true
}
