/**
 * Tells processors how exchanges went on: the head and the body of the answer as its client got
 * them, and what became of it. For a look: nothing waits, and nothing they say changes it.
 */
import { ContentDecoder, contentCoding } from '../../http/content-coding.js'
import type { CodingLimits } from '../../http/content-coding.js'
import { shownFields } from '../../processors/credentials.js'
import { LetterBox } from '../../processors/letter-box.js'
import type { Processors } from '../../processors/processors.js'
import type { ProcessorEvent } from '../../processors/words.js'
import type { ExchangeObserver, ExchangeTap, SeenExchange } from '../words/observer.js'

const TOLD_AT: readonly ProcessorEvent[] = [
  'response_headers',
  'response_body',
  'complete',
  'log',
]

/** Undefined: nobody wants to hear of it. `nameOf`: what the household calls a device. */
export function processorTelling(
  processors: Processors,
  coding: CodingLimits,
  nameOf: (device: SeenExchange['device']) => string | undefined,
): ExchangeObserver | undefined {
  const isHeard = processors.all.some((one) => TOLD_AT.some((event) => one.hears(event)))
  if (!isHeard) return undefined
  return {
    name: 'processors',
    tap(seen, head) {
      const { device, provider } = seen
      const { host, path } = head()
      const whom = { host, path, provider, device: { ...device, name: nameOf(device) } }
      const told = processors.at(whom, TOLD_AT)
      if (told.length === 0) return undefined
      const boxes = told.map((one) => new LetterBox(one, seen.requestId))
      return tapFor(boxes, coding)
    },
  }
}

function tapFor(boxes: readonly LetterBox[], coding: CodingLimits): ExchangeTap {
  const toHead = boxes.filter(({ processor }) => processor.hears('response_headers'))
  const toEnd = boxes.filter(
    ({ processor }) => processor.hears('complete') || processor.hears('log'),
  )
  let body: Body | undefined
  return {
    requestBytes: () => undefined,
    responseHead(status, fields) {
      body = Body.of(boxes, { status, fields }, coding)
      for (const box of toHead) {
        const { named } = box.processor.options
        const shown = shownFields(fields, named)
        const isLast = body?.boxes.includes(box) !== true
        box.post({ kind: 'response_headers', status, fields: shown, isLast })
      }
    },
    responseBytes: (chunk) => body?.push(chunk),
    responseEnd: () => body?.end(),
    switched: () => undefined,
    ended(seen) {
      const tell = (): void => {
        for (const box of toEnd) box.post(endOf(seen))
      }
      // Its last words come before.
      if (body === undefined) tell()
      else void body.ended.then(tell)
      body?.abort()
    },
  }
}

function endOf(seen: SeenExchange) {
  return {
    kind: 'complete',
    status: seen.status ?? 0,
    durationMs: Math.round(seen.latencyMs ?? 0),
    requestBytes: seen.requestBytes,
    responseBytes: seen.responseBytes,
    attempts: seen.retried === true ? 2 : 1,
    error: seen.code,
  } as const
}

/** The body of one answer, for those who are shown its type; without its coding. */
class Body {
  /** Resolves once all of it has been told. */
  readonly ended: Promise<void>
  readonly boxes: readonly LetterBox[]
  readonly #status: number
  readonly #decoder: ContentDecoder | undefined
  #done: () => void = () => undefined
  #index = 0
  #sofar = 0
  #isOver = false

  private constructor(
    boxes: readonly LetterBox[],
    status: number,
    decoder?: ContentDecoder,
  ) {
    this.boxes = boxes
    this.#status = status
    this.#decoder = decoder
    this.ended = new Promise((resolve) => {
      this.#done = resolve
    })
  }

  /** Undefined: nobody is to see it, or nobody could read it. */
  static of(
    boxes: readonly LetterBox[],
    { status, fields }: { readonly status: number; readonly fields: readonly string[] },
    limits: CodingLimits,
  ): Body | undefined {
    const type = valueOf(fields, 'content-type')
    const shown = boxes.filter(
      ({ processor }) => processor.hears('response_body') && processor.isShownType(type),
    )
    const coding = contentCoding(valueOf(fields, 'content-encoding'))
    if (shown.length === 0 || coding === undefined) return undefined
    if (coding === 'identity') return new Body(shown, status)
    const body: Body = new Body(
      shown,
      status,
      new ContentDecoder(coding, (piece) => body.#tell(piece, false), limits),
    )
    return body
  }

  push(chunk: Buffer): void {
    if (this.#decoder === undefined) this.#tell(Buffer.from(chunk), false)
    else this.#decoder.push(chunk)
  }

  end(): void {
    if (this.#decoder === undefined) this.#finish()
    else void this.#decoder.end().then(() => this.#finish())
  }

  /** It broke off, or has ended already. */
  abort(): void {
    if (this.#decoder === undefined) this.#finish()
    else if (!this.#isOver) void this.#decoder.end().then(() => this.#finish())
  }

  #finish(): void {
    if (this.#isOver) return
    this.#tell(Buffer.alloc(0), true)
    this.#isOver = true
    this.#done()
  }

  #tell(bytes: Buffer, isLast: boolean): void {
    if (this.#isOver) return
    this.#sofar += bytes.length
    const { length } = bytes
    for (const box of this.boxes) {
      const most = box.processor.options.bodyBytes
      if (!isLast && this.#sofar - length >= most) continue
      const shown = bytes.subarray(0, Math.max(0, most - (this.#sofar - length)))
      const about = {
        ...{ index: this.#index, isLast, sofar: this.#sofar },
        status: this.#status,
      }
      box.post({ kind: 'response_body', bytes: shown, ...about })
    }
    this.#index++
  }
}

/** Of a field that stands once. */
function valueOf(fields: readonly string[], lowerName: string): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2)
    if ((fields[i] as string).toLowerCase() === lowerName) return fields[i + 1]
  return undefined
}
