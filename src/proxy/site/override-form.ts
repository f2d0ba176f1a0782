/**
 * `/.well-known/yori/override`, answered on every intercepted host and on our own: where the
 * form of the block page, or a program by JSON, sends a password or PIN; and beside it where the
 * button of that page asks the household. Never forwarded.
 */
import { STATUS_CODES } from 'node:http'
import type { Device } from '../../core/record.js'
import { BLOCK_PAGE_FIELDS, noticePage } from '../answers/block-page.js'
import { BLOCK_TEXTS, languageOf } from '../answers/block-texts.js'
import type { Language } from '../answers/block-texts.js'
import { owesBody } from '../words/http-words.js'
import type { HttpRequest, HttpResponse } from '../words/http-words.js'
import { RESERVED_PREFIX } from '../../core/own-paths.js'
import { OVERRIDE_ANSWERS, overrideByJson, readOverrideJson } from './override-json.js'
import type { Overrides } from '../../household/overrides.js'

export const OVERRIDE_PATH = `${RESERVED_PREFIX}override`
/** As the form was called before. */
export const OVERRIDE_ALIAS = '/yori/override'

const MAX_FORM_BYTES = 8 * 1024
const FORM_TIMEOUT_MS = 10_000

interface Http {
  readonly request: HttpRequest
  readonly response: HttpResponse
}

/** The button of the block page: puts what was blocked before the household, and frees nothing. */
export async function serveAsk(
  http: Http,
  device: Device,
  overrides: Pick<Overrides, 'ask'>,
): Promise<void> {
  const { request } = http
  const language = languageOf(request.headers['accept-language'])
  const form = await sentForm(http)
  if (form === undefined) return
  const { asked, back } = overrides.ask(form.get('token') ?? '', device)
  const { asked: told, stale } = BLOCK_TEXTS[language]
  answer(http, asked ? 200 : 410, asked ? told : stale, { back, language })
}

export async function serveOverride(
  http: Http,
  device: Device,
  overrides: Overrides,
): Promise<void> {
  const { request } = http
  if (isJson(request)) {
    await serveJson(http, device, overrides)
    return
  }
  const form = await sentForm(http)
  if (form === undefined) return
  const [token, password] = [form.get('token') ?? '', form.get('password') ?? '']
  const { result, back } = await overrides.byToken(token, password, device)
  const { status } = OVERRIDE_ANSWERS[result]
  const language = languageOf(request.headers['accept-language'])
  answer(http, status, BLOCK_TEXTS[language][result], { back, language })
}

/** Undefined: it was none of ours, which has been answered. */
async function sentForm(http: Http): Promise<URLSearchParams | undefined> {
  const { request } = http
  const language = languageOf(request.headers['accept-language'])
  const { foreign, unread } = BLOCK_TEXTS[language]
  if (request.method !== 'POST') {
    answer(http, 405, 'This address takes the form of the block page only.')
    return undefined
  }
  if (!isSameOrigin(request)) {
    answer(http, 403, foreign, { language })
    return undefined
  }
  const text = await readForm(request)
  if (text !== undefined) return new URLSearchParams(text)
  answer(http, 400, unread, { language })
  return undefined
}

/** No form of another site can say that, so that browsers ask us first, and get no leave. */
export function isJson({ method, headers }: HttpRequest): boolean {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  return method === 'POST' && type === 'application/json'
}

async function serveJson(
  http: Http,
  device: Device,
  overrides: Overrides,
): Promise<void> {
  const { request } = http
  const { headers } = request
  const isBrowser =
    headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
  if (isBrowser && !isSameOrigin(request)) {
    answerJson(http, 403, 'This was sent from another site.')
    return
  }
  const asked = readOverrideJson(await readForm(request))
  if (asked === undefined) {
    answerJson(http, 400, 'The body is no JSON with a password and a request_id.')
    return
  }
  const { status, says } = await overrideByJson(asked, device, overrides)
  answerJson(http, status, says)
}

/**
 * Browsers say where a request comes from, except to plain HTTP; then `Origin` must be us.
 * https://www.w3.org/TR/fetch-metadata/
 */
function isSameOrigin({ headers, rawHeaders }: HttpRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const [scheme = '', authority] = headers.origin?.split('://') ?? []
  const host = hostIn(rawHeaders)?.toLowerCase()
  if (authority === undefined || host === undefined) return false
  // An origin leaves out the port that its scheme has by itself (RFC 6454 §6.2).
  const usual = scheme === 'https' ? ':443' : ':80'
  return authority.toLowerCase() === host.replace(new RegExp(`${usual}$`), '')
}

/** Of HTTP/2 its `:authority`, which stands here as `host`. */
function hostIn(rawHeaders: readonly string[]): string | undefined {
  const at = rawHeaders.findIndex(
    (name, index) => index % 2 === 0 && name.toLowerCase() === 'host',
  )
  return at < 0 ? undefined : rawHeaders[at + 1]
}

/** Undefined when it is too long, too slow or broken off. */
function readForm(request: HttpRequest): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const timer = setTimeout(() => resolve(undefined), FORM_TIMEOUT_MS)
    const done = (text: string | undefined): void => {
      clearTimeout(timer)
      resolve(text)
    }
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_FORM_BYTES) chunks.push(chunk)
      else done(undefined)
    })
    request.on('end', () => done(Buffer.concat(chunks).toString()))
    request.on('close', () => done(undefined))
    request.on('error', () => done(undefined))
  })
}

function answer(
  http: Http,
  status: number,
  says: string,
  more: { readonly back?: string | undefined; readonly language?: Language } = {},
): void {
  const body = noticePage(says, more.back, more.language)
  end(http, status, { body, fields: BLOCK_PAGE_FIELDS })
}

function answerJson(http: Http, status: number, message: string): void {
  const body = `${JSON.stringify({ success: status === 200, message })}\n`
  const fields = ['content-type', 'application/json', 'cache-control', 'no-store']
  end(http, status, { body, fields })
}

function end(
  { request, response }: Http,
  status: number,
  { body, fields }: { body: string; fields: readonly string[] },
): void {
  response.writeHead(status, STATUS_CODES[status] ?? '', [
    ...fields,
    ...['content-length', String(Buffer.byteLength(body))],
    ...(owesBody(request) ? ['connection', 'close'] : []),
  ])
  response.end(request.method === 'HEAD' ? undefined : body)
}
