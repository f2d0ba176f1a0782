/**
 * One root, several gateways: issuing CAs that are made where the root key is and used where it
 * is not. Each names its gateway and lives a month at most, so that what a lost box can still
 * sign ends with it; devices trust the one root and ask nobody about revocation.
 */
import { createPublicKey } from 'node:crypto'
import { YoriError } from '../src/core/errors.js'
import {
  caCertificateOf,
  caFilesOf,
  inRoot,
  loadCa,
  unusable,
  validAt,
} from './ca-files.js'
import type { LoadedCa } from './ca-files.js'
import { issueIssuing } from './issue.js'
import type { Signer } from './issue.js'
import { rootFor } from './manage.js'
import type { GivenKey, ManageSettings } from './manage.js'
import { normalSubtrees, subtreesOf } from './permitted.js'
import { DAY_MS } from './profile.js'
import { privateKeyOf } from './root-key.js'

/** Days from notBefore to notAfter; two of them lie in the past when it is made. */
export const ISSUED_DAYS = { least: 3, most: 30 } as const
/** It stands in a common name of 64 characters (RFC 5280, ub-common-name). */
const GATEWAY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/

export interface IssueFor {
  readonly gateway: string
  /** Within `ISSUED_DAYS`. */
  readonly days: number
  /** Names that it may sign for besides those that are issued here: `x`, with all below it. */
  readonly permit: readonly string[]
  readonly rootKey?: GivenKey | undefined
}

export interface Issued {
  readonly rootPem: string
  readonly issuing: Signer
  /** Wanted, and outside of what the root permits. */
  readonly notPermitted: readonly string[]
}

/**
 * An issuing CA for a gateway; nothing of this machine's CA changes. YORI_CA_UNUSABLE for a name
 * or a life that cannot be, YORI_CA_MISSING and YORI_CA_PASSPHRASE for the root key.
 */
export async function issueFor(
  settings: ManageSettings,
  { gateway, days, permit, rootKey }: IssueFor,
): Promise<Issued> {
  if (!GATEWAY.test(gateway))
    throw unusable(
      'a gateway is named by 1 to 32 letters, digits, dots, hyphens and underscores',
    )
  if (!Number.isInteger(days) || days < ISSUED_DAYS.least || days > ISSUED_DAYS.most)
    throw unusable(`it lives ${ISSUED_DAYS.least} to ${ISSUED_DAYS.most} days`)
  const files = caFilesOf(settings)
  await files.store.prepare()
  return files.store.exclusively(async () => {
    const ca = await loadCa(files)
    if (ca === undefined)
      throw new YoriError('YORI_CA_MISSING', 'there is no CA yet: `yori ca init`')
    const nowMs = files.clock.now()
    if (!validAt(ca.root, nowMs)) throw unusable('the root CA is not valid now')
    const root = await rootFor(files, ca, rootKey)
    const wanted = subtreesOf([...settings.issuedNames, ...permit])
    const within = wanted.filter((name) => inRoot(ca, name))
    const { organization, constrained } = files.profile
    const subject = {
      organization,
      lifeMs: days * DAY_MS,
      permitted: constrained ? normalSubtrees(within) : undefined,
    }
    const issuing = await issueIssuing(root, { subject, nowMs, gateway })
    const notPermitted = wanted.filter((name) => !inRoot(ca, name))
    return { rootPem: ca.root.pem, issuing, notPermitted }
  })
}

/** What was issued for this machine, as text, and where each was read, for messages. */
export type IssuedTexts = Readonly<
  Record<'root' | 'issuing' | 'key', { readonly text: string; readonly path: string }>
>

/**
 * Puts an issued CA in the place of this machine's; a running YORI takes it within seconds.
 * YORI_CA_UNUSABLE when the three do not belong together or are not valid now, when this machine
 * has another root, which its devices trust, and when it holds the root key itself.
 */
export async function takeIssued(
  settings: ManageSettings,
  { root: rootText, issuing: issuingText, key: keyText }: IssuedTexts,
): Promise<LoadedCa> {
  const root = caCertificateOf(rootText.text, rootText.path)
  const issuing = caCertificateOf(issuingText.text, issuingText.path)
  const key = privateKeyOf(keyText.text, keyText.path)
  if (!issuing.x509.verify(root.x509.publicKey))
    throw unusable(`${issuingText.path} was not signed by ${rootText.path}`)
  if (!createPublicKey(key).equals(issuing.x509.publicKey))
    throw unusable(`${keyText.path} is not the key of ${issuingText.path}`)
  const files = caFilesOf(settings)
  for (const each of [root, issuing])
    if (!validAt(each, files.clock.now()))
      throw unusable('it is not valid now: have it issued anew, and look at the clock')
  await files.store.prepare()
  return files.store.exclusively(async () => {
    const ca = await loadCa(files)
    if (ca !== undefined && ca.root.x509.fingerprint256 !== root.x509.fingerprint256)
      throw unusable(
        `this machine has another root, ${ca.root.x509.fingerprint256}, which its devices trust`,
      )
    if (ca !== undefined && ca.rootKey !== 'absent')
      throw unusable(
        'this machine holds the root key, and issues by itself: `yori ca rotate`',
      )
    await files.store.replace(
      new Map([
        ['root.crt', root.pem] as const,
        ['issuing.key', keyText.text] as const,
        ['issuing.crt', issuing.pem] as const,
      ]),
    )
    const none = { next: undefined, cross: undefined, switchAtMs: undefined }
    return {
      root,
      rootKey: 'absent',
      ...none,
      ...ca,
      issuing: { certificate: issuing, key },
    }
  })
}
