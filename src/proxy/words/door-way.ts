/** What a door may do with an exchange beside leading it on, as the exchange sees it. */
import type { UpstreamRequest } from '../../net/upstream-words.js'

export interface AnswerHead {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
}

/** Bytes of an answer in, in pieces of any size, and what goes on of them out. */
export interface Rewriter {
  write(chunk: Buffer): Buffer
  /** What it had held back. */
  end(): Buffer
}

/** One for a request. Throws nothing. */
export interface DoorWay {
  /** The request as it goes up; asked each time that it does. */
  sent?(request: UpstreamRequest): UpstreamRequest
  /** Of an answer's head: nobody sees it, and the request goes once more, as `sent` has it then. */
  asksAgain?(status: number, fields: readonly string[]): boolean
  /** Through which its answer goes on; undefined: as it is. */
  rewriter?(head: AnswerHead, status: number): Rewriter | undefined
}
