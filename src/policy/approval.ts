/**
 * The short code of a blocked request, which a person reads out and an adult approves. It names
 * the request and is no secret: only who can use the command line can do something with it.
 */
import { createHash } from 'node:crypto'

/** Crockford's base 32: nothing that is read as something else. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const LENGTH = 6

/** 30 bits of the request's id, as `7F3-K2M`. */
export function approvalCode(requestId: string): string {
  const digest = createHash('sha256').update(requestId).digest()
  let code = ''
  for (let i = 0; i < LENGTH; i++) code += ALPHABET[(digest[i] ?? 0) & 31] ?? ''
  return `${code.slice(0, 3)}-${code.slice(3)}`
}

/** As people type it: any case, with or without the dash, O for 0, I and L for 1. */
export function readApprovalCode(text: string): string | undefined {
  const plain = text
    .toUpperCase()
    .replace(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1')
  if (
    plain.length !== LENGTH ||
    ![...plain].every((letter) => ALPHABET.includes(letter))
  ) {
    return undefined
  }
  return `${plain.slice(0, 3)}-${plain.slice(3)}`
}

/** Among the marks of what was refused: the policy blocks also when nothing at all is said. */
export const WHATEVER = '*'
