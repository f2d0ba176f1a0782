/**
 * Where a PostgreSQL is, from a URL as `psql` takes it: `postgres://user:password@host:5432/name`
 * with `sslmode`, `sslrootcert` and `host` (the folder of a socket) behind a question mark. Unless
 * it says otherwise the certificate is verified wherever the server is not on this machine, which
 * is more than `psql` does by itself.
 * https://www.postgresql.org/docs/15/libpq-connect.html
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { SSL_MODES } from '../../../../config/check-fleet.js'
import { postgresProblem } from '../../../../config/check-fleet.js'
import { passwordIn } from '../../password-file.js'

type SslMode = (typeof SSL_MODES)[number]

export interface PostgresAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | undefined
  readonly database: string
  readonly tls: ConnectionOptions | false
}

export interface AddressFiles {
  readonly passwordFile?: string | undefined
  /** Roots in the place of the public ones. */
  readonly caFile?: string | undefined
}

/** @throws Error for what `postgresProblem` names, and what reading the root certificate throws */
export function postgresAddress(
  text: string,
  { passwordFile, caFile }: AddressFiles = {},
): PostgresAddress {
  const problem = postgresProblem(text)
  if (problem !== undefined) throw new Error(`the URL ${problem}`)
  const url = new URL(text)
  const asked = url.searchParams
  const host = asked.get('host') ?? url.hostname.replace(/^\[(.*)\]$/, '$1')
  const mode = (asked.get('sslmode') ??
    (isHere(host) ? 'disable' : 'verify-full')) as SslMode
  const password =
    passwordFile === undefined
      ? decodeURIComponent(url.password)
      : passwordIn(passwordFile)
  return {
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    user: decodeURIComponent(url.username) || 'yori',
    password: password === '' ? undefined : password,
    database: decodeURIComponent(url.pathname.slice(1)),
    tls: tlsOf(mode, host, asked.get('sslrootcert') ?? caFile),
  }
}

function tlsOf(mode: SslMode, host: string, root: string | undefined) {
  if (mode === 'disable') return false
  const ca = root === undefined ? {} : { ca: readFileSync(root, 'utf8') }
  if (mode === 'require') return { rejectUnauthorized: false }
  return {
    ...ca,
    // By an address it is verified, too; there is none in SNI (RFC 6066 §3).
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  }
}

function isHere(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:127\.|\/)/.test(host)
}
