/**
 * The certificates by which YORI says to a provider's server who it is: a chain and a key in
 * files of PEM, read when the configuration is. What cannot serve is a fault; one whose time is
 * over is a warning, since a gateway must come back after a power cut.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Remark } from './judge.js'
import type { Path } from './problem.js'
import type { Config } from './schema.js'
import { whyUnread } from './why-unread.js'

/** Of each of the two files. */
const MAX_BYTES = 256 * 1024
/** Different certificates in one configuration; each has a context of TLS of its own. */
const MAX_CERTIFICATES = 64
/** What is asked of the key as of those of providers: 112 bits (OpenSSL's level 2). */
const CIPHERS = 'DEFAULT:@SECLEVEL=2'

export interface ClientCertificate {
  /** Of the chain and the key together: SHA-256, hex. Says nothing of either. */
  readonly id: string
  /** PEM, the leaf first. */
  readonly chain: string
  /** PEM, not encrypted. */
  readonly key: string
}

/** What of the configuration names one: a provider, or a target of its pool. */
export interface NamesCertificate {
  readonly client_cert?: string | undefined
  readonly client_key?: string | undefined
}

type Half = 'client_cert' | 'client_key'

export type CertificateRead =
  | {
      readonly kind: 'ok'
      readonly certificate: ClientCertificate
      readonly ends: number
    }
  | {
      readonly kind: 'fault'
      readonly at: Half
      readonly wrong: string
      readonly right: string
    }

/** Never throws. `ends`: when the leaf's time is over, in milliseconds since the epoch. */
export function readClientCertificate(
  chainFile: string,
  keyFile: string,
): CertificateRead {
  const chain = textOf('client_cert', chainFile)
  if (typeof chain !== 'string') return chain
  const key = textOf('client_key', keyFile)
  if (typeof key !== 'string') return key
  const leaf = parsed(() => new X509Certificate(chain))
  if (leaf === undefined)
    return fault(
      'client_cert',
      `${chainFile} holds no certificate`,
      'expected PEM, beginning with -----BEGIN CERTIFICATE-----',
    )
  const opened = keyOf(key, keyFile)
  if ('kind' in opened) return opened
  if (!leaf.checkPrivateKey(opened.key))
    return fault(
      'client_key',
      `${keyFile} is the key of another certificate than ${chainFile}`,
      'give the key that was made for it',
    )
  try {
    createSecureContext({ cert: chain, key, ciphers: CIPHERS })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'TLS will not have it'
    const right = 'expected a chain in PEM, and a key of 2048 bits of RSA or of P-256'
    return fault('client_cert', `${chainFile} cannot be used: ${why}`, right)
  }
  const id = createHash('sha256').update(chain).update('\0').update(key).digest('hex')
  return { kind: 'ok', certificate: { id, chain, key }, ends: Date.parse(leaf.validTo) }
}

/** What is wrong with those that a configuration names, and those whose time is over at `now`. */
export function checkClientCertificates(
  config: Config,
  now: number,
): { readonly faults: Remark[]; readonly warnings: Remark[] } {
  const faults: Remark[] = []
  const warnings: Remark[] = []
  const ids = new Set<string>()
  for (const { path, named } of placesOf(config)) {
    const pair = pairOf(named)
    if (pair === undefined) continue
    const read = readClientCertificate(...pair)
    if (read.kind === 'fault') {
      const { at, wrong, right } = read
      faults.push({ path: [...path, at], atKey: false, wrong, right })
      continue
    }
    ids.add(read.certificate.id)
    if (ids.size === MAX_CERTIFICATES + 1)
      faults.push({
        path: [...path, 'client_cert'],
        atKey: false,
        wrong: `is one more than ${MAX_CERTIFICATES} different certificates`,
        right: 'let several targets share one',
      })
    if (read.ends > now) continue
    warnings.push({
      path: [...path, 'client_cert'],
      atKey: false,
      wrong: `${pair[0]} expired on ${new Date(read.ends).toISOString().slice(0, 10)}`,
      right: 'put a new one there, and reload (SIGHUP): no server should take this one',
    })
  }
  return { faults, warnings }
}

/** Both files, once the configuration has been judged. */
export function pairOf({
  client_cert: chain,
  client_key: key,
}: NamesCertificate): readonly [string, string] | undefined {
  return chain === undefined || key === undefined ? undefined : [chain, key]
}

function placesOf({
  gateway,
}: Config): { readonly path: Path; readonly named: NamesCertificate }[] {
  return Object.entries(gateway.providers).flatMap(([name, provider]) => [
    { path: ['gateway', 'providers', name], named: provider },
    ...provider.pool.map((named, index) => ({
      path: ['gateway', 'providers', name, 'pool', index],
      named,
    })),
  ])
}

function textOf(at: Half, file: string): string | CertificateRead {
  try {
    const stat = statSync(file)
    if (!stat.isFile()) return fault(at, `${file} is not a regular file`, 'name a file')
    if (at === 'client_key' && (stat.mode & 0o077) !== 0)
      return fault(at, `${file} can be read or written by others`, `chmod 600 ${file}`)
    if (stat.size > MAX_BYTES)
      return fault(at, `${file} is larger than ${MAX_BYTES} bytes`, 'name another')
    return readFileSync(file, 'utf8')
  } catch (cause) {
    return fault(at, `${file} ${whyUnread(cause)}`, 'create it, or let this user read it')
  }
}

function keyOf(pem: string, file: string): { readonly key: KeyObject } | CertificateRead {
  try {
    return { key: createPrivateKey(pem) }
  } catch {
    const isLocked = /ENCRYPTED/.test(pem)
    return fault(
      'client_key',
      isLocked ? `${file} is locked by a passphrase` : `${file} holds no private key`,
      isLocked
        ? 'write it without one (openssl pkey -in FILE -out FILE), mode 0600'
        : 'expected PEM, beginning with -----BEGIN PRIVATE KEY-----',
    )
  }
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}

function fault(
  at: Half,
  wrong: string,
  right: string,
): CertificateRead & { readonly kind: 'fault' } {
  return { kind: 'fault', at, wrong, right }
}
