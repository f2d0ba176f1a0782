/**
 * What is asked of a provider's certificates beside what Node asks by itself. The client cannot
 * look at them any more, so that nothing passes here that a browser or curl would not let pass;
 * `docs/RUNBOOK.md` says what is decided, and why.
 */
import { checkServerIdentity, DEFAULT_CIPHERS } from 'node:tls'
import type { PeerCertificate, SecureContextOptions } from 'node:tls'
import { isIP } from 'node:net'
import { isRevokedIn } from '../tls/ocsp-staple.js'

/**
 * 112 bits (NIST SP 800-57), which is what Debian and curl there ask for: no keys of RSA below
 * 2048 bits and no signatures by SHA-1 anywhere in a chain, roots' own signatures left out.
 * OpenSSL's `SSL_CTX_set_security_level`; Node 20 has the level before it.
 */
const SECURITY_LEVEL = 2

export const UPSTREAM_TLS: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=${SECURITY_LEVEL}`,
}

const NAMES_A_HOST = /(?:^|, )DNS:/

/**
 * Node's check of the name, but for the common name, which is none (RFC 9110 §4.3.4):
 * browsers and Go have not taken it for years. Undefined: the certificate is that host's.
 */
export function nameProblem(host: string, shown: PeerCertificate): Error | undefined {
  if (isIP(host) === 0 && !NAMES_A_HOST.test(shown.subjectaltname ?? ''))
    return new Error('the certificate names no host: its common name is not looked at')
  return checkServerIdentity(host, shown)
}

/** Of what it stapled: the serial numbers that it calls revoked. Undefined: it is not among them. */
export function stapleProblem(
  revoked: readonly bigint[],
  { serialNumber }: PeerCertificate,
): Error | undefined {
  if (!isRevokedIn(revoked, serialNumber)) return undefined
  return new Error('the certificate has been revoked: the provider itself staples that')
}
