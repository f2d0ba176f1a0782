/** What our own host answers. Anything that is not here is 404. */
import { randomUUID } from 'node:crypto'
import { owesBody } from '../words/http-words.js'
import type { HttpClient, HttpRequest, HttpResponse } from '../words/http-words.js'
import { proxyPac } from './proxy-pac.js'
import { refuse } from '../answers/refusal.js'
import type { SitePort } from './port.js'
import { isTrustPath } from '../../core/trust-paths.js'

export function serveSite(
  http: { request: HttpRequest; response: HttpResponse },
  path: string,
  from: HttpClient,
  services: SitePort,
): void {
  const { request, response } = http
  if (isTrustPath(path)) {
    void import('./trust-site.js').then(({ serveTrustSite }) => {
      if (!response.destroyed) serveTrustSite(http, path, from, services)
    })
    return
  }
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (path === '/health' && isRead) {
    send(http, 'application/json', health(services))
    return
  }
  const host = request.headers.host
  if (path === '/proxy.pac' && isRead && host !== undefined) {
    const { endpoints } = services.policy.routes
    const authority = host.includes(':', host.indexOf(']') + 1)
      ? host
      : `${host}:${from.state.localPort}`
    send(
      http,
      'application/x-ns-proxy-autoconfig',
      proxyPac(endpoints.enabled(), authority),
    )
    return
  }
  refuse(response, {
    code: 'YORI_NOT_FOUND',
    requestId: randomUUID(),
    provider: undefined,
    close: owesBody(request),
  })
}

/** 200 as long as we answer: traffic passes in every state. */
function health({ policy, roots, clock, concerns }: SitePort): string {
  const ca = roots.condition(clock.now()).kind
  const wrong = concerns()
  return JSON.stringify({
    status: ca === 'unusable' || wrong.length > 0 ? 'degraded' : 'healthy',
    ca,
    ...(wrong.length === 0 ? {} : { concerns: wrong }),
    mode: policy.mode,
    endpoints: policy.routes.endpoints.enabled().length,
    enforcement_enabled: policy.enforcementEnabled,
  })
}

function send(
  { request, response }: { request: HttpRequest; response: HttpResponse },
  type: string,
  body: string,
): void {
  const length = String(Buffer.byteLength(body))
  const fields = ['content-type', type, 'cache-control', 'no-store']
  response.writeHead(200, 'OK', [...fields, 'content-length', length])
  response.end(request.method === 'HEAD' ? undefined : body)
}
