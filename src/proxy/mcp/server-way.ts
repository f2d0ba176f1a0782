/**
 * What the door of one server of MCP does with a request: reads the whole message before any
 * of it goes up, answers calls of tools that are not led on, holds the head against the message
 * (revision 2026-07-28), and says in a stream of HTTP+SSE where messages go by this door.
 * Sessions, streams and their resumption pass as they are.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { YoriError } from '../../core/errors.js'
import { atOnce, inSlices } from '../../core/resting.js'
import {
  CODING_LIMITS,
  ContentDecoder,
  contentCoding,
} from '../../http/content-coding.js'
import type { CodingLimits } from '../../http/content-coding.js'
import { fieldValues, withFields } from '../../http/flat-fields.js'
import type { JsonLimits } from '../../json/json-bounds.js'
import type { UpstreamBody, UpstreamRequest } from '../../net/upstream-words.js'
import type { McpServer } from '../../policy/mcp-doors.js'
import type { TooOften } from '../../policy/mcp-rates.js'
import { plainTool } from '../../policy/mcp-tools.js'
import { readMcp } from '../../providers/mcp-message.js'
import type { McpMessage, McpRead } from '../../providers/mcp-message.js'
import type {
  AnswerHead,
  AnswerSink,
  DoorWay,
  Look,
  Rewriter,
} from '../words/door-way.js'
import { EndpointRewriter } from './endpoint-rewriter.js'
import { blockedAnswer, refusedAnswer } from '../answers/rpc-answers.js'
import { headProblem } from './mcp-head.js'
import { wantsEvents } from './gateway-way.js'
import { JudgedResults } from './judged-results.js'
import type { JudgedResultsOptions } from './judged-results.js'
import { ListedTools } from './listed-tools.js'

/** Shorter messages are read within the call. */
const AT_ONCE_BYTES = 64 * 1024
const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'DELETE', 'HEAD', 'OPTIONS'])

/** What is to be done when an approval is used; true: it was for this once. */
export type Use = () => boolean

/** What people have approved of the calls of one device. */
export interface ToolApprovals {
  readonly key: Buffer
  /** Digests of what is approved now, with what is to be done when one is used. */
  granted(): ReadonlyMap<string, Use>
  /** As a digest of what is asked for. */
  mark(text: string): string
}

/** How tools described themselves before. */
export interface PinnedTools {
  saw(tools: readonly unknown[]): void
  /** A digest of what it says now, where that is another. */
  changed(tool: string): string | undefined
  accept(tool: string): void
}

export interface ServerWayOptions {
  readonly server: McpServer
  readonly method: string
  /** End-to-end fields of the request, flat. */
  readonly fields: readonly string[]
  /** The request came to where an endpoint of HTTP+SSE was told to be. */
  readonly isMessage: boolean
  readonly approvals: ToolApprovals
  /** Undefined: nobody minds. */
  readonly pins: PinnedTools | undefined
  /** By which calls are counted. */
  readonly device: string
  readonly find: JudgedResultsOptions['find']
  readonly json: JsonLimits
  readonly coding: CodingLimits
}

const PASSES: Look = { kind: 'passes', tools: [] }

export class ServerWay implements DoorWay {
  readonly #options: ServerWayOptions
  #isStream = false
  /** What it calls, where what comes back is looked at. */
  #called: Extract<McpRead, { kind: 'read' }> | undefined
  /** It asks for them. */
  #listsTools = false
  #asked = ''

  constructor(options: ServerWayOptions) {
    this.#options = options
  }

  look(body: UpstreamBody): Look | Promise<Look> {
    const { method, fields } = this.#options
    if (!METHODS.has(method)) return notForwarded('it is asked by no method of MCP')
    if (body.kind === 'none') return PASSES
    if (method !== 'POST') return notForwarded('only a POST has a body')
    if (body.kind === 'stream') {
      const code = 'YORI_REQUEST_BODY_TOO_LARGE'
      return refused(new YoriError(code, 'it is longer than what can be held'))
    }
    const charset = charsetOf(fields)
    if (charset !== undefined && !/^utf-?8$/i.test(charset))
      return unreadable(`its charset is ${charset.slice(0, 32)}`)
    const coding = contentCoding(fieldValues(fields, 'content-encoding').join(','))
    if (coding === undefined)
      return unreadable('its content coding cannot be undone here')
    if (coding === 'identity') return this.#lookAt(body.bytes)
    return this.#decoded(coding, body.bytes)
  }

  async #decoded(
    coding: ConstructorParameters<typeof ContentDecoder>[0],
    bytes: Buffer,
  ): Promise<Look> {
    const { json, coding: limits } = this.#options
    const pieces: Buffer[] = []
    const maxOutputBytes = Math.min(limits.maxOutputBytes, json.maxBytes)
    const decoder = new ContentDecoder(
      coding,
      (piece) => pieces.push(Buffer.from(piece)),
      {
        ...CODING_LIMITS,
        ...limits,
        maxOutputBytes,
        maxQueuedBytes: Math.max(limits.maxQueuedBytes, bytes.length),
      },
    )
    decoder.push(bytes)
    const end = await decoder.end()
    if (end !== 'whole') return unreadable(`its content coding is ${end}`)
    return this.#lookAt(Buffer.concat(pieces))
  }

  #lookAt(bytes: Buffer): Look | Promise<Look> {
    const { json } = this.#options
    if (bytes.length <= AT_ONCE_BYTES) return this.#read(atOnce(readMcp(bytes, json)))
    return inSlices(readMcp(bytes, json)).then((read) =>
      read === undefined ? unreadable('it was given up') : this.#read(read),
    )
  }

  #read(read: McpRead): Look {
    if (read.kind === 'unread') return unreadable(read.why, read.id)
    const problem = headProblem(this.#options.fields, read)
    if (problem !== undefined) {
      const error = new YoriError('YORI_MCP_HEADER_MISMATCH', problem)
      return refused(error, read.messages[0]?.id ?? null)
    }
    return this.#judged(read)
  }

  #judged(read: Extract<McpRead, { kind: 'read' }>): Look {
    const { server, approvals, isMessage } = this.#options
    this.#listsTools =
      this.#options.pins !== undefined &&
      read.messages.some(({ method }) => method === 'tools/list')
    const tools = read.messages.flatMap(({ tool }) => tool ?? [])
    if (tools.length === 0) return PASSES
    const reasons = new Map<McpMessage, string>()
    const marks: string[] = []
    const used: (() => unknown)[] = []
    let isDenied = false
    let granted: ReadonlyMap<string, Use> | undefined
    for (const message of read.messages) {
      const { tool } = message
      const rule = tool === undefined ? 'allow' : server.tools.of(tool)
      const said = tool === undefined ? undefined : this.#options.pins?.changed(tool)
      if (tool === undefined || (rule === 'allow' && said === undefined)) continue
      const shown = `the tool ${shownName(tool)} of the server ${server.name}`
      if (rule === 'deny') {
        isDenied = true
        reasons.set(message, `${shown} is not to be called`)
        continue
      }
      const about = [
        'mcp',
        server.name,
        plainTool(tool),
        ...(said === undefined ? [] : [said]),
      ]
      const mark = approvals.mark(JSON.stringify(about))
      granted ??= approvals.granted()
      const use = granted.get(mark)
      if (use !== undefined) {
        // What it says now was looked at by whoever approved it for longer.
        used.push(() => use() || this.#options.pins?.accept(tool))
        continue
      }
      marks.push(mark)
      reasons.set(
        message,
        said === undefined
          ? `${shown} is called only once that is approved`
          : `${shown} describes itself otherwise than before; it is called once that is approved`,
      )
    }
    const [reason] = reasons.values()
    if (reason === undefined) {
      const often = server.rates.take(this.#options.device, tools)
      if (often !== undefined) return tooOften(often, read.messages[0]?.id ?? null)
      for (const use of used) use()
      if (server.results !== 'pass') this.#called = read
      return { kind: 'passes', tools }
    }
    return {
      kind: 'blocked',
      reason,
      marks: isDenied ? [] : [...new Set(marks)],
      answer: (message) =>
        blockedAnswer(read, new Set(reasons.keys()), message, isMessage),
    }
  }

  sent(request: UpstreamRequest): UpstreamRequest {
    this.#asked = request.path
    this.#isStream = request.method === 'GET' && wantsEvents(request.fields)
    // What is to be rewritten, or read, has to be readable.
    const isRead = this.#isStream || this.#listsTools || this.#called !== undefined
    const plain = isRead ? ['accept-encoding', 'identity'] : []
    const set = [...this.#options.server.fields(), ...plain]
    return set.length === 0
      ? request
      : { ...request, fields: withFields(request.fields, set) }
  }

  rewriter(head: AnswerHead, _status: number, sink: AnswerSink): Rewriter | undefined {
    const { contentType = '', contentEncoding } = head
    const isEvents = /^text\/event-stream\s*(?:;|$)/i.test(contentType.trim())
    const isPlain = contentCoding(contentEncoding) === 'identity'
    const { results } = this.#options.server
    const isJudged =
      results !== 'pass' && (this.#called !== undefined || (this.#isStream && isEvents))
    if (!isPlain) {
      if (isJudged) sink.note('a result came in a coding and was not looked at')
      return isJudged && results === 'refuse' ? NOTHING_PASSES : undefined
    }
    const plain = this.#plainRewriter(isEvents)
    if (!isJudged) return plain
    const { find } = this.#options
    const emit = (bytes: Buffer): void => sink.emit(plain?.write(bytes) ?? bytes)
    const instead = this.#called && this.#instead(this.#called)
    const judged = new JudgedResults({
      ...{ isEvents, find, refuses: results === 'refuse' },
      sink: { emit, note: sink.note, instead },
    })
    if (plain === undefined) return judged
    return {
      write: (chunk) => plain.write(judged.write(chunk)),
      end: () => NOTHING,
      finish: async () => {
        const rest = await judged.finish()
        return Buffer.concat([plain.write(rest), plain.end()])
      },
    }
  }

  #instead(called: Extract<McpRead, { kind: 'read' }>): (why: string) => string {
    const calls = new Set(called.messages.filter(({ tool }) => tool !== undefined))
    return (why) => blockedAnswer(called, calls, `YORI: ${why}`, false).body ?? ''
  }

  #plainRewriter(isEvents: boolean): Rewriter | undefined {
    const { server, approvals, pins } = this.#options
    const reads = pins !== undefined && (this.#listsTools || (this.#isStream && isEvents))
    const listed = reads
      ? new ListedTools(isEvents, (tools) => pins.saw(tools))
      : undefined
    if (!this.#isStream || !isEvents) return listed && passing(listed)
    const endpoints = new EndpointRewriter((endpoint) => {
      const base = server.origin + this.#asked
      if (!URL.canParse(endpoint, base)) return undefined
      const { origin, pathname, search } = new URL(endpoint, base)
      if (origin !== server.origin) return undefined
      const tag = endpointTag(approvals.key, server.name, pathname)
      return `/mcp/servers/${server.name}/~${tag}${pathname}${search}`
    })
    return {
      write: (chunk) => {
        listed?.push(chunk)
        return endpoints.write(chunk)
      },
      end: () => endpoints.end(),
    }
  }
}

/** What goes on is what came; somebody looks on. */
function passing(listed: ListedTools): Rewriter {
  return {
    write: (chunk) => {
      listed.push(chunk)
      return chunk
    },
    end: () => {
      listed.end()
      return NOTHING
    },
  }
}

const NOTHING = Buffer.alloc(0)

const NOTHING_PASSES: Rewriter = { write: () => NOTHING, end: () => NOTHING }

/**
 * Where a request goes by what follows the server's name; undefined: to an endpoint of which
 * its stream has not said that it is one.
 */
export function serverPath(
  server: McpServer,
  rest: string,
  key: Buffer,
): { readonly path: string; readonly isMessage: boolean } | undefined {
  const [, tag, told = ''] = /^\/~([\w-]*)(.*)$/s.exec(rest) ?? []
  if (tag !== undefined) {
    const pathname = told.split('?', 1)[0] as string
    const right = Buffer.from(endpointTag(key, server.name, pathname))
    const given = Buffer.from(tag)
    const isTold = given.length === right.length && timingSafeEqual(given, right)
    return isTold ? { path: told, isMessage: true } : undefined
  }
  const at = rest.indexOf('?')
  const below = at < 0 ? rest : rest.slice(0, at)
  const query = at < 0 ? '' : rest.slice(at + 1)
  const base = below === '' ? server.path : server.path.replace(/\/+$/, '') + below
  const items = [server.query.slice(1), query].filter((one) => one !== '')
  const whole = items.length === 0 ? '' : `?${items.join('&')}`
  return { path: base + whole, isMessage: false }
}

const TAG_CHARS = 22

/** By which we know an endpoint again, also after a restart. */
function endpointTag(key: Buffer, server: string, pathname: string): string {
  const said = JSON.stringify(['mcp-endpoint', server, pathname])
  return createHmac('sha256', key).update(said).digest('base64url').slice(0, TAG_CHARS)
}

/** Undefined: none is said. */
function charsetOf(fields: readonly string[]): string | undefined {
  const types = fieldValues(fields, 'content-type').join(';')
  return /;\s*charset\s*=\s*"?([^";,\s]*)/i.exec(types)?.[1]
}

function notForwarded(why: string): Look {
  return refused(new YoriError('YORI_NOT_FORWARDED', why))
}

function unreadable(why: string, id: McpMessage['id'] = null): Look {
  return refused(new YoriError('YORI_MCP_UNREADABLE', why), id)
}

function refused(error: YoriError, id: McpMessage['id'] = null): Look {
  return { kind: 'refused', error, answer: (text) => refusedAnswer(error, id, text) }
}

const SECOND_MS = 1000

function tooOften({ limit, perMinute, waitMs }: TooOften, id: McpMessage['id']): Look {
  const seconds = Math.ceil(waitMs / SECOND_MS)
  const why = `${limit} of ${perMinute} is used up: wait ${seconds} s, then call again`
  return refused(new YoriError('YORI_MCP_RATE_LIMITED', why), id)
}

/** Of a name that its client chose, what is said of it. */
function shownName(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 64)
}
