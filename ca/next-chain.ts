/**
 * A chain that leads to the staged root and to no other: what a device is shown when it tests
 * whether it is ready for that root. The chain of every day leads to both roots, so it cannot
 * tell. Signed by an issuing CA that lives in memory alone; without the staged root's key, or
 * its passphrase, there is none.
 */
import { DAY_MS } from './profile.js'
import { caFilesOf, inRoot, loadCa } from './ca-files.js'
import type { CaFiles, CaSettings } from './ca-files.js'
import { openNext } from './ca-changes.js'
import { issueIssuing, issueLeaf, issuerOf, newKey, subjectKeyOf } from './issue.js'
import type { Signer } from './issue.js'
import { normalSubtrees, subtreesOf } from './permitted.js'

const ISSUING_LIFE_MS = 8 * DAY_MS
const LEAF_LIFE_MS = 2 * DAY_MS
/** An issuing CA is made anew after so long. */
const FRESH_MS = DAY_MS

export interface NextChainOptions extends CaSettings {
  readonly issuedNames: readonly string[]
}

export interface ChainWithKey {
  /** Leaf and issuing CA, PEM. */
  readonly cert: string
  readonly key: string
}

export class NextChain {
  readonly #files: CaFiles
  readonly #names: readonly string[]
  #issuing: { readonly root: string; readonly madeAt: number; signer: Signer } | undefined

  constructor(options: NextChainOptions) {
    this.#files = caFilesOf(options)
    this.#names = subtreesOf(options.issuedNames)
  }

  /** For a canonical host name; undefined when no root is staged or its key cannot be used. */
  async mint(name: string): Promise<ChainWithKey | undefined> {
    const nowMs = this.#files.clock.now()
    const signer = await this.#signer(nowMs)
    if (signer === undefined) return undefined
    const key = await newKey()
    const options = { signer, issuer: issuerOf(signer), serverName: name, nowMs }
    const leaf = issueLeaf(subjectKeyOf(key), { ...options, lifeMs: LEAF_LIFE_MS })
    return {
      cert: leaf.pem + signer.certificate.pem,
      key: key.export({ format: 'pem', type: 'pkcs8' }) as string,
    }
  }

  async #signer(nowMs: number): Promise<Signer | undefined> {
    const files = this.#files
    const next = await files.store.exclusively(async () => {
      const found = await loadCa(files)
      const root = found?.next?.x509.fingerprint256
      const isFresh = Math.abs(nowMs - (this.#issuing?.madeAt ?? 0)) < FRESH_MS
      if (root !== undefined && root === this.#issuing?.root && isFresh) return 'kept'
      return root === undefined ? undefined : openNext(files)
    })
    if (next === 'kept') return this.#issuing?.signer
    if (next === undefined) return undefined
    const signer = await this.#issue(next, nowMs)
    const root = next.certificate.x509.fingerprint256
    this.#issuing = { root, madeAt: nowMs, signer }
    return signer
  }

  #issue(next: Signer, nowMs: number): Promise<Signer> {
    const { organization, constrained } = this.#files.profile
    const wanted = this.#names.filter((name) => inRoot({ root: next.certificate }, name))
    const permitted = constrained ? normalSubtrees(wanted) : undefined
    const subject = { organization, lifeMs: ISSUING_LIFE_MS, permitted }
    return issueIssuing(next, { subject, nowMs })
  }
}
