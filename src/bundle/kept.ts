/**
 * The last bundle that was taken, in one file: a line of JSON on where it came from, then the
 * archive as it came. It is read and verified again each time that policies are loaded.
 */
import { createHash } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../core/make-folder.js'
import type { Bundle } from './bundle.js'
import { BadBundle, BUNDLE_LIMITS } from './limits.js'
import { bundleKey } from './signature.js'

const HEAD_BYTES = 4096

/** What a configuration says of bundles. */
export interface BundleConfig {
  readonly url?: string
  readonly key?: string
  readonly roots: readonly string[]
  readonly file: string
}

export interface KeptHead {
  /** Of the URL: one of another server is not taken for it. */
  readonly source: string
  readonly etag: string | null
  /** UTC. */
  readonly downloaded: string
}

export interface Kept {
  readonly head: KeptHead
  readonly packed: Buffer
}

export function sourceOf(url: string): string {
  return createHash('sha256').update(url).digest('hex')
}

/** Undefined: there is none, or it is of another URL. @throws what reading throws */
export async function readKept({ url, file }: BundleConfig): Promise<Kept | undefined> {
  if (url === undefined) return undefined
  const whole = await wholeOf(file)
  const end = whole?.indexOf(10) ?? -1
  if (whole === undefined || end === -1 || end > HEAD_BYTES) return undefined
  const head = headOf(whole.toString('utf8', 0, end))
  if (head?.source !== sourceOf(url)) return undefined
  return { head, packed: whole.subarray(end + 1) }
}

async function wholeOf(file: string): Promise<Buffer | undefined> {
  try {
    const { size } = await stat(file)
    if (size > BUNDLE_LIMITS.packedBytes + HEAD_BYTES) return undefined
    return await readFile(file)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')
      return undefined
    throw cause
  }
}

function headOf(text: string): KeptHead | undefined {
  try {
    return JSON.parse(text) as KeptHead
  } catch {
    return undefined
  }
}

/** Whole or not at all, mode 0600; undefined takes it away. @throws what writing throws */
export async function writeKept(file: string, kept: Kept | undefined): Promise<void> {
  if (kept === undefined) return rm(file, { force: true })
  makeFolder(dirname(file), 0o700)
  const draft = `${file}.new`
  await rm(draft, { force: true })
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(kept.head)}\n`)
    await handle.writeFile(kept.packed)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, file)
}

export type KeptBundle =
  | { readonly kind: 'none' }
  | { readonly kind: 'ok'; readonly bundle: Bundle; readonly head: KeptHead }
  | { readonly kind: 'bad'; readonly reason: string }

/** The kept one as a bundle; never rejects. */
export async function keptBundle(config: BundleConfig): Promise<KeptBundle> {
  try {
    const kept = await readKept(config)
    if (kept === undefined) return { kind: 'none' }
    // With it comes the language of policies, which a start without a bundle does without.
    const { readBundle } = await import('./bundle.js')
    const bundle = await readBundle(kept.packed, await rulesOf(config))
    return { kind: 'ok', bundle, head: kept.head }
  } catch (cause) {
    return { kind: 'bad', reason: cause instanceof Error ? cause.message : String(cause) }
  }
}

/** @throws BadBundle for a key that cannot be read */
export async function rulesOf({ key, roots }: BundleConfig) {
  if (key === undefined) return { roots, key }
  try {
    const text = key.includes('-----BEGIN ') ? key : await readFile(key, 'utf8')
    return { roots, key: bundleKey(text, 'verify') }
  } catch (cause) {
    if (cause instanceof BadBundle) throw cause
    throw new BadBundle('policies.bundle.key names a file that cannot be read')
  }
}
