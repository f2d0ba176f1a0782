/** Changes bytes as faults and attackers do: flips, cuts, repeats, splices, bent lengths. */

/** Longest input made, in bytes. */
const MAX_INPUT_BYTES = 80_000

/** Numbers at which lengths and counts go wrong. */
const EDGES = [0, 1, 2, 3, 0x16, 0x7f, 0x80, 0xff]

/** A repeatable sequence of numbers 0 <= x < 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

export function mutate(
  input: Buffer,
  others: readonly Buffer[],
  random: () => number,
): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit)
  let bytes = Buffer.from(input)
  for (let rounds = 1 + below(4); rounds > 0; rounds--) {
    const at = below(bytes.length + 1)
    const length = 1 + below(random() < 0.8 ? 8 : 2_000)
    switch (below(8)) {
      case 0: // flip one bit
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8))
        break
      case 1: // an edge value
        if (at < bytes.length) bytes[at] = EDGES[below(EDGES.length)] ?? 0
        break
      case 2: // a length that is one off, or far off
        if (at + 1 < bytes.length) {
          const off = random() < 0.5 ? 1 : below(65_536)
          bytes.writeUInt16BE((bytes.readUInt16BE(at) + off) & 0xffff, at)
        }
        break
      case 3: // cut out
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
        break
      case 4: // repeat
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])
        break
      case 5: // end early
        bytes = bytes.subarray(0, at)
        break
      case 6: // go on with another
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          (others[below(others.length)] ?? bytes).subarray(at),
        ])
        break
      default: // put noise in
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(Array.from({ length }, () => below(256))),
          bytes.subarray(at),
        ])
    }
  }
  return bytes.subarray(0, MAX_INPUT_BYTES)
}
