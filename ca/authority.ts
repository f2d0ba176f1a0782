/**
 * The CA while YORI runs: which names it may sign, whether it may sign now, and the leaves.
 * `ca-files.ts` reads and writes what is on disk; `leaf-cache.ts` turns leaves into TLS
 * contexts.
 *
 * Devices trust the root. The issuing CA under it signs, and permits only what is switched on;
 * it is made anew when that set changes and when two thirds of its life are over, without a
 * visit to any device, as long as the root key is here and opens without a person.
 */
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../src/core/clock.js'
import { YoriError } from '../src/core/errors.js'
import { silentLog } from '../src/core/log.js'
import type { Log } from '../src/core/log.js'
import type { Secret } from '../src/core/secret.js'
import { createCa, inRoot, loadCa, openRoot } from './ca-files.js'
import { renewalDueMs, renewIssuing, validAt } from './ca-files.js'
import type { CaFilesOptions, LoadedCa } from './ca-files.js'
import { issueLeaf, issuerOf, newKey, subjectKeyOf } from './issue.js'
import { KeyStore } from './key-store.js'
import { isWithin, normalSubtrees, sameSubtrees, subtreeOf } from './permitted.js'
import { subtreesOrNone } from './profile.js'
import type { Issuer, SubjectKey } from './profile.js'

export interface AuthorityOptions {
  /** Where the CA's files are; made when missing, 0700. */
  readonly directory: string
  /** What leaves are needed for: enabled endpoints (`x` or `*.x`) and our own names. */
  readonly issuedNames: readonly string[]
  /** Names that a new root permits besides the built-in ones. */
  readonly permitted?: readonly string[]
  /** Opens the root key; the key of a new root is encrypted with it. */
  readonly passphrase?: Secret
  readonly clock: Clock
  readonly log?: Log
  /** Told before each step that a crash could interrupt. */
  readonly onStep?: (step: string) => void
}

export type Usability = { kind: 'usable' } | { kind: 'unusable'; reason: string }

export interface MintedLeaf {
  /** The leaf and the issuing CA, PEM, in the order of a handshake. */
  readonly certPem: string
  readonly notAfterMs: number
}

/**
 * Opens the CA of a folder, and creates it when there is none. Throws a `YORI_CA_*` error for
 * anything that an operator must mend (a key that others may read, a missing or damaged file,
 * a wrong passphrase) and then changes nothing. A CA that expired opens, and is not usable.
 */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const leafKey = await newKey()
  const authority = new Authority(options, leafKey)
  await authority.reload()
  return authority
}

export class Authority {
  /** Private key of every leaf: P-256, one each process, never on disk. PEM. */
  readonly leafKeyPem: string
  readonly #files: CaFilesOptions
  readonly #log: Log
  readonly #leafKey: SubjectKey
  #names: readonly string[]
  #ca: LoadedCa | undefined
  #issuer: Issuer | undefined
  #generation = 0

  constructor(options: AuthorityOptions, leafKey: KeyObject) {
    this.#log = options.log ?? silentLog
    this.#files = {
      store: new KeyStore(options),
      clock: options.clock,
      passphrase: options.passphrase,
      permitted: options.permitted ?? [],
    }
    this.#names = subtreesOf(options.issuedNames)
    this.#leafKey = subjectKeyOf(leafKey)
    // The form that OpenSSL decodes fastest: every context parses it again.
    this.leafKeyPem = leafKey.export({ format: 'pem', type: 'sec1' }) as string
  }

  get rootPem(): string {
    return this.#loaded.root.pem
  }

  get issuingPem(): string {
    return this.#loaded.issuing.certificate.pem
  }

  /** SHA-256 of the root certificate, `AA:BB:...`. */
  get rootFingerprint(): string {
    return this.#loaded.root.x509.fingerprint256
  }

  /** Grows by one whenever the issuing CA changed: what was minted before is then stale. */
  get generation(): number {
    return this.#generation
  }

  /** Issued names outside the root's set: only a new root on every device would permit them. */
  get notPermitted(): readonly string[] {
    return this.#names.filter((name) => !this.#inRoot(name))
  }

  /** Issued names that the root permits and the issuing CA does not yet: `yori ca rotate`. */
  get awaitingRotation(): readonly string[] {
    return this.#names.filter((name) => this.#inRoot(name) && !this.#inIssuing(name))
  }

  /** May a leaf for this canonical host name be signed? */
  permits(name: string): boolean {
    return isWithin(name, this.#names) && this.#inRoot(name) && this.#inIssuing(name)
  }

  /** Unusable means: tunnel everything; a chain that is not valid now helps nobody. */
  usable(nowMs: number): Usability {
    const { root, issuing } = this.#loaded
    for (const [what, { notBeforeMs, notAfterMs }] of [
      ['root', root],
      ['issuing', issuing.certificate],
    ] as const) {
      if (nowMs < notBeforeMs) {
        const reason = `the clock is before the ${what} CA's first day (${iso(notBeforeMs)})`
        return { kind: 'unusable', reason }
      }
      if (nowMs >= notAfterMs) {
        const reason = `the ${what} CA expired at ${iso(notAfterMs)}`
        return { kind: 'unusable', reason }
      }
    }
    return { kind: 'usable' }
  }

  /** When the issuing CA should be replaced: two thirds into its life. */
  get renewalDueMs(): number {
    return renewalDueMs(this.#loaded.issuing.certificate)
  }

  /** Can a new issuing CA be made without a person? */
  get renewsItself(): boolean {
    return this.#loaded.rootKey === 'usable'
  }

  /**
   * A chain for one canonical host name, for `leafKeyPem`. Under a millisecond, no I/O.
   * YORI_CA_NAME_NOT_PERMITTED, YORI_CA_UNUSABLE.
   */
  mint(name: string, nowMs: number): MintedLeaf {
    if (!this.permits(name))
      throw new YoriError('YORI_CA_NAME_NOT_PERMITTED', `the CA may not sign for ${name}`)
    const usable = this.usable(nowMs)
    if (usable.kind === 'unusable') throw new YoriError('YORI_CA_UNUSABLE', usable.reason)
    const signer = this.#loaded.issuing
    const issuer = (this.#issuer ??= issuerOf(signer))
    const leaf = issueLeaf(this.#leafKey, { signer, issuer, serverName: name, nowMs })
    return { certPem: leaf.pem + signer.certificate.pem, notAfterMs: leaf.notAfterMs }
  }

  /**
   * Replaces the issuing CA when two thirds of its life are over and the root key opens
   * without a person. Call it now and then. True when it was replaced.
   */
  async renewIfDue(nowMs: number): Promise<boolean> {
    if (nowMs < this.renewalDueMs || !this.renewsItself) return false
    const before = this.#generation
    await this.reload()
    return this.#generation !== before
  }

  /** Other names from now on: same rules as at open. */
  async setIssuedNames(issuedNames: readonly string[]): Promise<void> {
    this.#names = subtreesOf(issuedNames)
    await this.reload()
  }

  /**
   * Reads the folder again, as at open: creates what is not there, and replaces an issuing CA
   * that is due or permits another set of names. On an error the loaded CA stays.
   */
  async reload(): Promise<void> {
    const { store, clock } = this.#files
    await store.prepare()
    const ca = await store.exclusively(async () => {
      const found = await loadCa(this.#files)
      if (found === undefined) return createCa(this.#files, this.#names)
      const wanted = this.#names.filter((name) => inRoot(found, name))
      const nowMs = clock.now()
      const { certificate } = found.issuing
      const changed = !sameSubtrees(certificate.permitted ?? [], subtreesOrNone(wanted))
      if (!changed && nowMs < renewalDueMs(certificate)) return found
      // A root that is not valid now cannot help: its signature would be refused.
      if (found.rootKey !== 'usable' || !validAt(found.root, nowMs)) return found
      return renewIssuing(this.#files, await openRoot(this.#files), wanted)
    })
    this.#adopt(ca)
  }

  #adopt(ca: LoadedCa): void {
    const before = this.#ca?.issuing.certificate.pem
    this.#ca = ca
    this.#issuer = undefined
    if (before !== ca.issuing.certificate.pem) this.#generation += 1
    if (this.notPermitted.length > 0)
      this.#log.warn(
        { names: this.notPermitted },
        'names outside what the root permits are tunnelled',
      )
    if (this.awaitingRotation.length > 0)
      this.#log.warn(
        { names: this.awaitingRotation },
        'names are tunnelled until `yori ca rotate` makes an issuing CA that permits them',
      )
  }

  #inRoot(name: string): boolean {
    return inRoot(this.#loaded, name)
  }

  #inIssuing(name: string): boolean {
    const { permitted } = this.#loaded.issuing.certificate
    return permitted === undefined || isWithin(name, permitted)
  }

  get #loaded(): LoadedCa {
    if (this.#ca === undefined) throw new YoriError('YORI_CA_MISSING', 'no CA was opened')
    return this.#ca
  }
}

/** Names that are no host names (a bare address among them) can never be signed for. */
function subtreesOf(patterns: readonly string[]): string[] {
  return normalSubtrees(patterns.flatMap((pattern) => subtreeOf(pattern) ?? []))
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
