/**
 * llhttp, strict, in this process: the WebAssembly build that undici carries. The second
 * opinion on bytes of HTTP/1.1, of another making than ours.
 */
import { createRequire } from 'node:module'

export interface LlMessage {
  /** A request's target; a response's reason. */
  readonly second: string
  /** A request's method; a response's status. */
  readonly first: string
  /** Flat. */
  readonly fields: readonly string[]
  readonly trailers: readonly string[]
  readonly body: string
  readonly complete: boolean
  readonly keepAlive: boolean
  readonly upgrade: boolean
}

export interface LlRead {
  /** In order; the last may be incomplete. */
  readonly messages: readonly LlMessage[]
  /** Undefined: it took all. */
  readonly refused: string | undefined
}

/** What is used of WebAssembly, whose types come with a browser's only. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object
    readonly Instance: new (module: object, imports: object) => { exports: unknown }
  }
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  malloc(bytes: number): number
  llhttp_alloc(type: number): number
  llhttp_reset(parser: number): void
  llhttp_execute(parser: number, bytes: number, length: number): number
  llhttp_get_error_reason(parser: number): number
  llhttp_get_method(parser: number): number
  llhttp_method_name(method: number): number
}

const TYPES = { request: 1, response: 2 } as const
/** It stops after a head that asks for, or grants, another protocol. */
const PAUSED_FOR_UPGRADE = 22
/** `on_headers_complete`: no body follows, whatever the head says. */
const SKIP_BODY = 1
const MAX_INPUT_BYTES = 256 * 1024

type Draft = { -readonly [K in keyof LlMessage]: LlMessage[K] } & {
  fields: string[]
  trailers: string[]
}

export class Llhttp {
  readonly #exports: Exports
  readonly #parsers: Readonly<Record<'request' | 'response', number>>
  readonly #input: number
  #messages: Draft[] = []
  #isTrailer = false
  #side: 'request' | 'response' = 'request'
  #methods: readonly string[] = []
  #answered = 0

  constructor() {
    const bytes = createRequire(import.meta.url)(
      'undici/lib/llhttp/llhttp_simd-wasm.js',
    ) as Buffer
    const wasm = new WebAssembly.Module(bytes)
    const env = {
      wasm_on_message_begin: () => 0,
      wasm_on_url: (_p: number, at: number, length: number) => {
        this.#last.second += this.#text(at, length)
        return 0
      },
      wasm_on_status: (_p: number, at: number, length: number) => {
        this.#last.second += this.#text(at, length)
        return 0
      },
      wasm_on_header_field: (_p: number, at: number, length: number) =>
        this.#field(this.#text(at, length)),
      wasm_on_header_value: (_p: number, at: number, length: number) => {
        const list = this.#list
        if (length > 0) list[list.length - 1] += this.#text(at, length)
        return 0
      },
      wasm_on_headers_complete: (p: number, status: number, up: number, keep: number) =>
        this.#headComplete(p, status, { upgrade: up !== 0, keepAlive: keep !== 0 }),
      wasm_on_body: (_p: number, at: number, length: number) => {
        this.#last.body += this.#text(at, length)
        return 0
      },
      wasm_on_message_complete: () => {
        this.#last.complete = true
        return 0
      },
    }
    const { exports } = new WebAssembly.Instance(wasm, { env })
    this.#exports = exports as Exports
    this.#parsers = {
      request: this.#exports.llhttp_alloc(TYPES.request),
      response: this.#exports.llhttp_alloc(TYPES.response),
    }
    this.#input = this.#exports.malloc(MAX_INPUT_BYTES)
  }

  /** `methods`: of the requests that responses answer. */
  read(
    input: Buffer,
    side: 'request' | 'response',
    methods: readonly string[] = [],
  ): LlRead {
    if (input.length > MAX_INPUT_BYTES) throw new Error('too long an input')
    const wasm = this.#exports
    const parser = this.#parsers[side]
    this.#messages = []
    this.#side = side
    this.#methods = methods
    this.#answered = 0
    this.#isTrailer = false
    wasm.llhttp_reset(parser)
    new Uint8Array(wasm.memory.buffer, this.#input, input.length).set(input)
    const code = wasm.llhttp_execute(parser, this.#input, input.length)
    const refused = code === 0 || code === PAUSED_FOR_UPGRADE ? undefined : code
    return {
      messages: this.#messages.filter(({ first }) => first !== ''),
      refused: refused === undefined ? undefined : this.#reason(parser, refused),
    }
  }

  /** The message that is being read; what comes after a whole one begins the next. */
  get #last(): Draft {
    const last = this.#messages.at(-1)
    if (last !== undefined && !last.complete) return last
    this.#isTrailer = false
    const draft: Draft = {
      ...{ first: '', second: '', fields: [], trailers: [], body: '' },
      ...{ complete: false, keepAlive: false, upgrade: false },
    }
    this.#messages.push(draft)
    return draft
  }

  get #list(): string[] {
    const last = this.#last
    return this.#isTrailer ? last.trailers : last.fields
  }

  #field(name: string): number {
    this.#list.push(name, '')
    return 0
  }

  #headComplete(
    parser: number,
    status: number,
    { upgrade, keepAlive }: Pick<LlMessage, 'upgrade' | 'keepAlive'>,
  ): number {
    const last = this.#last
    const isRequest = this.#side === 'request'
    last.first = isRequest ? this.#method(parser) : String(status)
    last.upgrade = upgrade
    last.keepAlive = keepAlive
    this.#isTrailer = true
    if (isRequest) return 0
    const method = this.#methods[this.#answered]
    if (status >= 200) this.#answered++
    return method === 'HEAD' ? SKIP_BODY : 0
  }

  #method(parser: number): string {
    const wasm = this.#exports
    return this.#cString(wasm.llhttp_method_name(wasm.llhttp_get_method(parser)))
  }

  #reason(parser: number, code: number): string {
    const at = this.#exports.llhttp_get_error_reason(parser)
    return `${code} ${at === 0 ? '' : this.#cString(at)}`
  }

  #text(at: number, length: number): string {
    return Buffer.from(this.#exports.memory.buffer, at, length).toString('latin1')
  }

  #cString(at: number): string {
    const bytes = Buffer.from(this.#exports.memory.buffer, at, 256)
    return bytes.toString('latin1', 0, bytes.indexOf(0))
  }
}
