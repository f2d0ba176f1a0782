/**
 * The answer of one exchange, told to a processor of Envoy by a stream of its own in
 * observability mode: nothing waits for what it says, and nobody reads that.
 */
import { constants } from 'node:http2'
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { frameOf } from '../http/grpc-frames.js'
import type { Patience } from './patience.js'
import { ProcessorFailure } from './words.js'

/** So long it has to take what was told last. */
const LAST_MS = 1000

export class ObservedStream {
  readonly #stream: ClientHttp2Stream
  #failure: ProcessorFailure | undefined
  #ignored = 0

  /** `most`: of what it says all the same. */
  constructor(stream: ClientHttp2Stream, most: number, onClose: () => void) {
    this.#stream = stream
    const fail = (failure: ProcessorFailure): void => {
      this.#failure ??= failure
      this.close()
    }
    const heard = (status: string | string[] | undefined): void => {
      if (status === undefined || status === '0') return
      fail(new ProcessorFailure('refused', `grpc-status ${String(status)}`))
    }
    stream.on('response', ({ ':status': status, 'grpc-status': call }) => {
      if (status !== 200) fail(new ProcessorFailure('refused', `status ${status}`))
      else heard(call)
    })
    stream.on('trailers', (trailers: IncomingHttpHeaders) =>
      heard(trailers['grpc-status']),
    )
    stream.on('data', (chunk: Buffer) => {
      this.#ignored += chunk.length
      if (this.#ignored > most) fail(new ProcessorFailure('too-large'))
    })
    stream.on('error', () => fail(new ProcessorFailure('gone')))
    stream.on('close', () => {
      this.#failure ??= new ProcessorFailure('gone')
      onClose()
    })
  }

  /** Resolves when it has gone out. Rejects with ProcessorFailure. */
  send(message: Buffer, isLast: boolean, patience: Patience): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#stream.write(frameOf(message), (cause) => {
        if (cause === null || cause === undefined) resolve()
        else reject(this.#failure ?? new ProcessorFailure('gone'))
      })
    })
    if (isLast && this.#failure === undefined) {
      this.#stream.end()
      setTimeout(() => this.close(), LAST_MS).unref()
    }
    return patience.within(sent)
  }

  close(): void {
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_CANCEL)
  }
}
