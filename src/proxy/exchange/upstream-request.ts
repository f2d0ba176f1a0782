/** A request as it goes up: to whom, in which version of HTTP, and what HTTP/2 needs beside it. */
import { authorityHost, hostField, isSigned, readRequestHead } from '../../http/head.js'
import type {
  ConnectionLimits,
  UpstreamBody,
  UpstreamRequest,
} from '../../net/upstream-words.js'
import type { Catalogue } from '../../providers/catalogue.js'
import type { ExchangeAbout } from '../words/exchange-about.js'
import type { ExchangePort } from './port.js'
import type { HttpRequest } from '../words/http-words.js'
import type { Judging } from '../judging/judging.js'
import type { Outgoing } from '../words/pooled-way.js'

/** The catalogue says so, or gRPC does, which is HTTP/2 only. WebSocket is HTTP/1.1. */
export function wantsH2(
  catalogue: Pick<Catalogue, 'entryFor'>,
  { facts, isGrpc }: Pick<ExchangeAbout, 'facts' | 'isGrpc'>,
): boolean {
  const { target, upgrade } = facts
  if (target.plain === true || upgrade !== undefined) return false
  return isGrpc || catalogue.entryFor(target.host)?.upstream === 'h2'
}

/** Its client speaks HTTP/2 alone, which may be for what HTTP/1.1 cannot carry. */
function prefersH2({ overH2, facts, from }: ExchangeAbout<ExchangePort>): boolean {
  return !overH2 && facts.target.plain !== true && from.state.onlyH2
}

/** `judging`: what a decision took out of the body, and what of the fields it changes. */
export function upstreamRequest(
  about: ExchangeAbout<ExchangePort>,
  body: UpstreamBody,
  judging: Pick<Judging, 'redaction' | 'changes'> | undefined,
): UpstreamRequest {
  const { request, from, facts } = about
  const { target, path, head, upgrade } = facts
  const preferred = prefersH2(about) ? 'h2-if-spoken' : undefined
  const version = about.overH2 ? 'h2' : preferred
  const h2 = version === undefined ? undefined : h2Words(request)
  const left = judging?.redaction?.fields(head.fields) ?? head.fields
  // Every field stands here: a literal that others are spread into is built slowly.
  return {
    target,
    method: request.method ?? 'GET',
    path,
    host: hostOf(request, facts),
    fields: judging?.changes?.requestFields(left) ?? left,
    body,
    fresh: about.retried,
    headTimeoutMs: facts.door?.headTimeoutMs,
    known: from.state.intercepted?.known,
    upgrade,
    version,
    wantsTrailers: h2?.wantsTrailers,
    trailers: h2?.trailers,
  }
}

/** Ours to write; as the client wrote it where it names the same host and is signed. */
function hostOf(request: HttpRequest, { target, head }: ExchangeAbout['facts']): string {
  const usual = target.plain === true ? 80 : 443
  const [asSent = ''] = head.hosts
  const agrees = authorityHost(asSent, target.port) === target.host
  if (agrees && isSigned(request.rawHeaders, 'host')) return asSent
  return hostField(target.host, target.port, usual)
}

function h2Words(
  request: HttpRequest,
): Pick<UpstreamRequest, 'wantsTrailers' | 'trailers'> {
  const te = [request.headers.te ?? ''].flat().join(',')
  return {
    wantsTrailers: te
      .split(',')
      .some((item) => item.split(';', 1)[0]?.trim().toLowerCase() === 'trailers'),
    trailers: () => readRequestHead(request.rawTrailers).fields,
  }
}

/** The same for one target of a pool, which may be asked otherwise than the others. */
export function pooledRequest(
  about: ExchangeAbout<ExchangePort>,
  body: UpstreamBody,
  judging: Pick<Judging, 'redaction' | 'changes'> | undefined,
  { to, fresh, headTimeoutMs, limits }: PooledTo,
): UpstreamRequest {
  const { target, path, fields } = to
  const { facts, request } = about
  const overH2 = wantsH2(about.services.catalogue, {
    facts: { ...facts, target },
    isGrpc: about.isGrpc,
  })
  const prefers = !overH2 && target.plain !== true && about.from.state.onlyH2
  const version = overH2 ? 'h2' : prefers ? 'h2-if-spoken' : undefined
  const left = judging?.redaction?.fields(fields) ?? fields
  const sent: UpstreamRequest = {
    ...upstreamRequest(about, body, undefined),
    target,
    path,
    host: hostField(target.host, target.port, target.plain === true ? 80 : 443),
    fields: judging?.changes?.requestFields(left) ?? left,
    fresh,
    headTimeoutMs,
    limits,
    version,
    ...(version === undefined ? {} : h2Words(request)),
  }
  return to.sent?.(sent) ?? sent
}

export interface PooledTo {
  readonly to: Outgoing
  readonly fresh: boolean
  readonly headTimeoutMs: number | undefined
  readonly limits: ConnectionLimits
}
