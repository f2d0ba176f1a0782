/**
 * Work that would hold the event loop if it were done in one go: it rests at every `yield`,
 * which stands where little has been done since the last.
 */
export type Resting<T> = Generator<void, T, void>

/** Milliseconds of one slice; between two pieces of work, so that it may take a little longer. */
export const SLICE_MS = 2

/** All of it now: for what is known to be small. */
export function atOnce<T>(work: Resting<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** In slices, with a turn of the loop between two. `isOver`: nobody waits for it any more. */
export async function inSlices<T>(
  work: Resting<T>,
  isOver: () => boolean = () => false,
): Promise<T | undefined> {
  let until = performance.now() + SLICE_MS
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    if (performance.now() < until) continue
    if (isOver()) return undefined
    await new Promise((resolve) => setImmediate(resolve))
    until = performance.now() + SLICE_MS
  }
}
