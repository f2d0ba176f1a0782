/** Writes AWS event-stream messages, with `node:zlib` for the checksums: gzip's CRC-32. */
import { gzipSync } from 'node:zlib'

function checksum(bytes: Buffer): Buffer {
  const zipped = gzipSync(bytes)
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(zipped.readUInt32LE(zipped.length - 8))
  return crc
}

/** One message with string headers and a JSON payload. */
export function eventStreamMessage(
  headers: Readonly<Record<string, string>>,
  payload: object,
): Buffer {
  const block = Buffer.concat(
    Object.entries(headers).map(([name, value]) =>
      Buffer.concat([
        Buffer.from([name.length]),
        Buffer.from(name),
        Buffer.from([7, value.length >> 8, value.length & 0xff]),
        Buffer.from(value),
      ]),
    ),
  )
  const body = Buffer.from(JSON.stringify(payload))
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(16 + block.length + body.length)
  lengths.writeUInt32BE(block.length, 4)
  const message = Buffer.concat([lengths, checksum(lengths), block, body])
  return Buffer.concat([message, checksum(message)])
}

export function bedrockEvent(type: string, payload: object): Buffer {
  return eventStreamMessage(
    {
      ':event-type': type,
      ':content-type': 'application/json',
      ':message-type': 'event',
    },
    payload,
  )
}
