/**
 * A TCP connection that can be broken at a byte: TLS runs over it, and it passes what it is
 * told to and then does the worst.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

export const FAULTS = ['rst', 'fin', 'half-close', 'silence'] as const
export type Fault = (typeof FAULTS)[number]

/** Does it to a socket; what comes afterwards is read and dropped, except on a closed one. */
export function inflict(socket: Socket, fault: Fault): void {
  socket.on('error', () => undefined)
  switch (fault) {
    case 'rst':
      socket.resetAndDestroy()
      return
    case 'fin':
      socket.end(() => socket.destroy())
      return
    case 'half-close':
      socket.end()
      socket.resume()
      return
    case 'silence':
      socket.resume()
      return
  }
}

/** How many bytes of this write still pass before the cut; undefined: all, and no cut yet. */
export type CutRule = (write: number, chunk: Buffer, before: number) => number | undefined

/** Ends of a TCP connection for a TLS socket. After the cut nothing passes either way. */
export class Wire extends Duplex {
  readonly raw: Socket
  #rule: CutRule | undefined
  #onCut: (() => void) | undefined
  #writes = 0
  #bytes = 0
  #isCut = false

  constructor(raw: Socket) {
    super({ allowHalfOpen: true })
    this.raw = raw
    raw.on('error', () => undefined)
    raw.on('data', (chunk) => {
      if (!this.#isCut && !this.push(chunk)) raw.pause()
    })
    raw.on('end', () => {
      if (!this.#isCut) this.push(null)
    })
    raw.on('close', () => {
      if (!this.#isCut) this.destroy()
    })
    this.on('error', () => undefined)
  }

  /** Resolves when the rule has cut. */
  cutWhen(rule: CutRule): Promise<void> {
    this.#rule = rule
    return new Promise((resolve) => (this.#onCut = resolve))
  }

  /** From now on nothing passes: what TLS still has to say is lost. */
  cut(): void {
    this.#isCut = true
    this.#onCut?.()
  }

  override _read(): void {
    this.raw.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#isCut || this.raw.destroyed) {
      done()
      return
    }
    const passes = this.#rule?.(this.#writes, chunk, this.#bytes)
    this.#writes += 1
    this.#bytes += chunk.length
    if (passes === undefined) {
      this.raw.write(chunk, () => done())
      return
    }
    this.raw.write(chunk.subarray(0, passes), () => {
      this.cut()
      done()
    })
  }

  override _final(done: () => void): void {
    if (!this.#isCut) this.raw.end()
    done()
  }

  override _destroy(_error: Error | null, done: () => void): void {
    if (!this.#isCut) this.raw.destroy()
    done()
  }
}
