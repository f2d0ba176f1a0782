/**
 * An exchange that failed: who is told what. The client gets an answer where none has begun,
 * the record the code, the log what was not the client's doing. Ending it is `exchange.ts`.
 */
import type { YoriError } from '../../core/errors.js'
import type { Phase } from '../../core/phases.js'
import { isOrdinaryEnd } from '../../net/dial.js'
import type { ExchangeAbout } from '../words/exchange-about.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { ExchangePort } from './port.js'
import { owesBody } from '../words/http-words.js'
import { refusalOf, refuse } from '../answers/refusal.js'

/**
 * Answers, unless an answer has begun or, when `silent`, must not be invented: false then, and
 * the client is to see a break.
 */
export function answerFailure(
  about: ExchangeAbout<ExchangePort>,
  log: ExchangeLog | undefined,
  error: YoriError,
  { silent, phase }: { readonly silent: boolean; readonly phase: Phase },
): boolean {
  const { request, response, requestId, recognised } = about
  log?.failed({ code: error.code, reason: error.message, phase })
  if (silent || response.headersSent) {
    log?.brokenOff(response.headersSent)
    return false
  }
  if (about.from.gone) return true
  log?.status(error.status)
  const provider = recognised?.provider.name
  refuse(response, {
    ...refusalOf(error, about.from.state.caller.loopback, { requestId, provider }),
    close: owesBody(request),
    grpc: about.isGrpc,
  })
  return true
}

/** The next connection of this device to this name is better not intercepted. */
export function learnFrom(
  error: YoriError,
  { from, services, facts }: ExchangeAbout<ExchangePort>,
): void {
  if (error.code !== 'YORI_UPSTREAM_CLIENT_CERTIFICATE') return
  // Who dialled us by a door has no connection to be passed on.
  if (facts.door !== undefined) return
  services.memory.wantsClientCertificate(from.state.record.device, facts.target.host)
}

export function logFailure(error: YoriError, about: ExchangeAbout<ExchangePort>): void {
  if (error.source === 'client' || isOrdinaryEnd(error.cause)) return
  const { requestId, facts, services } = about
  const { host } = facts.target
  const fields = { requestId, code: error.code, host, reason: error.message }
  services.log.warn(fields, 'exchange failed')
}
