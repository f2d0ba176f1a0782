/** A live conversation as one exchange: its texts, tools and usage go into one record. */
import type { ExchangeRecord } from '../../core/record.js'
import type { Conversations } from '../../conversations/conversations.js'
import type { Catalogue } from '../../providers/catalogue.js'
import { recordRequest, recordResponse } from '../../providers/into-record.js'
import type { LiveReader } from '../../providers/live.js'
import { readNamedIds } from '../../providers/named-ids.js'
import type { Heard, SocketReader, SocketSaid } from './websocket-speech.js'

export interface LiveOptions {
  readonly record: ExchangeRecord
  readonly reader: LiveReader
  readonly previewChars: number
  /** `RequestHead.own`. */
  readonly own: ReadonlyMap<string, string> | undefined
  readonly catalogue: Catalogue | undefined
  readonly conversations: Conversations | undefined
}

export class LiveConversation implements SocketReader {
  readonly #options: LiveOptions

  constructor(options: LiveOptions) {
    this.#options = options
  }

  fromClient(text: string): Heard {
    return this.#options.reader.fromClient(text)
  }

  fromServer(text: string): void {
    this.#options.reader.fromServer(text)
  }

  end(whole: boolean): SocketSaid {
    const { record, reader, catalogue, conversations, own, previewChars } = this.#options
    const { request, response } = reader.end(whole)
    if (response.unread > 0) record.uninspectable ??= 'upgraded'
    recordRequest(record, request, previewChars)
    recordResponse(record, response, catalogue)
    conversations?.asked(record, request, readNamedIds(own))
    const { model, promptText: prompt, promptChars } = request
    return { unread: response.unread, content: { model, prompt, promptChars } }
  }
}
