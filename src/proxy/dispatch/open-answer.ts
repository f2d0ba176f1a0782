/**
 * `/metrics` and `/config` at the listener of a gateway, where its programs have only the one
 * address: the control plane answers them, to whom it may.
 */
import { STATUS_CODES } from 'node:http'
import { decline } from './arrived.js'
import type { Arrived } from './arrived.js'

export const OPEN_PATHS: ReadonlySet<string> = new Set(['/metrics', '/config'])

/** Where the listener is no gateway's, the control plane has a port of its own. */
export function isOpenPath({ services }: Arrived, path: string): boolean {
  return services.policy.doors.defaultName !== undefined && OPEN_PATHS.has(path)
}

/** Never rejects. */
export async function serveOpenAnswer(arrived: Arrived, path: string): Promise<void> {
  const { http, from, head, services } = arrived
  const { request, response } = http
  const verb = request.method ?? 'GET'
  const site = request.headers['sec-fetch-site']
  const asked = {
    verb,
    path,
    host: head.hosts[0],
    from: from.state.caller.address,
    origin: request.headers.origin,
    site: [site].flat()[0],
  }
  const answer = await services
    .openAnswers()?.(asked)
    .catch((err: unknown) => {
      services.log.error({ err, path }, 'the control plane failed')
      return undefined
    })
  if (response.destroyed) return
  if (answer === undefined) {
    decline(arrived, 'YORI_NOT_FOUND', undefined)
    return
  }
  from.began()
  response.once('close', () => from.ended())
  const { status, fields, body } = answer
  const flat = Object.entries(fields).flat()
  response.writeHead(status, STATUS_CODES[status] ?? '', flat)
  response.end(verb === 'HEAD' ? undefined : body)
}
