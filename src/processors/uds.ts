/**
 * The dialect `uds`: the agent protocol, version 2, over a Unix socket. A few connections, each
 * with one question at a time, opened when they are needed and kept.
 */
import type { Dialect } from './dialect.js'
import type { Patience } from './patience.js'
import type { Told } from './told.js'
import { UdsConnection } from './uds-connection.js'
import type { UdsOptions } from './uds-connection.js'
import { FRAME } from './uds-frames.js'
import {
  cancelText,
  messageText,
  readAnswer,
  requestChunkText,
  requestHeadText,
  toldMessage,
} from './uds-messages.js'
import type { AgentAnswer } from './uds-messages.js'
import { bothNotes, fieldChanges } from './verdict.js'
import type { Asked, Introduction, ProcessorEvent, ShownBody, Verdict } from './words.js'
import { failureOf, NO_OBJECTION, ProcessorFailure } from './words.js'

/** Of a body, in one frame: base64 makes a third more of it. */
const CHUNK_BYTES = 256 * 1024

export interface UdsDialectOptions extends UdsOptions {
  readonly connections: number
}

export class UdsDialect implements Dialect {
  losses = 0
  readonly #options: UdsDialectOptions
  readonly #idle: UdsConnection[] = []
  readonly #open = new Set<UdsConnection>()

  constructor(options: UdsDialectOptions) {
    this.#options = options
  }

  get atOnce(): number {
    return this.#options.connections
  }

  async ask(asked: Asked, patience: Patience): Promise<Verdict> {
    // Whoever has gone, or gave its place to another, may have left connections that look open.
    for (let tries = 0; ; tries++) {
      const isKept = this.#idle.length > 0
      const connection = await this.#take(patience)
      try {
        const verdict = await new Asking(connection, asked, patience).verdict()
        this.#give(connection)
        return verdict
      } catch (cause) {
        const { kind } = failureOf(cause)
        const isGone = kind === 'gone' || kind === 'unreachable'
        if (!isKept || !isGone || tries >= this.#options.connections) throw cause
      }
    }
  }

  async tell(requestId: string, told: Told, patience: Patience): Promise<void> {
    const connection = await this.#take(patience)
    const isFor = connection.introduction?.events?.includes(told.kind) !== false
    if (isFor) {
      const { type, text } = toldMessage(requestId, told)
      const question = { type, payload: text, answer: FRAME.answer }
      await connection.ask(question, patience)
    }
    this.#give(connection)
  }

  /** What was told is kept nowhere. */
  forget(): void {
    // Nothing to do.
  }

  async introduce(patience: Patience): Promise<Introduction> {
    const connection = await this.#take(patience)
    await connection.ask({ type: FRAME.ping, payload: '', answer: FRAME.pong }, patience)
    this.#give(connection)
    return connection.introduction as Introduction
  }

  close(): void {
    const failure = new ProcessorFailure('given-up')
    for (const connection of [...this.#open]) connection.end(failure)
  }

  async #take(patience: Patience): Promise<UdsConnection> {
    for (;;) {
      const index = this.#idle.findLastIndex(({ paused }) => !paused)
      const [found] = index < 0 ? [] : this.#idle.splice(index, 1)
      if (found === undefined) break
      if (found.isOpen) return found
    }
    if (this.#idle.length >= this.#options.connections)
      throw new ProcessorFailure('busy', 'it asked to wait')
    const connection = await UdsConnection.open(
      this.#options,
      patience,
      (ended, failure) => {
        if (failure.kind === 'gone') this.losses++
        this.#open.delete(ended)
        const at = this.#idle.indexOf(ended)
        if (at >= 0) this.#idle.splice(at, 1)
      },
    )
    this.#open.add(connection)
    return connection
  }

  #give(connection: UdsConnection): void {
    if (!connection.isOpen) return
    this.#idle.push(connection)
  }
}

/** What one agent says of one request, event by event. */
class Asking {
  readonly #connection: UdsConnection
  readonly #asked: Asked
  readonly #patience: Patience
  #verdict = NO_OBJECTION
  /** A ruling that holds, whatever follows. */
  #isFinal = false

  constructor(connection: UdsConnection, asked: Asked, patience: Patience) {
    this.#connection = connection
    this.#asked = asked
    this.#patience = patience
  }

  async verdict(): Promise<Verdict> {
    const { asksHead, body, message, requestId } = this.#asked
    if (message !== undefined && this.#isFor('websocket'))
      this.#heard(await this.#say(FRAME.websocket, messageText(requestId, message)))
    if (asksHead && this.#isFor('request_headers'))
      this.#heard(await this.#say(FRAME.requestHead, requestHeadText(this.#asked)))
    if (body !== undefined && !this.#isFinal && this.#isFor('request_body'))
      await this.#askBody(body)
    return this.#verdict
  }

  async #askBody({ bytes, total }: ShownBody): Promise<void> {
    const { maxBodyBytes } = this.#connection.introduction ?? {}
    if (maxBodyBytes !== undefined && bytes.length > maxBodyBytes)
      throw new ProcessorFailure('body-too-large')
    const said: Buffer[] = []
    let isChanged = false
    for (let at = 0, index = 0; ; index++) {
      const chunk = bytes.subarray(at, at + CHUNK_BYTES)
      at += chunk.length
      const isLast = at >= bytes.length
      const about = { bytes: chunk, index, isLast, sofar: at, total }
      const text = requestChunkText(this.#asked.requestId, about)
      const answer = await this.#say(FRAME.requestBody, text)
      isChanged ||= answer.body !== undefined && answer.chunkIndex === index
      said.push(answer.chunkIndex === index ? (answer.body ?? chunk) : chunk)
      this.#heard(answer)
      if (this.#isFinal || isLast) break
    }
    if (isChanged && !this.#isFinal)
      this.#verdict = { ...this.#verdict, body: Buffer.concat(said) }
  }

  #isFor(event: ProcessorEvent): boolean {
    return this.#connection.introduction?.events?.includes(event) !== false
  }

  async #say(type: number, payload: string): Promise<AgentAnswer> {
    const { requestId } = this.#asked
    const cancel = (): string => cancelText(requestId)
    const question = { type, payload, answer: FRAME.answer, cancel }
    const reply = await this.#connection.ask(question, this.#patience)
    try {
      return readAnswer(reply, requestId)
    } catch (cause) {
      this.#connection.end(cause as ProcessorFailure)
      throw cause
    }
  }

  #heard(answer: AgentAnswer): void {
    const { ruling, requestFields, responseFields, audit, needsMore } = answer
    const before = this.#verdict
    this.#isFinal = ruling.kind !== 'allow' && !needsMore
    this.#verdict = {
      ruling,
      requestFields: fieldChanges([...before.requestFields, ...requestFields]),
      responseFields: fieldChanges([...before.responseFields, ...responseFields]),
      body: undefined,
      audit: bothNotes(before.audit, audit),
    }
  }
}
