/**
 * The only place that reads meaning into errors of TLS and sockets, by their `code`.
 * Everything else asks for a code of our catalogue.
 */
import { YoriError } from '../core/errors.js'
import type { ErrorCode } from '../core/errors.js'

/** The server asked for a client certificate and would not go on without one. */
const WANTS_CLIENT_CERTIFICATE = 'CERTIFICATE_REQUIRED'

/**
 * Alerts by which a client says that it will not have our certificate, RFC 8446 §6.2, without
 * what OpenSSL puts before them, which its versions do differently: `ERR_SSL_SSLV3_ALERT_`,
 * and from 3.2 on `ERR_SSL_SSL/TLS_ALERT_` for the same.
 */
const CERTIFICATE_ALERTS: ReadonlySet<string> = new Set([
  'BAD_CERTIFICATE',
  'UNSUPPORTED_CERTIFICATE',
  'CERTIFICATE_REVOKED',
  'CERTIFICATE_EXPIRED',
  'CERTIFICATE_UNKNOWN',
  'UNKNOWN_CA',
])

/** What a broken handshake says of the client; undefined: nothing about certificates. */
export function clientRefusal(error: unknown): 'alert' | 'close' | undefined {
  const code = errorCodeOf(error)
  if (CERTIFICATE_ALERTS.has(alertIn(code) ?? '')) return 'alert'
  return code === '' || code === 'ECONNRESET' || code === 'EPIPE' ? 'close' : undefined
}

/** The alert in TLS's own words (`unknown_ca`), or that there was none. RFC 8446 §6. */
export function refusalCause(error: unknown): string {
  return alertIn(errorCodeOf(error))?.toLowerCase() ?? 'closed without a word'
}

function alertIn(code: string): string | undefined {
  return /^ERR_SSL_.*_ALERT_([A-Z_]+)$/.exec(code)?.[1]
}

/**
 * Does an alert say that our certificate is not valid at the client's time? `certificate_expired`
 * is what most say of one that is not valid yet, too; OpenSSL says `bad_certificate` then, and
 * of an unknown root something else. Others say that of everything: `certain` when the caller
 * knows the client to be no such. RFC 8446 §6.2.
 */
export function blamesClock(error: unknown, certain: boolean): boolean {
  const cause = refusalCause(error)
  return cause === 'certificate_expired' || (certain && cause === 'bad_certificate')
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
  'EHOSTDOWN',
  'ENETDOWN',
  // Our own: no descriptor is left to connect with.
  'EMFILE',
  'ENFILE',
])

/** The server would not speak the one protocol that it was offered. RFC 7301 §3.2. */
export function refusesProtocol(error: unknown): boolean {
  return errorCodeOf(error).endsWith('_ALERT_NO_APPLICATION_PROTOCOL')
}

/** The `code` of an error of Node's; '' for one without, and for what is no error. */
export function errorCodeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/**
 * Wraps whatever a connection to the provider threw, once: an error of ours stays as it
 * is. `name` leads the message, which is for operators. Never throws.
 */
export function upstreamFailure(error: unknown, name: string): YoriError {
  if (error instanceof YoriError) return error
  const code = errorCodeOf(error)
  return new YoriError(upstreamCode(code), `${name}: ${reason(error, code)}`, {
    cause: error,
  })
}

/**
 * Of a handshake that was broken off because the chain or the name did not verify, whatever
 * OpenSSL holds against them; Node has names for some of its reasons alone.
 */
export function untrusted(error: Error, name: string): YoriError {
  const code = errorCodeOf(error)
  const why = reason(error, code === 'UNSPECIFIED' ? '' : code)
  return new YoriError('YORI_UPSTREAM_UNTRUSTED', `${name}: ${why}`, { cause: error })
}

function upstreamCode(code: string): ErrorCode {
  if (alertIn(code) === WANTS_CLIENT_CERTIFICATE)
    return 'YORI_UPSTREAM_CLIENT_CERTIFICATE'
  if (UNREACHABLE.has(code)) return 'YORI_UPSTREAM_UNREACHABLE'
  if (code === 'ETIMEDOUT') return 'YORI_UPSTREAM_CONNECT_TIMEOUT'
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO') {
    return 'YORI_UPSTREAM_TLS_FAILED'
  }
  return 'YORI_UPSTREAM_CLOSED'
}

/** Plain words for an operator: the code says most, the message the rest. */
function reason(error: unknown, code: string): string {
  const message = error instanceof Error ? error.message : ''
  return code === '' || message.includes(code) ? message : `${message} (${code})`
}
