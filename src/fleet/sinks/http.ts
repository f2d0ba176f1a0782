/**
 * Batches by HTTPS, in three shapes: Splunk's HTTP Event Collector, Datadog's logs API v2, the
 * bulk API of Elasticsearch. A batch that a server refuses for what it holds is halved until it
 * is known which document that is; it is counted, and the others go on.
 * https://docs.splunk.com/Documentation/Splunk/latest/Data/HECExamples
 * https://docs.datadoghq.com/api/latest/logs/#send-logs
 * https://www.elastic.co/guide/en/elasticsearch/reference/current/docs-bulk.html
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { Pool } from 'undici'
import { passwordIn } from '../password-file.js'
import type { Carrier, Document, SinkSettings } from './words.js'

const HEAD_MS = 30_000
const BODY_MS = 30_000
/** Of an answer; that of a bulk request has a line a document. */
const MOST_ANSWER = 4 * 2 ** 20
const MOST_SAID = 200
const DEFAULT_INDEX = 'yori-audit'
/** Too large, or not as it is taken. */
const REFUSED: ReadonlySet<number> = new Set([400, 413, 422])

interface Shape {
  readonly path: string
  readonly type: string
  readonly authorization: (token: string) => Readonly<Record<string, string>>
  readonly body: (documents: readonly Document[], sink: SinkSettings) => string
  /** Of an answer of 200: how many documents it refuses. @throws what has to be tried again */
  readonly refused?: (text: string) => number
}

export class HttpCarrier implements Carrier {
  readonly #sink: SinkSettings
  readonly #shape: Shape
  #pool: Pool | undefined
  #fields: Readonly<Record<string, string>> = {}

  constructor(sink: SinkSettings & { readonly type: keyof typeof SHAPES }) {
    this.#sink = sink
    this.#shape = SHAPES[sink.type]
  }

  async open(): Promise<void> {
    await this.close()
    const { tlsCa, token, tokenFile } = this.#sink
    this.#pool = new Pool(this.#url.origin, {
      connections: 1,
      headersTimeout: HEAD_MS,
      bodyTimeout: BODY_MS,
      ...(tlsCa === undefined ? {} : { connect: { ca: readFileSync(tlsCa, 'utf8') } }),
    })
    const secret = tokenFile === undefined ? token : passwordIn(tokenFile)
    this.#fields = {
      'content-type': this.#shape.type,
      'user-agent': 'yori',
      ...(secret === undefined ? {} : this.#shape.authorization(secret)),
    }
  }

  async send(documents: readonly Document[]): Promise<number> {
    const { status, text } = await this.#post(this.#shape.body(documents, this.#sink))
    if (status >= 200 && status < 300) return this.#shape.refused?.(text) ?? 0
    // What a server says may repeat what it was told.
    if (!REFUSED.has(status)) throw new Error(`it answered ${status}`)
    if (documents.length === 1) return 1
    const middle = documents.length >> 1
    return (
      (await this.send(documents.slice(0, middle))) +
      (await this.send(documents.slice(middle)))
    )
  }

  async close(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    await pool?.destroy()
  }

  get #url(): URL {
    return new URL(this.#sink.url ?? '')
  }

  async #post(body: string): Promise<{ status: number; text: string }> {
    if (this.#pool === undefined) throw new Error('not connected')
    const { pathname, search } = this.#url
    const answer = await this.#pool.request({
      path: (pathname === '/' ? this.#shape.path : pathname) + search,
      method: 'POST',
      headers: { ...this.#fields },
      body,
    })
    let text = ''
    for await (const chunk of answer.body.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk
      if (text.length > MOST_ANSWER) throw new Error('its answer has no end')
    }
    return { status: answer.statusCode, text }
  }
}

const isJson = (text: string): boolean => text.startsWith('{')

/** What a document is called and when it was stands beside it; it is put in as it is. */
const member = (name: string, value: unknown): string =>
  `${JSON.stringify(name)}:${JSON.stringify(value)}`

const asValue = (text: string): string => (isJson(text) ? text : JSON.stringify(text))

const SHAPES = {
  splunk: {
    path: '/services/collector/event',
    type: 'application/json',
    authorization: (token) => ({ authorization: `Splunk ${token}` }),
    body: (documents, { index }) =>
      documents
        .map(({ at, kind, text }) => {
          const about = [
            member('time', at / 1000),
            member('host', hostname()),
            member('source', 'yori'),
            member('sourcetype', kind === 'head' ? 'yori:head' : 'yori:exchange'),
            ...(index === undefined ? [] : [member('index', index)]),
          ]
          return `{${about.join(',')},"event":${asValue(text)}}`
        })
        .join('\n'),
  },
  datadog: {
    path: '/api/v2/logs',
    type: 'application/json',
    authorization: (token) => ({ 'dd-api-key': token }),
    body: (documents) => {
      const items = documents.map(({ at, kind, text }) => {
        const status = {
          response: 'info',
          head: 'notice',
          error: 'error',
          block: 'warning',
        }
        const about = [
          member('ddsource', 'yori'),
          member('service', 'yori'),
          member('hostname', hostname()),
          member('ddtags', `kind:${kind}`),
          member('status', status[kind]),
          member('date', new Date(at).toISOString()),
        ]
        return `{${about.join(',')},"message":${JSON.stringify(text)}}`
      })
      return `[${items.join(',')}]`
    },
  },
  elastic: {
    path: '/_bulk',
    type: 'application/x-ndjson',
    authorization: (token) => ({ authorization: `ApiKey ${token}` }),
    body: (documents, { index = DEFAULT_INDEX }) =>
      documents
        .map(({ id, at, text }) => {
          const time = member('@timestamp', new Date(at).toISOString())
          const dated = text.startsWith('{"@timestamp"')
            ? text
            : `{${time},${text.slice(1)}`
          return `${JSON.stringify({ index: { _index: index, _id: id } })}\n${dated}\n`
        })
        .join(''),
    refused: bulkRefused,
  },
} as const satisfies Readonly<Record<string, Shape>>

/** A document that the server has no room for is tried again, with those beside it. */
function bulkRefused(text: string): number {
  const { errors, items = [] } = JSON.parse(text) as {
    readonly errors?: boolean
    readonly items?: readonly Readonly<Record<string, { readonly status?: number }>>[]
  }
  if (errors !== true) return 0
  const states = items.map((item) => Object.values(item)[0]?.status ?? 0)
  const later = states.find((status) => status === 429 || status >= 500)
  if (later !== undefined)
    throw new Error(`it answered ${later} to a document`.slice(0, MOST_SAID))
  return states.filter((status) => status >= 400).length
}
