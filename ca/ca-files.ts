/**
 * The CA on disk: root.crt, root.key, issuing.crt, issuing.key. Reads them as one and checks
 * that they belong together, makes them when there are none, replaces the issuing pair. All
 * of it happens inside `store.exclusively`; anything that does not fit is a `YORI_CA_*` error
 * that says what to do, and nothing is overwritten.
 */
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../src/core/clock.js'
import { YoriError } from '../src/core/errors.js'
import type { Secret } from '../src/core/secret.js'
import { readCaCertificate } from './certificate.js'
import type { CaCertificate } from './certificate.js'
import { issueIssuing, issueRoot } from './issue.js'
import type { Signer } from './issue.js'
import type { CaFile, KeyStore } from './key-store.js'
import { isWithin, normalSubtrees, subtreeOf, tooWide } from './permitted.js'
import { permittedNames } from './permitted-names.js'
import { ISSUING_LIFE_ATTENDED_MS, ISSUING_LIFE_MS } from './profile.js'
import { isSealed, openRootKey, privateKeyOf, sealRootKey } from './root-key.js'

/** A clock before this is not set yet: a CA made by it would be useless once it is. */
const EARLIEST_CLOCK_MS = Date.UTC(2026, 0, 1)
/** An imported root with less is refused. */
const MIN_RSA_BITS = 2048

export interface CaFilesOptions {
  readonly store: KeyStore
  readonly clock: Clock
  readonly passphrase: Secret | undefined
  /** Names that a new root permits besides the built-in ones. */
  readonly permitted: readonly string[]
  /** A person gave the passphrase: the next renewal needs one again. */
  readonly attended?: boolean
}

export interface LoadedCa {
  readonly root: CaCertificate
  /** `usable`: here, and opens without a person. `sealed`: here. `absent`: taken away. */
  readonly rootKey: 'usable' | 'sealed' | 'absent'
  readonly issuing: Signer
}

/** What there is, checked; undefined when the folder holds none of the CA's files. */
export async function loadCa(files: CaFilesOptions): Promise<LoadedCa | undefined> {
  const { store } = files
  const rootText = await store.read('root.crt')
  const rootKeyText = await store.read('root.key')
  const issuingText = await store.read('issuing.crt')
  const issuingKeyText = await store.read('issuing.key')
  const texts = [rootText, rootKeyText, issuingText, issuingKeyText]
  if (texts.every((text) => text === undefined)) return undefined
  const root = readCertificate(
    present(store, 'root.crt', rootText),
    store.path('root.crt'),
  )
  const issuing = readCertificate(
    present(store, 'issuing.crt', issuingText),
    store.path('issuing.crt'),
  )
  const key = privateKeyOf(
    present(store, 'issuing.key', issuingKeyText),
    store.path('issuing.key'),
  )
  checkPair(issuing, key, store.path('issuing.key'))
  if (!issuing.x509.verify(root.x509.publicKey))
    throw unusable(
      `${store.path('issuing.crt')} was not signed by ${store.path('root.crt')}`,
    )
  const rootKey = await rootKeyState(files, root, rootKeyText)
  return { root, rootKey, issuing: { certificate: issuing, key } }
}

/** The root with its key. YORI_CA_MISSING when the key was taken away, YORI_CA_PASSPHRASE. */
export async function openRoot(files: CaFilesOptions): Promise<Signer> {
  const { store, passphrase } = files
  const path = store.path('root.key')
  const text = await store.read('root.crt')
  const certificate = readCertificate(
    present(store, 'root.crt', text),
    store.path('root.crt'),
  )
  const keyText = present(store, 'root.key', await store.read('root.key'))
  const key = await openRootKey(keyText, path, passphrase)
  checkPair(certificate, key, path)
  return { certificate, key }
}

/** A new issuing CA for `names`, in place of the one on disk. */
export async function renewIssuing(
  files: CaFilesOptions,
  root: Signer,
  names: readonly string[],
): Promise<LoadedCa> {
  const issuing = await newIssuing(files, root, names)
  await files.store.replace(issuingFiles(issuing))
  return { root: root.certificate, rootKey: unattendedState(files), issuing }
}

/** Does the root permit the name? A root that was imported may not constrain names. */
export function inRoot(ca: { root: CaCertificate }, name: string): boolean {
  return ca.root.permitted === undefined || isWithin(name, ca.root.permitted)
}

/** Two thirds into its life a CA should be replaced. */
export function renewalDueMs({ notBeforeMs, notAfterMs }: CaCertificate): number {
  return notBeforeMs + (2 / 3) * (notAfterMs - notBeforeMs)
}

export function validAt(certificate: CaCertificate, nowMs: number): boolean {
  return certificate.notBeforeMs <= nowMs && nowMs < certificate.notAfterMs
}

/** A new root and an issuing CA under it for those of the names that the root permits. */
export async function createCa(
  files: CaFilesOptions,
  names: readonly string[],
): Promise<LoadedCa> {
  const { store, clock, passphrase } = files
  const root = await issueRoot(rootSubtrees(files.permitted), timeOf(clock))
  const wanted = names.filter((name) => inRoot({ root: root.certificate }, name))
  const issuing = await newIssuing(files, root, wanted)
  await store.replace(
    new Map<CaFile, string>([
      ['root.key', await sealRootKey(root.key, passphrase)],
      ['root.crt', root.certificate.pem],
      ...issuingFiles(issuing),
    ]),
  )
  return { root: root.certificate, rootKey: unattendedState(files), issuing }
}

/** YORI_CA_NAME_NOT_PERMITTED for a name that no CA in a home should permit. */
export function rootSubtrees(permitted: readonly string[]): string[] {
  const own = permitted.map((pattern) => {
    const subtree = subtreeOf(pattern)
    const problem = subtree === undefined ? 'it is no host name' : tooWide(subtree)
    if (problem === undefined) return subtree ?? ''
    throw new YoriError(
      'YORI_CA_NAME_NOT_PERMITTED',
      `a CA must not permit ${JSON.stringify(pattern)}: ${problem}`,
    )
  })
  return normalSubtrees([...permittedNames, ...own])
}

function timeOf(clock: Clock): number {
  const nowMs = clock.now()
  if (nowMs >= EARLIEST_CLOCK_MS) return nowMs
  const shown = new Date(nowMs).toISOString()
  throw unusable(`the clock says ${shown}: set it before a CA is made`)
}

async function newIssuing(
  files: CaFilesOptions,
  root: Signer,
  names: readonly string[],
): Promise<Signer> {
  const lifeMs = files.attended === true ? ISSUING_LIFE_ATTENDED_MS : ISSUING_LIFE_MS
  const permitted = normalSubtrees(names)
  return issueIssuing(root, { permitted, lifeMs, nowMs: timeOf(files.clock) })
}

function issuingFiles({ certificate, key }: Signer): Map<CaFile, string> {
  return new Map<CaFile, string>([
    ['issuing.key', key.export({ format: 'pem', type: 'pkcs8' }) as string],
    ['issuing.crt', certificate.pem],
  ])
}

function unattendedState(files: CaFilesOptions): 'usable' | 'sealed' {
  return files.attended === true ? 'sealed' : 'usable'
}

/** Opens the key once, so that a wrong passphrase shows now and not when it is needed. */
async function rootKeyState(
  files: CaFilesOptions,
  root: CaCertificate,
  text: string | undefined,
): Promise<LoadedCa['rootKey']> {
  if (text === undefined) return 'absent'
  if (isSealed(text) && files.passphrase === undefined) return 'sealed'
  const path = files.store.path('root.key')
  checkPair(root, await openRootKey(text, path, files.passphrase), path)
  return isSealed(text) ? unattendedState(files) : 'usable'
}

function present(store: KeyStore, name: CaFile, text: string | undefined): string {
  if (text !== undefined) return text
  throw new YoriError(
    'YORI_CA_MISSING',
    `${store.path(name)} is missing while other files of the CA are there: restore it from a copy, or move the folder away to begin with a new CA that every device must trust anew`,
  )
}

function readCertificate(pem: string, path: string): CaCertificate {
  let certificate: CaCertificate
  try {
    certificate = readCaCertificate(pem)
  } catch (cause) {
    throw new YoriError(
      'YORI_CA_UNUSABLE',
      `${path} is no whole PEM certificate: restore it from a copy`,
      { cause },
    )
  }
  if (!certificate.isCa)
    throw unusable(`${path} is no CA certificate (CA:TRUE is missing)`)
  return certificate
}

function checkPair(certificate: CaCertificate, key: KeyObject, path: string): void {
  const same = createPublicKey(key).equals(certificate.x509.publicKey)
  if (!same) throw unusable(`${path} does not belong to its certificate`)
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa' && (details?.modulusLength ?? 0) < MIN_RSA_BITS)
    throw unusable(`${path} is an RSA key of less than ${MIN_RSA_BITS} bits`)
  if (type !== 'rsa' && type !== 'ec')
    throw unusable(`${path} is neither an RSA nor an EC key`)
}

function unusable(detail: string): YoriError {
  return new YoriError('YORI_CA_UNUSABLE', detail)
}
