/**
 * What a client gets when a policy blocks, in a shape that it understands. A program gets the
 * provider's own error, so that its library raises its ordinary error, once, by the status that
 * the catalogue has for it; a person gets a page and 403.
 */
import { STATUS_CODES } from 'node:http'
import { canonicalHostname } from '../../core/hostname.js'
import {
  grpcStatusOf,
  grpcTrailersOnly,
  isGrpc,
  PERMISSION_DENIED,
} from '../../http/grpc.js'
import { fieldPairs, splitAuthority } from '../../http/head.js'
import type { RequestHead } from '../../http/head.js'
import { errorEnvelope } from '../../providers/envelope.js'
import { BLOCK_PAGE_FIELDS, blockPage } from './block-page.js'
import type { BlockPage } from './block-page.js'
import { owesBody } from '../words/http-words.js'
import type { HttpRequest, HttpResponse } from '../words/http-words.js'

/** Of the page; a program may be told otherwise. */
const PAGE_STATUS = 403
/** In the envelope: for programs that tell errors apart. */
const BLOCK_CODE = 'policy_blocked'

export interface Block extends BlockPage {
  readonly provider: string | undefined
  /** It is told to an agent, in JSON, with the name of the policy. */
  readonly isSidecar?: boolean
  /** By which this program is told. */
  readonly status: number
  /** By which a person is told; 403 unless said. */
  readonly pageStatus?: number
  /** Whoever was to be asked could not be: the same may be asked again. */
  readonly isOutage?: boolean
  /** Where the client is sent, whoever it is. */
  readonly location?: string
  /** More fields of the answer, flat. */
  readonly fields?: readonly string[]
}

/** Gives the status that went out; for gRPC, whose answers are 200, the one that it stands for. */
export function answerBlock(
  http: { request: HttpRequest; response: HttpResponse },
  head: RequestHead,
  block: Block,
): number {
  const { request, response } = http
  if (isGrpc(request.httpVersion, head.contentType)) {
    // Of an outage gRPC has words of its own.
    const isOutage = block.status >= 500
    const callStatus = isOutage ? grpcStatusOf(block.status) : PERMISSION_DENIED
    const fields = grpcTrailersOnly(callStatus, messageOf(block))
    const meant = isOutage ? block.status : PAGE_STATUS
    // The call was answering: how it ends stands behind what was said.
    if (response.headersSent) {
      response.addTrailers(fieldPairs(fields.slice(2)))
      response.end()
      return meant
    }
    response.writeHead(200, 'OK', [...fields, 'x-yori-request-id', block.requestId])
    response.end()
    return meant
  }
  const isPage =
    block.isSidecar !== true && wantsPage(request.rawHeaders, head, block.endpoint)
  const { body, fields, status } = isPage
    ? {
        body: blockPage(block),
        fields: BLOCK_PAGE_FIELDS,
        status: block.pageStatus ?? PAGE_STATUS,
      }
    : envelopeOf(block)
  response.writeHead(status, STATUS_CODES[status] ?? '', [
    ...fields,
    ...(block.location === undefined ? [] : ['location', block.location]),
    ...(block.fields ?? []),
    ...['content-length', String(Buffer.byteLength(body))],
    ...['x-yori-request-id', block.requestId],
    ...(owesBody(request) ? ['connection', 'close'] : []),
  ])
  response.end(request.method === 'HEAD' ? undefined : body)
  return status
}

/** What a person is told, in one line. */
export function messageOf(
  block: Pick<Block, 'policy' | 'reason' | 'message' | 'requestId' | 'code'>,
): string {
  const { policy, reason, message, requestId, code } = block
  const told = message === undefined ? '' : `; ${message}`
  const ask = code === undefined ? '' : `; an adult can allow it with the code ${code}`
  return `Blocked by YORI, policy ${policy}: ${reason}${told}${ask} (request ${requestId})`
}

function envelopeOf(block: Block): {
  readonly body: string
  readonly fields: readonly string[]
  readonly status: number
} {
  const { requestId, status } = block
  const { contentType, body, headers } = errorEnvelope(block.provider, {
    status,
    code: BLOCK_CODE,
    message: messageOf(block),
    requestId,
    isOutage: block.isOutage === true,
    ...(block.isSidecar === true ? { policyId: block.policy } : {}),
  })
  return {
    body,
    fields: ['content-type', contentType, ...Object.entries(headers).flat()],
    status,
  }
}

/**
 * A client that names JSON or an event stream, or that carries the mark of a library, is a
 * program. Of the others, those on our own host get the page; on a provider's host only those
 * that ask for HTML.
 */
export function wantsPage(
  rawHeaders: readonly string[],
  head: RequestHead,
  endpoint: string,
): boolean {
  const accept = head.accept?.toLowerCase() ?? ''
  if (accept.includes('application/json') || accept.includes('text/event-stream')) {
    return false
  }
  if (isLibrary(rawHeaders)) return false
  return accept.includes('text/html') || isOwnHost(head.hosts, endpoint)
}

/** The client called us by a name of ours, and its path told the provider. */
function isOwnHost(hosts: readonly string[], endpoint: string): boolean {
  const host = splitAuthority(hosts[0] ?? '')?.host
  if (host === undefined) return false
  return (canonicalHostname(host) ?? host) !== endpoint
}

const LIBRARY_FIELDS: ReadonlySet<string> = new Set([
  'anthropic-version',
  'x-goog-api-client',
  'x-api-key',
])

/** How the User-Agent of libraries begins, or a product named in it, in lower case. */
const LIBRARY_AGENTS: readonly string[] = [
  'openai/',
  'asyncopenai/',
  'anthropic/',
  'asyncanthropic/',
  'google-genai-sdk/',
  'genai-js',
  'mistral-client',
  'mistralai/',
  'speakeasy-sdk/',
  'cohere-',
  'cohere/',
  'ollama-',
  'ollama/',
  'groq/',
  'ai/',
  'ai-sdk/',
  'aws-sdk-',
  'boto3/',
  'langchain',
  'litellm/',
]

function isLibrary(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    if (LIBRARY_FIELDS.has(name) || name.startsWith('x-stainless-')) return true
    if (name !== 'user-agent') continue
    const agent = (rawHeaders[i + 1] as string).toLowerCase()
    const names = (start: string): boolean =>
      agent.startsWith(start) || agent.includes(` ${start}`)
    if (LIBRARY_AGENTS.some(names)) return true
  }
  return false
}
