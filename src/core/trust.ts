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

export interface Readiness {
  /** Devices that were met under the present root. */
  readonly present: readonly TrustEntry[]
  /** Under the staged one, which a device meets by a test alone. */
  readonly staged: readonly TrustEntry[]
  readonly ready: readonly TrustEntry[]
  /** Those of `present` that have not shown that they trust the staged root. */
  readonly notReady: readonly TrustEntry[]
}

/** Who is ready for a staged root; nobody is not ready when none is staged. */
export function readinessOf(
  entries: readonly TrustEntry[],
  root: string | undefined,
  next: string | undefined,
): Readiness {
  const present = entries.filter((entry) => entry.root === root)
  const staged = entries.filter((entry) => entry.root === next)
  const ready = staged.filter(trustsNow)
  const devices = new Set(ready.map(({ device }) => device))
  const waiting = present.filter(({ device }) => !devices.has(device))
  return { present, staged, ready, notReady: next === undefined ? [] : waiting }
}

/** By its name and what it is known by. */
export function nameOfDevice({ device, hostname, ip }: TrustEntry): string {
  const known = hostname ?? ip
  return known === device ? device : `${known} (${device})`
}
