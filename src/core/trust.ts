/** What is known of who trusts which root. Times as in `record.ts`. */
export interface TrustEntry {
  /** MAC, else IP. */
  readonly device: string
  /** The address under which it was last met. */
  readonly ip: string
  readonly hostname?: string
  /** SHA-256 of the root certificate, `AA:BB:...`. */
  readonly root: string
  /** Last time a request came under a certificate of this root, and for which name. */
  readonly trustedAt?: number
  readonly trustedName?: string
  /** Last time our certificate was turned away, for which name, and what was said. */
  readonly refusedAt?: number
  readonly refusedName?: string
  readonly refusedCause?: string
}

/** Both when there are both: a browser may trust what an app on the same device does not. */
export function trustsNow(entry: TrustEntry): boolean {
  return entry.trustedAt !== undefined && entry.trustedAt >= (entry.refusedAt ?? 0)
}
