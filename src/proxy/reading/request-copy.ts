/** What is kept of a request to be read: its body, or parts of it, and what its head says. */

export interface RequestHeadFacts {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  /** Of the messages in the body, where each has its own (`grpc-encoding`). */
  readonly messageEncoding?: string | undefined
  /** The body is a range of a file. */
  readonly isRange?: boolean
}

/** What is kept of a body. */
export interface BodyPart {
  /** All of it, or its first part. */
  readonly bytes: Buffer
  /** `bytes` are all of the body. */
  readonly whole: boolean
  /** Its end, of one whose middle was not kept. */
  readonly newest?: Buffer | undefined
  /** The bound that cut it, by its name in the configuration. */
  readonly cutBy?: string | undefined
}

export interface RequestCopy extends BodyPart {
  readonly head: RequestHeadFacts
  readonly path: string
}
