/**
 * Builds ClientHellos field by field, lengths included, so that tests can bend one thing at a
 * time. Random and keys are fixed patterns: nothing here ever completes a handshake.
 */
export type Bytes = readonly number[]

export const u8 = (value: number): Bytes => [value & 0xff]
export const u16 = (value: number): Bytes => [(value >> 8) & 0xff, value & 0xff]
export const u24 = (value: number): Bytes => [(value >> 16) & 0xff, ...u16(value)]
export const text = (value: string): Bytes => [...Buffer.from(value, 'latin1')]
export const filled = (length: number, value = 0x5a): Bytes =>
  Array.from({ length }, () => value)

const vector8 = (content: Bytes): Bytes => [...u8(content.length), ...content]
const vector16 = (content: Bytes): Bytes => [...u16(content.length), ...content]

export const extension = (type: number, content: Bytes): Bytes => [
  ...u16(type),
  ...vector16(content),
]

export const hostName = (name: string): Bytes => [...u8(0), ...vector16(text(name))]
export const serverName = (...names: readonly Bytes[]): Bytes =>
  extension(0, vector16(names.flat()))
export const sni = (name: string): Bytes => serverName(hostName(name))
export const alpn = (...names: readonly string[]): Bytes =>
  extension(16, vector16(names.flatMap((name) => vector8(text(name)))))
export const supportedVersions = (...versions: readonly number[]): Bytes =>
  extension(43, vector8(versions.flatMap(u16)))
export const supportedGroups = (...groups: readonly number[]): Bytes =>
  extension(10, vector16(groups.flatMap(u16)))
export const keyShares = (
  ...shares: readonly (readonly [group: number, length: number])[]
) =>
  extension(
    51,
    vector16(
      shares.flatMap(([group, length]) => [...u16(group), ...vector16(filled(length))]),
    ),
  )

export interface HelloParts {
  readonly legacyVersion?: number
  readonly sessionId?: Bytes
  readonly cipherSuites?: readonly number[]
  readonly compression?: Bytes
  /** Undefined: no extensions block at all. */
  readonly extensions?: readonly Bytes[] | undefined
  /** Appended behind everything, inside the message. */
  readonly trailer?: Bytes
}

/** The handshake message, header included. */
export function helloMessage(parts: HelloParts): Bytes {
  const block = parts.extensions === undefined ? [] : vector16(parts.extensions.flat())
  const body = [
    ...u16(parts.legacyVersion ?? 0x0303),
    ...filled(32, 0x11),
    ...vector8(parts.sessionId ?? filled(32, 0x22)),
    ...vector16((parts.cipherSuites ?? [0x1301, 0xc02f]).flatMap(u16)),
    ...vector8(parts.compression ?? [0]),
    ...block,
    ...(parts.trailer ?? []),
  ]
  return [1, ...u24(body.length), ...body]
}

/** The message over records of `recordBytes` each; one record when it is left out. */
export function inRecords(message: Bytes, recordBytes = message.length): Buffer {
  const parts: number[] = []
  for (let at = 0; at < message.length; at += recordBytes) {
    const piece = message.slice(at, at + recordBytes)
    parts.push(0x16, 3, 1, ...u16(piece.length), ...piece)
  }
  return Buffer.from(parts)
}

export function hello(...extensions: readonly Bytes[]): Buffer {
  return inRecords(helloMessage({ extensions }))
}

/** GREASE in every list, an outer ECH, a post-quantum key share of 1,216 bytes: as browsers do. */
export function browserLikeMessage(name: string): Bytes {
  return helloMessage({
    cipherSuites: [0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f],
    extensions: [
      extension(0x8a8a, []),
      extension(0xfe0d, [
        0,
        ...u16(1),
        ...u16(1),
        7,
        ...vector16(filled(32)),
        ...vector16(filled(144)),
      ]),
      alpn('h2', 'http/1.1'),
      keyShares([0xdada, 1], [4588, 1216], [29, 32]),
      sni(name),
      supportedVersions(0x6a6a, 0x0304, 0x0303),
      extension(23, []),
      supportedGroups(0xdada, 4588, 29, 23, 24),
      extension(11, [1, 0]),
      extension(13, vector16([0x0403, 0x0804, 0x0401].flatMap(u16))),
      extension(45, [1, 1]),
      extension(0x2a2a, [0]),
    ],
  })
}

/** A returning client: early data and a pre-shared key, which comes last (RFC 8446 §4.2.11). */
export function resumingMessage(name: string): Bytes {
  const identity = [...vector16(filled(100)), ...filled(4)]
  return helloMessage({
    cipherSuites: [0x1301],
    extensions: [
      sni(name),
      supportedVersions(0x0304),
      supportedGroups(29),
      keyShares([29, 32]),
      extension(45, [1, 1]),
      extension(42, []),
      extension(41, [...vector16(identity), ...vector16(vector8(filled(32)))]),
    ],
  })
}
