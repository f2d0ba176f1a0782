/** In which version of HTTP a request goes on, and what HTTP/2 needs beside it. */
import { isGrpc } from '../http/grpc.js'
import { readRequestHead } from '../http/head.js'
import type { UpstreamRequest } from '../net/upstream-words.js'
import type { Catalogue } from '../providers/catalogue.js'
import type { ExchangeFacts } from './exchange-record.js'
import type { HttpRequest } from './http-words.js'

/** The catalogue says so, or gRPC does, which is HTTP/2 only. WebSocket is HTTP/1.1. */
export function wantsH2(
  catalogue: Pick<Catalogue, 'entryFor'>,
  { target, head, upgrade }: ExchangeFacts,
): boolean {
  if (target.plain === true || upgrade !== undefined) return false
  return catalogue.entryFor(target.host)?.upstream === 'h2' || isGrpc(head.contentType)
}

export function h2Words(
  request: HttpRequest,
): Pick<UpstreamRequest, 'version' | 'wantsTrailers' | 'trailers'> {
  const te = [request.headers.te ?? ''].flat().join(',')
  return {
    version: 'h2',
    wantsTrailers: te
      .split(',')
      .some((item) => item.split(';', 1)[0]?.trim().toLowerCase() === 'trailers'),
    trailers: () => readRequestHead(request.rawTrailers).fields,
  }
}
