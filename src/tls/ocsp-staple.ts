/**
 * Reads what a server staples about its certificate to its handshake (RFC 6066 §8, RFC 6960
 * §4.2.1), as far as to say which serial numbers it calls revoked. Verifies no signature: who
 * staples says it of itself, and nobody else can in its handshake. Pure; never throws.
 */

/** A longer one is not read: responders of public CAs need 2 KB at the most. */
export const MAX_STAPLE_BYTES = 64 * 1024
/** Responses in one staple that are looked at; there is one. */
const MAX_RESPONSES = 16

const SEQUENCE = 0x30
const INTEGER = 0x02
const OCTET_STRING = 0x04
/** `responseBytes`, and the version of the data, are `[0]`. */
const CONTEXT_0 = 0xa0
/** `revoked [1] IMPLICIT RevokedInfo`. */
const REVOKED = 0xa1

interface Element {
  readonly tag: number
  readonly content: Uint8Array
}

/** The serial numbers that it calls revoked; none where it cannot be read. */
export function revokedSerials(staple: Uint8Array): readonly bigint[] {
  if (staple.length > MAX_STAPLE_BYTES) return []
  const response = inside(elementsOf(staple)[0], SEQUENCE)
  const bytes = inside(inside(find(response, CONTEXT_0), CONTEXT_0)[0], SEQUENCE)
  const basic = find(bytes, OCTET_STRING)?.content ?? new Uint8Array()
  const [data] = inside(elementsOf(basic)[0], SEQUENCE)
  // Version and responder have tags of their own, the time is none of these.
  const responses = inside(find(inside(data, SEQUENCE), SEQUENCE), SEQUENCE)
  return responses.slice(0, MAX_RESPONSES).flatMap((single) => {
    const [id, status] = inside(single, SEQUENCE)
    if (status?.tag !== REVOKED) return []
    const serial = find(inside(id, SEQUENCE), INTEGER)
    return serial === undefined ? [] : [numberOf(serial.content)]
  })
}

/** Is that certificate, by its serial number in hexadecimal, one of them? */
export function isRevokedIn(revoked: readonly bigint[], serialNumber: string): boolean {
  if (!/^[0-9a-fA-F]{1,64}$/.test(serialNumber)) return false
  return revoked.includes(BigInt(`0x${serialNumber}`))
}

function numberOf(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes).toString('hex')
  return hex === '' ? 0n : BigInt(`0x${hex}`)
}

function find(elements: readonly Element[], tag: number): Element | undefined {
  return elements.find((element) => element.tag === tag)
}

/** What is in an element of that tag; nothing where it has another. */
function inside(element: Element | undefined, tag: number): readonly Element[] {
  return element?.tag === tag ? elementsOf(element.content) : []
}

/** Elements of DER one after the other (X.690 §8.1), up to the first that is none. */
function elementsOf(bytes: Uint8Array): Element[] {
  const elements: Element[] = []
  let at = 0
  while (at + 2 <= bytes.length) {
    const tag = bytes[at] as number
    const first = bytes[at + 1] as number
    const more = first < 0x80 ? 0 : first & 0x7f
    if (first === 0x80 || more > 3) break
    let length = more === 0 ? first : 0
    for (let i = 0; i < more; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0)
    const start = at + 2 + more
    if (start + length > bytes.length) break
    elements.push({ tag, content: bytes.subarray(start, start + length) })
    at = start + length
  }
  return elements
}
