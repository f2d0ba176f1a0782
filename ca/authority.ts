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
import { YoriError } from '../src/core/errors.js'
import { silentLog } from '../src/core/log.js'
import type { Log } from '../src/core/log.js'
import { activateRoot, createCa, openNext, renewIssuing } from './ca-changes.js'
import { conditionOf } from './condition.js'
import type { CaCondition, MomentWords } from './condition.js'
import { caFilesOf, inRoot, loadCa, openRoot, renewalDueMs, validAt } from './ca-files.js'
import type { CaFiles, CaSettings, LoadedCa } from './ca-files.js'
import { issueLeaf, issuerOf, newKey, subjectKeyOf } from './issue.js'
import { isWithin, sameSubtrees, Subtrees, subtreesOf } from './permitted.js'
import type { Issuer } from './profile.js'
import { subtreesOrNone } from './x509.js'
import type { SubjectKey } from './x509.js'

export interface AuthorityOptions extends CaSettings {
  /** What leaves are needed for: enabled endpoints (`x` or `*.x`) and our own names. */
  readonly issuedNames: readonly string[]
  readonly log?: Log
}

export type Usability = { kind: 'usable' } | { kind: 'unusable'; reason: string }

export interface MintedLeaf {
  readonly leafPem: string
  /** The leaf and the CAs above it but the root, PEM, in the order of a handshake. */
  readonly certPem: string
  readonly notAfterMs: number
}

/** The root that waits, its SHA-256, and when it takes over by itself. */
export interface StagedRoot {
  readonly rootPem: string
  readonly fingerprint: string
  readonly switchAtMs: number | undefined
}

/**
 * Opens the CA of a folder, and creates it when there is none. Throws a `YORI_CA_*` error for
 * anything that an operator must mend (a key that others may read, a missing or damaged file,
 * a wrong passphrase) and then changes nothing. A CA that expired opens, and is not usable.
 */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const leafKey = await newKey()
  const authority = new Authority(options, leafKey)
  await authority.open()
  return authority
}

export class Authority {
  /** Private key of every leaf: P-256, one each process, never on disk. PEM. */
  readonly leafKeyPem: string
  readonly #files: CaFiles
  readonly #log: Log
  readonly #leafKey: SubjectKey
  #names: readonly string[]
  #ca: LoadedCa | undefined
  /** The wanted names, and what each CA permits. */
  #bounds: readonly Subtrees[] = []
  #issuer: Issuer | undefined
  #generation = 0

  constructor(options: AuthorityOptions, leafKey: KeyObject) {
    this.#log = options.log ?? silentLog
    this.#files = caFilesOf(options)
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

  /** What goes with every leaf: the issuing CA and, while a root is staged, its link. PEM. */
  get chainPem(): string {
    const { issuing, cross } = this.#loaded
    return issuing.certificate.pem + (cross?.pem ?? '')
  }

  get staged(): StagedRoot | undefined {
    const { next, switchAtMs } = this.#loaded
    if (next === undefined) return undefined
    return { rootPem: next.pem, fingerprint: next.x509.fingerprint256, switchAtMs }
  }

  /** Does the root say itself what it can vouch for? */
  get constrained(): boolean {
    return this.#loaded.root.permitted !== undefined
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
    return this.#bounds.every((bound) => bound.contains(name))
  }

  /** How it stands: unusable means that everything is tunnelled. */
  condition(nowMs: number, words?: MomentWords): CaCondition {
    return conditionOf(this.#loaded, nowMs, words)
  }

  usable(nowMs: number): Usability {
    const condition = this.condition(nowMs)
    return condition.kind === 'unusable' ? condition : { kind: 'usable' }
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
    const lifeMs = this.#files.profile.leafLifeMs
    const options = { signer, issuer, serverName: name, nowMs, lifeMs }
    const leaf = issueLeaf(this.#leafKey, options)
    const certPem = leaf.pem + this.chainPem
    return { leafPem: leaf.pem, certPem, notAfterMs: leaf.notAfterMs }
  }

  /**
   * Replaces the issuing CA when two thirds of its life are over, and the root when a staged
   * one has come to its date, if the root key opens without a person. Call it now and then.
   * True when something was replaced.
   */
  async renewIfDue(nowMs: number): Promise<boolean> {
    const switchNow = nowMs >= (this.#loaded.switchAtMs ?? Infinity)
    const renewNow = nowMs >= this.renewalDueMs && this.renewsItself
    if (!switchNow && !renewNow) return false
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
   * Reads the folder again, as at open: creates what is not there, replaces an issuing CA that
   * is due or permits another set of names, and lets a staged root take over when its time has
   * come. On an error the loaded CA stays.
   */
  async reload(): Promise<void> {
    const { store } = this.#files
    await store.prepare()
    this.#adopt(
      await store.exclusively(async () => {
        const found = await loadCa(this.#files)
        return found === undefined
          ? createCa(this.#files, this.#names)
          : this.#brought(found)
      }),
    )
  }

  /**
   * As `reload`, but content with a CA that is there when it cannot be brought up to date: on
   * a full or read-only disk YORI must start all the same.
   */
  async open(): Promise<void> {
    try {
      await this.reload()
    } catch (cause) {
      if (cause instanceof YoriError) throw cause
      const found = await loadCa(this.#files)
      if (found === undefined) throw cause
      this.#log.error({ err: cause }, 'the CA could not be written; it stays as it is')
      this.#adopt(found)
    }
  }

  /** Takes what another process has put into the folder; changes nothing there itself. */
  async reread(): Promise<void> {
    const { store } = this.#files
    const found = await store.exclusively(() => loadCa(this.#files))
    if (found !== undefined) this.#adopt(found)
  }

  /** The CA brought up to date, as far as that needs no person. */
  async #brought(found: LoadedCa): Promise<LoadedCa> {
    const files = this.#files
    const nowMs = files.clock.now()
    const switchNow = (found.switchAtMs ?? Infinity) <= nowMs
    if (switchNow && found.next !== undefined && (await openNext(files)) !== undefined)
      return activateRoot(files, found, this.#names)
    if (found.rootKey !== 'usable') return found
    // A root that is not valid now cannot help: its signature would be refused.
    if (!validAt(found.root, nowMs)) return found
    const { certificate } = found.issuing
    const due = nowMs >= renewalDueMs(certificate) || nowMs < certificate.notBeforeMs
    if (!due && this.#fits(found)) return found
    return renewIssuing(files, found, { root: await openRoot(files), names: this.#names })
  }

  /** Does the issuing CA permit just the names that are wanted, as far as the root does? */
  #fits(found: LoadedCa): boolean {
    const { permitted } = found.issuing.certificate
    if (!this.#files.profile.constrained) return permitted === undefined
    const wanted = this.#names.filter((name) => inRoot(found, name))
    return permitted !== undefined && sameSubtrees(permitted, subtreesOrNone(wanted))
  }

  #adopt(ca: LoadedCa): void {
    const before = this.#ca === undefined ? undefined : this.chainPem
    this.#ca = ca
    this.#issuer = undefined
    this.#bounds = [this.#names, ca.root.permitted, ca.issuing.certificate.permitted]
      .filter((names) => names !== undefined)
      .map((names) => new Subtrees(names))
    if (before !== this.chainPem) this.#generation += 1
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
