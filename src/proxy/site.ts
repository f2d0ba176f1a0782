/** What our own host answers. Anything that is not here is 404. */
import { randomUUID } from 'node:crypto'
import type { HttpRequest, HttpResponse } from './http-words.js'
import { refuse } from './refusal.js'
import type { Services } from './services.js'

export function serveSite(
  http: { request: HttpRequest; response: HttpResponse },
  path: string,
  services: Services,
): void {
  const { request, response } = http
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (path === '/health' && isRead) {
    const { policy } = services
    const body = JSON.stringify({
      status: 'healthy',
      mode: policy.mode,
      endpoints: policy.routes.endpoints.enabled().length,
      enforcement_enabled: policy.enforcementEnabled,
    })
    const length = String(Buffer.byteLength(body))
    const fields = ['content-type', 'application/json', 'cache-control', 'no-store']
    response.writeHead(200, 'OK', [...fields, 'content-length', length])
    response.end(body)
    return
  }
  refuse(response, {
    code: 'YORI_NOT_FOUND',
    requestId: randomUUID(),
    provider: undefined,
    close: !request.complete,
  })
}
