/**
 * CRC-32 as in gzip (RFC 1952 §8): polynomial 0xEDB88320, reflected. `node:zlib` has one only
 * from Node 22 on.
 */
const TABLE = makeTable()

/**
 * Of all of `bytes`, as an unsigned integer of 32 bits: 0xcbf43926 of `123456789`, 0 of
 * none. A byte at a time and in one go, so that callers bound what they give.
 */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (let i = 0; i < bytes.length; i++)
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}

function makeTable(): Uint32Array {
  const table = new Uint32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    table[byte] = crc >>> 0
  }
  return table
}
