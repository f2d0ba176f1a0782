/** A processor for YORI: a program that looks at exchanges, over a Unix socket. No dependencies. */
export interface RequestHead {
  readonly id: string
  readonly method: string
  /** Path and query, without credentials that the processor is not shown. */
  readonly uri: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface BodyChunk {
  readonly id: string
  readonly bytes: Buffer
  readonly isLast: boolean
  /** From 0. */
  readonly index: number
}

export interface ResponseHead {
  readonly id: string
  readonly status: number
  readonly headers: Readonly<Record<string, readonly string[]>>
}

/** Nothing of it: the exchange goes on as it came. */
export interface Answer {
  /** Block: by this status, with this text for people. */
  readonly block?: { readonly status?: number; readonly text?: string }
  readonly redirect?: { readonly url: string; readonly status?: number }
  /** Block until an adult has said yes. */
  readonly challenge?: string
  /** Fields of the request: a text sets, null removes. */
  readonly requestHeaders?: Readonly<Record<string, string | null>>
  /** Fields of the answer. */
  readonly responseHeaders?: Readonly<Record<string, string | null>>
  /** In the place of the chunk of the body. */
  readonly body?: Buffer | string
  /** For the record. */
  readonly tags?: readonly string[]
  readonly ruleIds?: readonly string[]
  readonly reasons?: readonly string[]
  /** 0 to 1. */
  readonly confidence?: number
}

type Said = Answer | undefined | void | Promise<Answer | undefined | void>

/** What throws ends the connection: YORI then goes by the processor's `fail_mode`. */
export interface ProcessorHandlers {
  readonly name: string
  readonly version?: string
  /** Why it cannot look, in a sentence: said in the place of an introduction. */
  readonly unable?: string | undefined
  requestHead?(head: RequestHead): Said
  requestBody?(chunk: BodyChunk): Said
  /** For a look: what they answer changes nothing. */
  responseHead?(head: ResponseHead): Said
  responseBody?(chunk: BodyChunk): Said
  complete?(event: Readonly<Record<string, unknown>>): Said
  websocket?(event: Readonly<Record<string, unknown>>): Said
}

export interface ServedProcessor extends AsyncDisposable {
  readonly path: string
  /** Ends its connections. */
  close(): Promise<void>
}

/** Listens on a Unix socket; one that is left of an earlier run makes way. */
export declare function serveProcessor(
  path: string,
  handlers: ProcessorHandlers,
): Promise<ServedProcessor>
