/**
 * Programs by what their requests show: how the User-Agent begins, or a field that only they
 * send, since some show the User-Agent of the library that they are built on. Pure.
 */

/** A program, and the HTTP status by which it is told of a block. */
export interface ClientMark {
  readonly name: string
  /**
   * How its `User-Agent` may begin. In lower case, like `headers`, the names of its own
   * fields.
   */
  readonly userAgents: readonly string[]
  readonly headers: readonly string[]
  readonly blockStatus: number
}

/** The last that fits: an operator's own stand after ours. `rawHeaders` are flat, as received. */
export function markOf(
  marks: readonly ClientMark[],
  rawHeaders: readonly string[],
): ClientMark | undefined {
  const names = new Set<string>()
  let agent = ''
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    names.add(name)
    if (name === 'user-agent') agent = (rawHeaders[i + 1] as string).toLowerCase()
  }
  return marks.findLast(
    ({ userAgents, headers }) =>
      userAgents.some((start) => agent.startsWith(start)) ||
      headers.some((name) => names.has(name)),
  )
}
