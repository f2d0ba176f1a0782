/**
 * Identifiers that sort by the time of their making: UUID version 7 (RFC 9562 §5.7). A
 * database index takes them at its end; random ones dirty a page for each row.
 */
import { randomUUID } from 'node:crypto'

/** 48 bits of `nowMs`, the version, and 74 random bits. */
export function orderedId(nowMs: number): string {
  const time = Math.max(0, Math.trunc(nowMs)).toString(16).padStart(12, '0').slice(-12)
  // A version 4 UUID has its random bits where version 7 has them, but for the first 48.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
