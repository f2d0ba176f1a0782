/**
 * The firewall as a processor: heads and bodies as they are told, judged when all of one is
 * there. What it does not answer at once, the score of the rest of a long text, it does between
 * two questions.
 */
import type {
  Answer,
  BodyChunk,
  ProcessorHandlers,
  RequestHead,
} from '../processors/sdk.js'
import type { Judge, Judgement } from './judge.js'
import type { WafSettings } from './settings.js'

/** Heads whose bodies are still to come. */
const MAX_HEADS = 1024
/** Requests whose text is scored afterwards; more are left out, and counted. */
const MAX_LATER = 64
/** Of all bodies that are not there yet. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024

export interface WafCounts {
  /** Requests that were judged. */
  judged: number
  objected: number
  /** In which a rule matched, a text included. */
  matched: number
  /** Texts whose rest was scored afterwards, and left out for want of room. */
  scoredLater: number
  leftOut: number
}

/** The rest of a text, scored after the answer. */
export interface LaterScore {
  readonly requestId: string
  readonly score: number
  readonly rules: readonly number[]
}

interface Open {
  readonly head: RequestHead
  readonly chunks: Buffer[]
  bytes: number
}

interface Waiting {
  readonly requestId: string
  readonly pieces: Buffer[]
  score: number
  readonly rules: Set<number>
}

export class WafAgent {
  readonly counts: WafCounts = {
    ...{ judged: 0, objected: 0, matched: 0, scoredLater: 0, leftOut: 0 },
  }
  readonly #settings: Pick<WafSettings, 'bodyBytes'>
  readonly #onLater: (score: LaterScore) => void
  readonly #open = new Map<string, Open>()
  readonly #later: Waiting[] = []
  #judge: Judge
  #waitingBytes = 0
  #isScoring = false

  constructor(
    judge: Judge,
    settings: Pick<WafSettings, 'bodyBytes'>,
    onLater: (score: LaterScore) => void,
  ) {
    this.#judge = judge
    this.#settings = settings
    this.#onLater = onLater
  }

  /** From now on by those rules. */
  use(judge: Judge): void {
    this.#judge = judge
  }

  get handlers(): ProcessorHandlers {
    return {
      name: 'waf',
      version: `crs ${this.#judge.set.version}`,
      requestHead: (head) => this.#head(head),
      requestBody: (chunk) => this.#body(chunk),
    }
  }

  #head(head: RequestHead): Answer | undefined {
    const { id, metadata } = head
    if (metadata['has_body'] !== false) this.#remember(id, head)
    // Unless it is said that a body follows, there may be none.
    return metadata['has_body'] === true ? undefined : this.#answer(head, undefined)
  }

  #remember(id: string, head: RequestHead): void {
    if (this.#open.size >= MAX_HEADS) {
      const [oldest] = this.#open.keys()
      if (oldest !== undefined) this.#forget(oldest)
    }
    this.#open.set(id, { head, chunks: [], bytes: 0 })
  }

  #forget(id: string): void {
    this.#waitingBytes -= this.#open.get(id)?.bytes ?? 0
    this.#open.delete(id)
  }

  #body({ id, bytes, isLast }: BodyChunk): Answer | undefined {
    const open = this.#open.get(id)
    // Its head has been given up: what it says cannot be known any more.
    if (open === undefined) throw new Error('a body whose head is not known')
    const room = this.#settings.bodyBytes - open.bytes
    const kept = bytes.subarray(0, Math.max(0, room))
    // Of who has gone meanwhile the rest never comes: the oldest make room.
    while (this.#waitingBytes + kept.length > MAX_WAITING_BYTES && this.#open.size > 1) {
      const oldest = [...this.#open.keys()].find((one) => one !== id)
      if (oldest !== undefined) this.#forget(oldest)
    }
    open.chunks.push(kept)
    open.bytes += kept.length
    this.#waitingBytes += kept.length
    if (!isLast) return undefined
    this.#forget(id)
    return this.#answer(open.head, Buffer.concat(open.chunks))
  }

  #answer(head: RequestHead, body: Buffer | undefined): Answer | undefined {
    const judge = this.#judge
    const judgement = judge.judge(head, body)
    this.counts.judged++
    if (judgement.hits.length + judgement.textHits.length > 0) this.counts.matched++
    this.#scoreLater(head.id, judgement)
    const note = judge.note(judgement)
    if (!judgement.blocks) return note.ruleIds.length === 0 ? undefined : note
    this.counts.objected++
    return { ...note, block: { status: 403, text: judge.reason(judgement) } }
  }

  #scoreLater(requestId: string, { later }: Judgement): void {
    if (later.length === 0) return
    if (this.#later.length >= MAX_LATER) {
      this.counts.leftOut++
      return
    }
    // A piece of a message keeps all of it: these are to live longer.
    const pieces = later.map((piece) => Buffer.from(piece))
    this.#later.push({ requestId, pieces, score: 0, rules: new Set() })
    this.#scoreNext()
  }

  /** One piece, then whoever asks has its turn. */
  #scoreNext(): void {
    if (this.#isScoring) return
    this.#isScoring = true
    setImmediate(() => {
      this.#isScoring = false
      const [first] = this.#later
      if (first === undefined) return
      const piece = first.pieces.shift()
      if (piece !== undefined) {
        const { score, hits } = this.#judge.score(piece)
        first.score = Math.max(first.score, score)
        for (const { rule } of hits) first.rules.add(rule)
      }
      if (first.pieces.length === 0) {
        this.#later.shift()
        this.counts.scoredLater++
        const { requestId, score, rules } = first
        this.#onLater({ requestId, score, rules: [...rules] })
      }
      if (this.#later.length > 0) this.#scoreNext()
    })
  }
}
