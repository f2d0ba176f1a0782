/**
 * What the form of a block page carries, so that a password typed there frees this device from
 * this policy and nothing else: claims with a MAC over them, good for ten minutes and once.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface OverrideClaims {
  readonly requestId: string
  readonly ip: string
  readonly policy: string
  readonly endpoint: string
  readonly expiresAt: number
  /** Where a person goes on afterwards: the path of a GET that was blocked. */
  readonly back?: string
}

export const TOKEN_MS = 10 * 60 * 1000
const MAX_LENGTH = 2048

export function signToken(key: Buffer, claims: OverrideClaims): string {
  const text = Buffer.from(JSON.stringify(claims)).toString('base64url')
  return `${text}.${mac(key, text).toString('base64url')}`
}

/** Undefined when it is not ours, or its time is over. */
export function readToken(
  key: Buffer,
  token: string,
  nowMs: number,
): OverrideClaims | undefined {
  const [text, given, more] = token.length > MAX_LENGTH ? [] : token.split('.')
  if (text === undefined || given === undefined || more !== undefined) return undefined
  const expected = mac(key, text)
  const received = Buffer.from(given, 'base64url')
  if (received.length !== expected.length || !timingSafeEqual(received, expected)) {
    return undefined
  }
  // Only what we wrote ourselves gets here.
  const claims = JSON.parse(Buffer.from(text, 'base64url').toString()) as OverrideClaims
  return nowMs < claims.expiresAt ? claims : undefined
}

function mac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
