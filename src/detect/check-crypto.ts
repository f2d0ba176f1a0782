/** Addresses of crypto currencies by their checksums: Base58Check, Bech32. Pure. */
import { createHash } from 'node:crypto'
import type { Check } from './check-europe.js'

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** 21 bytes and four of a double SHA-256; any version, since each currency has its own. */
const base58check: Check = (text) => {
  if (text.length < 26 || text.length > 35) return false
  let value = 0n
  for (const char of text) {
    const digit = BASE58.indexOf(char)
    if (digit < 0) return false
    value = value * 58n + BigInt(digit)
  }
  const hex = value.toString(16).padStart(50, '0')
  if (hex.length !== 50) return false
  const bytes = Buffer.from(hex, 'hex')
  return sha256(sha256(bytes.subarray(0, 21)))
    .subarray(0, 4)
    .equals(bytes.subarray(21))
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

function polymod(values: readonly number[]): number {
  let check = 1
  for (const value of values) {
    const top = check >>> 25
    check = ((check & 0x1ffffff) << 5) ^ value
    for (const [i, generator] of GENERATORS.entries())
      if (((top >>> i) & 1) === 1) check ^= generator
  }
  return check >>> 0
}

/** BIP 173 and BIP 350: all of one case. */
const bech32: Check = (text) => {
  const lower = text.toLowerCase()
  if (text !== lower && text !== text.toUpperCase()) return false
  const split = lower.lastIndexOf('1')
  if (split < 1 || text.length > 90) return false
  const name = lower.slice(0, split)
  const data = Array.from(lower.slice(split + 1), (char) => BECH32.indexOf(char))
  if (data.length < 6 || data.includes(-1)) return false
  const codes = Array.from(name, (char) => char.charCodeAt(0))
  const high = codes.map((code) => code >>> 5)
  const low = codes.map((code) => code & 31)
  const sum = polymod([...high, 0, ...low, ...data])
  return sum === 1 || sum === 0x2bc830a3
}

export const CRYPTO: Readonly<Record<string, Check>> = { base58check, bech32 }
