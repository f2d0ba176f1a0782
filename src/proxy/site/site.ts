/** What our own host answers. Anything that is not here is not found, and told by others. */
import type { HttpClient, HttpRequest, HttpResponse } from '../words/http-words.js'
import { proxyPac } from './proxy-pac.js'
import type { SitePort } from './port.js'
import { RESERVED_PREFIX } from '../../core/own-paths.js'
import { OVERRIDE_ALIAS } from './override-form.js'
import { isTrustPath } from '../../core/trust-paths.js'

/** Is that path ours, whatever is asked of it? */
export function isSitePath(path: string): boolean {
  return (
    isTrustPath(path) ||
    path === '/health' ||
    path === '/proxy.pac' ||
    path === OVERRIDE_ALIAS ||
    path.startsWith(RESERVED_PREFIX)
  )
}

/** False, and nothing happens: nothing of ours is at that path. */
export function serveSite(
  http: { request: HttpRequest; response: HttpResponse },
  path: string,
  from: HttpClient,
  services: SitePort,
): boolean {
  const { request, response } = http
  if (isTrustPath(path)) {
    begins(response, from)
    void import('./trust-site.js').then(({ serveTrustSite }) => {
      if (!response.destroyed) serveTrustSite(http, path, from, services)
    })
    return true
  }
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (path === '/health' && isRead) {
    begins(response, from)
    send(http, 'application/json', health(services))
    return true
  }
  const host = request.headers.host
  if (path === '/proxy.pac' && isRead && host !== undefined) {
    begins(response, from)
    const { endpoints } = services.policy.routes
    const authority = host.includes(':', host.indexOf(']') + 1)
      ? host
      : `${host}:${from.state.localPort}`
    send(
      http,
      'application/x-ns-proxy-autoconfig',
      proxyPac(endpoints.enabled(), authority),
    )
    return true
  }
  return false
}

function begins(response: HttpResponse, from: HttpClient): void {
  from.began()
  response.once('close', () => from.ended())
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
