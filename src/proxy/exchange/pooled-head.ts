/** What we say in an answer's head of where it comes from, in the place of what came as that. */

export interface Told {
  /** The target that answers. */
  readonly upstream: string
  /** Targets that were asked before it. */
  readonly retries: number
  /** Another provider than was asked, and the model there. */
  readonly fallback: string | undefined
}

const OURS: ReadonlySet<string> = new Set([
  'x-yori-upstream',
  'x-yori-retries',
  'x-yori-fallback',
  'x-yori-cache',
])

/** Flat, as it came, but for fields of those names. */
export function withOurs(rawHeaders: readonly string[], told: Told): string[] {
  const fields: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (!OURS.has(name.toLowerCase())) fields.push(name, rawHeaders[i + 1] as string)
  }
  fields.push('x-yori-upstream', told.upstream)
  if (told.retries > 0) fields.push('x-yori-retries', String(told.retries))
  if (told.fallback !== undefined) fields.push('x-yori-fallback', told.fallback)
  return fields
}
