/**
 * A WebSocket of turns: OpenAI's Responses (developers.openai.com/api/docs/guides/
 * websocket-mode). `response.create` is the body of POST and a type; a warm-up says
 * `generate: false`. Events answer it until a closing one; then comes the next.
 */
import { partialJson } from '../../json/json-bounds.js'
import { Turn } from './websocket-turn.js'
import type { JudgeMessage, TurnAbout } from './websocket-turn.js'
import type { Heard, SocketReader, SocketSaid } from './websocket-speech.js'

/** Turns that wait for their answer; the request after them is one that nobody reads. */
const MAX_OPEN_TURNS = 16
/** Where the type stands in messages of ordinary clients and of the provider. */
const HEAD_CHARS = 512

/** Messages of the client that carry no words. */
const WORDLESS: ReadonlySet<unknown> = new Set(['response.cancel', 'response.processed'])

const CLOSING: ReadonlySet<unknown> = new Set([
  ...['response.completed', 'response.incomplete', 'response.failed'],
  ...['response.cancelled', 'error'],
])

export interface TurnsOptions extends Omit<TurnAbout, 'generates'> {
  /** Decides on each turn as it comes; undefined where the gate asks. */
  readonly judge: JudgeMessage | undefined
}

export class Turns implements SocketReader {
  readonly #options: TurnsOptions
  readonly #open: Turn[] = []
  readonly #ending = new Set<Promise<void>>()
  #unread = 0

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  fromClient(text: string): Heard {
    const fields = fieldsOf(text)
    const type = fields?.get('type')
    if (WORDLESS.has(type)) return ''
    if (type !== 'response.create' || this.#open.length >= MAX_OPEN_TURNS) {
      this.#unread++
      return undefined
    }
    const { exchange, record, judge } = this.#options
    const generates = fields?.get('generate') !== false
    const turn = new Turn(text, { exchange, record, generates })
    this.#open.push(turn)
    if (judge !== undefined)
      void Promise.resolve(turn.judge(judge)).catch(() => undefined)
    return turn
  }

  fromServer(text: string): void {
    const [turn] = this.#open
    // Limits, and whatever else it tells between turns.
    if (turn === undefined) return
    const fields = fieldsOf(text.slice(0, HEAD_CHARS))
    const type = fields?.get('type') ?? fieldsOf(text)?.get('type')
    turn.answer(text, type === 'error' ? statusIn(text) : undefined)
    if (!CLOSING.has(type)) return
    this.#ended(turn.end('response'))
    this.#open.shift()
  }

  async end(): Promise<SocketSaid> {
    for (const turn of this.#open.splice(0)) this.#ended(turn.end('error'))
    await Promise.all(this.#ending)
    return { unread: this.#unread, content: { model: undefined, prompt: '' } }
  }

  #ended(ending: Promise<void>): void {
    this.#ending.add(ending)
    void ending.finally(() => this.#ending.delete(ending))
  }
}

function statusIn(text: string): number {
  const status = fieldsOf(text)?.get('status')
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 400
}

/** Plain fields of an object, or of its beginning; undefined for anything else. */
function fieldsOf(text: string): ReadonlyMap<string, unknown> | undefined {
  return text.trimStart().startsWith('{') ? partialJson(Buffer.from(text)) : undefined
}
