/**
 * The dashboard: a document that holds nothing of anybody, and the files that it names. What it
 * shows it asks for, as whoever has logged in.
 */
import { packageFile } from '../../core/package-root.js'
import { Refusal, notFound } from '../answer.js'
import type { Answer } from '../answer.js'
import { Pages } from '../pages.js'
import type { Call, Handler } from '../method.js'

const pages = new Pages(packageFile('dist', 'dashboard'))

/** Whoever is not logged in is told so by the status, and gets the way in. */
export const shell: Handler = async (call): Promise<Answer> => {
  const { control } = call.on.port.appliance.current.config
  const wanted = call.request.headers['accept-language']
  const body = await pages.document(control.language, wanted).catch(() => {
    throw new Refusal(503, 'unavailable', 'the pages are not built: `npm run build`')
  })
  const isKnown = isIn(call)
  const asks = { 'www-authenticate': 'Bearer realm="yori"' }
  return {
    kind: 'text',
    status: isKnown ? 200 : 401,
    type: 'text/html; charset=utf-8',
    body,
    fields: { vary: 'accept-language, cookie', ...(isKnown ? {} : asks) },
  }
}

export const asset: Handler = async ({ params, request }): Promise<Answer> => {
  const accepts = request.headers['accept-encoding']?.toString()
  const file = await pages.file(params['name'] ?? '', accepts)
  if (file === undefined) throw notFound('file')
  return { kind: 'text', status: 200, ...file }
}

/** An address that one can type. */
export const live: Handler = () => ({
  kind: 'text',
  status: 303,
  type: 'text/plain; charset=utf-8',
  body: '',
  fields: { location: '/#/live' },
})

function isIn({ on: { gate }, request }: Call): boolean {
  if (request.socket.remoteAddress === undefined) return true
  try {
    gate.caller(request)
    return true
  } catch (cause) {
    if (cause instanceof Refusal && cause.status === 401) return false
    throw cause
  }
}
