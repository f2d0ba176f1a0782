/**
 * The CA as a person manages it, beside a YORI that may be running: rotation, import, the root
 * key's way out and back. Each function is one change of the folder; the running YORI sees it
 * (`keeper.ts`).
 */
import { YoriError } from '../src/core/errors.js'
import type { Secret } from '../src/core/secret.js'
import { activateRoot, cancelRoot, createCa } from './ca-changes.js'
import { removeRootKey, renewIssuing, stageRoot } from './ca-changes.js'
import { caCertificateOf, caFilesOf, loadCa, openRoot } from './ca-files.js'
import { signerOf, unusable, validAt } from './ca-files.js'
import type { CaFiles, CaSettings, LoadedCa } from './ca-files.js'
import type { Signer } from './issue.js'
import { subtreesOf } from './permitted.js'
import { isSealed, sealRootKey } from './root-key.js'

export interface ManageSettings extends CaSettings {
  readonly issuedNames: readonly string[]
}

/** A private key as an operator gives it. */
export interface GivenKey {
  readonly pem: string
  /** For messages. */
  readonly path: string
  readonly passphrase?: Secret | undefined
}

export type Rotation =
  { kind: 'made'; ca: LoadedCa } | { kind: 'rotated'; ca: LoadedCa; was: LoadedCa }

/**
 * A new issuing CA, for the names that are wanted now; a whole CA when there was none. With
 * `rootKey` the key is used and not kept.
 */
export function rotateIssuing(
  settings: ManageSettings,
  rootKey?: GivenKey,
): Promise<Rotation> {
  return changing(settings, async (files, was, names) => {
    if (was === undefined) return { kind: 'made', ca: await createCa(files, names) }
    const root = await rootFor(files, was, rootKey)
    if (!validAt(was.root, files.clock.now()))
      throw unusable(
        'the root CA is not valid now: `yori ca rotate --root` makes a new one',
      )
    // A key that is not kept cannot renew: the issuing CA lasts until it is given again.
    const lasting = rootKey === undefined ? files : { ...files, attended: true }
    return { kind: 'rotated', was, ca: await renewIssuing(lasting, was, { root, names }) }
  })
}

/** Stages a new root. YORI_CA_MISSING when there is no CA yet. */
export function stageNewRoot(
  settings: ManageSettings,
  switchAtMs?: number,
): Promise<LoadedCa> {
  const options = switchAtMs === undefined ? {} : { switchAtMs }
  return changing(settings, (files, ca) => stageRoot(files, present(ca), options))
}

export function activateStagedRoot(settings: ManageSettings): Promise<LoadedCa> {
  return changing(settings, (files, ca, names) => activateRoot(files, present(ca), names))
}

export function cancelStagedRoot(settings: ManageSettings): Promise<LoadedCa> {
  return changing(settings, (files, ca) => cancelRoot(files, present(ca)))
}

export type Import = { kind: 'made' | 'staged'; ca: LoadedCa }

/** A root from elsewhere: at once where there is no CA, staged where there is one. */
export function importRoot(
  settings: ManageSettings,
  certificate: { pem: string; path: string },
  key: GivenKey,
): Promise<Import> {
  return changing(settings, async (files, ca, names) => {
    const given = await acceptable(certificate, key, files.clock.now())
    return ca === undefined
      ? { kind: 'made', ca: await createCa(files, names, given) }
      : { kind: 'staged', ca: await stageRoot(files, ca, { given }) }
  })
}

/**
 * The root key as it may leave: sealed as it is, or sealed with `passphrase` now.
 * YORI_CA_PASSPHRASE when it would leave in the clear.
 */
export function rootKeyForExport(
  settings: ManageSettings,
  passphrase: Secret | undefined,
): Promise<string> {
  return changing(settings, async (files, ca) => {
    present(ca)
    const text = await files.store.read('root.key')
    if (text === undefined)
      throw new YoriError('YORI_CA_MISSING', 'the root key is not on this machine')
    if (isSealed(text)) return text
    if (passphrase === undefined)
      throw new YoriError(
        'YORI_CA_PASSPHRASE',
        'the root key is not encrypted, and does not leave like that: give --passphrase-file',
      )
    return sealRootKey((await openRoot(files)).key, passphrase)
  })
}

/** Takes the root key off this machine; the issuing CA is made anew with its longest life. */
export function takeRootKeyAway(settings: ManageSettings): Promise<LoadedCa> {
  return changing(settings, (files, ca, names) =>
    removeRootKey(files, present(ca), names),
  )
}

/** Puts the root key back. */
export function bringRootKeyBack(
  settings: ManageSettings,
  key: GivenKey,
): Promise<LoadedCa> {
  return changing(settings, async (files, found) => {
    const ca = present(found)
    if (ca.rootKey !== 'absent') throw unusable('the root key is here already')
    const { path, pem } = key
    const passphrase = key.passphrase ?? files.passphrase
    const { key: opened } = await signerOf(ca.root, pem, { path, passphrase })
    // With a configured passphrase it is that one that must open the key at the next start.
    const asIs = isSealed(pem) && files.passphrase === undefined
    const kept = asIs ? pem : await sealRootKey(opened, files.passphrase)
    await files.store.replace(new Map([['root.key', kept]]))
    return { ...ca, rootKey: asIs ? 'sealed' : 'usable' }
  })
}

async function changing<T>(
  settings: ManageSettings,
  change: (
    files: CaFiles,
    ca: LoadedCa | undefined,
    names: readonly string[],
  ) => Promise<T>,
): Promise<T> {
  const files = caFilesOf(settings)
  await files.store.prepare()
  const names = subtreesOf(settings.issuedNames)
  return files.store.exclusively(async () => change(files, await loadCa(files), names))
}

function present(ca: LoadedCa | undefined): LoadedCa {
  if (ca !== undefined) return ca
  throw new YoriError('YORI_CA_MISSING', 'there is no CA yet: `yori ca init` makes one')
}

/** The root as a signer, by its key here or the one that is given. */
export function rootFor(files: CaFiles, ca: LoadedCa, given?: GivenKey): Promise<Signer> {
  if (given === undefined) return openRoot(files)
  const { path, pem } = given
  return signerOf(ca.root, pem, {
    path,
    passphrase: given.passphrase ?? files.passphrase,
  })
}

/** A root that can have an issuing CA below it, with its key. YORI_CA_UNUSABLE. */
async function acceptable(
  { pem, path }: { pem: string; path: string },
  key: GivenKey,
  nowMs: number,
): Promise<Signer> {
  const certificate = caCertificateOf(pem, path)
  const { x509, pathLength } = certificate
  if (!certificate.signsCertificates)
    throw unusable(`${path} may not sign certificates (keyUsage lacks keyCertSign)`)
  if (!x509.checkIssued(x509) || !x509.verify(x509.publicKey))
    throw unusable(
      `${path} is not signed by itself: devices could not trust it as a root`,
    )
  if (pathLength !== undefined && pathLength < 1)
    throw unusable(`${path} has path length 0: YORI keeps an issuing CA below its root`)
  if (nowMs < certificate.notBeforeMs)
    throw unusable(`${path} is not valid before ${x509.validFrom}`)
  if (nowMs >= certificate.notAfterMs)
    throw unusable(`${path} expired at ${x509.validTo}`)
  const { passphrase } = key
  return signerOf(certificate, key.pem, { path: key.path, passphrase })
}
