/** For readers with `push` and `end`: the same bytes, cut in every way that a test can afford. */

export interface PushReader<T> {
  push(chunk: Uint8Array): readonly T[]
  end(): readonly T[]
}

/** What a fresh reader gives for these chunks. */
export function readAll<T>(reader: PushReader<T>, chunks: readonly Uint8Array[]): T[] {
  const events: T[] = []
  for (const chunk of chunks) events.push(...reader.push(chunk))
  events.push(...reader.end())
  return events
}

/** Two chunks at every offset, then one byte at a time; each way as its list of chunks. */
export function* everySplit(bytes: Uint8Array): Generator<Uint8Array[]> {
  for (let at = 0; at <= bytes.length; at++)
    yield [bytes.subarray(0, at), bytes.subarray(at)]
  yield Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
}

/** The chunks for a list of cut offsets, in any order and with repetitions. */
export function cutAtOffsets(
  bytes: Uint8Array,
  offsets: readonly number[],
): Uint8Array[] {
  const cuts = [...offsets].map((at) => at % (bytes.length + 1)).sort((a, b) => a - b)
  const chunks: Uint8Array[] = []
  let start = 0
  for (const cut of cuts) {
    chunks.push(bytes.subarray(start, cut))
    start = cut
  }
  chunks.push(bytes.subarray(start))
  return chunks
}
