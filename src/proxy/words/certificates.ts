/** What the pipeline asks of the CA. */
import type { SecureContext } from 'node:tls'

/** Certificates for names: the CA and its cache. */
export interface Certificates {
  /** Contexts that are at hand. */
  get(name: string): SecureContext | undefined
  contextFor(name: string): Promise<SecureContext>
  /** A chain that leads to the staged root alone, when there is one that we can sign by. */
  nextContextFor(name: string): Promise<SecureContext | undefined>
  mintable(name: string): boolean
}

/** The roots that devices trust, or are to trust soon. */
export interface Roots {
  readonly rootPem: string
  /** SHA-256, `AA:BB:...`. */
  readonly rootFingerprint: string
  readonly staged:
    | {
        readonly rootPem: string
        readonly fingerprint: string
        readonly switchAtMs: number | undefined
      }
    | undefined
  /** It carries name constraints. */
  readonly constrained: boolean
  condition(nowMs: number): { readonly kind: 'good' | 'renewal-due' | 'unusable' }
  /** As an Apple configuration profile. */
  profileOf(pem: string): string
}
