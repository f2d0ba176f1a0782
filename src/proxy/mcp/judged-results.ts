/**
 * Looks for secrets, and for orders to the model, in what tools give back, before it goes on: in one
 * body of JSON, or in the events of a stream, which keep their order. What is found is noted; where
 * that is wanted, a result that says so goes on in the place of the one that came. Nothing but
 * results waits.
 */
import { inSlices } from '../../core/resting.js'
import { JSON_LIMITS } from '../../json/json-scanner.js'
import { parseInSlices } from '../../json/json-slices.js'
import type { FindingInput } from '../../policy/policy.js'
import { resultInstead } from '../answers/rpc-answers.js'
import type { AnswerSink, Rewriter } from '../words/door-way.js'

/** Of one result; one that is longer is not looked at. */
export const MOST_RESULT_BYTES = 1024 * 1024
/** Texts of one result. */
const MOST_TEXTS = 2000
const MAX_DEPTH = 64
/** As sure as the policy `injection` wants it of what tools say. */
const LEAST_CONFIDENCE = 0.5
const NOTHING = Buffer.alloc(0)
/** A media's bytes are no text. */
const NO_TEXTS: ReadonlySet<string> = new Set(['blob', 'mimeType', 'type'])

export interface JudgedResultsOptions {
  readonly isEvents: boolean
  /** What is in such texts that a tool gave. */
  readonly find: (texts: readonly string[]) => Promise<readonly FindingInput[]>
  /** Results in which something was found are kept back. */
  readonly refuses: boolean
  readonly sink: AnswerSink
}

export class JudgedResults implements Rewriter {
  readonly #options: JudgedResultsOptions
  #open: Buffer = NOTHING
  /** So much of it was searched for the end of an event. */
  #searched = 0
  /** Rest of a message that is over the limit is left out, or goes on. */
  #over: 'no' | 'flows' | 'dropped' = 'no'
  /** What is still looked at; all that comes later goes on behind it. */
  #waiting: Promise<void> | undefined
  #queued = 0

  constructor(options: JudgedResultsOptions) {
    this.#options = options
  }

  write(chunk: Buffer): Buffer {
    const out: Buffer[] = []
    this.#open =
      this.#open.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#open, chunk])
    if (this.#options.isEvents) {
      for (let end = this.#eventEnd(); end > 0; end = this.#eventEnd()) {
        const event = this.#open.subarray(0, end)
        this.#open = this.#open.subarray(end)
        this.#searched = 0
        this.#message(event, out)
      }
    }
    if (this.#open.length > MOST_RESULT_BYTES) this.#letGo(out)
    return Buffer.concat(out)
  }

  end(): Buffer {
    return NOTHING
  }

  async finish(): Promise<Buffer> {
    const out: Buffer[] = []
    if (this.#open.length > 0) this.#message(this.#open, out)
    this.#open = NOTHING
    await this.#waiting
    return Buffer.concat(out)
  }

  /** Behind its blank line; 0: it has not come. */
  #eventEnd(): number {
    const text = this.#open.toString('latin1', this.#searched)
    const found = /\r\n\r\n|\n\n|\r\r(?!\n)|\n\r\n/.exec(text)
    if (found === null) {
      this.#searched = Math.max(0, this.#open.length - 3)
      return 0
    }
    return this.#searched + found.index + found[0].length
  }

  #message(bytes: Buffer, out: Buffer[]): void {
    if (this.#over !== 'no') {
      if (this.#over === 'flows') this.#pass(bytes, out)
      this.#over = 'no'
      return
    }
    if (!bytes.includes('"result"') && !bytes.includes('\\u')) {
      this.#pass(bytes, out)
      return
    }
    this.#later(async () => {
      this.#options.sink.emit(await this.#judged(Buffer.from(bytes)))
    })
  }

  #pass(bytes: Buffer, out: Buffer[]): void {
    const kept = Buffer.from(bytes)
    if (this.#queued === 0) out.push(kept)
    else
      this.#later(() => {
        this.#options.sink.emit(kept)
        return Promise.resolve()
      })
  }

  #later(step: () => Promise<void>): void {
    this.#queued++
    this.#waiting = (this.#waiting ?? Promise.resolve()).then(step).finally(() => {
      this.#queued--
    })
  }

  /** Over the limit. */
  #letGo(out: Buffer[]): void {
    const { refuses, sink } = this.#options
    if (this.#over === 'no') {
      sink.note(`a result is over ${MOST_RESULT_BYTES} bytes and was not looked at`)
      this.#over = refuses ? 'dropped' : 'flows'
      if (refuses && sink.instead !== undefined)
        out.push(this.#framed(sink.instead('its result is longer than can be looked at')))
    }
    if (this.#over === 'flows') this.#pass(this.#open, out)
    this.#open = NOTHING
    this.#searched = 0
  }

  #framed(text: string): Buffer {
    return Buffer.from(this.#options.isEvents ? `data: ${text}\n\n` : text)
  }

  async #judged(bytes: Buffer): Promise<Buffer> {
    const { isEvents, find, refuses, sink } = this.#options
    const data = isEvents ? dataOf(bytes) : bytes
    const parsed = await inSlices(
      parseInSlices(data, { ...JSON_LIMITS, maxBytes: MOST_RESULT_BYTES }),
    )
    if (parsed?.kind !== 'whole') {
      if (!refuses) return bytes
      sink.note('a result could not be read and was kept back')
      return this.#framed(sink.instead?.('its result cannot be read') ?? '')
    }
    const texts = textsOf(parsed.value)
    const found = (await find(texts)).filter(
      ({ class: kind, confidence = 1 }) =>
        kind === 'secret' || (kind === 'injection' && confidence >= LEAST_CONFIDENCE),
    )
    if (found.length === 0) return bytes
    const kinds = [...new Set(found.map(({ kind }) => kind))].sort().join(', ')
    sink.note(`the result holds ${kinds}${refuses ? ' and was kept back' : ''}`)
    if (!refuses) return bytes
    const said = resultInstead(
      parsed.value,
      `YORI kept back what the tool gave: it holds ${kinds}. Go on without it, and tell the user.`,
    )
    if (!isEvents) return Buffer.from(said)
    const others = linesOf(bytes).filter(
      (line) => line !== '' && !/^data(?::|$)/.test(line),
    )
    return Buffer.from(`${[...others, `data: ${said}`].join('\n')}\n\n`)
  }
}

function linesOf(event: Buffer): string[] {
  return event.toString().split(/\r\n|\r|\n/)
}

function dataOf(event: Buffer): Buffer {
  const lines = linesOf(event).flatMap((line) => /^data: ?(.*)$/s.exec(line)?.[1] ?? [])
  return Buffer.from(lines.join('\n'))
}

/** All that stands in results, names of fields too; media left out. */
function textsOf(value: unknown): string[] {
  const texts: string[] = []
  const collect = (inner: unknown, depth: number, isMedia: boolean): void => {
    if (depth > MAX_DEPTH || texts.length >= MOST_TEXTS) return
    if (typeof inner === 'string') {
      texts.push(inner)
      return
    }
    if (typeof inner !== 'object' || inner === null) return
    for (const [name, one] of Object.entries(inner)) {
      if (NO_TEXTS.has(name) || (isMedia && name === 'data')) continue
      const { type } = (one ?? {}) as { type?: unknown }
      collect(one, depth + 1, type === 'image' || type === 'audio')
    }
  }
  const messages: readonly unknown[] = Array.isArray(value) ? value : [value]
  for (const message of messages)
    collect((message as { result?: unknown })?.result, 0, false)
  return texts
}
