/** A throw-away certificate by the openssl program; for tests that only need some TLS server. */
import { execFileSync } from 'node:child_process'

export interface KeyPair {
  readonly key: string
  readonly cert: string
}

const made = new Map<string, KeyPair>()

export function selfSigned(name: string): KeyPair {
  const known = made.get(name)
  if (known !== undefined) return known
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  args.push('-nodes', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`)
  const pem = execFileSync(
    'openssl',
    [...args, '-days', '2', '-keyout', '-', '-out', '-'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const part = (label: string): string =>
    new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(pem)?.[0] ?? ''
  const pair = { key: part('PRIVATE KEY'), cert: part('CERTIFICATE') }
  made.set(name, pair)
  return pair
}
