/**
 * Recordings in the place of the providers: it answers as they did, in the same pieces at the
 * same times. Nothing is dialled. What was not recorded is answered as an error, and is named
 * afterwards.
 */
import { YoriError, errorCodes } from '../core/errors.js'
import type { ErrorCode } from '../core/errors.js'
import type { Provider } from '../assembly/services.js'
import type {
  UpstreamBody,
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from '../net/upstream-words.js'
import { withoutCredentials } from './credential-fields.js'
import { Matcher } from './matching.js'
import type { Answer, Match } from './matching.js'
import { Playing } from './playing.js'
import { contentOf, fieldOf, pairs } from './recording.js'
import type { Recording } from './recording.js'
import type { Sanitiser } from './sanitiser.js'
import { uncodedPieces } from './uncoded-pieces.js'

/** Of one request: longer ones are answered as missed. */
const MAX_BODY_BYTES = 1024 * 1024 * 1024
/** That are named at the end; all are counted. */
const MOST_NAMED = 20

export interface ReplayOptions {
  readonly match: Match
  /** Pieces come when they came; else at once. */
  readonly inTime: boolean
  /** By what a recording was sanitised with. */
  readonly sanitiserOf: (level: Recording['sanitised']) => Sanitiser
}

export interface ReplayCounts {
  served: number
  /** Once more, since nothing else like it was left. */
  again: number
  missed: number
  readonly misses: { readonly asked: string; readonly why: string }[]
}

export class ReplayedProvider implements Provider {
  readonly counts: ReplayCounts = { served: 0, again: 0, missed: 0, misses: [] }
  readonly #options: ReplayOptions
  readonly #matcher: Matcher
  readonly #level: Recording['sanitised']
  readonly #playing = new Set<Playing>()
  /** What the next request is answered with, whatever it says. */
  #next: Recording | undefined

  constructor(recordings: readonly Recording[], options: ReplayOptions) {
    this.#options = options
    this.#matcher = new Matcher(recordings, options.match)
    const isAll = recordings.every(({ sanitised }) => sanitised === 'all')
    this.#level = isAll ? 'all' : 'credentials'
  }

  get connections(): number {
    return 0
  }

  get unasked(): readonly Recording[] {
    return this.#matcher.unasked
  }

  /** The next request is this recording's; undefined: of whatever fits it. */
  expect(recording: Recording | undefined): void {
    this.#next = recording
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const state: Sending = { isOver: false, playing: undefined }
    void this.#answer(request, handler, state).catch((cause: unknown) => {
      if (state.isOver) return
      state.isOver = true
      handler.onError(
        new YoriError('YORI_INTERNAL', 'the replay failed', { cause }),
        false,
      )
    })
    return {
      resume: () => state.playing?.resume(),
      abort: () => {
        state.isOver = true
        state.playing?.stop()
      },
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  destroy(): Promise<void> {
    for (const playing of this.#playing) playing.stop()
    return Promise.resolve()
  }

  async #answer(
    request: UpstreamRequest,
    handler: UpstreamHandler,
    state: Sending,
  ): Promise<void> {
    const expected = this.#next
    this.#next = undefined
    const bytes = await wholeOf(request.body)
    if (state.isOver) return
    const answer: Answer =
      expected !== undefined
        ? { kind: 'found', recording: expected, again: false }
        : bytes === undefined
          ? { kind: 'missed', why: 'its body is too long' }
          : await this.#find(request, bytes)
    if (state.isOver) return
    if (answer.kind === 'missed') {
      state.isOver = true
      this.#miss(request, answer.why)
      handler.onError(missed(request, answer.why), false)
      return
    }
    const { recording, again } = answer
    const { response } = recording
    this.counts.served++
    if (again) this.counts.again++
    if (response === undefined) {
      state.isOver = true
      this.#unanswered(request, recording, handler)
      return
    }
    const playing = new Playing(recording, response, {
      handler,
      inTime: this.#options.inTime,
      accepts: fieldOf(pairs(request.fields), 'accept-encoding'),
      isHead: request.method === 'HEAD',
      brokenOff: () =>
        new YoriError(codeOfRecording(recording), 'it broke off there, too'),
    })
    state.playing = playing
    this.#playing.add(playing)
    await playing.done.finally(() => this.#playing.delete(playing))
  }

  async #find(request: UpstreamRequest, bytes: Buffer): Promise<Answer> {
    const fields = pairs(request.fields)
    const { secrets } = withoutCredentials(request.fields)
    const raw = bytes.length === 0 ? [] : [{ atMs: 0, bytes }]
    const plain = await uncodedPieces(raw, fieldOf(fields, 'content-encoding'))
    const content = contentOf(Buffer.concat(plain.pieces.map((piece) => piece.bytes)))
    const sanitiser = this.#options.sanitiserOf(this.#level)
    return this.#matcher.answer({
      method: request.method,
      host: request.host,
      path: sanitiser.path(request.path, secrets),
      fields,
      body: sanitiser.body(content, fieldOf(fields, 'content-type'), secrets),
    })
  }

  /** Then, too, nothing came from the provider. */
  #unanswered(
    request: UpstreamRequest,
    recording: Recording,
    handler: UpstreamHandler,
  ): void {
    if (recording.outcome !== 'block') {
      handler.onError(new YoriError(codeOfRecording(recording), 'as recorded'), false)
      return
    }
    const why = 'it was blocked when it was recorded: no provider has answered'
    this.counts.served--
    this.#miss(request, why)
    handler.onError(missed(request, why), false)
  }

  #miss({ method, host, path }: UpstreamRequest, why: string): void {
    this.counts.missed++
    const asked = `${method} ${host}${path.split('?', 1)[0] ?? ''}`
    if (this.counts.misses.length < MOST_NAMED) this.counts.misses.push({ asked, why })
  }
}

interface Sending {
  isOver: boolean
  playing: Playing | undefined
}

function missed({ method, path }: UpstreamRequest, why: string): YoriError {
  const asked = `${method} ${path.split('?', 1)[0] ?? ''}`
  return new YoriError('YORI_REPLAY_MISSED', `${asked}: ${why}`)
}

function codeOfRecording({ code }: Recording): ErrorCode {
  const isProvider = code?.startsWith('YORI_UPSTREAM_') === true
  const known = isProvider ? errorCodes.find((one) => one === code) : undefined
  return known ?? 'YORI_UPSTREAM_RESET'
}

/** Undefined: it is too long, or its client broke it off. */
async function wholeOf(body: UpstreamBody): Promise<Buffer | undefined> {
  switch (body.kind) {
    case 'none':
      return Buffer.alloc(0)
    case 'whole':
      return body.bytes
    case 'stream': {
      const chunks: Buffer[] = []
      let size = 0
      try {
        for await (const chunk of body.stream as AsyncIterable<Buffer>) {
          size += chunk.length
          if (size > MAX_BODY_BYTES) return undefined
          chunks.push(chunk)
        }
      } catch {
        return undefined
      }
      return Buffer.concat(chunks)
    }
  }
}
