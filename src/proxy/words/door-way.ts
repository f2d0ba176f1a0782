/** What a door may do with an exchange beside leading it on, as the exchange sees it. */
import type { YoriError } from '../../core/errors.js'
import type { UpstreamBody, UpstreamRequest } from '../../net/upstream-words.js'

export interface AnswerHead {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
}

/** Bytes of an answer in, in pieces of any size, and what goes on of them out. */
export interface Rewriter {
  write(chunk: Buffer): Buffer
  /** What it had held back. */
  end(): Buffer
  /** Asked once all of it has come, where it took its time: what is left, once it is known. */
  finish?(): Promise<Buffer>
}

/** Where a rewriter that takes its time leaves what goes on, and says what it saw. */
export interface AnswerSink {
  readonly emit: (bytes: Buffer) => void
  /** For the record. */
  readonly note: (text: string) => void
  /** An answer in the place of one that is kept back, where it is known what was asked. */
  readonly instead?: ((why: string) => string) | undefined
}

/** One for a request. Throws nothing. */
export interface DoorWay {
  /** Looks at the whole body, where there is one, before anything goes up; rejects never. */
  look?(body: UpstreamBody): Look | Promise<Look>
  /** The request as it goes up; asked each time that it does. */
  sent?(request: UpstreamRequest): UpstreamRequest
  /** Of an answer's head: nobody sees it, and the request goes once more, as `sent` has it then. */
  asksAgain?(status: number, fields: readonly string[]): boolean
  /** Through which its answer goes on; undefined: as it is. */
  rewriter?(head: AnswerHead, status: number, sink: AnswerSink): Rewriter | undefined
}

/** An answer of ours, in JSON; without a text there is no body. */
export interface OwnAnswer {
  readonly status: number
  readonly body: string | undefined
}

/** What a door makes of a request before anything of it goes up. */
export type Look =
  /** It may go. `tools`: those that it calls. */
  | { readonly kind: 'passes'; readonly tools: readonly string[] }
  /** It cannot be led on; `answer` has the words in which its client is told. */
  | {
      readonly kind: 'refused'
      readonly error: YoriError
      readonly answer: (message: string) => OwnAnswer
    }
  /** The door does not lead it on. */
  | {
      readonly kind: 'blocked'
      readonly reason: string
      /** By which it is approved; empty: nobody is to. */
      readonly marks: readonly string[]
      readonly answer: (message: string) => OwnAnswer
    }
