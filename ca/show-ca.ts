/**
 * What the CA on disk is, for people and for programs: subjects, fingerprints, validity, what
 * each certificate can sign and what it cannot. Reads; changes nothing.
 */
import type { Clock } from '../src/core/clock.js'
import { YoriError } from '../src/core/errors.js'
import type { Secret } from '../src/core/secret.js'
import { momentText } from '../src/core/moment-text.js'
import { caFilesOf, inRoot, loadCa, renewalDueMs } from './ca-files.js'
import type { LoadedCa } from './ca-files.js'
import type { CaCertificate } from './certificate.js'
import { isWithin, subtreesOf } from './permitted.js'

/** The part of the configuration that says where the CA is and what it is for. */
export interface CaOptions {
  readonly directory: string
  /** Enabled endpoints (`x` or `*.x`) and our own names. */
  readonly issuedNames: readonly string[]
  /** Names that a new root permits besides the built-in ones. */
  readonly permitted?: readonly string[]
}

export interface CertificateSummary {
  readonly subject: string
  readonly sha256: string
  readonly notBefore: string
  readonly notAfter: string
  readonly valid: boolean
  readonly key: string
  /** DNS subtrees; null when any name may be signed. */
  readonly permits: readonly string[] | null
}

export interface CaSummary {
  readonly directory: string
  readonly root: CertificateSummary & { readonly privateKey: LoadedCa['rootKey'] }
  readonly issuing: CertificateSummary & { readonly renewalDue: string }
  /** The root that waits to take over. */
  readonly staged: (CertificateSummary & { readonly switchAt: string | null }) | null
  readonly names: {
    readonly served: readonly string[]
    /** `yori ca rotate` would serve them; no device needs to do anything. */
    readonly needRotation: readonly string[]
    /** They need a new root on every device. */
    readonly needNewRoot: readonly string[]
  }
}

/** The CA of a folder, if there is one; creates and renews nothing. */
export async function findCa(
  directory: string,
  clock: Clock,
): Promise<LoadedCa | undefined> {
  const files = caFilesOf({ directory, clock })
  if (!(await files.store.exists())) return undefined
  return files.store.exclusively(() => loadCa(files))
}

/** As `findCa`; YORI_CA_MISSING when there is none. */
export async function readCa(directory: string, clock: Clock): Promise<LoadedCa> {
  const ca = await findCa(directory, clock)
  if (ca !== undefined) return ca
  const detail = `there is no CA in ${directory}: \`yori ca init\` makes one`
  throw new YoriError('YORI_CA_MISSING', detail)
}

export function summarise(ca: LoadedCa, options: CaOptions, nowMs: number): CaSummary {
  const { certificate } = ca.issuing
  const wanted = subtreesOf(options.issuedNames)
  const served = (name: string): boolean =>
    inRoot(ca, name) &&
    (certificate.permitted === undefined || isWithin(name, certificate.permitted))
  return {
    directory: options.directory,
    root: { ...certificateSummary(ca.root, nowMs), privateKey: ca.rootKey },
    issuing: {
      ...certificateSummary(certificate, nowMs),
      renewalDue: new Date(renewalDueMs(certificate)).toISOString(),
    },
    staged: stagedSummary(ca, nowMs),
    names: {
      served: wanted.filter(served),
      needRotation: wanted.filter((name) => inRoot(ca, name) && !served(name)),
      needNewRoot: wanted.filter((name) => !inRoot(ca, name)),
    },
  }
}

/** How names that wait for a new issuing CA get one, by where the root key is. */
export const ROTATION_WAYS: Readonly<Record<LoadedCa['rootKey'], string>> = {
  usable:
    'a reload (SIGHUP) makes an issuing CA for them by itself, so does `yori ca rotate`',
  sealed: '`yori ca rotate`, which asks for the passphrase of the root key',
  absent: '`yori ca rotate --root-key FILE`, as the root key is not on this machine',
}

/** As the service sees it: a key whose passphrase the configuration has opens without a person. */
export function asServed<T extends Pick<LoadedCa, 'rootKey'>>(
  ca: T,
  { passphrase }: { readonly passphrase?: Secret },
): T {
  const opens = ca.rootKey === 'sealed' && passphrase !== undefined
  return opens ? { ...ca, rootKey: 'usable' } : ca
}

/** For people; moments in `zone`, or the system's. */
export function describeCa(summary: CaSummary, zone?: string): string {
  const at = (iso: string): string => momentText(Date.parse(iso), zone)
  const { root, issuing, names } = summary
  const lines = [
    `Folder        ${summary.directory}`,
    '',
    'Root CA: devices trust it',
    ...certificateLines(root, at),
    `  Private key ${KEY_WORDS[root.privateKey]}`,
    '',
    'Issuing CA: signs the leaf certificates',
    ...certificateLines(issuing, at),
    `  Renewal     due ${at(issuing.renewalDue)}`,
    '',
    root.permits === null
      ? 'The root carries no name constraints: a stolen root key could sign for any name.'
      : 'Neither can sign for an IP address or for any name that is not listed.',
    `Served        ${listed(names.served)}`,
  ]
  const { staged } = summary
  if (staged !== null)
    lines.push(
      '',
      `Staged root: takes over ${staged.switchAt === null ? 'by `yori ca rotate --root --activate`' : `at ${at(staged.switchAt)}`}`,
      ...certificateLines(staged, at),
    )
  if (names.needRotation.length > 0)
    lines.push(`Not yet       ${listed(names.needRotation)}: run \`yori ca rotate\``)
  if (names.needNewRoot.length > 0)
    lines.push(
      `Not possible  ${listed(names.needNewRoot)}: tunnelled; they need a new root on every device`,
    )
  return `${lines.join('\n')}\n`
}

const KEY_WORDS = {
  usable: 'here, not encrypted: rotation needs nobody',
  sealed: 'here, encrypted with a passphrase',
  absent: 'not on this machine',
} as const satisfies Record<LoadedCa['rootKey'], string>

function stagedSummary(
  { next, switchAtMs }: LoadedCa,
  nowMs: number,
): CaSummary['staged'] {
  if (next === undefined) return null
  const switchAt = switchAtMs === undefined ? null : new Date(switchAtMs).toISOString()
  return { ...certificateSummary(next, nowMs), switchAt }
}

function certificateSummary(
  certificate: CaCertificate,
  nowMs: number,
): CertificateSummary {
  const { x509, notBeforeMs, notAfterMs, permitted } = certificate
  const { asymmetricKeyDetails: details } = x509.publicKey
  return {
    subject: x509.subject.replaceAll('\n', ', '),
    sha256: x509.fingerprint256,
    notBefore: new Date(notBeforeMs).toISOString(),
    notAfter: new Date(notAfterMs).toISOString(),
    valid: notBeforeMs <= nowMs && nowMs < notAfterMs,
    key: details?.namedCurve ?? `RSA ${details?.modulusLength ?? 0}`,
    permits: permitted ?? null,
  }
}

function certificateLines(
  certificate: CertificateSummary,
  at: (iso: string) => string,
): string[] {
  const { permits } = certificate
  return [
    `  Subject     ${certificate.subject}`,
    `  SHA-256     ${certificate.sha256}`,
    `  Valid       ${at(certificate.notBefore)} to ${at(certificate.notAfter)}${certificate.valid ? '' : ' (NOT VALID NOW)'}`,
    `  Key         ${certificate.key}`,
    `  Can sign    ${permits === null ? 'any name: it carries no name constraints' : listed(permits)}`,
  ]
}

/** The whole list is in `--json`; people get its beginning. */
function listed(names: readonly string[]): string {
  const shown = 12
  if (names.length === 0) return 'nothing'
  const rest = names.length - shown
  const more = rest > 0 ? `, and ${rest} more` : ''
  return names.slice(0, shown).join(', ') + more
}
