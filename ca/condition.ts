/**
 * How the CA stands at a moment: can it sign, and does somebody have to do something soon?
 * Pure.
 */
import type { CaCertificate } from './certificate.js'
import { renewalDueMs, validAt } from './ca-files.js'
import type { LoadedCa } from './ca-files.js'
import { DAY_MS } from './profile.js'

export type CaCondition =
  | { readonly kind: 'good' }
  /** It works, and will not for ever: `reason` says until when, and what to do. */
  | { readonly kind: 'renewal-due'; readonly reason: string }
  /** Everything is tunnelled: a chain that is not valid now helps nobody. */
  | { readonly kind: 'unusable'; readonly reason: string }

/** How a moment stands in a reason; ISO 8601 unless said. */
export type MomentWords = (ms: number) => string

/** A root's end is told a year ahead, or after two thirds of its life when that is later. */
const ROOT_NOTICE_MS = 365 * DAY_MS

export function conditionOf(
  ca: Pick<LoadedCa, 'root' | 'issuing' | 'rootKey' | 'next' | 'switchAtMs'>,
  nowMs: number,
  words: MomentWords = iso,
): CaCondition {
  const issuing = ca.issuing.certificate
  const invalid =
    whyNotValid('root', ca.root, { nowMs, words }) ??
    whyNotValid('issuing', issuing, { nowMs, words })
  if (invalid !== undefined) return { kind: 'unusable', reason: invalid }
  const { root } = ca
  const rootDueMs = Math.max(renewalDueMs(root), root.notAfterMs - ROOT_NOTICE_MS)
  if (nowMs >= rootDueMs && ca.next === undefined) {
    const reason = `the root CA ends at ${words(root.notAfterMs)}: \`yori ca rotate --root\` in good time`
    return { kind: 'renewal-due', reason }
  }
  if (nowMs < renewalDueMs(issuing)) return { kind: 'good' }
  const how = {
    usable: 'it should have renewed itself; run `yori ca rotate`',
    sealed: '`yori ca rotate` renews it and asks for the passphrase of the root key',
    absent: '`yori ca rotate --root-key FILE` renews it',
  }[ca.rootKey]
  const reason = `the issuing CA ends at ${words(issuing.notAfterMs)}: ${how}`
  return { kind: 'renewal-due', reason }
}

function whyNotValid(
  what: string,
  certificate: CaCertificate,
  { nowMs, words }: { readonly nowMs: number; readonly words: MomentWords },
): string | undefined {
  if (validAt(certificate, nowMs)) return undefined
  const { notBeforeMs, notAfterMs } = certificate
  return nowMs < notBeforeMs
    ? `the clock is before the ${what} CA's first day (${words(notBeforeMs)}): it says ${words(nowMs)}; set it`
    : `the ${what} CA expired at ${words(notAfterMs)}: ${what === 'root' ? '`yori ca rotate --root`' : '`yori ca rotate`'}, or set the clock if it is wrong`
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
