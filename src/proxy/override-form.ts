/**
 * `/.well-known/yori/override`, answered on every intercepted host and on our own: where the
 * form of the block page sends a password. Never forwarded.
 */
import { STATUS_CODES } from 'node:http'
import type { Device } from '../core/record.js'
import { BLOCK_PAGE_FIELDS, noticePage } from './block-page.js'
import type { HttpRequest, HttpResponse } from './http-words.js'
import { RESERVED_PREFIX } from '../core/own-paths.js'
import type { Attempted } from './overrides.js'
import type { Services } from './services.js'

export const OVERRIDE_PATH = `${RESERVED_PREFIX}override`
/** As the form was called before. */
export const OVERRIDE_ALIAS = '/yori/override'

const MAX_FORM_BYTES = 8 * 1024
const FORM_TIMEOUT_MS = 10_000

export async function serveOverride(
  http: { request: HttpRequest; response: HttpResponse },
  device: Device,
  services: Pick<Services, 'overrides'>,
): Promise<void> {
  const { request } = http
  if (request.method !== 'POST') {
    answer(http, 405, 'This address takes the form of the block page only.')
    return
  }
  if (!isSameOrigin(request)) {
    answer(http, 403, 'This form was sent from another site.')
    return
  }
  const text = await readForm(request)
  if (text === undefined) {
    answer(http, 400, 'The form could not be read.')
    return
  }
  const form = new URLSearchParams(text)
  const [token, password] = [form.get('token') ?? '', form.get('password') ?? '']
  const { status, says } =
    ANSWERS[await services.overrides.byToken(token, password, device)]
  answer(http, status, says)
}

const ANSWERS: Readonly<Record<Attempted, { status: number; says: string }>> = {
  granted: { status: 200, says: 'Allowed for a while. Go back and try again.' },
  wrong: { status: 401, says: 'That is not the password.' },
  limited: {
    status: 429,
    says: 'Too many attempts. Wait, or ask an adult to approve it.',
  },
  off: { status: 403, says: 'Passwords are not taken here.' },
  stale: { status: 403, says: 'This page is too old. Ask again to get a new one.' },
}

/**
 * Browsers say where a request comes from, except to plain HTTP; then `Origin` must be us.
 * https://www.w3.org/TR/fetch-metadata/
 */
function isSameOrigin({ headers }: HttpRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const { origin, host } = headers
  return origin !== undefined && host !== undefined && origin.split('://')[1] === host
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
  { request, response }: { request: HttpRequest; response: HttpResponse },
  status: number,
  says: string,
): void {
  const body = noticePage(says)
  response.writeHead(status, STATUS_CODES[status] ?? '', [
    ...BLOCK_PAGE_FIELDS,
    ...['content-length', String(Buffer.byteLength(body))],
    ...(request.complete ? [] : ['connection', 'close']),
  ])
  response.end(request.method === 'HEAD' ? undefined : body)
}
