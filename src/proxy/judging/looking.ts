/**
 * Other programs that look at a request after the policies (`src/processors/`): what each is
 * shown, and what its word comes to. A word is one opinion among the policies'; what is to be
 * changed is changed only where a decision takes effect.
 */
import { contentCoding } from '../../http/content-coding.js'
import { isSigned } from '../../http/head.js'
import type { Voice, VoiceAnswer } from '../../policy/combine.js'
import type { Decision } from '../../policy/engine.js'
import { shownFields, shownPath } from '../../processors/credentials.js'
import { changedFields } from '../../processors/fields.js'
import type { Patience } from '../../processors/patience.js'
import type { Heard, Processor } from '../../processors/processor.js'
import { unpacked } from '../../processors/unpacked.js'
import { noteText } from '../../processors/verdict.js'
import { failureOf, ProcessorFailure } from '../../processors/words.js'
import type {
  Asked,
  FailureKind,
  FieldChange,
  ProcessorEvent,
  Ruling,
  ShownBody,
  ShownMessage,
  Verdict,
} from '../../processors/words.js'
import type { ExchangeAbout } from '../words/exchange-about.js'
import { providerOf } from '../words/exchange-provider.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { JudgingPort } from './port.js'
import type { BodyRedaction } from './redact-body.js'

const ASKED_AT: readonly ProcessorEvent[] = ['request_headers', 'request_body']
const MESSAGES: readonly ProcessorEvent[] = ['websocket']
/** Where it may become a WebSocket. */
const UPGRADED_AT: readonly ProcessorEvent[] = [...ASKED_AT, ...MESSAGES]

/** What there is of the body: as it came, or as much of it as was kept. */
export interface LookedAt {
  readonly bytes: Buffer
  readonly isWhole: boolean
}

/** What goes up, and comes back, otherwise than it came. */
export interface Changes {
  readonly request: readonly FieldChange[]
  readonly response: readonly FieldChange[]
}

interface Said {
  readonly processor: Processor
  readonly heard: Heard
}

export class Looking {
  /** Undefined: nothing is changed. */
  changes: Changes | undefined
  readonly #about: ExchangeAbout<JudgingPort>
  readonly #log: ExchangeLog
  readonly #processors: readonly Processor[]
  readonly #patiences = new Set<Patience>()
  /** Of a WebSocket, what is asked about in the place of the request. */
  readonly #message: ShownMessage | undefined
  #isGivenUp = false

  private constructor(
    about: ExchangeAbout<JudgingPort>,
    log: ExchangeLog,
    processors: readonly Processor[],
    message?: ShownMessage,
  ) {
    this.#about = about
    this.#log = log
    this.#processors = processors
    this.#message = message
  }

  /** Undefined: nobody is there who looks at such requests. */
  static at(about: ExchangeAbout<JudgingPort>, log: ExchangeLog): Looking | undefined {
    const processors = lookersAt(about, ASKED_AT)
    return processors.length === 0 ? undefined : new Looking(about, log, processors)
  }

  /** The same of one message of its WebSocket. */
  static atMessage(
    about: ExchangeAbout<JudgingPort>,
    log: ExchangeLog,
    message: ShownMessage,
  ): Looking | undefined {
    const processors = lookersAt(about, MESSAGES)
    if (processors.length === 0) return undefined
    return new Looking(about, log, processors, message)
  }

  /** May a word of somebody who looks at such requests block this one? */
  static holds(about: LookedFor): boolean {
    return (
      about.services.decider.mayBlock &&
      lookersAt(about, about.facts.upgrade === undefined ? ASKED_AT : UPGRADED_AT).some(
        ({ options }) => options.action === 'block',
      )
    )
  }

  /** Nobody waits for their answers any more. */
  giveUp(): void {
    this.#isGivenUp = true
    for (const patience of this.#patiences) patience.end(new ProcessorFailure('given-up'))
  }

  /** With what they say of it. Never rejects. `redaction`: by which its body is changed. */
  async join(
    decision: Decision,
    body: LookedAt,
    redaction: BodyRedaction,
  ): Promise<Decision> {
    // What is refused already is shown to nobody, unless a password might let it past.
    const { headers } = this.#about.request
    const isRefused = decision.refusal !== undefined || decision.enforce
    if (isRefused && headers['x-yori-override'] === undefined) return decision
    const said = await Promise.all(
      this.#processors.map(async (processor) => ({
        processor,
        heard: await this.#ask(processor, body, redaction),
      })),
    )
    const { decider } = this.#about.services
    const { device, endpointDomain: endpoint } = this.#log.record
    const voices = said.flatMap(({ processor, heard }) => voiceOf(processor, heard) ?? [])
    const whole = decider.join(decision, voices, { device, endpoint })
    const isRequest = this.#message === undefined
    const takesEffect = isRequest && decider.enforces && !whole.enforce
    const changed = takesEffect ? this.#change(said, redaction) : []
    const notes = [...said.flatMap(notesOf), ...changed]
    return notes.length === 0 ? whole : { ...whole, notes }
  }

  async #ask(
    processor: Processor,
    body: LookedAt,
    redaction: BodyRedaction,
  ): Promise<Heard> {
    if (this.#isGivenUp)
      return { kind: 'failed', failure: new ProcessorFailure('given-up') }
    let asked: Asked | undefined
    try {
      asked = await this.#asked(processor, body, redaction)
    } catch (cause) {
      return { kind: 'failed', failure: failureOf(cause) }
    }
    if (asked === undefined) return NOTHING_TO_SEE
    let patience: Patience | undefined
    const heard = await processor.ask(asked, (begun) => {
      patience = begun
      this.#patiences.add(begun)
    })
    if (patience !== undefined) this.#patiences.delete(patience)
    return heard
  }

  /** Undefined: there is nothing that it is to see. */
  async #asked(
    processor: Processor,
    body: LookedAt,
    redaction: BodyRedaction,
  ): Promise<Asked | undefined> {
    const message = this.#message
    const { requestId } = this.#log.record
    if (message !== undefined) {
      if (Buffer.byteLength(message.text) > processor.options.bodyBytes)
        throw new ProcessorFailure('body-too-large')
      const head = this.#head(processor)
      return { requestId, head, asksHead: false, body: undefined, message }
    }
    const asksHead = processor.hears('request_headers')
    let shown: ShownBody | undefined
    try {
      if (processor.hears('request_body'))
        shown = await this.#body(processor, body, redaction)
    } catch (cause) {
      // Of a body that it cannot be shown it still sees the head.
      if (!asksHead || processor.options.failMode === 'closed') throw cause
    }
    if (!asksHead && shown === undefined) return undefined
    return {
      requestId: this.#about.requestId,
      head: this.#head(processor),
      asksHead,
      body: shown,
    }
  }

  #head(processor: Processor): Asked['head'] {
    const { request, facts, from } = this.#about
    const { record } = this.#log
    const { named } = processor.options
    const { state } = from
    return {
      method: record.method,
      path: shownPath(facts.path, named),
      host: facts.target.host,
      protocol: `HTTP/${request.httpVersion.replace(/\.0$/, '')}`,
      fields: shownFields(facts.head.fields, named),
      clientAddress: record.device.ip,
      clientPort: state.record.clientPort,
      traceparent: record.traceparent,
      provider: record.provider,
      model: record.model,
      startedAt: record.startedAt,
    }
  }

  async #body(
    processor: Processor,
    body: LookedAt,
    redaction: BodyRedaction,
  ): Promise<ShownBody | undefined> {
    const { head } = this.#about.facts
    const { seesOriginal, bodyBytes, isPartialFine } = processor.options
    const left = seesOriginal ? undefined : redaction.body?.bytes
    const bytes = left ?? body.bytes
    if (bytes.length === 0 && body.isWhole) return undefined
    if (!processor.isShownType(head.contentType)) return undefined
    const isWhole = body.isWhole || left !== undefined
    const total = isWhole ? undefined : head.contentLength
    if (isWhole && bytes.length <= bodyBytes) {
      const plain = await this.#unpacked(bytes)
      if (plain.length <= bodyBytes)
        return { bytes: plain, total: plain.length, isCut: false }
    }
    if (!isPartialFine) throw new ProcessorFailure('body-too-large')
    if (contentCoding(head.contentEncoding) !== 'identity')
      throw new ProcessorFailure('body-too-large')
    return { bytes: bytes.subarray(0, bodyBytes), total, isCut: true }
  }

  #unpacked(bytes: Buffer): Buffer | Promise<Buffer> {
    const { facts, services } = this.#about
    const { contentEncoding } = facts.head
    if (contentEncoding === undefined) return bytes
    return unpacked(bytes, contentEncoding, services.policy.coding)
  }

  /** Gives what was changed, in words. Of several who want another body the first has its way. */
  #change(said: readonly Said[], redaction: BodyRedaction): string[] {
    const { rawHeaders } = this.#about.request
    const request: FieldChange[] = []
    const response: FieldChange[] = []
    const told: string[] = []
    let isReplaced = false
    for (const { processor, heard } of said) {
      if (heard.kind === 'failed' || processor.options.action !== 'block') continue
      const { verdict } = heard
      const up = processor
        .allowed(verdict.requestFields)
        .filter(({ name }) => !isSigned(rawHeaders, name))
      const down = processor.allowed(verdict.responseFields)
      request.push(...up)
      response.push(...down)
      if (up.length > 0) told.push(`${processor.name} changed ${namesOf(up)}`)
      if (down.length > 0)
        told.push(`${processor.name} changes ${namesOf(down)} of the answer`)
      if (verdict.body === undefined || isReplaced) continue
      isReplaced = redaction.replace(verdict.body)
      const what = isReplaced ? 'replaced the body' : 'could not replace the body'
      told.push(`${processor.name} ${what}`)
    }
    if (request.length + response.length > 0) this.changes = { request, response }
    return told
  }

  requestFields(fields: readonly string[]): readonly string[] {
    const { request = [] } = this.changes ?? {}
    return request.length === 0 ? fields : changedFields(fields, request)
  }

  responseFields(fields: string[]): string[] {
    const { response = [] } = this.changes ?? {}
    return response.length === 0 ? fields : [...changedFields(fields, response)]
  }
}

type LookedFor = Pick<
  ExchangeAbout<JudgingPort>,
  'facts' | 'from' | 'recognised' | 'services'
>

/** By what is known of it from the beginning: whom it waits for are those who are asked. */
function lookersAt(
  about: LookedFor,
  events: readonly ProcessorEvent[],
): readonly Processor[] {
  const { services, facts, from } = about
  const { processors, decider } = services
  if (processors.all.length === 0) return processors.all
  const { device } = from.state.record
  const exchange = {
    host: facts.target.host,
    provider: providerOf(about),
    path: facts.path,
    device: { ...device, name: decider.nameOf(device) },
  }
  return processors.at(exchange, events)
}

const NOTHING_TO_SEE: Heard = {
  kind: 'verdict',
  verdict: {
    ruling: { kind: 'allow' },
    requestFields: [],
    responseFields: [],
    body: undefined,
    audit: { tags: [], ruleIds: [], reasons: [], confidence: undefined },
  },
}

function namesOf(changes: readonly FieldChange[]): string {
  return [...new Set(changes.map(({ name }) => name))].slice(0, 8).join(', ')
}

/** Beside its opinion. */
function notesOf({ processor: { name, options }, heard }: Said): string[] {
  if (heard.kind === 'failed')
    return options.failMode === 'open' ? [`${name} ${heard.failure.message}`] : []
  const note = noteText(heard.verdict.audit)
  return note === '' ? [] : [`${name}: ${note}`]
}

/** By which a client is told that no word could be had: an outage, whatever client it is. */
const FAILED_STATUS: Readonly<Partial<Record<FailureKind, number>>> = {
  timeout: 504,
  'body-too-large': 413,
  // RFC 9110 §15.5.16: a content coding that is not understood.
  'body-unreadable': 415,
}

/** Undefined: it has nothing against it. */
function voiceOf(processor: Processor, heard: Heard): Voice | undefined {
  const { name, options } = processor
  const { action, order } = options
  if (action === 'allow') return undefined
  const voice = { policy: name, order, explicitAllow: false, effect: action }
  if (heard.kind === 'failed') {
    if (options.failMode === 'open') return undefined
    const { kind, message } = heard.failure
    const status = FAILED_STATUS[kind] ?? 503
    const answer = { status, isOutage: status >= 500 }
    return { ...voice, reason: `${name} ${message}`, answer }
  }
  const told = objectionOf(processor, heard.verdict)
  return told && { ...voice, ...told }
}

function objectionOf(
  processor: Processor,
  { ruling, audit }: Verdict,
): { readonly reason: string; readonly answer: VoiceAnswer } | undefined {
  const why = audit.reasons.length === 0 ? undefined : audit.reasons.join(', ')
  switch (ruling.kind) {
    case 'allow':
      return undefined
    case 'block': {
      const reason = ruling.text ?? why ?? `${processor.name} objects`
      return { reason, answer: blockAnswer(processor, ruling) }
    }
    case 'redirect': {
      const { url: location, status } = ruling
      return { reason: why ?? 'it is led elsewhere', answer: { status, location } }
    }
    case 'challenge': {
      const { type } = ruling
      return { reason: why ?? `it asks for ${type || 'a word of an adult'}`, answer: {} }
    }
  }
}

function blockAnswer(
  processor: Processor,
  { status, fields }: Extract<Ruling, { kind: 'block' }>,
): VoiceAnswer {
  const told = processor.allowed(fields).filter(({ name }) => name !== 'content-type')
  return { status, fields: told.flatMap(({ name, value }) => [name, value]) }
}
