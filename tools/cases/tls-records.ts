/** Spreads a ClientHello over TLS records of another size (RFC 8446 §5.1). */

export interface Reframed {
  /** The hello in its new records, then whatever followed it in a record of its own. */
  readonly stream: Buffer
  /** Where the hello ends in it. */
  readonly end: number
}

/** `bytesUsed` is where the hello ends in `bytes`, which begins with a record header. */
export function overRecords(bytes: Buffer, bytesUsed: number, size: number): Reframed {
  const parts: Buffer[] = []
  const message = messageOf(bytes.subarray(0, bytesUsed))
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size)
    parts.push(header(bytes, piece.length), piece)
  }
  const hello = Buffer.concat(parts)
  return { stream: Buffer.concat([hello, bytes.subarray(bytesUsed)]), end: hello.length }
}

function messageOf(records: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < records.length;) {
    const length = records.readUInt16BE(at + 3)
    parts.push(records.subarray(at + 5, at + 5 + length))
    at += 5 + length
  }
  return Buffer.concat(parts)
}

function header(like: Buffer, length: number): Buffer {
  const bytes = Buffer.from(like.subarray(0, 5))
  bytes.writeUInt16BE(length, 3)
  return bytes
}
