/** A live conversation as one exchange: its texts, tools and usage go into one record. */
import type { Detector } from '../../detect/detector.js'
import type { Conversations } from '../../conversations/conversations.js'
import type { Catalogue } from '../../providers/catalogue.js'
import { answeredFields, askedFields } from '../../providers/into-record.js'
import { inSlices } from '../../core/resting.js'
import { BodyTextReader } from '../../providers/body-text.js'
import type { RequestFacts } from '../../providers/provider.js'
import { SAID_LIMITS, saidOf } from '../reading/said.js'
import type { Said } from '../reading/said.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { LiveReader } from '../../providers/live.js'
import { readNamedIds } from '../../providers/named-ids.js'
import { Spoken } from './websocket-speech.js'
import type { Heard, SocketReader, SocketSaid } from './websocket-speech.js'

export interface LiveOptions {
  readonly log: ExchangeLog
  readonly reader: LiveReader
  /** Somebody looks at all text of messages. */
  readonly wantsText: boolean
  /** Somebody is to see messages as they come. */
  readonly showsMessages: boolean
  /** Nothing goes on before it is known for which model it is. */
  readonly asksModel: boolean
  readonly detector?: Detector | undefined
  readonly previewChars: number
  /** `RequestHead.own`. */
  readonly own: ReadonlyMap<string, string> | undefined
  readonly catalogue: Catalogue | undefined
  readonly conversations: Conversations | undefined
}

export class LiveConversation implements SocketReader {
  readonly #options: LiveOptions
  /** That was named, and judged: before it was opened, or by a message. */
  #model: string | undefined

  constructor(options: LiveOptions) {
    this.#options = options
    this.#model = options.reader.model
  }

  fromClient(text: string): Heard {
    const { log, reader, wantsText, showsMessages, asksModel, detector } = this.#options
    const prompt = reader.fromClient(text)
    const { model } = reader
    const isNew = model !== this.#model || (asksModel && model === undefined)
    this.#model = model
    // The row has the one that its URL names.
    const isOther = isNew || (prompt !== '' && model !== log.record.model)
    if (prompt === undefined || !(wantsText || showsMessages || isOther)) return prompt
    const heard = wantsText ? reader.words() : undefined
    const words = heard?.says === true ? heard : undefined
    const message = showsMessages && prompt !== '' ? text : undefined
    if (words === undefined && message === undefined && !isOther) return prompt
    return new Spoken(prompt, { words, detector, message, model })
  }

  fromServer(text: string): void {
    this.#options.reader.fromServer(text)
  }

  async end(whole: boolean): Promise<SocketSaid> {
    const { log, reader, catalogue, conversations, own, previewChars } = this.#options
    const { request, response } = reader.end(whole)
    if (response.unread > 0) log.unseen('upgraded')
    log.asked(askedFields(request, previewChars))
    const { provider, api, model: named, endpointDomain: host } = log.record
    const asked = { provider, host, api, model: named, promptChars: request.promptChars }
    log.answered(answeredFields(response, catalogue, asked))
    const placed = conversations?.place(log.record, request, readNamedIds(own))
    if (placed !== undefined) log.placed(placed.row)
    const { model, promptText: prompt, promptChars } = request
    const said = this.#options.wantsText
      ? await wordsOf(request, this.#options.detector)
      : undefined
    return { unread: response.unread, content: { model, prompt, promptChars, said } }
  }
}

/** All that was said, for who judges it after it has passed. */
async function wordsOf(
  { system = '', messages }: RequestFacts,
  detector: Detector | undefined,
): Promise<Said | undefined> {
  const words = new BodyTextReader()
  words.plain(system, 'program')
  for (const { text } of messages) words.plain(text)
  return inSlices(saidOf(words.end().units, undefined, { ...SAID_LIMITS, detector }))
}
