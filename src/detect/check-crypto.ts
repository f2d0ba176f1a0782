/** Addresses of crypto currencies by their checksums: Base58Check, Bech32. Pure. */
import { hash } from 'node:crypto'
import type { Check } from './check-europe.js'

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}

const DIGITS = new Int8Array(128).fill(-1)
for (let i = 0; i < BASE58.length; i++) DIGITS[BASE58.charCodeAt(i)] = i
const BYTES = 25
/** Four digits at once, into limbs of three bytes: no product is longer than a double holds. */
const AT_ONCE = 4
const LIMBS = 9
const LIMB = 0x1000000

/** 21 bytes and four of a double SHA-256; any version, since each currency has its own. */
const base58check: Check = (text) => {
  if (text.length < 26 || text.length > 35) return false
  const limbs = new Float64Array(LIMBS)
  for (let i = 0; i < text.length; i += AT_ONCE) {
    let value = 0
    let times = 1
    for (let j = i; j < i + AT_ONCE && j < text.length; j++) {
      const code = text.charCodeAt(j)
      const digit = code < 128 ? (DIGITS[code] as number) : -1
      if (digit < 0) return false
      value = value * 58 + digit
      times *= 58
    }
    for (let at = 0; at < LIMBS; at++) {
      const sum = (limbs[at] as number) * times + value
      value = Math.floor(sum / LIMB)
      limbs[at] = sum - value * LIMB
    }
  }
  // 25 bytes are eight limbs and a byte of the ninth.
  if ((limbs[LIMBS - 1] as number) > 0xff) return false
  const bytes = Buffer.alloc(BYTES)
  for (let i = 0; i < BYTES; i++) {
    const limb = limbs[Math.floor(i / 3)] as number
    bytes[BYTES - 1 - i] = (limb >>> ((i % 3) * 8)) & 0xff
  }
  return sha256(sha256(bytes.subarray(0, 21)))
    .subarray(0, 4)
    .equals(bytes.subarray(21))
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const VALUES = new Int8Array(128).fill(-1)
for (let i = 0; i < BECH32.length; i++) VALUES[BECH32.charCodeAt(i)] = i
/** By the five bits that leave: the generators of those that are set, added up. */
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const LEAVING = Int32Array.from({ length: 32 }, (_none, top) =>
  GENERATORS.reduce((sum, one, i) => (((top >>> i) & 1) === 1 ? sum ^ one : sum), 0),
)

function next(check: number, value: number): number {
  return ((check & 0x1ffffff) << 5) ^ value ^ (LEAVING[check >>> 25] as number)
}

/** BIP 173 and BIP 350: all of one case. */
const bech32: Check = (text) => {
  const lower = text.toLowerCase()
  if (text !== lower && text !== text.toUpperCase()) return false
  const split = lower.lastIndexOf('1')
  if (split < 1 || text.length > 90 || text.length - split < 7) return false
  let check = 1
  for (let i = 0; i < split; i++) check = next(check, lower.charCodeAt(i) >>> 5)
  check = next(check, 0)
  for (let i = 0; i < split; i++) check = next(check, lower.charCodeAt(i) & 31)
  for (let i = split + 1; i < lower.length; i++) {
    const code = lower.charCodeAt(i)
    const value = code < 128 ? (VALUES[code] as number) : -1
    if (value < 0) return false
    check = next(check, value)
  }
  return check === 1 || check === 0x2bc830a3
}

export const CRYPTO: Readonly<Record<string, Check>> = { base58check, bech32 }
