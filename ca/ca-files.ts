/**
 * The CA on disk, read as one and checked: do certificates and keys belong together, is
 * everything whole, does the root key open. How it changes is `ca-changes.ts`'s. Anything that
 * does not fit is a `YORI_CA_*` error that says what to do.
 */
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../src/core/clock.js'
import { YoriError } from '../src/core/errors.js'
import type { Secret } from '../src/core/secret.js'
import { readCaCertificate } from './certificate.js'
import type { CaCertificate } from './certificate.js'
import type { Signer } from './issue.js'
import { KeyStore } from './key-store.js'
import type { CaFile } from './key-store.js'
import { isWithin } from './permitted.js'
import { defaultProfile } from './profile.js'
import type { CaProfile } from './profile.js'
import { isSealed, openRootKey, privateKeyOf } from './root-key.js'

/** A root with less is refused. */
const MIN_RSA_BITS = 2048

/** Where the CA is, what opens it, and what a new one is like. */
export interface CaSettings {
  /** The folder; made when missing, 0700. */
  readonly directory: string
  readonly clock: Clock
  /** Opens the root key; the key of a new root is encrypted with it. */
  readonly passphrase?: Secret
  /** A person gave the passphrase, so that the next renewal needs one again. */
  readonly attended?: boolean
  /** Names that a new root permits besides the built-in ones. */
  readonly permitted?: readonly string[]
  readonly profile?: Partial<CaProfile>
  /** Told before each step that a crash could interrupt. */
  readonly onStep?: (step: string) => void
}

export interface CaFiles {
  readonly store: KeyStore
  readonly clock: Clock
  readonly passphrase: Secret | undefined
  readonly attended: boolean
  readonly permitted: readonly string[]
  readonly profile: CaProfile
}

export interface LoadedCa {
  readonly root: CaCertificate
  /** `usable`: here, and opens without a person. `sealed`: here. `absent`: taken away. */
  readonly rootKey: 'usable' | 'sealed' | 'absent'
  readonly issuing: Signer
  /** A root that waits to take over. */
  readonly next: CaCertificate | undefined
  /** The present root under the next one, so that devices which trust either are served. */
  readonly cross: CaCertificate | undefined
  /** When the next root takes over by itself. */
  readonly switchAtMs: number | undefined
}

export function caFilesOf(settings: CaSettings): CaFiles {
  return {
    store: new KeyStore(settings),
    clock: settings.clock,
    passphrase: settings.passphrase,
    attended: settings.attended ?? false,
    permitted: settings.permitted ?? [],
    profile: { ...defaultProfile, ...settings.profile },
  }
}

/** What there is; undefined when the folder holds no CA. Only inside `store.exclusively`. */
export async function loadCa(files: CaFiles): Promise<LoadedCa | undefined> {
  const { store } = files
  const texts = {
    root: await store.read('root.crt'),
    rootKey: await store.read('root.key'),
    issuing: await store.read('issuing.crt'),
    issuingKey: await store.read('issuing.key'),
  }
  if (Object.values(texts).every((text) => text === undefined)) return undefined
  const root = certificateIn(store, 'root.crt', texts.root)
  const issuing = certificateIn(store, 'issuing.crt', texts.issuing)
  const keyText = present(store, 'issuing.key', texts.issuingKey)
  const key = privateKeyOf(keyText, store.path('issuing.key'))
  checkPair(issuing, key, store.path('issuing.key'))
  if (!issuing.x509.verify(root.x509.publicKey))
    throw unusable(
      `${store.path('issuing.crt')} was not signed by ${store.path('root.crt')}`,
    )
  const rootKey = await rootKeyState(files, root, texts.rootKey)
  return {
    root,
    rootKey,
    issuing: { certificate: issuing, key },
    ...(await staged(store)),
  }
}

/** A root with its key. YORI_CA_MISSING when the key is not here, YORI_CA_PASSPHRASE. */
export async function openRoot(
  files: CaFiles,
  which: 'root' | 'next-root' = 'root',
): Promise<Signer> {
  const { store, passphrase } = files
  const certificate = certificateIn(
    store,
    `${which}.crt`,
    await store.read(`${which}.crt`),
  )
  const path = store.path(`${which}.key`)
  const text = await store.read(`${which}.key`)
  if (text === undefined)
    throw new YoriError('YORI_CA_MISSING', `${path} is not here: give it by --root-key`)
  return signerOf(certificate, text, { path, passphrase })
}

/** YORI_CA_PASSPHRASE, YORI_CA_UNUSABLE when the key is not the certificate's. */
export async function signerOf(
  certificate: CaCertificate,
  keyText: string,
  { path, passphrase }: { path: string; passphrase: Secret | undefined },
): Promise<Signer> {
  const key = await openRootKey(keyText, path, passphrase)
  checkPair(certificate, key, path)
  return { certificate, key }
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

/** YORI_CA_UNUSABLE when the text is no whole certificate of a CA. */
export function caCertificateOf(pem: string, path: string): CaCertificate {
  let certificate: CaCertificate
  try {
    certificate = readCaCertificate(pem)
  } catch (cause) {
    const detail = `${path} is no whole PEM certificate: restore it from a copy`
    throw new YoriError('YORI_CA_UNUSABLE', detail, { cause })
  }
  if (!certificate.isCa)
    throw unusable(`${path} is no CA certificate (CA:TRUE is missing)`)
  return certificate
}

export function unusable(detail: string): YoriError {
  return new YoriError('YORI_CA_UNUSABLE', detail)
}

async function staged(
  store: KeyStore,
): Promise<Pick<LoadedCa, 'next' | 'cross' | 'switchAtMs'>> {
  const next = await store.read('next-root.crt')
  const cross = await store.read('cross.crt')
  const switchAtMs = Date.parse((await store.read('switch-at'))?.trim() ?? '')
  return {
    next: next === undefined ? undefined : certificateIn(store, 'next-root.crt', next),
    cross: cross === undefined ? undefined : certificateIn(store, 'cross.crt', cross),
    switchAtMs: Number.isNaN(switchAtMs) ? undefined : switchAtMs,
  }
}

/** Opens the key once, so that a wrong passphrase shows now and not when it is needed. */
async function rootKeyState(
  files: CaFiles,
  root: CaCertificate,
  text: string | undefined,
): Promise<LoadedCa['rootKey']> {
  if (text === undefined) return 'absent'
  const { passphrase, store } = files
  if (isSealed(text) && passphrase === undefined) return 'sealed'
  await signerOf(root, text, { path: store.path('root.key'), passphrase })
  return isSealed(text) && files.attended ? 'sealed' : 'usable'
}

function certificateIn(
  store: KeyStore,
  name: CaFile,
  text: string | undefined,
): CaCertificate {
  return caCertificateOf(present(store, name, text), store.path(name))
}

function present(store: KeyStore, name: CaFile, text: string | undefined): string {
  if (text !== undefined) return text
  throw new YoriError(
    'YORI_CA_MISSING',
    `${store.path(name)} is missing while other files of the CA are there: restore it from a copy, or move the folder away to begin with a new CA that every device must trust anew`,
  )
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
