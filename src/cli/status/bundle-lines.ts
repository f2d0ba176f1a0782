/** Which policies the server of a fleet has brought, in a line for people. */
import { printable } from '../../audit/printable.js'

interface Told {
  readonly revision?: unknown
  readonly verified?: unknown
  readonly last_download?: unknown
  readonly error?: unknown
}

export function bundleLines(told: unknown): {
  readonly lines: readonly string[]
  readonly isWhole: boolean
} {
  if (typeof told !== 'object' || told === null) return { lines: [], isWhole: true }
  const { revision, verified, last_download: at, error } = told as Told
  const text = (value: unknown): string => printable(String(value))
  const signature = verified === true ? ', signature verified' : ''
  const inForce =
    typeof revision === 'string'
      ? `policies of bundle ${text(revision) || '(no revision)'}${signature}, of ${text(at)}`
      : 'no bundle of policies has come yet'
  return {
    lines: typeof error === 'string' ? [inForce, `bundle: ${text(error)}`] : [inForce],
    isWhole: typeof error !== 'string',
  }
}
