/**
 * What policies make of one exchange: reads what was kept of the request, once, and has it
 * decided on; of a WebSocket, also each message that waits. Putting the question is
 * `decision.ts`; what a block looks like is `blocking.ts`; when to judge, and what to do then,
 * is for the exchange.
 */
import type { UpstreamBody } from '../../net/upstream-words.js'
import type { Resting } from '../../core/resting.js'
import type { Decision } from '../../policy/engine.js'
import type { Blocked } from './blocking.js'
import { noContent, unreadSocket, unrecognised } from '../words/content.js'
import type { Content } from '../words/content.js'
import { UNASKED } from './access.js'
import { decide, noted } from './decision.js'
import type { DecisionAbout } from './decision.js'
import type { LookedAt } from './looking.js'
import type { Reread } from './approval.js'
import type { ExchangeAbout, Judgement } from '../words/exchange-about.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { Reading, Redacts } from '../reading/reading.js'
import type { JudgingPort } from './port.js'
import { Looking } from './looking.js'
import { BodyRedaction } from './redact-body.js'
import type { RedactionWords } from './redact-body.js'
import { Placeholders } from '../../placeholders/placeholders.js'
import { shareOf } from '../../core/device-id.js'
import { sparesOf } from '../words/pooled-courses.js'
import type { RequestBody } from '../exchange/request-body.js'
import { messagesOf } from '../../providers/mcp-message.js'
import { isModelCall } from '../../providers/calls.js'
import { plainName } from '../../providers/offered-tools.js'
import type { Recognised } from '../../providers/index.js'
import { recogniseBody } from '../../providers/index.js'
import { namesModelLater } from '../../providers/live.js'
import { canRead } from '../websocket/websocket-exchange.js'
import { speechOf } from '../websocket/websocket-speech.js'

const NOTHING_LOOKED_AT: LookedAt = { bytes: Buffer.alloc(0), isWhole: true }

export class Judging {
  /** What the decision takes out of the body; undefined before it was asked for. */
  redaction: BodyRedaction | undefined
  /** What was said on a WebSocket that has ended. */
  said: Content | undefined
  /** What was judged. */
  #content: Content | undefined
  readonly #about: ExchangeAbout<JudgingPort>
  readonly #log: ExchangeLog
  /** Undefined: nobody knows how to read it. */
  readonly #reading: Reading | undefined
  /** Something was to be taken out of it. */
  #redacts: Redacts = 'nothing'
  /** Other programs that look, once they are asked. */
  #looking: Looking | undefined
  /** That were shown. */
  #messages = 0
  /** What is made of it, or will be; whoever asks again gets the same. */
  #judged: { readonly judgement: Judgement } | undefined

  constructor(
    about: ExchangeAbout<JudgingPort>,
    log: ExchangeLog,
    reading: Reading | undefined,
  ) {
    this.#about = about
    this.#log = log
    this.#reading = reading
  }

  /** Once; undefined: no policy was asked. `held`: the body, if it waits. */
  judge(body: RequestBody, held: UpstreamBody | undefined): Judgement {
    this.#judged ??= { judgement: this.#judge(body, held) }
    return this.#judged.judgement
  }

  #judge(body: RequestBody, held: UpstreamBody | undefined): Judgement {
    const { request, facts, recognised } = this.#about
    // Each of its turns is judged, and the person told in it.
    if (facts.upgrade !== undefined && speechOf(recognised, facts) === 'turns')
      return this.#judgeHead()
    const redaction = new BodyRedaction(held, request.rawHeaders, () => this.#words())
    this.redaction = redaction
    const copy = body.preview()
    const size = copy.bytes.length
    const reading = this.#reading
    const judge = (): Judgement => {
      const read =
        this.said === undefined
          ? reading?.request(copy.bytes, copy.whole, facts.head, copy)
          : undefined
      const looked = { bytes: wholeOf(held) ?? copy.bytes, isWhole: copy.whole }
      return read instanceof Promise
        ? read.then((content) => this.#decide(content, { size, looked, redaction, held }))
        : this.#decide(read, { size, looked, redaction, held })
    }
    return reading === undefined ? judge() : reading.inTurn(copy, facts.head, judge)
  }

  /** By those alone who look at heads: its messages are judged when they come. */
  #judgeHead(): Judgement {
    const { request } = this.#about
    const looking = Looking.at(this.#about, this.#log)
    if (looking === undefined) return undefined
    this.#looking = looking
    const redaction = new BodyRedaction(undefined, request.rawHeaders, () =>
      this.#words(),
    )
    const { services } = this.#about
    return looking
      .join(UNASKED, NOTHING_LOOKED_AT, redaction)
      .then((made) => noted(services, { log: this.#log }, made))
  }

  /**
   * Of a message of a WebSocket; what is decided is told to the log that is given.
   * `reading`: its own, where the message is a request.
   */
  judgeMessage(
    content: Content,
    log: ExchangeLog,
    reading?: Pick<Reading, 'decided' | 'passed'>,
  ): Judgement {
    // Messages are not redacted: one that would have to be cannot be inspected.
    const redaction = new BodyRedaction(undefined, [], () => this.#words())
    const decided = (made: Decision | undefined): Decision | undefined => {
      reading?.decided(redaction.outcome(made))
      if (made?.enforce !== true) reading?.passed(takenFrom(made))
      return made
    }
    const { message: text } = content
    const looking =
      text === undefined
        ? undefined
        : Looking.atMessage(this.#about, log, { text, index: this.#messages++ })
    const look =
      looking && ((made: Decision) => looking.join(made, NOTHING_LOOKED_AT, redaction))
    const decision = this.#ask(content, log, redaction, { look })
    return decision instanceof Promise ? decision.then(decided) : decided(decision)
  }

  /** A message of a call after its first; see `CallGate`. */
  judgeMore(bytes: Buffer, state: 'whole' | 'cut' | 'ended'): Judgement {
    const aside = this.#log.aside()
    const read = this.#reading?.more(bytes, this.#about.facts.head, state)
    return read?.then(async (content) => {
      const decision = await this.judgeMessage(content, aside)
      if (decision !== undefined) this.#log.decidedBeside(aside)
      return decision
    })
  }

  /** The same value has the same placeholder in all that one device asks. */
  #words(): RedactionWords {
    const { services, facts, from } = this.#about
    const session = facts.head.own?.get('x-yori-session-id') ?? ''
    const scope = JSON.stringify([shareOf(from.state.record.device), session])
    const { detector, markKey } = services.decider
    return { detector, placeholders: new Placeholders(markKey, scope) }
  }

  /** The request, for who blocks it. */
  get blocked(): Blocked {
    const { request, response, from, facts, recognised, services } = this.#about
    const { head, path, target } = facts
    return {
      request,
      response,
      log: this.#log,
      device: from.state.record.device,
      head,
      host: target.host,
      path,
      provider: recognised?.provider.name,
      ...this.#rpc(),
      isSidecar: facts.door?.toolName !== undefined,
      isOverHttpToo: facts.upgrade !== undefined && isPosted(recognised, path),
      services,
    }
  }

  #rpc(): Pick<Blocked, 'rpc' | 'isRpcList'> {
    const { state, body } = this.#content ?? noContent()
    if (this.#log.record.api !== 'mcp' || state !== 'whole') return {}
    return { rpc: messagesOf(body), isRpcList: Array.isArray(body) }
  }

  /** What a body says from which something was taken out; undefined: nobody can read it. */
  get reread(): ((body: unknown) => Resting<Reread>) | undefined {
    const { recognised, facts } = this.#about
    if (recognised === undefined) return undefined
    return function* (body) {
      const shaped = recognised.api === 'other' ? recogniseBody(body) : undefined
      const { api, provider } = shaped ?? recognised
      const read = yield* provider.requestInSlices(body, { api, path: facts.path })
      const { promptText: prompt, promptChars } = read
      return { prompt, promptChars }
    }
  }

  /** What goes up and comes back is changed so. */
  get changes(): Pick<Looking, 'requestFields' | 'responseFields'> | undefined {
    return this.#looking?.changes === undefined ? undefined : this.#looking
  }

  /** Nobody waits for the decision any more. */
  giveUp(): void {
    this.#looking?.giveUp()
  }

  /** Nothing blocks it any more: what was taken out of its body counts. */
  letPast(): void {
    this.#reading?.passed(this.#redacts)
    const passages = this.redaction?.passages
    if (passages !== undefined) this.#log.redacted(passages)
  }

  #decide(read: Content | undefined, { size, looked, redaction, held }: Held): Judgement {
    const { facts, isGrpc } = this.#about
    const content = facts.upgrade === undefined ? read : this.#spoken(read)
    // A message is not written anew.
    if (isGrpc || content?.state !== 'whole') redaction.leave()
    const looking = Looking.at(this.#about, this.#log)
    this.#looking = looking
    const look = looking && ((made: Decision) => looking.join(made, looked, redaction))
    const known = content ?? unrecognised(size)
    this.#content = known
    const decision = this.#ask(known, this.#log, redaction, {
      look,
      isSpare: this.#spareFor(redaction, held),
    })
    return decision instanceof Promise
      ? decision.then((made) => this.#decided(made, redaction))
      : this.#decided(decision, redaction)
  }

  #ask(
    content: Content,
    log: ExchangeLog,
    redaction: BodyRedaction,
    { look, isSpare }: Pick<DecisionAbout, 'look' | 'isSpare'> = {},
  ) {
    const { services, request, from, facts } = this.#about
    const isIdle = services.decider.idle && look === undefined
    if (isIdle && facts.holder === undefined) return undefined
    const { device } = from.state.record
    const { reread } = this
    const about = {
      request,
      log,
      device,
      redaction,
      reread,
      holder: facts.holder,
      toolName: facts.door?.toolName,
      look,
      isSpare,
    }
    return decide(services, about, content)
  }

  /** Of a door with fallbacks that are there for when the money is spent. */
  #spareFor(
    redaction: BodyRedaction,
    held: UpstreamBody | undefined,
  ): DecisionAbout['isSpare'] {
    const way = this.#about.facts.door?.pooled
    if (held === undefined || way?.fallbacks?.some((one) => one.isForBudgets) !== true)
      return undefined
    return () => sparesOf(way, redaction.body ?? held).length > 0
  }

  #decided(made: Decision | undefined, redaction: BodyRedaction): Decision | undefined {
    const { closed, waits } = this.#about
    this.#redacts = takenFrom(made)
    if (!waits) this.#reading?.passed(this.#redacts)
    if (!closed || !waits) this.#reading?.decided(redaction.outcome(made))
    return made
  }

  /** What a WebSocket said; before it was opened only its model is known. */
  #spoken(asked: Content | undefined): Content {
    if (this.said !== undefined) return this.said
    // Where a policy may block, each message waits for its own decision.
    const { waits, recognised, facts } = this.#about
    const willWait = waits && canRead(recognised, facts)
    const { provider, api } = recognised ?? {}
    // Its URL may name it.
    const named = api && provider?.readRequest(undefined, { api, path: facts.path }).model
    const model = asked?.model ?? (named === undefined ? undefined : plainName(named))
    if (!willWait) return { ...unreadSocket(), model }
    const isLater = recognised !== undefined && namesModelLater(recognised)
    return { ...noContent(), model, namesModelLater: isLater }
  }
}

/** Does a POST there ask a model for the same? A live conversation is had no other way. */
function isPosted(recognised: Recognised | undefined, path: string): boolean {
  if (recognised === undefined || recognised.api === 'realtime') return false
  const { api, provider } = recognised
  return isModelCall({ method: 'POST', path }, { api, provider: provider.name })
}

/** What is judged, beside what could be read of it. */
interface Held {
  readonly size: number
  readonly looked: LookedAt
  readonly redaction: BodyRedaction
  readonly held: UpstreamBody | undefined
}

/** Undefined: it is not held, or not to its end. */
function wholeOf(held: UpstreamBody | undefined): Buffer | undefined {
  return held?.kind === 'whole' ? held.bytes : undefined
}

function takenFrom(made: Decision | undefined): Redacts {
  if (made?.wantsRedaction !== true) return 'nothing'
  return made.redactsWords ? 'words' : 'findings'
}
