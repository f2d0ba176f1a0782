/**
 * Makes sense of the copies that an exchange leaves behind: request and response have gone on
 * before anything here looks at them. Fills the record; what cannot be read stays undefined,
 * and the record says that it was not read.
 */
import { mayHaveBeenServed } from '../../core/record.js'
import type { Uninspectable } from '../../core/record.js'
import { atOnce, inSlices } from '../../core/resting.js'
import type { Resting } from '../../core/resting.js'
import { contentCoding, ContentDecoder } from '../../http/content-coding.js'
import type { CodingLimits } from '../../http/content-coding.js'
import type { Detector } from '../../detect/detector.js'
import type { JsonLimits } from '../../json/json-bounds.js'
import type { Catalogue } from '../../providers/catalogue.js'
import { unansweredFacts } from '../../providers/facts.js'
import type { Recognised } from '../../providers/index.js'
import {
  answeredFields,
  askedFields,
  PaidSum,
  paceOf,
} from '../../providers/into-record.js'
import type { AskedOf } from '../../providers/into-record.js'
import { readNamedIds } from '../../providers/named-ids.js'
import type {
  RequestFacts,
  ResponseFacts,
  ResponseReader,
} from '../../providers/provider.js'
import type { HeardBefore } from '../../conversations/heard.js'
import type { Session } from '../../conversations/sessions.js'
import type { Hold } from '../bounds/byte-budget.js'
import type { SessionFacts } from '../../policy/input.js'
import { unreadable } from '../words/content.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { Content } from '../words/content.js'
import type { Conversations } from '../../conversations/conversations.js'
import type { RequestSaid, ResponseSaid } from '../../conversations/call-teller.js'
import { standOf } from '../../conversations/conversations.js'
import { bodyText, ResponseKeeper } from './kept-bodies.js'
import type { KeptBodies } from '../words/policy-snapshot.js'
import { isInFrames } from '../../http/grpc.js'
import { framesIn } from '../../http/grpc-frames.js'
import { decodeMessages, decodeRequest } from './request-decoding.js'
import type { CodedCopy, DecodedCopy } from './request-decoding.js'
import { keepsAnswers, tellPaid } from './paying.js'
import type { Paid, Paying } from './paying.js'
import { bytesToRead, readingLine } from './reading-line.js'
import { readRequest, readShortRequest } from './request-reading.js'
import type { BodyPart, RequestHeadFacts } from './request-copy.js'
import type { RequestRead } from './request-reading.js'
import { SAID_LIMITS, saidOf } from './said.js'
import type { Said, SaidLimits } from './said.js'

/** What a reader of a response may hold: a JSON body of unknown length, or a stream's text. */
const READER_BYTES = 128 * 1024
const MAX_JSON_BODY_BYTES = 1024 * 1024
/** A request of so many bytes is read within a few milliseconds. */
const AT_ONCE_BYTES = 64 * 1024
/** So many texts are known at once. */
const AT_ONCE_UNITS = 1024
/** Of the tools that a request offers, those that its row names. */
const MAX_TOOLS = 256

const FAILED = unreadable('invalid', 'reading it failed')

/** What was to be taken out of a request: personal data, or also other words. */
export type Redacts = 'nothing' | 'findings' | 'words'

export interface ReadingOptions {
  readonly json: JsonLimits
  readonly previewChars: number
  /** Of content codings that are undone. */
  readonly coding?: CodingLimits | undefined
  /** Undefined: none are kept. */
  readonly bodies?: KeptBodies | undefined
  /** Something may be redacted: words wait for the decision, and events tell none. */
  readonly withheld?: boolean
  /** Somebody looks at the text of requests: by these rules. */
  readonly rules?: object | undefined
  readonly detector?: Detector | undefined
  /** False: nobody minds what of a body's structure cannot be relied on. */
  readonly mindsStructure?: boolean
  /** False: no model is to write, and no tokens are estimated. */
  readonly generates?: boolean | undefined
  readonly catalogue: Catalogue | undefined
  readonly conversations: Conversations | undefined
  /** Which answers are paid for. */
  readonly paid?: Paid | undefined
}

export interface ReadingAbout {
  readonly log: ExchangeLog
  readonly path: string
  readonly hold: Hold
  /** `RequestHead.own`. */
  readonly own: ReadonlyMap<string, string> | undefined
  /** Milliseconds since the request began. */
  readonly elapsed: () => number
  /** Called when the request, and when the response, has been looked at. */
  readonly requestRead?: (said: RequestSaid | undefined) => void
  readonly responseRead?: (said: ResponseSaid | undefined) => void
}

export interface ResponseHeadFacts extends RequestHeadFacts {
  readonly contentLength: number | undefined
  /** Names and values in turn. */
  readonly fields?: readonly string[]
}

export class Reading {
  #recognised: Recognised
  readonly #about: ReadingAbout
  readonly #options: ReadingOptions
  /** Read, and not in the record before it is decided what may be kept. */
  #words:
    | (BodyPart & { readonly head: RequestHeadFacts; readonly facts: RequestFacts })
    | undefined
  /** For who observes, as long as they have not been told. */
  #told: RequestSaid | undefined
  #keepsNothing = false
  #promptChars: number | undefined
  /** What it asks for, as far as that tells what its answer may cost, and whether it is kept. */
  #asked: Pick<RequestFacts, 'tier' | 'maxTokens' | 'choices' | 'stored'> | undefined
  #reader: ResponseReader | undefined
  /** What several answers cost that are told together. */
  readonly #several = new PaidSum()
  #keeper: ResponseKeeper | undefined
  #decoder: ContentDecoder | undefined
  #session: Session | undefined
  /** What was heard before in its conversation, and what it says itself. */
  #heard: HeardBefore | undefined
  #said: Said | undefined
  /** The request's coding is being undone. */
  #decoding: Promise<unknown> | undefined

  constructor(recognised: Recognised, about: ReadingAbout, options: ReadingOptions) {
    this.#recognised = recognised
    this.#about = about
    this.#options = options
  }

  /** Where it is long, when others let it: `work` reads and judges it. */
  inTurn<T>(
    part: Pick<BodyPart, 'bytes' | 'newest'>,
    head: RequestHeadFacts,
    work: () => T | Promise<T>,
  ): T | Promise<T> {
    return readingLine.inTurn(bytesToRead(part, head), work)
  }

  /**
   * The request body, or what is kept of it; gives what policies may rely on, later where a
   * content coding must be undone first.
   */
  request(
    bytes: Buffer,
    whole: boolean,
    head: RequestHeadFacts,
    { newest, cutBy }: Pick<BodyPart, 'newest' | 'cutBy'> = {},
  ): Content | Promise<Content> {
    const coding = contentCoding(head.contentEncoding)
    const isPlain = coding === undefined || coding === 'identity' || bytes.length === 0
    const copy = { bytes, whole, newest, cutBy }
    const content = isPlain
      ? this.#unframed(copy, head)
      : this.#decoded({ ...copy, coding }, head)
    if (content instanceof Promise) this.#decoding = content
    return content
  }

  async #decoded(copy: CodedCopy, head: RequestHeadFacts): Promise<Content> {
    const { json, coding: limits } = this.#options
    const { hold } = this.#about
    const bounds = { maxBytes: json.maxBytes, hold, ...(limits && { limits }) }
    const decoded = await decodeRequest(copy, bounds)
    if (decoded === undefined) return this.#requestRead(copy, head)
    const plain = { ...head, contentEncoding: undefined }
    const content = await this.#unframed(decoded, plain)
    // Where its words wait for the decision, the end of the exchange gives it back.
    if (this.#words === undefined) hold.give(decoded.taken)
    return content
  }

  /** Messages that are compressed each for itself are undone first. */
  #unframed(copy: BodyPart, head: RequestHeadFacts): Content | Promise<Content> {
    const coded = this.#uncoded(copy, head)
    if (!(coded instanceof Promise)) return this.#requestRead(coded, head)
    return coded.then(async (decoded) => {
      const content = await this.#requestRead(decoded, head)
      if ('taken' in decoded && this.#words === undefined)
        this.#about.hold.give(decoded.taken)
      return content
    })
  }

  /** As it is where that is not to be had. */
  #uncoded(
    copy: BodyPart,
    head: RequestHeadFacts,
  ): BodyPart | Promise<BodyPart | DecodedCopy> {
    const coding = contentCoding(head.messageEncoding)
    const isCoded =
      coding !== undefined &&
      coding !== 'identity' &&
      isInFrames(head.contentType) &&
      copy.newest === undefined &&
      framesIn(copy.bytes)?.some(({ isCompressed }) => isCompressed) === true
    if (!isCoded) return copy
    const { json, coding: limits } = this.#options
    const { hold } = this.#about
    const bounds = { maxBytes: json.maxBytes, hold, ...(limits && { limits }) }
    return decodeMessages({ ...copy, coding }, bounds).then((decoded) => decoded ?? copy)
  }

  /** A long one is read in slices, while others have their turn. */
  #requestRead(copy: BodyPart, head: RequestHeadFacts): Content | Promise<Content> {
    const short =
      this.#options.rules === undefined ? this.#readShort(copy, head) : undefined
    if (short !== undefined) return short
    const work = this.#readRequest(copy, head)
    const { bytes, newest } = copy
    if (bytes.length + (newest?.length ?? 0) <= AT_ONCE_BYTES) return atOnce(work)
    return inSlices(work).then((content) => content ?? FAILED)
  }

  /** In one go; undefined: it is none of those that can be. */
  #readShort(part: BodyPart, head: RequestHeadFacts): Content | undefined {
    const { path, log } = this.#about
    const { json, mindsStructure = true } = this.#options
    const { bytes, whole, newest, cutBy } = part
    const copy = { bytes, whole, newest, cutBy, head, path }
    const options = { json, wantsText: false, mindsStructure }
    let content: Content = FAILED
    try {
      const read = readShortRequest(this.#recognised, copy, options)
      if (read === undefined) return undefined
      const own = read.content
      own.session = this.#noted(read, copy)
      content = own
    } catch {
      this.#reader = undefined
      log.readingFailed()
    }
    this.#tell()
    return content
  }

  #tell(): void {
    this.#about.requestRead?.(this.#told)
    this.#told = undefined
  }

  *#readRequest(part: BodyPart, head: RequestHeadFacts): Resting<Content> {
    const { path, log } = this.#about
    const { json, rules, mindsStructure = true } = this.#options
    const wantsText = rules !== undefined
    const options = { json, wantsText, mindsStructure }
    let content: Content = FAILED
    try {
      const { bytes, whole, newest, cutBy } = part
      const copy = { bytes, whole, newest, cutBy, head, path }
      const read = yield* readRequest(this.#recognised, copy, options)
      const own = read.content
      own.session = this.#noted(read, copy)
      if (wantsText) own.said = yield* this.#saidOf(read, rules)
      content = own
    } catch {
      this.#reader = undefined
      log.readingFailed()
    }
    this.#tell()
    return content
  }

  /**
   * What a client goes on to say in its request, as in a call of gRPC: the same content, and
   * nothing of it begins anew. `state`: all of a message, its beginning, or what was left.
   */
  async more(
    bytes: Buffer,
    head: RequestHeadFacts,
    state: 'whole' | 'cut' | 'ended',
  ): Promise<Content> {
    const cutBy = state === 'cut' ? 'inspect.max_body_bytes' : undefined
    const whole = state !== 'cut'
    const decoded = await this.#uncoded({ bytes, whole, newest: undefined, cutBy }, head)
    const content = await inSlices(this.#readMore(decoded, head))
    if ('taken' in decoded) this.#about.hold.give(decoded.taken)
    return content ?? FAILED
  }

  *#readMore(part: BodyPart, head: RequestHeadFacts): Resting<Content> {
    const { path, log } = this.#about
    const { json, rules } = this.#options
    const copy = { ...part, head, path }
    const read = yield* readRequest(this.#recognised, copy, {
      json,
      wantsText: rules !== undefined,
    })
    if (read.unread !== undefined) log.unseen(read.unread)
    const { model } = read.facts
    if (model !== undefined && log.record.model === undefined) log.asked({ model })
    if (rules === undefined) return read.content
    const said = yield* saidOf(read.text?.units ?? [], this.#heard, this.#looked)
    return { ...read.content, said }
  }

  *#saidOf({ text }: RequestRead, rules: object): Resting<Said> {
    const session = this.#session
    const heard = this.#options.conversations?.heard
    this.#heard =
      session === undefined
        ? undefined
        : heard?.in(`${session.key}\n${this.#about.log.record.model ?? ''}`, rules)
    this.#said = yield* saidOf(text?.units ?? [], this.#heard, this.#looked)
    return this.#said
  }

  get #looked(): SaidLimits {
    return { ...SAID_LIMITS, detector: this.#options.detector }
  }

  /**
   * It goes on: what it says has been looked at. Where something was to be taken out of it,
   * that has to be looked at again when it is repeated.
   */
  passed(redacts: Redacts): void {
    const looked = redacts === 'words' ? [] : (this.#said?.looked ?? [])
    const settled = looked.filter(({ found }) => redacts === 'nothing' || !found)
    this.#said = undefined
    const passing = this.#heard?.pass(settled.map(({ unit }) => unit))
    if (passing === undefined) return
    // What is asked before the last of many is known is looked at once more.
    if (settled.length <= AT_ONCE_UNITS) atOnce(passing)
    else void inSlices(passing)
  }

  /** Puts what was read into the record; gives the conversation that it belongs to. */
  #noted(
    read: RequestRead,
    words: BodyPart & { readonly head: RequestHeadFacts },
  ): (() => SessionFacts) | undefined {
    const { log, own } = this.#about
    const { previewChars, conversations } = this.#options
    const withheld = this.#options.withheld === true
    // An answer that has begun is read as it was begun.
    if (read.shaped !== undefined && this.#reader === undefined) {
      this.#recognised = read.shaped
      log.shapedAs(read.shaped.api)
    }
    if (read.unread !== undefined) this.#unread(read.unread)
    if (read.unread === 'partly-unseen' && words.cutBy !== undefined)
      log.cutBy(words.cutBy)
    const { toolsCalled, promptChars } = read.facts
    const toolsOffered = toolsCalled === undefined ? read.facts.toolsOffered : []
    if (toolsCalled !== undefined) log.calls(toolsCalled.slice(0, MAX_TOOLS))
    log.asked(askedFields(read.facts, withheld ? 0 : previewChars))
    log.says(
      promptChars,
      toolsOffered.length === 0 ? undefined : toolsOffered.slice(0, MAX_TOOLS),
    )
    this.#promptChars = promptChars
    this.#asked = read.facts
    if (withheld) this.#words = { ...words, facts: read.facts }
    else this.#keepRequest(words.bytes, words.head)
    const placed = conversations?.place(log.record, read.facts, readNamedIds(own))
    if (placed !== undefined) log.placed(placed.row)
    const session = placed?.session
    this.#session = session
    const isNew = placed?.isNew ?? false
    this.#told = { facts: read.facts, session, isNew, isWithheld: withheld }
    return this.#session === undefined ? undefined : standOf(this.#session)
  }

  /**
   * What was decided, where something may be redacted: the record gets the request's words
   * only now, of the body as it goes on. `nothing`: what was to be taken out still stands in it.
   */
  decided(outcome: { readonly redacted: Buffer } | 'as-it-came' | 'nothing'): void {
    const words = this.#words
    this.#words = undefined
    if (words === undefined) return
    if (outcome === 'nothing') {
      this.#keepsNothing = true
      return
    }
    this.#guarded(() => {
      const { path, log } = this.#about
      const { json, previewChars } = this.#options
      const { head, facts } = words
      if (outcome === 'as-it-came') {
        log.asked(askedFields(facts, previewChars))
        this.#keepRequest(words.bytes, head)
        return
      }
      const bytes = outcome.redacted
      const copy = { ...words, bytes, head, path }
      const read = readRequest(this.#recognised, copy, { json, wantsText: false })
      log.asked(askedFields(atOnce(read).facts, previewChars))
      this.#keepRequest(bytes, head)
    })
  }

  #keepRequest(bytes: Buffer, head: RequestHeadFacts): void {
    const { bodies } = this.#options
    if (bodies?.request !== true) return
    const text = bodyText(bytes, head.contentType, bodies.maxBytes)
    if (text !== undefined) this.#about.log.keptRequest(text)
  }

  responseHead(status: number, head: ResponseHeadFacts): void {
    const coding = contentCoding(head.contentEncoding)
    if (coding === undefined) return this.#unread('content-coding')
    const bytes = Math.min(head.contentLength ?? READER_BYTES, MAX_JSON_BODY_BYTES)
    if (!this.#about.hold.take(bytes)) return this.#unread('no-room')
    const { api, provider } = this.#recognised
    const reader = provider.reader({
      api,
      path: this.#about.path,
      status,
      contentType: head.contentType,
      header: (name) => fieldIn(head.fields ?? [], name),
      promptChars: this.#promptChars,
      eachAnswer: this.#eachAnswer,
      generates: this.#options.generates ?? this.#about.log.record.call,
    })
    this.#reader = reader
    const { bodies } = this.#options
    // A session is answered by a key.
    const mayKeep = api !== 'session' && !this.#keepsNothing && this.#words === undefined
    if (bodies?.response === true && mayKeep)
      this.#keeper = new ResponseKeeper(
        head.contentType,
        bodies.maxBytes,
        this.#about.hold,
      )
    if (coding !== 'identity') {
      const limits = this.#options.coding
      this.#decoder = new ContentDecoder(coding, (piece) => this.#read(piece), limits)
    }
  }

  push(chunk: Buffer): void {
    if (this.#decoder !== undefined) this.#decoder.push(chunk)
    else this.#read(chunk)
  }

  /** `done` is called once all has been read, at once unless a coding is still being undone. */
  end(whole: boolean, done: () => void): void {
    const finish = (complete: boolean): void => {
      const facts = this.#guarded(() => this.#answered(complete))
      const isWithheld = this.#options.withheld === true
      this.#about.responseRead?.({ facts, session: this.#session, isWithheld })
      this.#about.hold.release()
      done()
    }
    const answered = (): void => {
      if (this.#decoder === undefined) finish(whole)
      else
        void this.#decoder.end().then((end) => {
          // The provider's answer has passed whole; we could not look to its end.
          if (whole && end !== 'whole') this.#unread('response')
          finish(whole && end === 'whole')
        })
    }
    if (this.#decoding === undefined) answered()
    else void this.#decoding.then(answered, answered)
  }

  #read(piece: Uint8Array): void {
    const reader = this.#reader
    if (reader === undefined) return
    this.#guarded(() => {
      this.#keeper?.push(piece)
      reader.push(piece)
      const { log, elapsed } = this.#about
      if (log.record.firstTokenMs === undefined && reader.wrote) log.firstToken(elapsed())
    })
  }

  #askedOf(): AskedOf {
    const { provider, api, model, endpointDomain: host } = this.#about.log.record
    const asked = this.#asked
    return {
      tier: asked?.tier,
      maxTokens: asked?.maxTokens,
      choices: asked?.choices,
      provider,
      api,
      model,
      host,
      promptChars: this.#promptChars,
    }
  }

  readonly #eachAnswer = (one: ResponseFacts): void => {
    const { catalogue } = this.#options
    if (catalogue !== undefined) this.#several.add(one, catalogue, this.#askedOf())
  }

  get #paying(): Paying {
    const { paid, conversations } = this.#options
    const { path, log } = this.#about
    return {
      paid,
      path,
      isKept: this.#asked?.stored ?? keepsAnswers(this.#recognised.api, path),
      // A part of a body says nothing of the rest.
      isPart: log.record.status === 206,
      sessionKey: this.#session?.key,
      corrected: (key, more) => conversations?.corrected(key, more),
    }
  }

  readonly #tellAnswer = (facts: ResponseFacts): void => {
    const { catalogue } = this.#options
    const { log } = this.#about
    log.answered(answeredFields(facts, catalogue, this.#askedOf(), this.#several))
  }

  #answered(complete: boolean): ResponseFacts | undefined {
    const { log } = this.#about
    const { conversations } = this.#options
    const facts = this.#reader?.end(complete)
    const said = this.#keeper?.text()
    if (said !== undefined) log.keptResponse(said)
    if (facts !== undefined) {
      tellPaid(facts, log, this.#paying, this.#tellAnswer)
      const pace = paceOf(log.record)
      if (pace !== undefined) log.tokensPerSecond(pace)
    }
    if (this.#reader === undefined) this.#unanswered()
    const session = this.#session
    if (session === undefined) return facts
    if (facts !== undefined && this.#heard !== undefined)
      conversations?.heard.said(session.key, facts)
    conversations?.answered(session, log.record, facts)
    return facts
  }

  /** What a model may have read, of which nobody tells: as much as was sent, and no more. */
  #unanswered(): void {
    const { log } = this.#about
    const { catalogue, generates = log.record.call } = this.#options
    const promptChars = this.#promptChars
    if (generates !== true || !mayHaveBeenServed(log.record)) return
    if (promptChars === undefined) return
    const facts = unansweredFacts({ api: this.#recognised.api, promptChars })
    log.answered(answeredFields(facts, catalogue, this.#askedOf()))
  }

  /** A fault in what only looks must not cost the exchange. */
  #guarded<T>(step: () => T): T | undefined {
    try {
      return step()
    } catch {
      this.#reader = undefined
      this.#about.log.readingFailed()
      return undefined
    }
  }

  /** The first reason counts. */
  #unread(why: Uninspectable): void {
    this.#about.log.unseen(why)
  }
}

/** The first value of a field by its lower-case name. */
function fieldIn(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2)
    if (fields[i]?.length === name.length && fields[i]?.toLowerCase() === name)
      return fields[i + 1]
  return undefined
}
