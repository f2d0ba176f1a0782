/** What a bundle may be. What is over a limit is refused, and said. */
export const BUNDLE_LIMITS = {
  /** Bytes as they come. */
  packedBytes: 4 * 1024 * 1024,
  /** Bytes of the archive when it is unpacked. */
  unpackedBytes: 16 * 1024 * 1024,
  /** Entries of the archive, folders too. */
  entries: 2048,
  /** Bytes of one path. */
  pathBytes: 255,
  /** Files of Rego. */
  modules: 256,
  /** Bytes of one of them. */
  moduleBytes: 1024 * 1024,
  /** Bytes of all data, of `.manifest`, and of `.signatures.json`: each is read at once. */
  dataBytes: 256 * 1024,
  /** How deep data may be. */
  depth: 64,
} as const

/** A bundle that is not taken, with why, for people. */
export class BadBundle extends Error {}
