/**
 * Makes recordings of the frames that the running YORI tells: gathers what belongs together by
 * its number, takes content codings off, and has it sanitised before anybody else sees it.
 */
import type { EndedFrame, Frame, LeftOut, RequestFrame } from './frames.js'
import { contentOf, fieldOf, flat, pairs } from './recording.js'
import type { Content, Fields, Piece, RecordedResponse, Recording } from './recording.js'
import { REDACTED } from './credential-fields.js'
import type { Sanitiser } from './sanitiser.js'
import { uncodedPieces } from './uncoded-pieces.js'
import type { RawPiece } from './uncoded-pieces.js'

/** Bytes of all that are under way; beyond that one is left out. */
export const MOST_GATHERED_BYTES = 1024 * 1024 * 1024

interface Gathering {
  readonly request: RequestFrame
  readonly asked: RawPiece[]
  readonly said: RawPiece[]
  head?: Extract<Frame, { kind: 'head' }>
  end?: Extract<Frame, { kind: 'end' }>
  bytes: number
}

export interface BuilderOptions {
  readonly sanitiser: Sanitiser
  /** In the order in which they ended. */
  readonly recorded: (recording: Recording) => void
  readonly leftOut: (why: LeftOut | 'unreadable') => void
}

export class RecordingBuilder {
  readonly #options: BuilderOptions
  readonly #open = new Map<number, Gathering>()
  #bytes = 0
  /** One after the other. */
  #building: Promise<void> = Promise.resolve()

  constructor(options: BuilderOptions) {
    this.#options = options
  }

  /** Exchanges of which the end is not known. */
  get underway(): number {
    return this.#open.size
  }

  /** What was told to its end has been handed on. */
  async settled(): Promise<void> {
    await this.#building
  }

  take(frame: Frame, bytes: Buffer): void {
    switch (frame.kind) {
      case 'request':
        this.#open.set(frame.n, { request: frame, asked: [], said: [], bytes: 0 })
        return
      case 'bytes': {
        const one = this.#open.get(frame.n)
        if (one === undefined) return
        one.bytes += frame.length
        this.#bytes += frame.length
        if (this.#bytes > MOST_GATHERED_BYTES) return this.#leaveOut(frame.n, 'slow')
        // A copy: what it is cut from may hold much more.
        const piece = { atMs: frame.at, bytes: Buffer.from(bytes) }
        if (frame.of === 'request') one.asked.push(piece)
        else one.said.push(piece)
        return
      }
      case 'head': {
        const one = this.#open.get(frame.n)
        if (one !== undefined) one.head = frame
        return
      }
      case 'end': {
        const one = this.#open.get(frame.n)
        if (one !== undefined) one.end = frame
        return
      }
      case 'left-out':
        return this.#leaveOut(frame.n, frame.why)
      case 'ended': {
        const one = this.#open.get(frame.n)
        if (one === undefined) return
        this.#open.delete(frame.n)
        this.#building = this.#building.then(() => this.#build(one, frame))
        return
      }
      default:
    }
  }

  #leaveOut(n: number, why: LeftOut): void {
    const one = this.#open.get(n)
    this.#open.delete(n)
    this.#bytes -= one?.bytes ?? 0
    this.#options.leftOut(why)
  }

  async #build(one: Gathering, ended: EndedFrame): Promise<void> {
    const { sanitiser, recorded, leftOut } = this.#options
    try {
      recorded(await recordingOf(one, ended, sanitiser))
    } catch {
      leftOut('unreadable')
    }
    this.#bytes -= one.bytes
  }
}

async function recordingOf(
  one: Gathering,
  ended: EndedFrame,
  sanitiser: Sanitiser,
): Promise<Recording> {
  const { request, asked, head } = one
  const secrets = [...new Set(request.secrets)].filter((text) => text !== REDACTED)
  const fields = pairs(request.fields)
  const contentType = fieldOf(fields, 'content-type')
  const plain = await uncodedPieces(asked, fieldOf(fields, 'content-encoding'))
  const body = contentOf(Buffer.concat(plain.pieces.map(({ bytes }) => bytes)))
  const gathered = asked.reduce((sum, { bytes }) => sum + bytes.length, 0)
  return {
    id: request.id,
    startedAt: request.startedAt,
    outcome: ended.outcome,
    code: ended.code,
    latencyMs: ended.latencyMs,
    sanitised: sanitiser.level,
    about: ended.about,
    request: {
      method: request.method,
      url: urlOf(request, sanitiser, secrets),
      version: request.version,
      fields: sanitiser.fields(
        plain.coding === undefined ? fields : without(fields, 'content-encoding'),
        secrets,
      ),
      body: sanitiser.body(body, contentType, secrets),
      endMs: asked.at(-1)?.atMs ?? 0,
      isWhole: ended.isWhole && gathered === ended.requestBytes,
    },
    response:
      head === undefined
        ? undefined
        : await responseOf(one, head, { ended, sanitiser, secrets }),
  }
}

function urlOf(
  { plain, host, port, path }: RequestFrame,
  sanitiser: Sanitiser,
  secrets: readonly string[],
): string {
  const name = host.includes(':') ? `[${host}]` : host
  const at = port === (plain ? 80 : 443) ? name : `${name}:${port}`
  return `${plain ? 'http' : 'https'}://${at}${sanitiser.path(path, secrets)}`
}

interface ResponseAbout {
  readonly ended: EndedFrame
  readonly sanitiser: Sanitiser
  readonly secrets: readonly string[]
}

async function responseOf(
  { said, end }: Gathering,
  { at, status, fields: flatFields }: Extract<Frame, { kind: 'head' }>,
  { ended, sanitiser, secrets }: ResponseAbout,
): Promise<RecordedResponse> {
  const fields = pairs(flatFields)
  const contentType = fieldOf(fields, 'content-type')
  const plain = await uncodedPieces(said, fieldOf(fields, 'content-encoding'))
  const gathered = said.reduce((sum, { bytes }) => sum + bytes.length, 0)
  return {
    status,
    atMs: at,
    fields: sanitiser.fields(fields, secrets),
    coding: plain.coding,
    pieces: piecesOf(plain.pieces, contentType, { sanitiser, secrets }),
    endMs: end?.at,
    trailers: sanitiser.fields(pairs(end?.trailers ?? []), secrets),
    isCut: gathered < ended.responseBytes,
  }
}

/** As texts where all of it is one: a character that was cut in two stands where it ends. */
function piecesOf(
  raw: readonly { readonly atMs: number; readonly bytes: Buffer }[],
  contentType: string | undefined,
  { sanitiser, secrets }: Pick<ResponseAbout, 'sanitiser' | 'secrets'>,
): Piece[] {
  const whole = contentOf(Buffer.concat(raw.map(({ bytes }) => bytes)))
  if (whole.kind === 'text') {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    const texts = raw.map(({ bytes }, i) =>
      decoder.decode(bytes, { stream: i < raw.length - 1 }),
    )
    const kept = sanitiser.pieces(texts, contentType, secrets)
    return raw.map(({ atMs }, i) => ({
      atMs,
      content: { kind: 'text', text: kept[i] ?? '' },
    }))
  }
  const kept = sanitiser.body(whole, contentType, secrets) as Content & { kind: 'bytes' }
  let at = 0
  return raw.map(({ atMs, bytes }) => {
    const begun = at
    at += bytes.length
    return { atMs, content: { kind: 'bytes', bytes: kept.bytes.subarray(begun, at) } }
  })
}

function without(fields: Fields, name: string): Fields {
  return pairs(flat(fields)).filter(([given]) => given.toLowerCase() !== name)
}
