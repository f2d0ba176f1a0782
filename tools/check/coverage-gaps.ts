/** Reads an lcov report: which files leave the most lines untouched. */
export interface Gap {
  readonly file: string
  readonly missing: number
  readonly lines: number
}

/** Worst first. `SF`, `LF` and `LH` are lcov's words for a file and its lines found and hit. */
export function coverageGaps(lcov: string): Gap[] {
  const gaps: Gap[] = []
  for (const section of lcov.split('end_of_record')) {
    const file = /^SF:(.*)$/m.exec(section)?.[1]
    const lines = Number(/^LF:(\d+)$/m.exec(section)?.[1])
    const hit = Number(/^LH:(\d+)$/m.exec(section)?.[1])
    if (file !== undefined && hit < lines)
      gaps.push({ file, missing: lines - hit, lines })
  }
  return gaps.sort((a, b) => b.missing - a.missing)
}
