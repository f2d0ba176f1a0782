/**
 * One answer as it was: its head, its pieces when they came, its end, or where it broke off. The
 * content coding that was taken off is put on again where the client takes it; of another length
 * than recorded, the length is that of what is sent.
 */
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib'
import type { Transform } from 'node:stream'
import { STATUS_CODES } from 'node:http'
import type { YoriError } from '../core/errors.js'
import type { UpstreamHandler } from '../net/upstream-words.js'
import { bytesOf, fieldOf, flat } from './recording.js'
import type { Fields, RecordedResponse, Recording } from './recording.js'

export interface PlayingOptions {
  readonly handler: UpstreamHandler
  readonly inTime: boolean
  /** Accept-Encoding of who asks now. */
  readonly accepts: string | undefined
  readonly isHead: boolean
  readonly brokenOff: () => YoriError
}

const BREAK_AFTER_MS = 20

export class Playing {
  /** Never rejects. */
  readonly done: Promise<void>
  readonly #options: PlayingOptions
  readonly #since = performance.now()
  #isOver = false
  #goOn: (() => void) | undefined

  constructor(
    { request, latencyMs }: Recording,
    response: RecordedResponse,
    options: PlayingOptions,
  ) {
    this.#options = options
    // From the end of the request on: how fast it came up is the client's matter.
    const times = { fromMs: request.endMs, brokeOffMs: latencyMs }
    this.done = this.#play(response, times).catch(() => undefined)
  }

  resume(): void {
    this.#goOn?.()
  }

  stop(): void {
    this.#isOver = true
    this.#goOn?.()
  }

  async #play(
    response: RecordedResponse,
    { fromMs, brokeOffMs }: { readonly fromMs: number; readonly brokeOffMs: number },
  ): Promise<void> {
    const { handler, isHead, brokenOff } = this.#options
    const { status, atMs, pieces, trailers, endMs } = response
    // "Trailers-Only" of gRPC: its head is its end, and goes with it.
    const isAll =
      pieces.length === 0 && fieldOf(response.fields, 'grpc-status') !== undefined
    const headMs = isAll ? (endMs ?? atMs) : atMs
    await this.#until(headMs - fromMs)
    if (this.#isOver) return
    const coder = isHead ? undefined : coderOf(response, this.#options.accepts)
    const bodies = pieces.map(({ content }) => bytesOf(content))
    const coded = coder === undefined ? bodies : await codedPieces(bodies, coder)
    if (this.#isOver) return
    const length = coded.reduce((sum, bytes) => sum + bytes.length, 0)
    const fields = headOf(response, { length, isHead, isCoded: coder !== undefined })
    handler.onHead(status, STATUS_CODES[status] ?? '', flat(fields))
    for (const [i, bytes] of coded.entries()) {
      await this.#until((pieces[i]?.atMs ?? 0) - fromMs)
      if (this.#isOver) return
      if (bytes.length > 0 && !handler.onData(bytes)) await this.#resumed()
      if (this.#isOver) return
    }
    const isWhole = endMs !== undefined && !response.isCut
    if (!isAll || endMs === undefined) await this.#until((endMs ?? brokeOffMs) - fromMs)
    // What was said before goes out before: a break may overtake it.
    if (!isWhole) await new Promise((resolve) => setTimeout(resolve, BREAK_AFTER_MS))
    if (this.#isOver) return
    this.#isOver = true
    if (isWhole) handler.onEnd(flat(trailers))
    else handler.onError(brokenOff(), false)
  }

  async #until(ms: number): Promise<void> {
    const left = this.#options.inTime ? ms - (performance.now() - this.#since) : 0
    if (left <= 0 || this.#isOver) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left)
      this.#goOn = () => {
        if (!this.#isOver) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#goOn = undefined
  }

  async #resumed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#goOn = resolve
    })
    this.#goOn = undefined
  }
}

function headOf(
  { fields, coding }: RecordedResponse,
  is: { readonly length: number; readonly isHead: boolean; readonly isCoded: boolean },
): Fields {
  return fields.flatMap(([name, value]) => {
    const lower = name.toLowerCase()
    if (lower === 'content-length' && !is.isHead) return [[name, String(is.length)]]
    if (lower === 'content-encoding' && coding !== undefined && !is.isCoded && !is.isHead)
      return []
    return [[name, value]]
  })
}

/** Each piece is to be had as soon as it is there. */
const GZIP = { flush: constants.Z_SYNC_FLUSH }
const BROTLI = { flush: constants.BROTLI_OPERATION_FLUSH }

function coderOf(
  { coding, pieces }: RecordedResponse,
  accepts: string | undefined,
): Transform | undefined {
  if (coding === undefined || pieces.length === 0) return undefined
  if (!isTaken(coding, accepts)) return undefined
  if (coding === 'gzip') return createGzip(GZIP)
  if (coding === 'deflate') return createDeflate(GZIP)
  if (coding === 'br') return createBrotliCompress(BROTLI)
  // Zstandard is not made here: who takes it takes an answer without a coding, too.
  return undefined
}

/** RFC 9110 §12.5.3: one of weight 0 is refused, and what is named goes before `*`. */
function isTaken(coding: string, accepts: string | undefined): boolean {
  const weights = new Map(
    (accepts ?? '').split(',').map((item) => {
      const [name = '', ...params] = item.split(';').map((part) => part.trim())
      const weight = params.find((one) => /^q=/i.test(one))?.slice(2)
      return [name.toLowerCase(), weight === undefined ? 1 : Number(weight)] as const
    }),
  )
  return (weights.get(coding) ?? weights.get('*') ?? 0) > 0
}

/** As many as there were: what the end of the coding says goes with the last. */
async function codedPieces(
  pieces: readonly Buffer[],
  coder: Transform,
): Promise<Buffer[]> {
  const found: Buffer[] = []
  let now: Buffer[] = []
  coder.on('data', (bytes: Buffer) => now.push(bytes))
  for (const bytes of pieces) {
    now = []
    await new Promise<void>((resolve, reject) => {
      coder.once('error', reject)
      coder.write(bytes, () => {
        coder.off('error', reject)
        resolve()
      })
    })
    found.push(Buffer.concat(now))
  }
  now = []
  await new Promise<void>((resolve) => {
    coder.once('end', resolve)
    coder.end()
  })
  const last = found.pop() ?? Buffer.alloc(0)
  return [...found, Buffer.concat([last, ...now])]
}
