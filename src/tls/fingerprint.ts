/**
 * What a ClientHello says about the software that sent it. Pure.
 * `ja3` is the published method (order kept, GREASE removed, MD5); `helloFingerprint` is ours
 * and stays the same for one client across connections: extension order, resumption and
 * padding vary from one to the next and do not count.
 */
import { createHash } from 'node:crypto'
import type { ClientHello } from './hello-body.js'

const PADDING = 21
const PRE_SHARED_KEY = 41
const EARLY_DATA = 42
const COOKIE = 44

/** RFC 8701 §2: 0x0A0A, 0x1A1A, ... 0xFAFA. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
}

const withoutGrease = (values: readonly number[]): number[] =>
  values.filter((value) => !isGrease(value))

export function ja3Text(hello: ClientHello): string {
  const lists = [
    withoutGrease(hello.cipherSuites),
    withoutGrease(hello.extensionTypes),
    withoutGrease(hello.supportedGroups),
    hello.pointFormats,
  ]
  return [hello.legacyVersion, ...lists.map((list) => list.join('-'))].join(',')
}

/** 32 hexadecimal digits. */
export function ja3(hello: ClientHello): string {
  return createHash('md5').update(ja3Text(hello)).digest('hex')
}

/** 16 hexadecimal digits: 64 bits of SHA-256. */
export function helloFingerprint(hello: ClientHello): string {
  const steady = withoutGrease(hello.extensionTypes)
    .filter((type) => ![PADDING, PRE_SHARED_KEY, EARLY_DATA, COOKIE].includes(type))
    .sort((a, b) => a - b)
  const lists: readonly (readonly (number | string)[])[] = [
    [hello.legacyVersion],
    withoutGrease(hello.cipherSuites),
    steady,
    withoutGrease(hello.supportedGroups),
    withoutGrease(hello.supportedVersions),
    withoutGrease(hello.signatureAlgorithms),
    hello.alpn,
  ]
  return createHash('sha256').update(JSON.stringify(lists)).digest('hex').slice(0, 16)
}
