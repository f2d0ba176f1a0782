/**
 * How the CA on disk changes: made, renewed, given a new root. Each function is one
 * transaction of the store, to be called inside `store.exclusively`, and returns the CA as it
 * is then.
 *
 * A new root is first *staged*. The old one keeps signing, and the new one signs the old one's
 * name and key (`cross.crt`, sent with every chain): a device that trusts either root is
 * served, because the chain ends in the old root or goes on to the new one. The other way
 * round, the new root under the old, would put two CAs below the old root, which its path
 * length forbids.
 */
import type { Clock } from '../src/core/clock.js'
import { codeOf, YoriError } from '../src/core/errors.js'
import { inRoot, openRoot, unusable } from './ca-files.js'
import type { CaFiles, LoadedCa } from './ca-files.js'
import type { CaCertificate } from './certificate.js'
import { issueCross, issueIssuing, issueRoot } from './issue.js'
import type { Signer } from './issue.js'
import type { CaFile } from './key-store.js'
import { normalSubtrees, subtreeOf, tooWide } from './permitted.js'
import { permittedNames } from './permitted-names.js'
import { ISSUING_LIFE_ATTENDED_MS } from './profile.js'
import { sealRootKey } from './root-key.js'

/** A clock before this is not set yet: a CA made by it would be useless once it is. */
const EARLIEST_CLOCK_MS = Date.UTC(2026, 0, 1)

type Change = Map<CaFile, string | undefined>

/** A CA where there is none, under a new root or the one that is given. */
export async function createCa(
  files: CaFiles,
  names: readonly string[],
  given?: Signer,
): Promise<LoadedCa> {
  const root = given ?? (await newRoot(files, 1))
  const issuing = await newIssuing(files, root, names)
  const change: Change = new Map([
    ['root.key', await sealRootKey(root.key, files.passphrase)],
    ['root.crt', root.certificate.pem],
    ...issuingFiles(issuing),
  ])
  await files.store.replace(change)
  return {
    root: root.certificate,
    rootKey: stateOf(files),
    issuing,
    next: undefined,
    cross: undefined,
    switchAtMs: undefined,
  }
}

/** A new issuing CA for `names` in place of the present one; `root` is the present root. */
export async function renewIssuing(
  files: CaFiles,
  ca: LoadedCa,
  { root, names }: { root: Signer; names: readonly string[] },
): Promise<LoadedCa> {
  const issuing = await newIssuing(files, root, names)
  const change: Change = new Map(issuingFiles(issuing))
  const next = ca.cross === undefined ? undefined : await openNext(files)
  if (next === undefined) {
    await files.store.replace(change)
    return { ...ca, issuing }
  }
  // The cross certificate permits what the issuing CA permits. Without its key the present
  // one stays, which still leads to the new root, for the names that it had.
  const cross = await newCross(files, ca.root, { next, issuing: issuing.certificate })
  change.set('cross.crt', cross.pem)
  await files.store.replace(change)
  return { ...ca, issuing, cross }
}

/** A root that takes over later: a new one, or the one that is given. */
export async function stageRoot(
  files: CaFiles,
  ca: LoadedCa,
  options: { given?: Signer; switchAtMs?: number },
): Promise<LoadedCa> {
  if (ca.next !== undefined)
    throw unusable(
      'a root is staged already: `yori ca rotate --root --activate` or `--cancel`',
    )
  if (ca.rootKey === 'sealed' && files.passphrase === undefined)
    throw new YoriError(
      'YORI_CA_PASSPHRASE',
      'the root key is encrypted, and the new one should be: give the passphrase',
    )
  const next = options.given ?? (await newRoot(files, 2))
  const issuing = ca.issuing.certificate
  const { pathLength } = next.certificate
  const canCross = pathLength === undefined || pathLength >= 2
  const cross = canCross ? await newCross(files, ca.root, { next, issuing }) : undefined
  const { switchAtMs } = options
  const change: Change = new Map([
    ['next-root.key', await sealRootKey(next.key, files.passphrase)],
    ['next-root.crt', next.certificate.pem],
  ])
  if (cross !== undefined) change.set('cross.crt', cross.pem)
  if (switchAtMs !== undefined)
    change.set('switch-at', `${new Date(switchAtMs).toISOString()}\n`)
  await files.store.replace(change)
  return { ...ca, next: next.certificate, cross, switchAtMs }
}

/** The staged root takes over; the old one and its key are gone for good. */
export async function activateRoot(
  files: CaFiles,
  ca: LoadedCa,
  names: readonly string[],
): Promise<LoadedCa> {
  if (ca.next === undefined) throw unusable('no root is staged: `yori ca rotate --root`')
  const root = await openRoot(files, 'next-root')
  const issuing = await newIssuing(files, root, names)
  await files.store.replace(
    new Map<CaFile, string | undefined>([
      ['root.key', await files.store.read('next-root.key')],
      ['root.crt', root.certificate.pem],
      ...issuingFiles(issuing),
      ...unstaged(),
    ]),
  )
  const gone = { next: undefined, cross: undefined, switchAtMs: undefined }
  return { root: root.certificate, rootKey: stateOf(files), issuing, ...gone }
}

/** The staged root is forgotten. */
export async function cancelRoot(files: CaFiles, ca: LoadedCa): Promise<LoadedCa> {
  if (ca.next === undefined) throw unusable('no root is staged')
  await files.store.replace(unstaged())
  return { ...ca, next: undefined, cross: undefined, switchAtMs: undefined }
}

/** The root key leaves this machine; the issuing CA gets a life that lasts until it is back. */
export async function removeRootKey(
  files: CaFiles,
  ca: LoadedCa,
  names: readonly string[],
): Promise<LoadedCa> {
  const root = await openRoot(files)
  const issuing = await newIssuing({ ...files, attended: true }, root, names)
  const change: Change = new Map(issuingFiles(issuing))
  change.set('root.key', undefined)
  await files.store.replace(change)
  return { ...ca, issuing, rootKey: 'absent' }
}

/** YORI_CA_NAME_NOT_PERMITTED for a name that no CA in a home should permit. */
export function rootSubtrees(permitted: readonly string[]): string[] {
  const own = permitted.map((pattern) => {
    const subtree = subtreeOf(pattern)
    const problem = subtree === undefined ? 'it is no host name' : tooWide(subtree)
    if (subtree !== undefined && problem === undefined) return subtree
    const shown = `a CA must not permit ${JSON.stringify(pattern)}: ${problem ?? ''}`
    throw new YoriError('YORI_CA_NAME_NOT_PERMITTED', shown)
  })
  return normalSubtrees([...permittedNames, ...own])
}

async function newRoot(files: CaFiles, below: 1 | 2): Promise<Signer> {
  const { organization, rootLifeMs: lifeMs, constrained } = files.profile
  const subtrees = rootSubtrees(files.permitted)
  const permitted = constrained ? subtrees : undefined
  const subject = { organization, lifeMs, permitted }
  return issueRoot({ subject, below, nowMs: timeOf(files.clock) })
}

async function newIssuing(
  files: CaFiles,
  root: Signer,
  names: readonly string[],
): Promise<Signer> {
  const { organization, issuingLifeMs, constrained } = files.profile
  const wanted = names.filter((name) => inRoot({ root: root.certificate }, name))
  const subject = {
    organization,
    lifeMs: files.attended ? ISSUING_LIFE_ATTENDED_MS : issuingLifeMs,
    permitted: constrained ? normalSubtrees(wanted) : undefined,
  }
  return issueIssuing(root, { subject, nowMs: timeOf(files.clock) })
}

/** The staged root, if its key opens without a person. */
export async function openNext(files: CaFiles): Promise<Signer | undefined> {
  try {
    return await openRoot(files, 'next-root')
  } catch (cause) {
    if (codeOf(cause) === 'YORI_CA_PASSPHRASE') return undefined
    throw cause
  }
}

function newCross(
  files: CaFiles,
  old: CaCertificate,
  { next, issuing }: { next: Signer; issuing: CaCertificate },
): Promise<CaCertificate> {
  const { permitted } = issuing
  return issueCross(next, { old, permitted, nowMs: timeOf(files.clock) })
}

function issuingFiles({ certificate, key }: Signer): [CaFile, string][] {
  return [
    ['issuing.key', key.export({ format: 'pem', type: 'pkcs8' }) as string],
    ['issuing.crt', certificate.pem],
  ]
}

function unstaged(): Map<CaFile, undefined> {
  return new Map([
    ['cross.crt', undefined],
    ['next-root.crt', undefined],
    ['next-root.key', undefined],
    ['switch-at', undefined],
  ])
}

function stateOf(files: CaFiles): 'usable' | 'sealed' {
  return files.attended ? 'sealed' : 'usable'
}

function timeOf(clock: Clock): number {
  const nowMs = clock.now()
  if (nowMs >= EARLIEST_CLOCK_MS) return nowMs
  const shown = new Date(nowMs).toISOString()
  throw unusable(`the clock says ${shown}: set it before a CA is made`)
}
